{# In an hourly run (scope active) joins only the identities of users whom it processes; where that run looks at
   everybody after all (cohort_scope), these are all. After a FROM item, alias active. #}
{% macro of_active_users(identity_key) %}
    {%- if var('scope') == 'active' -%}
    inner join {{ ref('cohort_active_identities') }} as active
        on {{ identity_key }} = active.identity_key
    {%- endif -%}
{% endmacro %}

{# Is this an hourly run of a table that is there? #}
{% macro is_hourly_run() %}
    {{ return(execute and var('scope') == 'active' and load_cached_relation(this) is not none) }}
{% endmacro %}
