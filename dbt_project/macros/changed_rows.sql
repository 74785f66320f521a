{# Rows that a test of a large table looks at: in an hourly run only what that run may have changed, and what
   others have the same key; else all. changed: SQL condition, given beside the test; empty for all rows. #}
{% macro changed_rows(model, changed) %}
    {%- if changed and var('scope') == 'active' -%}
        (select * from {{ model }} where {{ changed }}) as changed_rows
    {%- else -%}
        {{ model }}
    {%- endif -%}
{% endmacro %}
