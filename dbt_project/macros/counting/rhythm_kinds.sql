{# Kinds of features about the rhythm of days with an event: columns of features_rhythm. Active days ever
   of any event are counted elsewhere (features_activity), of named events as event_days_ever. #}
{% macro rhythm_kinds() %}
    {{- return([
        'decayed_days_28', 'decayed_days_90',
        'hours_since_day_2', 'hours_since_day_3', 'hours_since_day_5',
        'mean_gap_days', 'silence_ratio',
    ]) -}}
{% endmacro %}
