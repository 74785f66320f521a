{# The clauses that define a starting cohort: a user must satisfy all clauses of a prediction, and
   of each clause at least one condition (or the negation of one). Grain: one row per (clause_id,
   condition_id). For a condition that users without events satisfy ("at most"), cohort_members
   checks who fails it. #}
with

declared as (
    {{ definition_rows('clauses', {
        'prediction': dbt.type_string(), 'clause_id': dbt.type_string(),
        'condition_id': dbt.type_string(), 'is_negated': 'boolean',
    }) }}
),

decided as (
    select
        declared.prediction,
        declared.clause_id,
        declared.is_negated,
        conditions.condition_id,
        conditions.kind,
        conditions.measure_id,
        conditions.min_count,
        conditions.max_count,
        conditions.from_days_ago,
        conditions.to_days_ago,
        conditions.n_filters,
        declared.is_negated
        <> (conditions.kind <> 'user' and {{ is_within('0', 'conditions') }}) as holds_for_nobody
    from declared
    inner join {{ ref('prediction_conditions') }} as conditions
        on declared.condition_id = conditions.condition_id
),

final as (
    select
        decided.*,
        count(*) over (partition by clause_id) as n_conditions,
        count(case when holds_for_nobody then 1 end) over (partition by clause_id)
            as n_hold_for_nobody
    from decided
)

select * from final
