{# The merges known in a group of users, as of each hour at which the group grew. Grain: one row per
   (state_id, previous_key, user_key). A group that grew at many hours has one state per day, at the
   hour of day of as_of, where all as-of hours lie. So a merge may be known some hours later than
   possible, never earlier. #}
with

as_of as (select as_of_hour from {{ ref('stg_as_of') }}),

pairs as (
    select
        groups.component as group_key,
        stated.previous_key,
        stated.user_key,
        stated.user_id,
        stated.known_from,
        as_of.as_of_hour
        - 24 * {{ floor_divide('as_of.as_of_hour - stated.known_from', 24) }} as known_from_day
    from {{ ref('stg_merges') }} as stated
    inner join {{ ref('stg_merge_groups') }} as groups on stated.previous_key = groups.node
    cross join as_of
    where stated.is_merged
),

sizes as (
    select group_key, count(distinct known_from) as n_hours
    from pairs
    group by group_key
),

timed as (
    select
        pairs.group_key,
        pairs.previous_key,
        pairs.user_key,
        pairs.user_id,
        case when sizes.n_hours > 100 then pairs.known_from_day else pairs.known_from end
            as valid_from_hour
    from pairs
    inner join sizes on pairs.group_key = sizes.group_key
),

hours as (select distinct group_key, valid_from_hour from timed),

states as (
    select
        group_key,
        valid_from_hour,
        row_number() over (order by group_key, valid_from_hour) as state_id
    from hours
),

final as (
    select
        states.state_id,
        states.valid_from_hour,
        timed.previous_key,
        timed.user_key,
        timed.user_id
    from states
    inner join timed
        on states.group_key = timed.group_key and states.valid_from_hour >= timed.valid_from_hour
)

select * from final
