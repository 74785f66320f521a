{# Before a build: set the threads and the folder to spill to, if FORETELL_THREADS and FORETELL_SPILL name them
   (models_ml/foretell/machine.py; memory is set in profiles.yml). Spark has settings of its own. #}
{% macro bound_database() %}{{ return(adapter.dispatch('bound_database', 'foretell')()) }}{% endmacro %}
{% macro duckdb__bound_database() %}
    {%- set threads = env_var('FORETELL_THREADS', '') -%}
    {%- set folder = env_var('FORETELL_SPILL', '') -%}
    {%- if execute and threads %}
        {%- do run_query('set threads = ' ~ sql_string(threads)) -%}
    {%- endif -%}
    {%- if execute and folder %}
        {%- set spill = folder ~ '/foretell_' ~ local_md5(target.path) -%}
        {%- do run_query('set temp_directory = ' ~ sql_string(spill)) -%}
    {%- endif -%}
{% endmacro %}
{% macro default__bound_database() %}{% endmacro %}
