{# A large table is filled in parts, each the rows of the model's SQL for some weeks and some users: joins,
   groups and sorts that fit into memory take half the time of one large query (docs/decisions/0010). The
   model's SQL selects the rows of the current part with in_block(key) and in_weeks(hour), whose bounds are
   variables of DuckDB, so that a scan skips all other rows. Without bounds both are true for all rows. Spark
   does everything at once: it spills and splits by itself. #}

{# True for users of the current part. #}
{% macro in_block(key) %}{{ return(adapter.dispatch('in_block', 'foretell')(key)) }}{% endmacro %}
{% macro duckdb__in_block(key) -%}
{{ key }} between coalesce(getvariable('first_key'), 0) and coalesce(getvariable('last_key'), 9223372036854775807)
{%- endmacro %}
{% macro spark__in_block(key) %}true{% endmacro %}
{% macro default__in_block(key) %}{{ exceptions.raise_compiler_error("in_block: add " ~ target.type) }}{% endmacro %}

{# True for hours of the current part. #}
{% macro in_weeks(hour) %}{{ return(adapter.dispatch('in_weeks', 'foretell')(hour)) }}{% endmacro %}
{% macro duckdb__in_weeks(hour) -%}
{{ hour }} between coalesce(getvariable('first_hour'), -2147483647) and coalesce(getvariable('last_hour'), 2147483647)
{%- endmacro %}
{% macro spark__in_weeks(hour) %}true{% endmacro %}
{% macro default__in_weeks(hour) %}{{ exceptions.raise_compiler_error("in_weeks: add " ~ target.type) }}{% endmacro %}

{# Fill a table in parts, all in one transaction, and replace the existing table with it. Returns the new name
   of the replaced table, to be dropped after the commit, or none. parts: a list of bounds; a missing bound is
   open. #}
{% macro duckdb__fill_in_parts(target_relation, parts) %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set building = make_intermediate_relation(target_relation) -%}
    {%- set backup = make_backup_relation(target_relation, 'table') -%}
    {%- do drop_relation_if_exists(load_cached_relation(building)) -%}
    {%- do drop_relation_if_exists(load_cached_relation(backup)) -%}
    {%- if parts | length < 2 -%}
        {%- do duckdb__set_bounds(parts[0] if parts else {}) -%}
        {% call statement('main') -%} create table {{ building }} as {{ compiled_code }} {%- endcall %}
    {%- else -%}
        {#- limit 0: without it DuckDB 2.0 sorts nothing on several threads, and what is inserted after that is
            not seen by this process until a checkpoint (tests/e2e/test_hard_cases.py). -#}
        {%- do duckdb__set_bounds({'first_key': 0, 'last_key': -1}) -%}
        {% call statement('main') -%}
            create table {{ building }} as select * from ({{ compiled_code }}) as nothing limit 0
        {%- endcall %}
        {%- do duckdb__insert_parts(building, parts) -%}
    {%- endif -%}
    {%- do duckdb__set_bounds({}) -%}
    {%- if existing is not none and existing.is_view -%}
        {%- do drop_relation_if_exists(existing) -%}
    {%- elif existing is not none -%}
        {%- do adapter.rename_relation(existing, backup) -%}
    {%- endif -%}
    {%- do adapter.rename_relation(building, target_relation) -%}
    {{ return(backup if existing is not none and not existing.is_view else none) }}
{% endmacro %}

{# The end of a materialization: hooks, comments, commit; only then is the replaced table dropped. #}
{% macro duckdb__finish(target_relation, backup) %}
    {{ run_hooks(post_hooks) }}
    {% do persist_docs(target_relation, model) %}
    {%- do adapter.commit() -%}
    {%- if backup -%}{%- do drop_relation_if_exists(backup) -%}{%- endif -%}
{% endmacro %}

{# Insert part after part, with progress if it takes long. #}
{% macro duckdb__insert_parts(building, parts) %}
    {%- set began = modules.datetime.datetime.now() -%}
    {%- set reported = namespace(at=began) -%}
    {%- for bounds in parts -%}
        {%- do duckdb__set_bounds(bounds) -%}
        {% call statement('part') -%} insert into {{ building }} {{ compiled_code }} {%- endcall %}
        {%- set now = modules.datetime.datetime.now() -%}
        {%- if (now - reported.at).total_seconds() > 5 or (loop.last and reported.at != began) -%}
            {%- set reported.at = now -%}
            {%- set seconds = (now - began).total_seconds() -%}
            {%- set written = run_query('select count(*) from ' ~ building).rows[0][0] -%}
            {{ log(
                model.name ~ ': ' ~ loop.index ~ ' of ' ~ parts | length ~ ' parts, '
                ~ '{:,} rows, {:,.0f} rows/s, about {:.0f} s left'.format(
                    written, written / seconds, seconds / loop.index * (parts | length - loop.index)
                ), info=True
            ) }}
        {%- endif -%}
    {%- endfor -%}
{% endmacro %}

{# Statements, not run_query: the first of them begins the transaction that ends with the last part. #}
{% macro duckdb__set_bounds(bounds) %}
    {% call statement('bounds') -%}
        {%- for name in ['first_key', 'last_key', 'first_hour', 'last_hour'] %}
        set variable {{ name }} = {{ bounds.get(name, 'null') }};
        {%- endfor %}
    {%- endcall %}
{% endmacro %}

{# Parts of about events_per_fill events: whole weeks or, if a week has more, some users of one week. events: a
   relation with event_hour. #}
{% macro parts_by_week(events) %}
    {%- set weeks = run_query(
        'select ' ~ floor_divide('event_hour', 168) ~ ' as week, count(*) from ' ~ events ~ ' group by week order by week'
    ).rows -%}
    {%- set parts, at = [], namespace(first=none, n=0) -%}
    {%- for week, n_events in weeks -%}
        {%- if at.first is none -%}{%- set at.first = 168 * week -%}{%- endif -%}
        {%- set at.n = at.n + n_events -%}
        {%- if at.n >= var('events_per_fill') or loop.last -%}
            {%- for block in blocks_of_keys([at.n // var('events_per_fill'), 1] | max) -%}
                {%- do parts.append(dict(block, first_hour=at.first, last_hour=168 * week + 167)) -%}
            {%- endfor -%}
            {%- set at.first, at.n = none, 0 -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(parts) }}
{% endmacro %}

{# A number of key ranges with about equally many users in each: keys are hashes. #}
{% macro blocks_of_keys(n_blocks) %}
    {%- set step, blocks = 2 ** 63 // n_blocks, [] -%}
    {%- for block in range(n_blocks) -%}
        {%- do blocks.append({
            'first_key': block * step, 'last_key': 2 ** 63 - 1 if loop.last else (block + 1) * step - 1
        }) -%}
    {%- endfor -%}
    {{ return(blocks) }}
{% endmacro %}
