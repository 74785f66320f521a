{# A table that lies in weeks is made in weeks, where there is much of it: grouping and sorting what fits
   into memory takes half the time of all at once (docs/decisions/0010). config
   filled_by_week: the model whose event_hour the weeks are of; the table's own SQL filters it with
   in_weeks(event_hour) and sorts by week first. Spark does all at once: it splits by itself. #}

{# True for hours of the weeks at hand; for all where the SQL does not run in weeks. #}
{% macro in_weeks(hour) %}{{ hour }} between /* first */ -2147483648 and /* last */ 2147483647{% endmacro %}

{# dbt's own, for models that are tables and for a first load. #}
{% macro duckdb__create_table_as(temporary, relation, compiled_code, language='sql', partitioned_by=none, sorted_by=none) %}
    {%- set by_week = config.get('filled_by_week') -%}
    {%- set spans = spans_of_weeks(ref(by_week)) if by_week and not temporary else [] -%}
    {%- if spans | length < 2 -%}
        {{ dbt.duckdb__create_table_as(
            temporary, relation, compiled_code, language, partitioned_by, sorted_by
        ) }}
    {%- else -%}
        {#- Statements, not run_query: these begin the transaction that ends with the last span. -#}
        {% call statement('nothing') -%}
            create table {{ relation }} as
            select * from ({{ block_of(compiled_code, 0, -1) }}) as nothing limit 0
        {%- endcall %}
        {%- for first, last in spans[:-1] -%}
            {% call statement('weeks') -%}
                insert into {{ relation }} {{ block_of(compiled_code, first, last) }}
            {%- endcall %}
            {{ log(model.name ~ ': ' ~ loop.index ~ ' of ' ~ spans | length ~ ' spans of weeks', info=True) }}
        {%- endfor -%}
        {%- set first, last = spans[-1] -%}
        insert into {{ relation }} {{ block_of(compiled_code, first, last) }}
    {%- endif -%}
{% endmacro %}

{# Whole weeks, in order, that hold about events_per_fill events together: first and last hour of each. #}
{% macro spans_of_weeks(events) %}
    {%- set weeks = run_query(
        'select ' ~ floor_divide('event_hour', 168) ~ ' as week, count(*) from ' ~ events ~ ' group by week order by week'
    ).rows -%}
    {%- set spans, at = [], namespace(first=none, n=0) -%}
    {%- for week, n_events in weeks -%}
        {%- if at.first is none -%}{%- set at.first = 168 * week -%}{%- endif -%}
        {%- set at.n = at.n + n_events -%}
        {%- if at.n >= var('events_per_fill') or loop.last -%}
            {%- do spans.append((at.first, 168 * week + 167)) -%}
            {%- set at.first, at.n = none, 0 -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(spans) }}
{% endmacro %}
