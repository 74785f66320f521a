{# Raw rows by status, and how late they were. Grain: one row per (batch_id, status, reason). The
   counts add up to the number of raw rows (test no_raw_row_is_lost). #}
{{ config(
    materialized='incremental_table', incremental_strategy='recount', recount_by=['batch_id']
) }}
with

{% if is_incremental_run() -%}
changed as (select * from {{ changed_keys('batch_id', this, of='true') }} as changed),

{% endif -%}
rows_counted as (
    select
        checked.batch_id,
        checked.status,
        coalesce(checked.reason, '') as reason,
        checked.placeholder_id,
        checked.event_hour,
        checked.received_at - checked.event_time as delay
    from {{ ref('stg_checked_events') }} as checked
    {%- if is_incremental_run() %}
    inner join changed on checked.batch_id = changed.batch_id
    {%- endif %}
),

newest as (select batch_id from {{ newest_batch() }} as newest),

final as (
    select
        rows_counted.batch_id,
        rows_counted.status,
        rows_counted.reason,
        cast(count(*) as bigint) as n_rows,
        cast(
            sum(case when rows_counted.delay > interval '1' hour then 1 else 0 end) as bigint
        ) as n_over_an_hour,
        cast(
            sum(case when rows_counted.delay > interval '1' day then 1 else 0 end) as bigint
        ) as n_over_a_day,
        cast(
            sum(case when rows_counted.delay > interval '7' day then 1 else 0 end) as bigint
        ) as n_over_a_week,
        min(rows_counted.event_hour) as first_hour,
        cast(count(rows_counted.placeholder_id) as bigint) as n_placeholder_ids,
        max(newest.batch_id) as counted_in
    from rows_counted
    cross join newest
    group by rows_counted.batch_id, rows_counted.status, rows_counted.reason
    {%- if is_incremental_run() %}
    union all
    select
        batch_id, null as status, null as reason, null as n_rows, null as n_over_an_hour,
        null as n_over_a_day, null as n_over_a_week, null as first_hour,
        null as n_placeholder_ids,
        null as counted_in
    from changed
    {%- endif %}
)

select * from final
