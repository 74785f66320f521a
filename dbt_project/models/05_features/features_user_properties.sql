{# What is known of each wanted user's properties as of then. Grain: one row per (as_of_hour,
   user_key, feature_name): 1 for the first and the last value, or the last number. A value that is
   not kept counts as one of the others. #}
{{ config(materialized='ephemeral') }}
with

catalogue as (
    select feature_name, kind, property, value, is_other, is_version
    from {{ ref('taxonomy_features') }}
    where kind in ('user_property_first', 'user_property_last', 'user_property_number')
),

properties as (
    select
        wanted.as_of_hour,
        wanted.user_key,
        properties.property,
        properties.first_value,
        properties.last_value
    from {{ ref('features_rows') }} as wanted
    inner join {{ ref('cohort_user_properties') }} as properties
        on wanted.as_of_hour = properties.as_of_hour
        and wanted.user_key = properties.user_key
        and {{ in_block('properties.user_key') }}
    where {{ in_block('wanted.user_key') }}
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

named as (
    select
        stated.as_of_hour,
        stated.user_key,
        coalesce(own.feature_name, others.feature_name) as feature_name,
        cast(1 as double) as value
    from stated
    inner join kinds on stated.property = kinds.property and stated.kind = kinds.kind
    left join catalogue as own
        on stated.property = own.property
        and stated.kind = own.kind
        and own.value = case
            when kinds.is_version then {{ counted_value("'version'", 'stated.value') }}
            else stated.value
        end
    left join catalogue as others
        on stated.property = others.property and stated.kind = others.kind and others.is_other
    where stated.value is not null
),

final as (
    select as_of_hour, user_key, feature_name, value
    from named
    where feature_name is not null
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
