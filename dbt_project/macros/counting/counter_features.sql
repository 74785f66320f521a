{# The values computed per user and counter: columns of features_by_counter. In the catalogue
   (taxonomy_features) each column of a counter is the feature for which the condition is true. #}
{% macro counter_features() %}
    {%- set columns = {} -%}
    {%- for week in range(var('feature_weeks')) -%}
        {%- do columns.update({'week_' ~ week: 'week = ' ~ week}) -%}
    {%- endfor -%}
    {%- for column, kinds in feature_kinds('ever') | groupby('column') -%}
        {%- do columns.update({column: "kind in ('" ~ kinds | map(attribute='kind') | join("', '") ~ "')"}) -%}
    {%- endfor -%}
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
