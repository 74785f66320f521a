{# Files of raw events, numbered in the order in which they are loaded: by the time they were
   written, then by name. Grain: one row per file; a file that is gone stays, as its events do. #}
{{ config(materialized='incremental', incremental_strategy='append') }}

with

files as (
    select source, source_file, n_bytes, modified_at
    from {{ list_event_files() }} as files
),

known as (
    {%- if is_incremental() %}
    select batch_id, source, source_file from {{ this }}
    {%- else %}
    select 0 as batch_id, '' as source, '' as source_file where false
    {%- endif %}
),

last_batch as (select coalesce(max(batch_id), 0) as batch_id from known),

added as (
    select files.*
    from files
    left join known
        on files.source = known.source and files.source_file = known.source_file
    where known.source_file is null
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
        numbered.n_bytes,
        numbered.modified_at,
        cast({{ sql_string(loading_settings()) }} as {{ dbt.type_string() }}) as settings
    from numbered
    cross join last_batch
)

select * from final
