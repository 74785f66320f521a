{# Numeric event properties to add up: pinned ones first, then the most queried, then the most
   frequent. Inputs of champions are always included, whatever type the property has now. Grain: one
   row per (event_name, property). #}
{{ config(materialized='ephemeral') }}
with

of_champions as (
    select distinct event_name, property
    from {{ ref('hourly_champion_features') }}
    where kind in ('value_sum', 'value_sum_ever', 'value_mean_ever')
),

ranked as (
    select
        properties.*,
        of_champions.property is not null as is_of_champion,
        row_number() over (
            order by
                properties.value_type = 'number' desc, properties.is_pinned desc,
                properties.n_queries desc, properties.n_events desc,
                properties.event_name, properties.property
        ) as place
    from {{ ref('hourly_counter_properties') }} as properties
    left join of_champions
        on properties.event_name = of_champions.event_name
        and properties.property = of_champions.property
),

chosen as (
    select
        ranked.*,
        value_type = 'number' and (is_pinned or place <= {{ var('max_sum_counters') }}) as is_chosen
    from ranked
),

final as (
    select event_name, property, n_events, is_chosen
    from chosen
    where is_chosen or is_of_champion
)

select * from final
