{# The table build_state, one row: the state of the newest build. An hourly run reads only this row to decide
   whether it may use the existing tables. A build of stg_as_of sets step begun at its start and built at its
   end; step finished follows when `predictions` and the tables made from it are built. A build of a past hour
   is refused unless FORETELL_REPLAY allows it. #}

{# The version of the tables and columns of a warehouse. #}
{% macro warehouse_version() %}{{ return('0.3.0') }}{% endmacro %}

{# Before a build. #}
{% macro begin_build() %}
    {%- if is_build_of('stg_as_of') -%}
        {%- do refuse_past_hour() -%}
        {%- do set_build_state({
            'scope': sql_string(var('scope')),
            'newest_as_of': newest_as_of(),
            'step': "'begun'",
            'follows_stopped': "coalesce(state.step <> 'finished', false)",
            'is_daily_whole': 'false' if makes_daily_tables() else 'coalesce(state.is_daily_whole, false)',
            'started_at': sql_now(),
        }) -%}
    {%- endif -%}
{% endmacro %}

{# After a build. results: of dbt, a result per node. A build without scoring_rows leaves the inputs of scores
   complete, so it ends as finished. #}
{% macro end_build(results) %}
    {%- set failed = results | map(attribute='status') | map('string')
        | reject('in', ['success', 'pass', 'warn', 'no-op', 'partial success']) | list -%}
    {%- if is_build_of('stg_as_of') and not failed -%}
        {%- set ended = "case when state.follows_stopped then 'begun' else 'finished' end" -%}
        {%- do set_build_state({
            'step': "'built'" if is_build_of('scoring_rows') else ended,
            'is_daily_whole': 'true' if makes_daily_tables() else 'state.is_daily_whole',
        }) -%}
    {%- endif -%}
    {%- if makes_served_tables() and not failed
        and run_query('select 1 from ' ~ history_table('build_state') ~ " where step = 'built'").rows -%}
        {%- set now, predictions = built_table('stg_as_of'), built_table('predictions') -%}
        {%- do set_build_state({
            'version': sql_string(warehouse_version()),
            'as_of': '(select max(as_of) from ' ~ now ~ ')',
            'newest_as_of': newest_as_of(),
            'scored_as_of': '(select max(as_of) from ' ~ predictions ~ ')',
            'oldest_score_as_of': '(select min(as_of) from ' ~ predictions ~ ')',
            'definitions_hash': '(' ~ hash_of_definitions(built_table('prediction_definitions')) ~ ')',
            'step': "'finished'",
            'follows_stopped': 'false',
            'finished_at': sql_now(),
        }) -%}
        {%- do report_untrained() -%}
    {%- endif -%}
{% endmacro %}

{# dbt alone trains nothing: name the predictions that wait for a model. #}
{% macro report_untrained() %}
    {%- set waiting = run_query(
        'select defined.prediction from ' ~ built_table('prediction_definitions') ~ ' as defined left join '
        ~ built_table('champions') ~ ' as champions on defined.prediction = champions.prediction'
        ~ ' where champions.prediction is null order by defined.prediction'
    ).rows | map(attribute=0) | list -%}
    {%- if waiting and not env_var('FORETELL_PARENT', '') -%}
        {{ log('Foretell: no model yet: ' ~ waiting | join(', ') ~ '; `foretell run` trains', info=True) }}
    {%- endif -%}
{% endmacro %}

{# True if this command builds the model. #}
{% macro is_build_of(name) %}
    {{ return(execute and flags.WHICH in ('build', 'run') and 'model.foretell.' ~ name in selected_resources) }}
{% endmacro %}

{# True if this build makes all tables for readers of scores, apart from the daily reports. #}
{% macro makes_served_tables() %}
    {%- if not execute -%}{{ return(false) }}{%- endif -%}
    {%- for node in graph.nodes.values()
        if node.resource_type == 'model' and node.package_name == 'foretell'
            and 'after_scoring' in node.config.tags and 'daily' not in node.config.tags and not is_build_of(node.name) -%}
        {{ return(false) }}
    {%- endfor -%}
    {{ return(true) }}
{% endmacro %}

{# True if this build decides which counters and features are input. An hourly run uses the decisions of the
   last daily run. #}
{% macro makes_daily_tables() %}
    {%- for node in graph.nodes.values()
        if node.resource_type == 'model' and node.package_name == 'foretell' and 'daily' in node.config.tags
            and 'after_scoring' not in node.config.tags and node.unique_id in selected_resources -%}
        {{ return(true) }}
    {%- endfor -%}
    {{ return(false) }}
{% endmacro %}

{# Write the row. changed: column to SQL, which may read the previous row as state; other columns keep their
   values. #}
{% macro set_build_state(changed) %}
    {%- set table, columns = history_table('build_state'), [] -%}
    {%- for column, type in history_columns('build_state').items() -%}
        {%- do columns.append(
            'cast(' ~ changed.get(column, 'state.' ~ column) ~ ' as ' ~ type ~ ') as ' ~ column
        ) -%}
    {%- endfor -%}
    {%- do run_query(replace_table(table,
        'select ' ~ columns | join(', ') ~ ' from (select 1 as one) as one left join ' ~ table ~ ' as state on true'
    )) -%}
    {%- do adapter.commit() -%}
{% endmacro %}

{# This moment, as SQL. #}
{% macro sql_now() %}
    {{ return("timestamp '" ~ modules.datetime.datetime.now(modules.pytz.utc).strftime('%Y-%m-%d %H:%M:%S') ~ "'") }}
{% endmacro %}

{# One hash of all definitions, which differs when one is added, changed or removed: a query. #}
{% macro hash_of_definitions(definitions) %}
    {{ return(
        'select cast(coalesce(sum(' ~ hash_key('prediction, definition_hash') ~ ' % 1000000007), 0) as bigint)'
        ~ ' as definitions_hash from ' ~ definitions
    ) }}
{% endmacro %}

{# The newest as_of of any run, as SQL; a replay of an earlier hour does not change it. #}
{% macro newest_as_of() %}
    {%- set now = built_table('stg_as_of') -%}
    {{ return(
        'greatest(state.newest_as_of, (select max(as_of) from ' ~ now ~ '))' if now else 'state.newest_as_of'
    ) }}
{% endmacro %}

{% macro given_as_of() %}{{ return(setting('as_of')) }}{% endmacro %}

{# Stop a build as of an hour before the newest run, unless FORETELL_REPLAY allows it. #}
{% macro refuse_past_hour() %}
    {%- set given = given_as_of() -%}
    {%- if given and env_var('FORETELL_REPLAY', '') != 'publish' -%}
        {%- set later = run_query(
            'select newest from (select ' ~ newest_as_of() ~ ' as newest from ' ~ history_table('build_state')
            ~ ' as state) as builds where newest > ' ~ hour_start(hour_index(to_utc(sql_string(given))))
        ) -%}
        {%- if later.rows -%}
            {{ refuse(
                'FORETELL_AS_OF=' ~ given ~ ' is before the newest run of this warehouse, as of '
                ~ later.rows[0][0] ~ ': a replay would replace live scores. Unset it, or replay '
                ~ 'in a copy with `foretell score --as-of`; FORETELL_REPLAY=publish allows it'
            ) }}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
