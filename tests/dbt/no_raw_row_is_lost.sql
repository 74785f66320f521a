{# Raw rows = accepted + duplicates + rejected. Reads the raw events again: files that arrived
   while the run went on make more of them, which is only a warning; fewer cannot be. #}
{{ config(
    meta={'dagster': {'ref': {'name': 'stg_ingest_counts'}}},
    fail_calc='coalesce(sum(n_raw - n_counted), 0)',
    error_if='< 0',
    warn_if='> 0',
) }}

with

raw_events as (select count(*) as n_raw from {{ ref('stg_raw_events') }}),

counted as (select coalesce(sum(n_rows), 0) as n_counted from {{ ref('stg_ingest_counts') }})

select raw_events.n_raw, counted.n_counted
from raw_events
cross join counted
where raw_events.n_raw <> counted.n_counted
