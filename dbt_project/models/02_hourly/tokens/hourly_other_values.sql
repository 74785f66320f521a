{# Which counted values each token of other values does not mean. Grain: one row per (token_id,
   value_token_id). Of the set chosen now the values chosen now; of one that only a champion takes
   those that it was trained with. #}
with

tokens as (
    select token_id, kind, event_name, property, value, is_chosen
    from {{ ref('hourly_tokens') }}
    where is_counted and property is not null
),

sets as (
    select distinct event_name, property, value, is_version, other_than
    from {{ source('ledger', 'model_features') }}
    where event_name is not null and other_than is not null
),

final as (
    select others.token_id, own.token_id as value_token_id
    from tokens as others
    inner join tokens as own
        on others.event_name = own.event_name
        and others.property = own.property
        and own.kind in ('value', 'version')
        and own.is_chosen
    where others.kind = 'other' and others.is_chosen
    union all
    select others.token_id, own.token_id as value_token_id
    from tokens as others
    inner join sets
        on others.event_name = sets.event_name
        and others.property = sets.property
        and others.value = cast(sets.other_than as {{ dbt.type_string() }})
    inner join tokens as own
        on sets.event_name = own.event_name
        and sets.property = own.property
        and sets.value = own.value
        and own.kind = case when sets.is_version then 'version' else 'value' end
    where others.kind = 'other' and not others.is_chosen
)

select * from final
