{# In an hourly run (scope active) joins only the identities that it processes: after a FROM item, alias
   processed. #}
{% macro of_processed_users(identity_key) %}
    {%- if var('scope') == 'active' -%}
    inner join {{ ref('cohort_processed_identities') }} as processed
        on {{ identity_key }} = processed.identity_key
    {%- endif -%}
{% endmacro %}

{# Is this an hourly run of a table that is there? #}
{% macro is_hourly_run() %}
    {{ return(execute and var('scope') == 'active' and load_cached_relation(this) is not none) }}
{% endmacro %}
