{# Rejected raw rows, with the reason and the original. Grain: one row per rejected raw row. #}

with

final as (
    select
        reason,
        raw_row,
        event_id,
        received_at
    from {{ ref('stg_checked_events') }}
    where status = 'rejected'
)

select * from final
