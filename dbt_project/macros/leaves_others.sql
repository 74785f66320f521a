{# Does an hourly run (scope active) leave users who did nothing as they stand in scoring_rows? What stands
   must be of the newest scoring: not so where nothing stands yet, after a run that failed, and around a
   replay of a past hour; then everybody is looked at. #}
{% macro leaves_others() %}
    {%- if var('scope') != 'active' -%}{{ return(false) }}{%- endif -%}
    {%- if not execute -%}{{ return(true) }}{%- endif -%}
    {{ return(is_of_newest_scoring('scoring_rows', '<=')) }}
{% endmacro %}

{# The same for predictions, made after the scoring of now; not so where everybody was looked at. #}
{% macro leaves_other_predictions() %}
    {%- if var('scope') != 'active' -%}{{ return(false) }}{%- endif -%}
    {%- if not execute -%}{{ return(true) }}{%- endif -%}
    {%- set older = 'select count(*) from ' ~ ref('scoring_rows') ~ ' as rows inner join ' ~ ref('stg_as_of')
        ~ ' as now on rows.as_of < now.as_of' -%}
    {{ return(run_query(older).rows[0][0] > 0 and is_of_newest_scoring('predictions', '<')) }}
{% endmacro %}

{# Whether the newest as_of in a table is not before that of the scorings before (< or <=) now, nor after
   now. By name: a ref would make a circle. #}
{% macro is_of_newest_scoring(table, until) %}
    {%- set found = [] -%}
    {%- for name in [table, 'stg_as_of', 'prediction_history'] -%}
        {%- do found.append(adapter.get_relation(target.get('database'), target.schema, name)) -%}
    {%- endfor -%}
    {%- set standing, now, history = found -%}
    {%- if not (standing and now and history) -%}{{ return(false) }}{%- endif -%}
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
