{# What became of the raw rows. Grain: one row per (fate, reason). Sums to the raw rows. #}
with

final as (
    select
        fate,
        coalesce(reason, '') as reason,
        cast(count(*) as bigint) as n_rows
    from {{ ref('stg_checked_events') }}
    group by fate, coalesce(reason, '')
)

select * from final
