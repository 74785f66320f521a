{# What is computed per user and counter: columns of features_by_counter. In the catalogue (taxonomy_features)
   each of a counter's is the feature for which the condition is true. #}
{% macro counter_features() %}
    {%- set columns = {} -%}
    {%- for week in range(var('feature_weeks')) -%}
        {%- do columns.update({'week_' ~ week: 'week = ' ~ week}) -%}
    {%- endfor -%}
    {%- do columns.update({
        'ever': "kind in ('event_count_ever', 'value_sum_ever')",
        'mean_ever': "kind = 'value_mean_ever'",
        'hours_since_last': "kind = 'hours_since_last'",
        'hours_since_first': "kind = 'hours_since_first'",
    }) -%}
    {{- return(columns) -}}
{% endmacro %}

{# The feature ids of a counter's columns, each an expression over the counter's rows in the catalogue. #}
{% macro counter_feature_ids() %}
    {%- set ids = [] -%}
    {%- for condition in counter_features().values() -%}
        {%- do ids.append('max(case when ' ~ condition ~ ' then feature_id end)') -%}
    {%- endfor -%}
    {{- return(ids) -}}
{% endmacro %}
