{# All kinds of features, by family: add a new kind here, and its formula in the model of its family. kind: its
   name in the catalogue; column: its column in that model. Python takes any kind. By its name it knows kinds that are
   of a property (value_, other_, user_: a model without properties reads none) or of time (hours_since_). Words for
   the model card are in report/words.py; a kind without any goes by its name. Families:
   - week: of a counter, per rolling week (features_by_counter, columns week_0 and on).
   - ever: of a counter, over all time (features_by_counter); is_sum: of sums, else of numbers of events.
   - rhythm: of the days with an event (features_rhythm); is_named_only: not of any event.
   - activity: of the days and weeks with any event (features_activity).
   - outcome: of the user's past windows of a prediction (features_outcome_rates).
   - user_property: of user properties (features_user_properties); is_number: of numbers. #}
{% macro feature_kinds(family) %}
    {%- set kinds = {
        'week': [
            {'kind': 'event_count'}, {'kind': 'value_count'}, {'kind': 'other_count'}, {'kind': 'value_sum'},
        ],
        'ever': [
            {'kind': 'hours_since_last', 'column': 'hours_since_last', 'is_sum': false},
            {'kind': 'hours_since_first', 'column': 'hours_since_first', 'is_sum': false},
            {'kind': 'event_count_ever', 'column': 'ever', 'is_sum': false},
            {'kind': 'value_sum_ever', 'column': 'ever', 'is_sum': true},
            {'kind': 'value_mean_ever', 'column': 'mean_ever', 'is_sum': true},
        ],
        'rhythm': [
            {'kind': 'event_days_ever', 'column': 'n_days', 'is_named_only': true},
            {'kind': 'decayed_days_28', 'column': 'decayed_days_28', 'is_named_only': false},
            {'kind': 'decayed_days_90', 'column': 'decayed_days_90', 'is_named_only': false},
            {'kind': 'hours_since_day_2', 'column': 'hours_since_day_2', 'is_named_only': false},
            {'kind': 'hours_since_day_3', 'column': 'hours_since_day_3', 'is_named_only': false},
            {'kind': 'hours_since_day_5', 'column': 'hours_since_day_5', 'is_named_only': false},
            {'kind': 'mean_gap_days', 'column': 'mean_gap_days', 'is_named_only': false},
            {'kind': 'silence_ratio', 'column': 'silence_ratio', 'is_named_only': false},
        ],
        'activity': [
            {'kind': 'active_days', 'column': 'active_days'},
            {'kind': 'active_weeks', 'column': 'active_weeks'},
            {'kind': 'active_days_ever', 'column': 'active_days_ever'},
            {'kind': 'active_weeks_ever', 'column': 'active_weeks_ever'},
        ],
        'outcome': [
            {'kind': 'outcome_rate', 'column': 'outcome_rate'},
            {'kind': 'outcome_count', 'column': 'n_outcomes'},
        ],
        'user_property': [
            {'kind': 'user_property_last', 'is_number': false},
            {'kind': 'user_property_first', 'is_number': false},
            {'kind': 'user_property_number', 'is_number': true},
        ],
    } -%}
    {{ return(kinds[family]) }}
{% endmacro %}

{# The kinds of a family as rows: a FROM item with kind and the listed facts. #}
{% macro kinds_as_rows(family, facts=[]) %}
(
        {%- for each in feature_kinds(family) %}
        select '{{ each.kind }}' as kind{% for fact in facts %}, {{ each[fact] | lower }} as {{ fact }}{% endfor %}
        {{- ' union all' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}

{# The value of a feature, from the column of its kind in the model of its family. values: alias of that model;
   kind: SQL expression. #}
{% macro value_of_kind(family, values, kind) -%}
case {{ kind }}
            {%- for each in feature_kinds(family) %}
            when '{{ each.kind }}' then cast({{ values }}.{{ each.column }} as double)
            {%- endfor %}
        end
{%- endmacro %}

{# True if a kind belongs to a family. #}
{% macro is_kind_of(family, kind) -%}
{{ kind }} in (
            {%- for each in feature_kinds(family) %}'{{ each.kind }}'{{ ', ' if not loop.last }}{% endfor -%}
        )
{%- endmacro %}
