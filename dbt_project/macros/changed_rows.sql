{# Rows that a test of a large table checks: in an hourly run only those the run may have changed, and other
   rows with the same key; else all. changed: SQL condition, given with the test; empty for all rows. #}
{% macro changed_rows(model, changed) %}
    {%- if changed and var('scope') == 'active' -%}
        (select * from {{ model }} where {{ changed }}) as changed_rows
    {%- else -%}
        {{ model }}
    {%- endif -%}
{% endmacro %}
