{# The conditions of every prediction: its starting cohort and its outcome. Grain: one row per
   condition_id. Kind count (of events), sum (of a property of theirs) and change (of a user property)
   hold where min_count <= total <= max_count (NULL: no bound) within [as_of - from_days_ago,
   as_of - to_days_ago) (NULL: ever), outcomes within the horizon; kind user where every filter
   matches. Conditions that count the same share a measure_id, whatever their predictions, bounds and
   windows. #}
with

final as (
    {{ definition_rows('conditions', {
        'condition_id': dbt.type_string(), 'prediction': dbt.type_string(),
        'role': dbt.type_string(), 'kind': dbt.type_string(), 'measure_id': 'integer',
        'min_count': 'decimal(24, 6)', 'max_count': 'decimal(24, 6)',
        'from_days_ago': 'integer', 'to_days_ago': 'integer', 'n_filters': 'integer',
    }) }}
)

select * from final
