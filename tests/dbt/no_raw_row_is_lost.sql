{# Every row of every loaded file has its status. Files that came since are not loaded yet, files that are
   gone cannot be counted again. Reads all files, hence only when everybody is scored. #}
{{ config(meta={'dagster': {'ref': {'name': 'stg_checked_events'}}}, tags=['daily']) }}

with

raw_rows as (
    select batches.batch_id, batches.source_file, count(*) as n_raw
    from {{ ref('stg_raw_events') }} as raw_events
    inner join {{ ref('stg_batches') }} as batches
        on {{ is_of_batch('raw_events', 'batches') }}
    group by batches.batch_id, batches.source_file
),

checked as (
    select batch_id, count(*) as n_checked from {{ ref('stg_checked_events') }} group by batch_id
)

select raw_rows.source_file, raw_rows.n_raw, checked.n_checked
from raw_rows
left join checked on raw_rows.batch_id = checked.batch_id
where raw_rows.n_raw <> coalesce(checked.n_checked, 0)
