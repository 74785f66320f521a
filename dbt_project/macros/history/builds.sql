{# Builds that made tables of the tag daily, by which an hourly run goes: table `builds`, one row when a
   build begins and one when it has done all it was asked to. A past hour is refused unless it is meant. #}

{# Before a build. #}
{% macro begin_build() %}
    {%- if execute and flags.WHICH in ('build', 'run') -%}
        {%- set newest = newest_of_replay() -%}
        {%- if newest and env_var('FORETELL_REPLAY', '') != 'publish' -%}
            {{ refuse(
                'FORETELL_AS_OF=' ~ given_as_of() ~ ' is before the newest run of this warehouse, as of '
                ~ newest ~ ': a replay would take the place of live scores. Unset it, or replay beside them '
                ~ 'with `foretell score --as-of`; FORETELL_REPLAY=publish means it'
            ) }}
        {%- endif -%}
        {%- if makes_daily_tables() -%}
            {%- do run_query(note_build('started', newest)) -%}
            {%- do adapter.commit() -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}

{# After a build. results: of dbt, a result per node. #}
{% macro end_build(results) %}
    {%- if execute and flags.WHICH in ('build', 'run') and makes_daily_tables() -%}
        {%- set failed = results | map(attribute='status') | map('string')
            | reject('in', ['success', 'pass', 'warn', 'no-op', 'partial success']) | list -%}
        {%- if not failed -%}
            {%- do run_query(note_build('done', none)) -%}
            {%- do adapter.commit() -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}

{# Whether this build decides what now is and what counts as input: the pass after scoring does not. #}
{% macro makes_daily_tables() %}
    {%- if 'model.foretell.stg_as_of' not in selected_resources -%}{{ return(false) }}{%- endif -%}
    {%- for node in graph.nodes.values()
        if node.resource_type == 'model' and 'daily' in node.config.tags
            and node.unique_id in selected_resources -%}
        {{ return(true) }}
    {%- endfor -%}
    {{ return(false) }}
{% endmacro %}

{% macro given_as_of() %}{{ return(setting('as_of')) }}{% endmacro %}

{# As of when the newest run was, if this build would set the clock back, or leave it set back; else none. #}
{% macro newest_of_replay() %}
    {%- set given, now, builds = given_as_of(), table_by_name('stg_as_of'), table_by_name('builds') -%}
    {%- if not given or not now or 'model.foretell.stg_as_of' not in selected_resources -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set newest = 'select as_of from ' ~ now -%}
    {%- if builds -%}
        {%- set newest = newest ~ ' union all select set_back_from as as_of from ' ~ builds
            ~ " where step = 'started' and started_at = (select max(started_at) from " ~ builds ~ ')' -%}
    {%- endif -%}
    {%- set later = run_query(
        'select max(as_of) from (' ~ newest ~ ') as newest where as_of > '
        ~ hour_start(hour_index(to_utc(sql_string(given))))
    ) -%}
    {{ return(later.rows[0][0]) }}
{% endmacro %}

{% macro note_build(step, newest) %}
    insert into {{ api.Relation.create(target.get('database'), target.schema, 'builds') }}
    values (
        {{ sql_string(invocation_id) }}, timestamp '{{ run_started_at.strftime('%Y-%m-%d %H:%M:%S.%f') }}',
        {{ sql_string(var('scope')) }},
        {{ "timestamp '" ~ newest ~ "'" if newest else 'cast(null as timestamp)' }}, {{ sql_string(step) }}
    )
{% endmacro %}
