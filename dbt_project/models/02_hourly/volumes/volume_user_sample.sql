{# The sampling rate of identities where counting all would cost too much: one of n, n a power of
   two, so that the sample of a larger warehouse is part of the earlier one. Grain: one row. All
   times. #}
{{ config(tags=['daily']) }}
with

identities as (
    select count(distinct identity_key) as n_identities from {{ ref('stg_sightings') }}
),

final as (
    select
        cast(
            pow(2, greatest(0, ceil(log2(
                greatest(n_identities, 1) / {{ var('max_sampled_identities') }}
            )))) as bigint
        ) as step
    from identities
)

select * from final
