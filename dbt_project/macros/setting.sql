{# The value of a setting: dbt's --vars, else the environment (FORETELL_ and the name), else the var of
   dbt_project.yml. foretell.config reads them in the same order. #}
{% macro setting(name) %}
    {%- set flags = invocation_args_dict.get('vars') or {} -%}
    {{ return(flags.get(name) or env_var('FORETELL_' ~ name | upper, '') or var(name)) }}
{% endmacro %}

{# The setting that names the events: sources, events_relation or events, the first that is set; the environment
   takes precedence over dbt_project.yml. Empty: none is set, and the demo's events are used. #}
{% macro named_input() %}
    {%- set names, flags = ['sources', 'events_relation', 'events'], invocation_args_dict.get('vars') or {} -%}
    {%- for name in names if flags.get(name) -%}{{ return(name) }}{%- endfor -%}
    {%- for name in names if env_var('FORETELL_' ~ name | upper, '') -%}{{ return(name) }}{%- endfor -%}
    {%- for name in names if var(name) -%}{{ return(name) }}{%- endfor -%}
    {{ return('') }}
{% endmacro %}

{# The exposures that count as definitions: those of the demo only with the events of the demo; of somebody's project
   those that define a prediction or depend on `predictions`, as it may have others. #}
{% macro definitions_in_use() %}
    {%- set found, is_named = [], named_input() -%}
    {%- for exposure in graph.exposures.values() | sort(attribute='name') -%}
        {%- set is_demo = exposure.original_file_path.startswith('seeds/demo_predictions/') -%}
        {%- set is_ours = project_name == 'foretell' or 'prediction' in exposure.config.meta
            or 'model.foretell.predictions' in exposure.depends_on.nodes -%}
        {%- if is_ours and not (is_demo and is_named) -%}
            {%- do found.append(exposure) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found) }}
{% endmacro %}
