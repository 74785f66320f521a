{# Does an hourly run (scope active) leave users who did nothing as they stand in a table? What stands must
   be of the newest scoring: not so where nothing stands yet, after a run that failed, and around a
   replay of a past hour; then everybody is looked at. table: scoring_rows, or predictions, which are
   made after the scoring of now. By name: a ref would make a circle. #}
{% macro leaves_others(table='scoring_rows') %}
    {%- if var('scope') != 'active' -%}{{ return(false) }}{%- endif -%}
    {%- if not execute -%}{{ return(true) }}{%- endif -%}
    {%- set found = [] -%}
    {%- for name in [table, 'stg_as_of', 'prediction_history'] -%}
        {%- do found.append(adapter.get_relation(target.get('database'), target.schema, name)) -%}
    {%- endfor -%}
    {%- set standing, now, history = found -%}
    {%- if not (standing and now and history) -%}{{ return(false) }}{%- endif -%}
    {%- set until = '<' if table == 'predictions' else '<=' -%}
    {%- set is_newest %}
    select count(*) as n
    from {{ now }} as now
    cross join (select max(as_of) as as_of from {{ standing }}) as standing
    cross join (
        select max(history.as_of) as as_of
        from {{ history }} as history
        inner join {{ now }} as now on history.as_of {{ until }} now.as_of
    ) as scored
    where standing.as_of <= now.as_of and standing.as_of >= coalesce(scored.as_of, standing.as_of)
    {%- endset -%}
    {{ return(run_query(is_newest).rows[0][0] > 0) }}
{% endmacro %}

{# Joins only the identities of users whom such a run looks at: after a FROM item, alias active. #}
{% macro of_active_users(identity_key) %}
    {%- if leaves_others() -%}
    inner join {{ ref('cohort_active_identities') }} as active
        on {{ identity_key }} = active.identity_key
    {%- endif -%}
{% endmacro %}
