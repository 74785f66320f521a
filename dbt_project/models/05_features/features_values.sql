{# The features, sparse: an absent feature means none or never. Grain: one row per (as_of_hour,
   user_key, feature_id), sorted by user. One SQL for training and scoring: as_of is data. Counts
   and sums per rolling week k = [as_of - 7(k+1) d, as_of - 7k d); hours since the first and last
   event (from the start of that event's hour); totals over all history; active days and weeks; the
   rhythm of days; how often the outcome happened before; 1 for a user property's first or last
   value, and its last number. #}
{{ config(
    materialized='user_blocks',
    sized_by=['hourly_user_events', 'features_rows', 'stg_identities']
) }}
with

catalogue as (
    select
        features.feature_id,
        features.feature_name,
        present.kind,
        present.counter_id,
        present.week
    from {{ ref('taxonomy_features') }} as present
    inner join {{ ref('features') }} as features on present.feature_name = features.feature_name
),

-- The feature ids of a counter, in the order of its columns; NULL if a column is no feature.
counter_features as (
    select
        counter_id,
        {{ list_of(counter_feature_ids()) }} as feature_ids
    from catalogue
    where counter_id is not null
    group by counter_id
),

-- Sorted here, with one row per counter: six times fewer rows than features.
sorted_counters as (
    select by_counter.*
    from {{ ref('features_by_counter') }} as by_counter
    order by by_counter.user_key, by_counter.as_of_hour
),

listed_counters as (
    select
        sorted_counters.as_of_hour,
        sorted_counters.user_key,
        counter_features.feature_ids,
        {{ list_of(counter_features()) }} as feature_values
    from sorted_counters
    inner join counter_features on sorted_counters.counter_id = counter_features.counter_id
),

of_counters as (
    {{ unnest_pair(
        'listed_counters', ['as_of_hour', 'user_key'],
        ['feature_id', 'feature_ids'], ['value', 'feature_values']
    ) }}
),

activity as (
    select
        activity.as_of_hour,
        activity.user_key,
        catalogue.feature_id,
        {{ value_of_kind('activity', 'activity', 'catalogue.kind') }} as value
    from {{ ref('features_activity') }} as activity
    inner join catalogue on {{ is_kind_of('activity', 'catalogue.kind') }}
),

rhythm as (
    select
        rhythm.as_of_hour,
        rhythm.user_key,
        catalogue.feature_id,
        {{ value_of_kind('rhythm', 'rhythm', 'catalogue.kind') }} as value
    from {{ ref('features_rhythm') }} as rhythm
    inner join catalogue
        on rhythm.counter_id = catalogue.counter_id and {{ is_kind_of('rhythm', 'catalogue.kind') }}
),

outcome_rates as (
    select
        rates.as_of_hour,
        rates.user_key,
        catalogue.feature_id,
        {{ value_of_kind('outcome', 'rates', 'catalogue.kind') }} as value
    from {{ ref('features_outcome_rates') }} as rates
    inner join catalogue
        on rates.counter_id = catalogue.counter_id and {{ is_kind_of('outcome', 'catalogue.kind') }}
),

user_properties as (
    select stated.as_of_hour, stated.user_key, catalogue.feature_id, stated.value
    from {{ ref('features_user_properties') }} as stated
    inner join catalogue on stated.feature_name = catalogue.feature_name
),

listed as (
    select as_of_hour, user_key, feature_id, value
    from of_counters
    where value <> 0 and feature_id is not null
    union all
    select as_of_hour, user_key, feature_id, value from activity where value <> 0
    union all
    select as_of_hour, user_key, feature_id, value from rhythm where value <> 0
    union all
    select as_of_hour, user_key, feature_id, value from outcome_rates where value <> 0
    union all
    select as_of_hour, user_key, feature_id, value from user_properties where value <> 0
),

final as (
    select as_of_hour, user_key, feature_id, cast(value as float) as value
    from listed
)

select * from final
