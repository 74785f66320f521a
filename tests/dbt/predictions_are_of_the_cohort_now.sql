{# Nobody is predicted for who is not in the prediction's starting cohort now, and no score comes
   from after now (a replay must not show the future). #}
{{ config(meta={'dagster': {'ref': {'name': 'predictions'}}}) }}
select predictions.prediction, predictions.user_id, predictions.as_of
from {{ ref('predictions') }} as predictions
left join {{ ref('scoring_rows') }} as cohort
    on predictions.prediction = cohort.prediction and predictions.user_id = cohort.user_id
where cohort.user_id is null or predictions.as_of > cohort.as_of
