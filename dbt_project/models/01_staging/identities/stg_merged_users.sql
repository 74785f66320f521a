{# The user that each merged user belongs to, by hour since the merge. Grain: one row per
   (identity_key, valid_from_hour). A group is represented by the user that others were merged into
   and that was merged into no other; if there are several, or none as in a circle, by the first of
   them by user_id. #}
with

states as (
    select state_id, valid_from_hour, previous_key, user_key, user_id
    from {{ ref('stg_merge_states') }}
),

groups as (
    select graph as state_id, node as identity_key, component
    from {{ ref('stg_merge_state_groups') }}
),

targets as (select distinct state_id, valid_from_hour, user_key, user_id from states),

sources as (select distinct state_id, previous_key from states),

ranked as (
    select
        targets.state_id,
        targets.valid_from_hour,
        targets.user_key,
        groups.component,
        row_number() over (
            partition by targets.state_id, groups.component
            order by sources.previous_key is not null, targets.user_id
        ) as place
    from targets
    inner join groups
        on targets.state_id = groups.state_id and targets.user_key = groups.identity_key
    left join sources
        on targets.state_id = sources.state_id and targets.user_key = sources.previous_key
),

resolved as (
    select
        groups.identity_key,
        ranked.user_key,
        ranked.valid_from_hour,
        lag(ranked.user_key) over (
            partition by groups.identity_key order by ranked.valid_from_hour
        ) as user_key_before
    from groups
    inner join ranked
        on groups.state_id = ranked.state_id
        and groups.component = ranked.component
        and ranked.place = 1
),

final as (
    select
        identity_key,
        user_key,
        valid_from_hour,
        lead(valid_from_hour, 1, {{ always() }}) over (
            partition by identity_key order by valid_from_hour
        ) as valid_to_hour
    from resolved
    where user_key_before is null or user_key_before <> user_key
)

select * from final
