{# What is told of a user and a token: columns of features_by_token. In the catalogue (taxonomy_features)
   each of a token's is the feature for which the condition is true. #}
{% macro token_features() %}
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

{# The feature ids of a token's columns, each an expression over the token's rows in the catalogue. #}
{% macro token_feature_ids() %}
    {%- set ids = [] -%}
    {%- for condition in token_features().values() -%}
        {%- do ids.append('max(case when ' ~ condition ~ ' then feature_id end)') -%}
    {%- endfor -%}
    {{- return(ids) -}}
{% endmacro %}
