{# Hours since an event are counted from as_of back to the start of its hour: at least 1. An event at
   or after as_of would give less. #}
with

since as (
    select feature_id
    from {{ ref('features') }}
    where substr(kind, 1, 11) = 'hours_since'
)

select
    features_values.as_of_hour,
    features_values.user_key,
    features_values.feature_id,
    features_values.value
from {{ ref('features_values') }} as features_values
inner join since on features_values.feature_id = since.feature_id
where features_values.value < 1
