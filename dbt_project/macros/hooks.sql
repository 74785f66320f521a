{# What a hook before a run does. In a run of somebody's project in which nothing of Foretell is selected, nothing. #}
{% macro before_run(name) %}
    {%- if not execute -%}{{ return(context[name]()) }}{%- endif -%}
    {%- for id in selected_resources if '.foretell.' in id -%}{{ return(context[name]()) }}{%- endfor -%}
{% endmacro %}

{# Tell `foretell`, which started this run, in which schemas the tables are. #}
{% macro note_schemas() %}
    {%- if execute and env_var('FORETELL_PARENT', '') -%}
        {{ log('Foretell schemas: ' ~ tojson({
            'schema': history_table('models').schema, 'internal': history_table('build_state').schema
        }), info=True) }}
    {%- endif -%}
{% endmacro %}
