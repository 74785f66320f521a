{# The features that the taxonomy keeps, each with its name; long, because it lists every kind of
   feature. Grain: one row per feature_name. Names are quoted, so that no two features share one:
   ids are assigned by name. The name of a feature of other values includes the hash of the kept
   values, so an id keeps its meaning. #}
{{ config(materialized='ephemeral') }}
with

weeks as (
    {%- for week in range(var('feature_weeks')) %}
    select {{ week }} as week{{ ' union all' if not loop.last }}
    {%- endfor %}
),

named as (
    select distinct event_name
    from {{ ref('prediction_condition_events') }}
    where event_name is not null
),

counters as (
    select
        counter_id, kind, event_name, property, value,
        cast(null as bigint) as kept_values_hash, false as is_version
    from {{ ref('hourly_counters') }}
    where kind in ('any', 'sum') and is_chosen
    union all
    select
        counter_id, 'event' as kind, event_name, null as property, null as value,
        null as kept_values_hash, false as is_version
    from {{ ref('taxonomy_event_types') }}
    where is_kept
    union all
    select
        counter_id, kind, event_name, property, value, kept_values_hash,
        bool_or(kind = 'version') over (partition by event_name, property) as is_version
    from {{ ref('taxonomy_property_values') }}
    where is_kept
    union all
    select
        counter_id, kind, label as event_name, null as property, null as value,
        null as kept_values_hash, false as is_version
    from {{ ref('prediction_measures') }}
),

measures as (select counter_id, measure from {{ ref('prediction_measures') }}),

weekly as (
    select
        case
            when counters.kind in ('sum', 'measure_sum') then 'value_sum'
            when counters.kind = 'other' then 'other_count'
            when counters.property is not null then 'value_count'
            else 'event_count'
        end as kind,
        counters.counter_id,
        counters.event_name,
        counters.property,
        counters.value,
        counters.kept_values_hash,
        counters.is_version,
        weeks.week
    from counters
    cross join weeks
),

ever as (
    select kinds.kind, counters.counter_id, counters.event_name, counters.property
    from counters
    inner join {{ kinds_as_rows('ever', ['is_sum']) }} as kinds
        on kinds.is_sum = (counters.kind in ('sum', 'measure_sum'))
    where counters.kind in ('any', 'event', 'sum', 'measure', 'measure_sum')
),

-- For any event and for events that definitions name: there the gain of rhythm features is worth
-- their columns (docs/decisions/0018).
rhythm as (
    select kinds.kind, counters.counter_id, counters.event_name
    from counters
    cross join {{ kinds_as_rows('rhythm', ['is_named_only']) }} as kinds
    left join named on counters.event_name = named.event_name
    where
        (counters.kind = 'any' and not kinds.is_named_only)
        or counters.kind = 'measure'
        or (counters.kind = 'event' and named.event_name is not null)
),

-- Past outcomes: how often the prediction's outcome happened for the same user before.
outcomes as (
    select kinds.kind, outcomes.counter_id, outcomes.prediction
    from {{ ref('prediction_outcome_rates') }} as outcomes
    cross join {{ kinds_as_rows('outcome') }} as kinds
),

activity as (
    select kinds.kind
    from {{ kinds_as_rows('activity') }} as kinds
),

user_properties as (
    select
        kinds.kind, properties.property, properties.value, properties.kept_values_hash,
        properties.value_type = 'version' as is_version
    from {{ ref('taxonomy_user_properties') }} as properties
    inner join {{ kinds_as_rows('user_property', ['is_number']) }} as kinds
        on kinds.is_number = (properties.kind = 'number')
    where properties.is_kept
),

listed as (
    select kind, counter_id, event_name, property, value, kept_values_hash, is_version, week
    from weekly
    union all
    select
        kind, counter_id, event_name, property, null as value, null as kept_values_hash,
        false as is_version, null as week
    from ever
    union all
    select
        kind, counter_id, event_name, null as property, null as value, null as kept_values_hash,
        false as is_version, null as week
    from rhythm
    union all
    select
        kind, null as counter_id, null as event_name, null as property, null as value,
        null as kept_values_hash, false as is_version, null as week
    from activity
    union all
    select
        kind, counter_id, 'the own past of ' || prediction as event_name, null as property,
        null as value, null as kept_values_hash, false as is_version, null as week
    from outcomes
    union all
    select
        kind, null as counter_id, null as event_name, property, value, kept_values_hash, is_version,
        null as week
    from user_properties
),

quoted as (
    select
        listed.*,
        measures.measure,
        asking.prediction as asked_by,
        '"' || replace(listed.event_name, '"', '""') || '"' as quoted_event,
        '"' || replace(listed.property, '"', '""') || '"' as quoted_property,
        '"' || replace(listed.value, '"', '""') || '"' as quoted_value
    from listed
    left join measures on listed.counter_id = measures.counter_id
    left join {{ ref('prediction_outcome_rates') }} as asking
        on listed.counter_id = asking.counter_id
),

final as (
    select
        kind
        || case
            when measure is not null then ' of measure ' || measure
            when asked_by is not null then ' of prediction ' || quoted_event
            when
                counter_id is not null and property is null
                then ' of ' || coalesce(quoted_event, 'any event')
            when event_name is not null
                then ' of ' || quoted_event || '.' || quoted_property
            when quoted_property is not null then ' ' || quoted_property
            else ''
        end
        || coalesce(' = ' || quoted_value, '')
        || coalesce(' other than set ' || cast(kept_values_hash as {{ dbt.type_string() }}), '')
        || coalesce(', week ' || cast(week as {{ dbt.type_string() }}), '') as feature_name,
        kind,
        counter_id,
        event_name,
        property,
        value,
        kept_values_hash,
        is_version,
        week,
        measure,
        asked_by
    from quoted
)

select * from final
