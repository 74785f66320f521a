{# A table that lies in weeks is made in parts, where there is much of it: grouping and sorting what fits
   into memory takes half the time of all at once (docs/decisions/0010). A part is of some weeks or, where
   a week has too many events, of some users in one week. config filled_by_week: the model whose
   event_hour the weeks are of; the table's own SQL filters it with in_weeks(event_hour) and
   in_block(identity_key), and sorts by week and identity first. Spark does all at once: it splits by
   itself. #}

{# True for hours of the weeks at hand; for all where the SQL does not run in weeks. #}
{% macro in_weeks(hour) %}{{ hour }} between /* first */ -2147483648 and /* last */ 2147483647{% endmacro %}

{# dbt's own, for models that are tables and for a first load. #}
{% macro duckdb__create_table_as(temporary, relation, compiled_code, language='sql', partitioned_by=none, sorted_by=none) %}
    {%- set by_week = config.get('filled_by_week') -%}
    {%- set parts = parts_in_weeks(ref(by_week), compiled_code) if by_week and not temporary else [] -%}
    {%- if parts | length < 2 -%}
        {{ dbt.duckdb__create_table_as(
            temporary, relation, compiled_code, language, partitioned_by, sorted_by
        ) }}
    {%- else -%}
        {#- Statements, not run_query: these begin the transaction that ends with the last part. -#}
        {% call statement('nothing') -%}
            create table {{ relation }} as
            select * from ({{ block_of(compiled_code, 0, -1) }}) as nothing limit 0
        {%- endcall %}
        {%- for part in parts[:-1] -%}
            {% call statement('part') -%}
                insert into {{ relation }} {{ part }}
            {%- endcall %}
            {{ log(model.name ~ ': ' ~ loop.index ~ ' of ' ~ parts | length ~ ' parts', info=True) }}
        {%- endfor -%}
        insert into {{ relation }} {{ parts[-1] }}
    {%- endif -%}
{% endmacro %}

{# The SQL of each part, by week, then by identity: of about events_per_fill events, of whole weeks
   where those are less. #}
{% macro parts_in_weeks(events, sql) %}
    {%- set weeks = run_query(
        'select ' ~ floor_divide('event_hour', 168) ~ ' as week, count(*) from ' ~ events ~ ' group by week order by week'
    ).rows -%}
    {%- set parts, at = [], namespace(first=none, n=0) -%}
    {%- for week, n_events in weeks -%}
        {%- if at.first is none -%}{%- set at.first = 168 * week -%}{%- endif -%}
        {%- set at.n = at.n + n_events -%}
        {%- if at.n >= var('events_per_fill') or loop.last -%}
            {%- set of_weeks = weeks_of(sql, at.first, 168 * week + 167) -%}
            {%- set n_blocks = [at.n // var('events_per_fill'), 1] | max -%}
            {%- for first, last in blocks_of_keys(n_blocks) -%}
                {%- do parts.append(block_of(of_weeks, first, last)) -%}
            {%- endfor -%}
            {%- set at.first, at.n = none, 0 -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(parts) }}
{% endmacro %}

{# The SQL of a model with in_weeks() narrowed to these hours. #}
{% macro weeks_of(sql, first, last) %}
{{- sql | replace('/* first */ -2147483648', first) | replace('/* last */ 2147483647', last) -}}
{% endmacro %}
