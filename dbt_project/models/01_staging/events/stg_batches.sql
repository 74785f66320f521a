{# Batches of raw events, numbered in the order in which they are loaded: by the time they were
   written, then by name. Grain: one row per file; for a relation one row per read, which holds the
   rows loaded in (loaded_after, modified_at]. The row of a deleted file stays, as its events do. A
   renamed source is still the same source. #}
{{ config(
    materialized='incremental_table', incremental_strategy='append', meta={'stays': 'always'}
) }}

with

files as (
    select source, source_file, adapter, n_bytes, modified_at
    from {{ list_event_files() }} as files
),

known as (
    {%- if is_incremental_run() %}
    -- A relation that was empty counts as read up to 1900: its next batch has all rows.
    select
        source_file,
        coalesce(max(modified_at), timestamp '1900-01-01') as modified_at,
        max(batch_id) as batch_id
    from {{ this }}
    group by source_file
    {%- else %}
    select '' as source_file, cast(null as timestamp) as modified_at, 0 as batch_id
    where false
    {%- endif %}
),

last_batch as (select coalesce(max(batch_id), 0) as batch_id from known),

added as (
    select
        files.*,
        known.modified_at as loaded_after
    from files
    left join known on files.source_file = known.source_file
    where
        known.source_file is null
        or (files.n_bytes is null and files.modified_at > known.modified_at)
),

numbered as (
    select
        added.*,
        row_number() over (order by modified_at nulls last, source, source_file) as place
    from added
),

final as (
    select
        cast(last_batch.batch_id + numbered.place as integer) as batch_id,
        numbered.source,
        numbered.source_file,
        numbered.adapter,
        numbered.n_bytes,
        numbered.loaded_after,
        numbered.modified_at,
        cast({{ sql_string(loading_settings()) }} as {{ dbt.type_string() }}) as settings
    from numbered
    cross join last_batch
)

select * from final
