{# The settings that determine how raw events become staged ones, whichever files they are in. When they change,
   all events are loaded anew. #}
{% macro loading_settings() %}
    {{ return(tojson({
        'future_tolerance_hours': var('future_tolerance_hours'),
        'max_value_characters': var('max_value_characters'),
        'max_values_per_day': var('max_values_per_day'),
        'placeholder_ids': placeholder_ids() | sort,
        'version': 4,
    }, sort_keys=true)) }}
{% endmacro %}

{# Before a build: if loaded files or the settings changed, drop the loaded tables, so that all events are
   loaded anew; a relation without loaded_at is read whole each time. New files alone are added to the existing
   tables. Events of deleted files, or of files that no source names now, stay; if loading anew would lose them,
   the run is refused (refuse_to_lose). Ids of counters and features stay, and batch numbers continue. #}
{% macro load_anew() %}
    {%- if execute and flags.WHICH in ('build', 'run') and 'model.foretell.stg_checked_events' in selected_resources -%}
    {%- set loaded = {} -%}
    {%- for node in graph.nodes.values()
        if node.resource_type == 'model' and node.package_name == 'foretell'
        and node.config.materialized == 'incremental_table' and node.config.full_refresh is none -%}
        {%- set relation = adapter.get_relation(node.database, node.schema, node.alias) -%}
        {%- if relation -%}{%- do loaded.update({node.name: relation}) -%}{%- endif -%}
    {%- endfor -%}
    {%- if flags.FULL_REFRESH -%}
        {%- do refuse_to_lose('--full-refresh was given', loaded) -%}
    {%- else -%}
        {%- do load_anew_where_needed(loaded) -%}
    {%- endif -%}
    {%- do adapter.commit() -%}
    {%- endif -%}
{% endmacro %}

{# Drop loaded tables, to be made anew, but for those that stay: their models say so (meta.stays: always, or with_events
   where loaded events are kept). loaded: tables by name. #}
{% macro drop_loaded(loaded, staying) %}
    {%- for name, relation in loaded.items()
        if graph.nodes['model.foretell.' ~ name].config.meta.get('stays') not in staying -%}
        {%- do adapter.drop_relation(relation) -%}
    {%- endfor -%}
{% endmacro %}

{# loaded: tables by name. #}
{% macro load_anew_where_needed(loaded) %}
    {%- set batches = loaded.get('stg_batches') -%}
    {%- set reason = why_load_anew(loaded, batches) if loaded else '' -%}
    {%- if reason and var('keep_loaded') and batches and 'stg_checked_events' in loaded -%}
        {{ log('What is loaded stays as it is (keep_loaded), although ' ~ reason, info=True) }}
        {%- do keep_loaded(loaded) -%}
    {%- elif reason -%}
        {%- do refuse_to_lose(reason, loaded) -%}
        {{ log('All events are loaded anew: ' ~ reason, info=True) }}
        {%- do drop_loaded(loaded, ['always'] if batches else []) -%}
        {%- if batches -%}{%- do run_query(restart_batches(batches, reason)) -%}{%- endif -%}
    {%- elif batches and 'stg_ingest_counts' in loaded -%}
        {%- for row in run_query(
            'select count(distinct source_file), sum(n_events), min(source_file) from (' ~ gone_files(loaded) ~ ') as gone'
        ).rows if row[0] -%}
            {{ log(
                row[0] ~ (' loaded file is' if row[0] == 1 else ' loaded files are')
                ~ ' gone or not named any more, e.g. ' ~ row[2] ~ ': their ' ~ '{:,}'.format(row[1] | int)
                ~ ' events stay. To begin with others, name another FORETELL_WAREHOUSE', info=True
            ) }}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{# The reason to load all events anew, as text; empty if there is none. loaded: tables by name; batches: the
   relation of stg_batches, if it exists. #}
{% macro why_load_anew(loaded, batches) %}
    {%- if not batches -%}{{ return('stg_batches, the list of loaded files, is gone') }}{%- endif -%}
    {%- for name, table in loaded.items() if is_unfinished(table) -%}
        {{ return('a run was stopped while it wrote ' ~ name) }}
    {%- endfor -%}
    {%- for source in event_sources() if source.relation and not source.loaded_at -%}
        {{ return(source.relation_name ~ ' is a relation without loaded_at, which is read whole') }}
    {%- endfor -%}
    {%- set changed = run_query(
        "select 1 as place, 'settings or the version changed since' as reason from " ~ batches
        ~ " where settings <> " ~ sql_string(loading_settings())
        ~ " union all select 2, known.source_file || ' changed since' from " ~ batches ~ " as known"
        ~ " inner join " ~ list_event_files() ~ " as files on known.source_file = files.source_file"
        ~ " where known.n_bytes <> files.n_bytes"
        ~ " or (files.n_bytes is not null and known.modified_at <> files.modified_at)"
        ~ " union all select 3, source_file || ' is read by another adapter now' from ("
        ~ files_of_other_adapters(batches) ~ ") as others"
        ~ (
            " union all select 4, 'the demo must not mix with your events' from " ~ batches
            ~ " where source <> '' and not " ~ is_demo_file('source_file')
            if is_demo() else " union all select 4, 'your events replace those of the demo' from " ~ batches
            ~ ' where ' ~ is_demo_file('source_file')
        )
        ~ " order by 1, 2 limit 1"
    ) -%}
    {{ return(changed.rows[0][1] if changed.rows else '') }}
{% endmacro %}

{% macro files_of_other_adapters(batches) %}
    {{ return(
        'select known.source_file from ' ~ batches ~ ' as known inner join ' ~ list_event_files()
        ~ ' as files on known.source_file = files.source_file where known.adapter <> files.adapter'
    ) }}
{% endmacro %}

{# True if the only events are those of `foretell demo-events`, which can be made again. #}
{% macro is_demo() %}
    {%- for source in event_sources() if source.may_be_absent -%}{{ return(true) }}{%- endfor -%}
    {{ return(false) }}
{% endmacro %}
{% macro is_demo_file(file) %}{{ return(file ~ " like '%warehouse/demo_events/%'") }}{% endmacro %}

{# Loaded files and relations that are gone, or that no source names now, with their accepted events: a query.
   For a relation also the rows deleted from it since, if they are more than a tenth. #}
{% macro gone_files(loaded) %}
    {%- set parts = [] -%}
    {%- set counts = '(select batch_id, sum(n_rows) as n_rows, '
        ~ "sum(case when status = 'accepted' then n_rows else 0 end) as n_events from "
        ~ loaded['stg_ingest_counts'] ~ ' group by batch_id)' -%}
    {%- do parts.append(
        'select known.source_file, coalesce(counts.n_events, 0) as n_events from ' ~ loaded['stg_batches']
        ~ ' as known left join ' ~ counts ~ ' as counts on known.batch_id = counts.batch_id'
        ~ ' left join ' ~ list_event_files() ~ ' as files on known.source_file = files.source_file'
        ~ " where known.source <> '' and files.source_file is null and not " ~ is_demo_file('known.source_file')
    ) -%}
    {%- for source in event_sources() if source.relation -%}
        {%- do parts.append(
            'select ' ~ sql_string(source.relation_name) ~ ' as source_file, max(read.n_rows) - max(now.n_rows) as n_events'
            ~ ' from (select coalesce(sum(counts.n_rows), 0) as n_rows from ' ~ loaded['stg_batches'] ~ ' as known'
            ~ ' inner join ' ~ counts ~ ' as counts on known.batch_id = counts.batch_id'
            ~ ' where known.source_file = ' ~ sql_string(source.relation_name) ~ ') as read'
            ~ ' cross join (select count(*) as n_rows from ' ~ source.relation ~ ') as now'
            ~ ' having max(now.n_rows) < 0.9 * max(read.n_rows)'
        ) -%}
    {%- endfor -%}
    {{ return(parts | join(' union all ')) }}
{% endmacro %}

{# Stop before loading anew loses events; the message names the commands that allow it. #}
{% macro refuse_to_lose(reason, loaded) %}
    {%- if var('forget_gone_files') or not ('stg_batches' in loaded and 'stg_ingest_counts' in loaded) -%}
        {{ return('') }}
    {%- endif -%}
    {%- set lost = run_query(
        'select count(distinct source_file), sum(n_events), min(source_file) from (' ~ gone_files(loaded) ~ ') as gone'
        ~ ' where n_events > 0'
    ).rows[0] -%}
    {%- if lost[0] -%}
        {{ refuse(
            'all events would be loaded anew, because ' ~ reason ~ ', and '
            ~ '{:,}'.format(lost[1] | int) ~ (' event' if lost[1] == 1 else ' events') ~ ' of '
            ~ lost[0] ~ (' file' if lost[0] == 1 else ' files') ~ ' would be lost, as these are gone or not named any more: '
            ~ lost[2] ~ (' and others' if lost[0] > 1 else '')
            ~ '. Name all files again; or keep what is loaded: `foretell run --keep-loaded`; or lose them: '
            ~ '`foretell run --full-refresh --forget-gone-files`'
            ~ ('; or name another FORETELL_WAREHOUSE for the demo' if is_demo())
        ) }}
    {%- endif -%}
{% endmacro %}

{# Keep the loaded events as if they had been loaded now: batches get the current settings and the current sizes
   and times of their files. All other tables follow from the kept events; those that can be counted again are
   dropped and made anew. #}
{% macro keep_loaded(loaded) %}
    {%- set batches = loaded['stg_batches'] -%}
    {%- do drop_loaded(loaded, ['always', 'with_events']) -%}
    {%- set kept %}
    select
        known.batch_id,
        known.source,
        known.source_file,
        known.adapter,
        coalesce(files.n_bytes, known.n_bytes) as n_bytes,
        known.loaded_after,
        case when files.n_bytes is null then known.modified_at else files.modified_at end as modified_at,
        cast({{ sql_string(loading_settings()) }} as {{ dbt.type_string() }}) as settings
    from {{ batches }} as known
    left join {{ list_event_files() }} as files on known.source_file = files.source_file
    {%- endset %}
    {%- do run_query(replace_table(batches, kept)) -%}
{% endmacro %}

{# One batch without rows replaces all earlier ones, so that the next batch gets a higher number. #}
{% macro restart_batches(batches, reason) %}
    {%- set restarted %}
    select
        max(batch_id) as batch_id,
        '' as source,
        'batch ' || max(batch_id) || ' and before, loaded anew: ' || {{ sql_string(reason) }} as source_file,
        cast('' as {{ dbt.type_string() }}) as adapter,
        cast(null as bigint) as n_bytes,
        cast(null as timestamp) as loaded_after,
        cast(null as timestamp) as modified_at,
        cast({{ sql_string(loading_settings()) }} as {{ dbt.type_string() }}) as settings
    from {{ batches }}
    {%- endset %}
    {{ return(replace_table(batches, restarted)) }}
{% endmacro %}
