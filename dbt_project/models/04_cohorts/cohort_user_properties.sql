{# First and last known value of each user property as of every hour of the grid.
   Grain: one row per (as_of_hour, user_key, property). Known: set before as_of. #}
with

grid as (select distinct as_of_hour from {{ ref('cohort_snapshots') }}),

statements as (
    select identity_key, property, event_hour, stated_at, value
    from {{ ref('stg_user_properties') }}
),

identities as (select identity_key, resolved_key, known_hour from {{ ref('stg_identities') }}),

resolved as (
    select
        grid.as_of_hour,
        {{ resolved_key('identities', 'grid.as_of_hour') }} as user_key,
        statements.identity_key,
        statements.property,
        statements.stated_at,
        statements.value
    from statements
    inner join identities on statements.identity_key = identities.identity_key
    inner join grid on statements.event_hour < grid.as_of_hour
),

-- Of two statements at one moment the identity with the larger key decides: any rule, but fixed.
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
