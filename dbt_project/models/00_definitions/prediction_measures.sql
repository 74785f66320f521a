{# Measures with a counter of their own: everything a definition counts that is more than one event
   type, such as an event with its `where`, a list of events, a sum, or a change of a user property.
   Grain: one row per (measure_id, kind): kind measure counts, measure_sum adds up. counter_id is
   below 0, which distinguishes it from those of hourly_counters, and is a hash of the measure's
   text, so it is the same in every build. #}
with

declared as (
    {{ definition_rows('measure_rows', {
        'measure_id': 'integer', 'measure': dbt.type_string(), 'label': dbt.type_string(),
    }) }}
),

conditions as (
    select measure_id, kind, n_filters, min(condition_id) as condition_id
    from {{ ref('prediction_conditions') }}
    where measure_id is not null
    group by measure_id, kind, n_filters
),

events as (
    select condition_id, count(*) as n_events
    from {{ ref('prediction_condition_events') }}
    group by condition_id
),

-- Banned events and properties are no input in this form either.
banned as (
    select conditions.measure_id
    from conditions
    inner join {{ ref('prediction_condition_events') }} as named
        on conditions.condition_id = named.condition_id
    where {{ is_ruled('named.event_name', is_ban=true) }}
    union
    select conditions.measure_id
    from conditions
    inner join {{ ref('prediction_condition_events') }} as named
        on conditions.condition_id = named.condition_id
    inner join {{ ref('prediction_condition_filters') }} as filters
        on conditions.condition_id = filters.condition_id
    where {{ is_ruled('named.event_name', 'filters.property', is_ban=true) }}
    union
    select conditions.measure_id
    from conditions
    inner join {{ ref('prediction_condition_filters') }} as filters
        on conditions.condition_id = filters.condition_id
    where
        conditions.kind = 'change'
        and {{ is_user_property_ruled('filters.property', 'filters.value', is_ban=true) }}
),

final as (
    select
        declared.measure_id,
        declared.measure,
        substr(declared.label, 1, 200) as label,
        kinds.kind,
        -2 * {{ hash_bucket('declared.measure', 1000000000) }} - kinds.place as counter_id
    from declared
    inner join conditions on declared.measure_id = conditions.measure_id
    left join events on conditions.condition_id = events.condition_id
    inner join (
        select 'measure' as kind, 1 as place
        union all
        select 'measure_sum' as kind, 2 as place
    ) as kinds
        on kinds.kind = 'measure' or conditions.kind = 'sum'
    where
        (conditions.n_filters > 0 or conditions.kind <> 'count' or events.n_events > 1)
        and declared.measure_id not in (select banned.measure_id from banned)
)

select * from final
