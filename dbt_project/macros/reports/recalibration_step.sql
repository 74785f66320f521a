{# One step of Newton's method for two logistic regressions of outcomes on predicted log-odds: alone (the
   intercept with a slope of 1), and intercept with slope. Also the size of each step and the standard errors;
   NULL where the cells do not determine them (one cell, or one outcome). cells: CTE with n_users, n_positives,
   log_odds; before: CTE with the values to start from. #}
{% macro recalibration_step(cells, before) %}
    select
        prediction,
        kind,
        property,
        value,
        alone + alone_gradient / alone_weight as alone,
        abs(alone_gradient / alone_weight) as alone_move,
        1 / sqrt(alone_weight) as alone_error,
        intercept + (h11 * g0 - h01 * g1) / determinant as intercept,
        slope + (h00 * g1 - h01 * g0) / determinant as slope,
        (abs(h11 * g0 - h01 * g1) + abs(h00 * g1 - h01 * g0)) / determinant as both_move,
        sqrt(h00 / determinant) as slope_error
    from (
        select
            *,
            nullif(w, 0) as alone_weight,
            case when h00 * h11 - h01 * h01 > 1e-9 * h00 * h11 then h00 * h11 - h01 * h01 end
                as determinant
        from (
            select
                prediction,
                kind,
                property,
                value,
                max(alone) as alone,
                max(intercept) as intercept,
                max(slope) as slope,
                sum(n_positives - n_users * p_alone) as alone_gradient,
                sum(n_users * p_alone * (1 - p_alone)) as w,
                sum(n_positives - n_users * p) as g0,
                sum(log_odds * (n_positives - n_users * p)) as g1,
                sum(n_users * p * (1 - p)) as h00,
                sum(log_odds * n_users * p * (1 - p)) as h01,
                sum(log_odds * log_odds * n_users * p * (1 - p)) as h11
            from (
                select
                    cells.*,
                    before.alone,
                    before.intercept,
                    before.slope,
                    1 / (1 + exp(-(before.alone + cells.log_odds))) as p_alone,
                    1 / (1 + exp(-(before.intercept + before.slope * cells.log_odds))) as p
                from {{ cells }} as cells
                inner join {{ before }} as before
                    on cells.prediction = before.prediction
                    and cells.kind = before.kind
                    and cells.property is not distinct from before.property
                    and cells.value is not distinct from before.value
            ) as scored
            group by prediction, kind, property, value
        ) as summed
    ) as decided
{% endmacro %}
