{# What decides how raw events become staged ones: where it changes, all are loaded anew. #}
{% macro loading_settings() %}
    {{ return(mask_text(tojson({
        'sources': event_sources(),
        'future_tolerance_hours': var('future_tolerance_hours'),
        'max_value_characters': var('max_value_characters'),
        'max_values_per_day': var('max_values_per_day'),
        'version': 3,
    }, sort_keys=true))) }}
{% endmacro %}

{# Before a build: if files that were loaded changed since, or events come from elsewhere or under other
   settings, drop what was loaded, so that it is loaded anew; a relation is read whole each time. New
   files alone are added to what is there, and events of files that are gone stay. Ids last: those of
   tokens and features, and batches are numbered on. #}
{% macro load_anew() %}
    {%- if execute and not flags.FULL_REFRESH and flags.WHICH in ('build', 'run')
        and 'model.foretell.stg_checked_events' in selected_resources -%}
    {%- set loaded = {} -%}
    {%- for node in graph.nodes.values()
        if node.resource_type == 'model' and node.package_name == 'foretell'
        and node.config.materialized == 'incremental' and node.name != 'features' -%}
        {%- set relation = adapter.get_relation(node.database, node.schema, node.alias) -%}
        {%- if relation -%}{%- do loaded.update({node.name: relation}) -%}{%- endif -%}
    {%- endfor -%}
    {%- if 'stg_identities' in loaded and missing_names(loaded['stg_identities'], ['counted_in']) -%}
        {%- do adapter.drop_relation(loaded.pop('stg_identities')) -%}  {# of an older version: made anew #}
    {%- endif -%}
    {%- set reason = why_load_anew(loaded, loaded.get('stg_batches')) if loaded else '' -%}
    {%- if reason -%}
        {{ log('All events are loaded anew: ' ~ reason, info=True) }}
        {%- for name, relation in loaded.items()
            if 'stg_batches' not in loaded or name not in ('stg_batches', 'hourly_tokens')
                or (name == 'hourly_tokens' and is_of_older_version(relation)) -%}
            {%- do adapter.drop_relation(relation) -%}
        {%- endfor -%}
        {%- if 'stg_batches' in loaded -%}
            {%- do run_query(restart_batches(loaded['stg_batches'], reason)) -%}
        {%- endif -%}
    {%- endif -%}
    {%- do adapter.commit() -%}
    {%- endif -%}
{% endmacro %}

{# The reason in words, empty if there is none. loaded: tables by name; batches: the relation of
   stg_batches, if there is one. #}
{% macro why_load_anew(loaded, batches) %}
    {%- if not batches -%}{{ return('the warehouse is of an older version') }}{%- endif -%}
    {%- if 'hourly_tokens' in loaded and is_of_older_version(loaded['hourly_tokens']) -%}
        {{ return('the warehouse is of an older version') }}
    {%- endif -%}
    {%- for name, table in loaded.items() if is_unfinished(table) -%}
        {{ return('a run was stopped while it wrote ' ~ name) }}
    {%- endfor -%}
    {%- for source in event_sources() if source.relation and not source.loaded_at -%}
        {{ return(source.relation ~ ' is a relation without loaded_at, which is read whole') }}
    {%- endfor -%}
    {%- set changed = run_query(
        "select 1 as place, 'settings changed since' as reason from " ~ batches
        ~ " where settings <> " ~ sql_string(loading_settings())
        ~ " union all select 2, known.source_file || ' changed since' from " ~ batches ~ " as known"
        ~ " inner join " ~ list_event_files() ~ " as files"
        ~ " on known.source = files.source and known.source_file = files.source_file"
        ~ " where known.n_bytes <> files.n_bytes"
        ~ " or (files.n_bytes is not null and known.modified_at <> files.modified_at)"
        ~ " order by 1, 2 limit 1"
    ) -%}
    {{ return(changed.rows[0][1] if changed.rows else '') }}
{% endmacro %}

{# Tokens were not always told apart by whether new models take them: they are numbered anew. #}
{% macro is_of_older_version(tokens) %}
    {{ return(missing_names(tokens, ['is_chosen']) | length > 0) }}
{% endmacro %}

{# One batch without rows stands for all before it, so that the next has a higher number. #}
{% macro restart_batches(batches, reason) %}
    {%- set restarted %}
    select
        max(batch_id) as batch_id,
        '' as source,
        'batch ' || max(batch_id) || ' and before, loaded anew: ' || {{ sql_string(reason) }} as source_file,
        cast(null as bigint) as n_bytes,
        cast(null as timestamp) as loaded_after,
        cast(null as timestamp) as modified_at,
        cast({{ sql_string(loading_settings()) }} as {{ dbt.type_string() }}) as settings
    from {{ batches }}
    {%- endset %}
    {{ return(replace_table(batches, restarted)) }}
{% endmacro %}
