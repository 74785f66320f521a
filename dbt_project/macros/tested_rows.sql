{# Rows that a generic test looks at: those of its own `where` and, in an hourly run, only what that run
   may have changed. A daily run tests all. Overrides dbt's macro of this name. #}
{% macro get_where_subquery(relation) %}
    {%- set conditions = [config.get('where', ''), changed_in_hour(relation)] | select | list -%}
    {%- if not conditions -%}{{ return(relation) }}{%- endif -%}
    {{ return('(select * from ' ~ relation ~ ' where (' ~ conditions | join(') and (') ~ ')) as tested') }}
{% endmacro %}

{# In an hourly run, which rows of a large table it may have changed, and what others have the same key; empty
   for other tables and runs. With constants: by those the engine skips what it need not read. #}
{% macro changed_in_hour(relation) %}
    {%- if var('scope') != 'active' or not execute -%}{{ return('') }}{%- endif -%}
    {%- set name = relation.identifier -%}
    {%- set active = table_by_name('cohort_active_identities') -%}
    {%- set is_everyone = '(select scope from ' ~ table_by_name('cohort_scope') ~ ") = 'everyone' or " -%}
    {%- if name == 'scoring_rows' -%}
        {{ return(is_everyone ~ 'user_key in (select identity_key from ' ~ active ~ ')') }}
    {%- elif name in ('predictions', 'audiences') -%}
        {{ return(
            is_everyone ~ 'user_id in (select user_id from ' ~ active ~ ')'
            ~ ' or as_of = (select max(as_of) from ' ~ relation ~ ')'
        ) }}
    {%- elif name == 'stg_checked_events' -%}
        {{ return('decided_in = ' ~ newest_batch_of(relation, 'decided_in')) }}
    {%- elif name == 'hourly_user_events' -%}
        {%- set hours = run_query(
            'select min(event_hour), max(event_hour) from ' ~ relation
            ~ ' where counted_in = ' ~ newest_batch_of(relation)
        ).rows[0] -%}
        {{ return('event_hour between ' ~ (hours[0] or 0) ~ ' and ' ~ (hours[1] or 0)) }}
    {%- elif name in ('stg_sightings', 'stg_identities', 'stg_identity_map') -%}
        {%- set counted = relation if name == 'stg_sightings' else table_by_name('stg_identities') -%}
        {{ return(
            'identity_key in (select identity_key from ' ~ counted
            ~ ' where counted_in = ' ~ newest_batch_of(counted) ~ ')'
        ) }}
    {%- endif -%}
    {{ return('') }}
{% endmacro %}

{# The newest batch that a table has counted, as a number. #}
{% macro newest_batch_of(relation, column='counted_in') %}
    {{ return(run_query('select coalesce(max(' ~ column ~ '), 0) from ' ~ relation).rows[0][0]) }}
{% endmacro %}
