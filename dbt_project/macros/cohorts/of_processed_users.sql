{# In an hourly run (scope active), a join that keeps only the identities the run processes: after a FROM item,
   alias processed. #}
{% macro of_processed_users(identity_key) %}
    {%- if var('scope') == 'active' -%}
    inner join {{ ref('cohort_processed_identities') }} as processed
        on {{ identity_key }} = processed.identity_key
    {%- endif -%}
{% endmacro %}

{# True in an hourly run if the table exists. #}
{% macro is_hourly_run() %}
    {{ return(execute and var('scope') == 'active' and load_cached_relation(this) is not none) }}
{% endmacro %}
