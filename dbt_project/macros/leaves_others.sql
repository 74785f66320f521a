{# Does an hourly run (scope active) leave users who did nothing as they are? cohort_scope has decided
   it, once for the whole run. #}
{% macro leaves_others() %}
    {%- if var('scope') != 'active' -%}{{ return(false) }}{%- endif -%}
    {%- set decided, now = ref('cohort_scope'), ref('stg_as_of') -%}
    {%- if not execute -%}{{ return(true) }}{%- endif -%}
    {%- set decision = run_query(
        'select decided.scope from ' ~ decided ~ ' as decided inner join ' ~ now
        ~ ' as now on decided.as_of_hour = now.as_of_hour'
    ) -%}
    {{ return(decision.rows | length > 0 and decision.rows[0][0] == 'active') }}
{% endmacro %}

{# Joins only the identities of users whom such a run processes: after a FROM item, alias active. #}
{% macro of_active_users(identity_key) %}
    {%- if leaves_others() -%}
    inner join {{ ref('cohort_active_identities') }} as active
        on {{ identity_key }} = active.identity_key
    {%- endif -%}
{% endmacro %}

{# The tables that an hourly run may leave as they are, and the history, by name (refs would make
   circles); empty until all are there, with every column that this version says they have. #}
{% macro existing_tables() %}
    {%- set found = {} -%}
    {%- for name in ['scoring_rows', 'predictions', 'audiences', 'prediction_history'] if execute -%}
        {%- set table, model = table_by_name(name), graph.nodes.get('model.foretell.' ~ name, {}) -%}
        {%- set is_older = table and missing_names(table, model.get('columns', {})) -%}
        {%- do found.update({name: none if is_older else table}) -%}
    {%- endfor -%}
    {{ return({} if none in found.values() else found) }}
{% endmacro %}
