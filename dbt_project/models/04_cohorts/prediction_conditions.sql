{# The conditions of every prediction: its starting cohort and its outcome. Grain: one row per
   condition_id. A count condition holds where min_count <= count <= max_count (NULL: no bound) over
   the last within_days (NULL: ever); a user condition where every filter matches. Conditions that
   count the same events share a measure_id, whatever their predictions, bounds and windows. #}
with

final as (
    {{ definition_rows('conditions', {
        'condition_id': dbt.type_string(), 'prediction': dbt.type_string(),
        'role': dbt.type_string(), 'kind': dbt.type_string(), 'measure_id': 'integer',
        'min_count': 'integer', 'max_count': 'integer',
        'within_days': 'integer', 'n_filters': 'integer',
    }) }}
)

select * from final
