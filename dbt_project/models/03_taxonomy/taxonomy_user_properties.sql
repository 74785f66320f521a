{# Values of user properties before as_of, and whether they are model input. Grain: one row per
   (property, kind, value); kind other is one row for all values that are not kept, kind number is
   the property itself where it is a numeric input. Volume is the number of identities that ever had
   it. #}
{%- set max_distinct = var('max_user_property_values') -%}
{%- set max_kept = var('max_values_per_user_property') -%}
with

types as (
    select
        property,
        value_type,
        code_reason,
        n_values,
        n_users,
        first_hour,
        last_hour,
        value_type = 'number' and n_values > {{ var('max_numeric_values') }} as is_number,
        {{ is_user_property_ruled('types.property', 'null', is_ban=true) }} as is_banned
    from {{ ref('volume_user_property_types') }} as types
),

changes as (
    select
        stated.property,
        {{ kind_of_value('types.value_type') }} as kind,
        {{ counted_value(kind_of_value('types.value_type'), 'stated.value') }} as value,
        stated.identity_key,
        stated.event_hour
    from {{ ref('stg_user_properties') }} as stated
    inner join {{ ref('stg_as_of') }} as now on stated.event_hour < now.as_of_hour
    inner join types on stated.property = types.property
    where stated.value is not null and length(stated.value) <= {{ var('max_value_characters') }}
),

volumes as (
    select
        property,
        kind,
        value,
        count(distinct identity_key) as n_users,
        min(event_hour) as first_hour,
        max(event_hour) as last_hour
    from changes
    group by property, kind, value
),

ranked as (
    select
        volumes.*,
        types.value_type,
        types.is_number,
        row_number() over (
            partition by volumes.property order by volumes.n_users desc, volumes.value
        ) as volume_rank,
        {{ is_user_property_ruled('volumes.property', 'volumes.value', is_ban=false) }}
            as is_pinned,
        {{ is_user_property_ruled('volumes.property', 'volumes.value', is_ban=true) }} as is_banned
    from volumes
    inner join types on volumes.property = types.property
),

decided as (
    select
        ranked.*,
        not is_banned
        and (
            is_pinned
            or (
                volume_rank <= {{ max_kept }}
                and value_type not in ('date', 'identifier')
                and not is_number
            )
        ) as is_kept
    from ranked
),

kept_sets as (
    select property, sum({{ hash_bucket('kind || value', 2147483647) }}) as kept_set
    from decided
    where is_kept and not is_number
    group by property
),

others as (
    select
        changes.property,
        kept_sets.kept_set,
        count(distinct changes.identity_key) as n_users,
        min(changes.event_hour) as first_hour,
        max(changes.event_hour) as last_hour
    from changes
    inner join decided
        on changes.property = decided.property
        and changes.value = decided.value
        and not decided.is_kept
    inner join kept_sets on changes.property = kept_sets.property
    group by changes.property, kept_sets.kept_set
),

listed as (
    select
        property, kind, value, cast(null as bigint) as kept_values_hash,
        n_users, first_hour, last_hour, volume_rank, is_kept,
        case
            when is_banned then 'banned'
            when is_pinned then 'pinned'
            when is_number then 'the property is a number: its last one counts'
            when value_type = 'date' then 'date: new values every day'
            when value_type = 'identifier'
                then 'more than {{ max_distinct }} distinct values: an identifier or text'
            when is_kept then 'among the {{ max_kept }} most frequent of its property'
            else 'not among the {{ max_kept }} most frequent of its property'
        end as reason
    from decided
    union all
    select
        property, 'other' as kind, null as value, kept_set as kept_values_hash,
        n_users, first_hour, last_hour, null as volume_rank, true as is_kept,
        'all other values of the property together' as reason
    from others
    union all
    select
        property, 'number' as kind, null as value, null as kept_values_hash,
        n_users, first_hour, last_hour, null as volume_rank, true as is_kept,
        'number: its last one counts' as reason
    from types
    where is_number and not is_banned
),

final as (
    select
        listed.property,
        listed.kind,
        listed.value,
        cast(listed.kept_values_hash as bigint) as kept_values_hash,
        types.value_type,
        cast(listed.n_users as bigint) as n_users,
        types.n_values,
        {{ hour_start('listed.first_hour') }} as first_seen_at,
        {{ hour_start('listed.last_hour') }} as last_seen_at,
        cast(listed.volume_rank as bigint) as volume_rank,
        listed.is_kept,
        listed.reason
        || coalesce('; a code, no amount: ' || types.code_reason, '') as reason
    from listed
    inner join types on listed.property = types.property
)

select * from final
