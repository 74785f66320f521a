{# What became of the raw rows. Grain: one row per (fate, reason). Sums to the raw rows. #}
with

final as (
    select 'accepted' as fate, '' as reason, cast(count(*) as bigint) as n_rows
    from {{ ref('stg_events') }}
    having count(*) > 0
    union all
    select fate, reason, cast(count(*) as bigint) as n_rows
    from {{ ref('stg_checked_events') }}
    where fate <> 'accepted'
    group by fate, reason
)

select * from final
