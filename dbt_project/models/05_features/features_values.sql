{# The features, sparse: absent means none or never. Grain: one row per (as_of_hour, user_key,
   feature_id), sorted so. One SQL for training and scoring: as_of is data. Counts and sums per
   rolling week k = [as_of - 7(k+1) d, as_of - 7k d); hours since the first and last event (from the
   start of that event's hour); totals over all history; active days and weeks; 1 for a user
   property's first or last value. #}
with

grid as (
    select
        as_of_hour,
        as_of_hour % 168 as week_phase,
        {{ floor_divide('as_of_hour', 168) }} as as_of_slice
    from (select distinct as_of_hour from {{ ref('features_rows') }}) as hours
),

wanted as (select as_of_hour, user_key from {{ ref('features_rows') }}),

identities as (select identity_key, resolved_key, known_hour from {{ ref('stg_identities') }}),

slices as (
    select
        week_phase, identity_key, token_id, slice, next_slice, n_events, value_sum, last_hour,
        first_ever_hour, n_events_ever, value_sum_ever
    from {{ ref('features_week_slices') }}
),

catalogue as (
    select
        features.feature_id,
        present.kind,
        present.token_id,
        present.property,
        present.value,
        present.week
    from {{ ref('taxonomy_features') }} as present
    inner join {{ ref('features') }} as features on present.feature_name = features.feature_name
),

weekly as (
    select
        grid.as_of_hour,
        slices.identity_key,
        catalogue.feature_id,
        catalogue.kind,
        case
            when catalogue.kind = 'value_sum' then slices.value_sum
            else slices.n_events
        end as value
    from slices
    inner join grid
        on slices.week_phase = grid.week_phase
        and slices.slice < grid.as_of_slice
        and slices.slice >= grid.as_of_slice - {{ var('feature_weeks') }}
    inner join catalogue
        on slices.token_id = catalogue.token_id
        and catalogue.week = grid.as_of_slice - 1 - slices.slice
),

-- The newest slice before as_of knows all that went before: one row per (as_of, identity, token).
ever as (
    select
        grid.as_of_hour,
        slices.identity_key,
        catalogue.feature_id,
        catalogue.kind,
        case catalogue.kind
            when 'hours_since_first' then grid.as_of_hour - slices.first_ever_hour
            when 'hours_since_last' then grid.as_of_hour - slices.last_hour
            when 'event_count_ever' then slices.n_events_ever
            else slices.value_sum_ever
        end as value
    from slices
    inner join grid
        on slices.week_phase = grid.week_phase
        and slices.slice < grid.as_of_slice
        and (slices.next_slice >= grid.as_of_slice or slices.next_slice is null)
    inner join catalogue
        on slices.token_id = catalogue.token_id
        and catalogue.kind in (
            'hours_since_first', 'hours_since_last', 'event_count_ever', 'value_sum_ever'
        )
),

by_identity as (
    select as_of_hour, identity_key, feature_id, kind, value from weekly
    union all
    select as_of_hour, identity_key, feature_id, kind, value from ever
),

resolved as (
    select
        by_identity.as_of_hour,
        {{ resolved_key('identities', 'by_identity.as_of_hour') }} as user_key,
        by_identity.feature_id,
        by_identity.kind,
        by_identity.value
    from by_identity
    inner join identities on by_identity.identity_key = identities.identity_key
),

counted as (
    select
        resolved.as_of_hour,
        resolved.user_key,
        resolved.feature_id,
        cast(case
            when min(resolved.kind) = 'hours_since_last' then min(resolved.value)
            when min(resolved.kind) = 'hours_since_first' then max(resolved.value)
            else sum(resolved.value)
        end as double) as value
    from resolved
    inner join wanted
        on resolved.as_of_hour = wanted.as_of_hour and resolved.user_key = wanted.user_key
    group by resolved.as_of_hour, resolved.user_key, resolved.feature_id
),

activity as (
    select
        activity.as_of_hour,
        activity.user_key,
        catalogue.feature_id,
        cast(case catalogue.kind
            when 'active_days' then activity.active_days
            when 'active_weeks' then activity.active_weeks
            when 'active_days_ever' then activity.active_days_ever
            else activity.active_weeks_ever
        end as double) as value
    from {{ ref('features_activity') }} as activity
    inner join catalogue
        on catalogue.kind in (
            'active_days', 'active_weeks', 'active_days_ever', 'active_weeks_ever'
        )
),

user_properties as (
    select
        wanted.as_of_hour,
        wanted.user_key,
        catalogue.feature_id,
        cast(1 as double) as value
    from wanted
    inner join {{ ref('cohort_user_properties') }} as properties
        on wanted.as_of_hour = properties.as_of_hour and wanted.user_key = properties.user_key
    inner join catalogue
        on properties.property = catalogue.property
        and (
            (catalogue.kind = 'user_property_last' and properties.last_value = catalogue.value)
            or (catalogue.kind = 'user_property_first' and properties.first_value = catalogue.value)
        )
),

listed as (
    select as_of_hour, user_key, feature_id, value from counted where value <> 0
    union all
    select as_of_hour, user_key, feature_id, value from activity where value <> 0
    union all
    select as_of_hour, user_key, feature_id, value from user_properties
),

final as (
    select as_of_hour, user_key, feature_id, cast(value as float) as value
    from listed
    order by as_of_hour, user_key, feature_id
)

select * from final
