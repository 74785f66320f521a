{# Property values that the hourly rollup counts, and whether they feed models. Grain: one row per
   (event_name, property, kind, value) among the most queried or frequent; kind other is all other
   values of the property in one. #}
with

tokens as (
    select
        token_id, event_name, property, kind,
        case when kind <> 'other' then value end as value,
        n_events
    from {{ ref('hourly_tokens') }}
    where kind in ('value', 'version', 'other') and is_counted
),

event_types as (select event_name, n_events from {{ ref('hourly_tokens') }} where kind = 'event'),

shares as (
    select
        tokens.*,
        1.0 * tokens.n_events / event_types.n_events as event_share,
        {{ is_ruled('tokens.event_name', 'tokens.property', 'tokens.value', is_ban=false) }}
            as is_pinned
    from tokens
    inner join event_types on tokens.event_name = event_types.event_name
),

final as (
    select
        token_id,
        event_name,
        property,
        kind,
        value,
        n_events,
        event_share,
        row_number() over (order by n_events desc, event_name, property, kind, value)
            as volume_rank,
        event_share < {{ var('max_value_share') }} or is_pinned as is_kept,
        case
            when is_pinned then 'pinned'
            when kind = 'other' and event_share < {{ var('max_value_share') }}
                then 'all other values of the property together'
            when event_share < {{ var('max_value_share') }}
                then 'among the {{ var('max_value_tokens') }} most queried or frequent'
            else 'on nearly every event of this type: says no more than the event'
        end as reason
    from shares
)

select * from final
