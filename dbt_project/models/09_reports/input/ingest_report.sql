{# Rows of each file by status, and the users it merged, for people. Grain: one row per batch. #}
with

counts as (
    select
        batch_id, status, reason, n_rows, n_over_an_hour, n_over_a_day, n_over_a_week,
        n_placeholder_ids
    from {{ ref('stg_ingest_counts') }}
),

batches as (
    select batch_id, source, source_file, n_bytes, modified_at
    from {{ ref('stg_batches') }}
),

merge_counts as (
    select
        batch_id,
        sum(case when is_merged then 1 else 0 end) as n_merges,
        sum(case when is_merged then 0 else 1 end) as n_merges_left_out
    from {{ ref('stg_merges') }}
    group by batch_id
),

ahead as (
    select events.batch_id, count(*) as n_ahead
    from {{ ref('stg_checked_events') }} as events
    inner join {{ ref('stg_as_of') }} as now on events.event_hour > now.last_hour
    where events.status = 'accepted'
    group by events.batch_id
),

final as (
    select
        batches.batch_id,
        batches.source,
        {{ masked_column('batches.source_file') }} as source_file,
        batches.n_bytes,
        batches.modified_at,
        cast(sum(counts.n_rows) as bigint) as n_read,
        {%- for name, condition in [
            ('n_accepted', "counts.status = 'accepted'"),
            ('n_same_event_id', "counts.reason = 'same event_id'"),
            ('n_same_content', "counts.reason = 'same content without event_id'"),
            ('n_too_late', "counts.status = 'late'"),
            ('n_future_clock', "counts.reason = 'event_time is in the future'"),
            ('n_unusable', "counts.status = 'rejected' and counts.reason <> 'event_time is in the future'"),
        ] %}
        cast(sum(case when {{ condition }} then counts.n_rows else 0 end) as bigint)
            as {{ name }},
        {%- endfor %}
        cast(sum(counts.n_over_an_hour) as bigint) as n_over_an_hour_late,
        cast(sum(counts.n_over_a_day) as bigint) as n_over_a_day_late,
        cast(sum(counts.n_over_a_week) as bigint) as n_over_a_week_late,
        cast(sum(counts.n_placeholder_ids) as bigint) as n_placeholder_ids,
        cast(coalesce(max(ahead.n_ahead), 0) as bigint) as n_ahead,
        cast(coalesce(max(merge_counts.n_merges), 0) as bigint) as n_merges,
        cast(coalesce(max(merge_counts.n_merges_left_out), 0) as bigint) as n_merges_left_out
    from counts
    inner join batches on counts.batch_id = batches.batch_id
    left join merge_counts on counts.batch_id = merge_counts.batch_id
    left join ahead on counts.batch_id = ahead.batch_id
    group by
        batches.batch_id, batches.source, batches.source_file, batches.n_bytes,
        batches.modified_at
)

select * from final
