{# Users in bands of a prediction, ready to export. Grain: one row per (prediction, user_id).
   top_10_percent: percentile at least 90; middle_40_percent: 50 to 90; bottom_50_percent: below. #}
{{ config(processed_by={'user_id': 'user_id'}) }}
with

final as (
    select
        prediction,
        user_id,
        case
            when percentile >= 90 then 'top_10_percent'
            when percentile >= 50 then 'middle_40_percent'
            else 'bottom_50_percent'
        end as audience,
        probability,
        expected_value,
        percentile,
        as_of
    from {{ ref('predictions') }}
    {%- if var('scope') == 'active' %}
    where user_id in (select processed.user_id from {{ ref('cohort_processed_identities') }} as processed)
    {%- endif %}
)

select * from final
