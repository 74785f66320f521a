{# How a view names a table of its own schema. DuckDB keeps the body of a view without its catalog, and where the
   catalog is called like the schema (a warehouse foretell.duckdb), `foretell.models` could be either. A bare name
   is looked for in the view's schema (docs/decisions/0005). #}
{% macro in_view(relation) %}{{ return(adapter.dispatch('in_view', 'foretell')(relation)) }}{% endmacro %}
{% macro duckdb__in_view(relation) %}
    {%- set is_ambiguous = relation.schema == relation.database and relation.schema == this.schema -%}
    {{- return(relation.include(database=false, schema=not is_ambiguous)) -}}
{% endmacro %}
{% macro default__in_view(relation) %}{{ return(relation) }}{% endmacro %}
