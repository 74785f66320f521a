{# How a view names a table of its own schema. DuckDB keeps the body of a view without its catalog and
   takes bare names from the view's schema, so that a bare name holds wherever the file is attached
   (docs/decisions/0005). #}
{% macro in_view(relation) %}{{ return(adapter.dispatch('in_view', 'foretell')(relation)) }}{% endmacro %}
{% macro duckdb__in_view(relation) %}{{ relation.include(database=false, schema=false) }}{% endmacro %}
{% macro default__in_view(relation) %}{{ relation }}{% endmacro %}
