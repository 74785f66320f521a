{# Event types a condition counts. Grain: one row per (condition_id, event_name); NULL is any event.
   Refuses a name that never occurs, with the nearest one that does. #}
with

declared as (
    {{ definition_rows('events', {
        'condition_id': dbt.type_string(), 'event_name': dbt.type_string(),
    }) }}
),

known as (select event_name from {{ ref('hourly_counters') }} where kind = 'event' and is_counted),

unknown as (
    select declared.condition_id, declared.event_name
    from declared
    left join known on declared.event_name = known.event_name
    where declared.event_name is not null and known.event_name is null
),

suggestions as (
    select
        unknown.condition_id,
        unknown.event_name,
        min_by(known.event_name, levenshtein(
            substr(lower(unknown.event_name), 1, 200), substr(lower(known.event_name), 1, 200)
        )) as nearest
    from unknown
    cross join known
    group by unknown.condition_id, unknown.event_name
),

final as (
    select distinct
        declared.condition_id,
        case
            when suggestions.nearest is not null then {{ refuse_in_sql(unknown_name_message(
                'event', 'suggestions.event_name', 'suggestions.nearest', 'declared.condition_id'
            )) }}
            else declared.event_name
        end as event_name
    from declared
    left join suggestions
        on declared.condition_id = suggestions.condition_id
        and declared.event_name = suggestions.event_name
)

select * from final
