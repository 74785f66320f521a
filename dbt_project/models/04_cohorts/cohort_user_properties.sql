{# First and last known value of each user property as of every hour of the grid. Grain: one row per
   (as_of_hour, user_key, property). Known: set before as_of. An hourly run processes active users
   only (of_processed_users). #}
with

grid as (select distinct as_of_hour from {{ ref('cohort_snapshots') }}),

statements as (
    select identity_key, property, event_hour, stated_at, value
    from {{ ref('stg_user_properties') }}
),

resolved as (
    select
        grid.as_of_hour,
        identity_map.user_key,
        statements.identity_key,
        statements.property,
        statements.stated_at,
        statements.value
    from statements
    inner join grid on statements.event_hour < grid.as_of_hour
    {{ of_processed_users('statements.identity_key') }}
    inner join {{ ref('stg_identity_map') }} as identity_map
        on {{ owner_as_of('statements.identity_key', 'grid.as_of_hour') }}
),

-- Of two values set at one moment, that of the larger identity_key counts: arbitrary but stable.
final as (
    select
        as_of_hour,
        user_key,
        property,
        {{ value_at_min('value', '(stated_at, identity_key)') }} as first_value,
        {{ value_at_max('value', '(stated_at, identity_key)') }} as last_value
    from resolved
    group by as_of_hour, user_key, property
)

select * from final
