{# Features from each requested user's properties as known before as_of. Grain: one row per
   (as_of_hour, user_key, feature_name): 1 for the first and the last value, or the last number. A
   value also counts as an other value in each feature of other values that does not exclude it. #}
{{ config(materialized='ephemeral') }}
with

catalogue as (
    select feature_name, kind, property, value, kept_values_hash, is_version
    from {{ ref('taxonomy_features') }}
    where kind in ('user_property_first', 'user_property_last', 'user_property_number')
),

properties as (
    select
        requested.as_of_hour,
        requested.user_key,
        properties.property,
        properties.first_value,
        properties.last_value
    from {{ ref('features_rows') }} as requested
    inner join {{ ref('cohort_user_properties') }} as properties
        on requested.as_of_hour = properties.as_of_hour
        and requested.user_key = properties.user_key
        and {{ in_block('properties.user_key') }}
    where {{ in_block('requested.user_key') }}
),

stated as (
    select as_of_hour, user_key, property, 'user_property_first' as kind, first_value as value
    from properties
    union all
    select as_of_hour, user_key, property, 'user_property_last' as kind, last_value as value
    from properties
),

kinds as (
    select property, kind, bool_or(is_version) as is_version
    from catalogue
    group by property, kind
),

counted as (
    select
        stated.as_of_hour,
        stated.user_key,
        stated.property,
        stated.kind,
        case
            when kinds.is_version then {{ counted_value("'version'", 'stated.value') }}
            else stated.value
        end as value
    from stated
    inner join kinds on stated.property = kinds.property and stated.kind = kinds.kind
    where stated.value is not null
),

final as (
    select
        counted.as_of_hour, counted.user_key, catalogue.feature_name, cast(1 as double) as value
    from counted
    inner join catalogue
        on counted.property = catalogue.property
        and counted.kind = catalogue.kind
        and counted.value = catalogue.value
    union all
    select
        counted.as_of_hour, counted.user_key, others.feature_name, cast(1 as double) as value
    from counted
    inner join catalogue as others
        on counted.property = others.property
        and counted.kind = others.kind
        and others.kept_values_hash is not null
    left join {{ ref('taxonomy_other_values') }} as members
        on others.property = members.property
        and others.kept_values_hash = members.kept_values_hash
        and counted.value = members.value
        and members.event_name is null
    where members.value is null
    union all
    select
        properties.as_of_hour,
        properties.user_key,
        catalogue.feature_name,
        cast({{ to_number('properties.last_value') }} as double) as value
    from properties
    inner join catalogue
        on properties.property = catalogue.property and catalogue.kind = 'user_property_number'
)

select * from final
