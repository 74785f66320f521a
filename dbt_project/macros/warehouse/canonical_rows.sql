{# Rows in the canonical columns (docs/your_events.md): a FROM item. rows: the result of read_rows, or a select
   from it that keeps its last four columns; mapping: canonical column to SQL expression, where a missing column
   is NULL. Columns that are already timestamps are not converted to text and back, which costs ten times as
   much; fractions of a microsecond are cut off. #}
{% macro canonical_rows(rows, mapping) %}
    {{ return(adapter.dispatch('canonical_rows', 'foretell')(rows, mapping)) }}
{% endmacro %}

{% macro duckdb__canonical_rows(rows, mapping) %}
(
    select
        cast(event_name as varchar) as event_name,
        {% for column in ['event_id', 'user_id', 'device_id', 'previous_id'] -%}
        {{ id_text(column) }} as {{ column }},
        {% endfor -%}
        {% for column, timestamp in [
            ('event_time', 'event_timestamp'), ('received_at', 'received_timestamp'),
        ] -%}
        case when typeof({{ column }}) not like 'TIMESTAMP%' then cast({{ column }} as varchar) end
            as {{ column }},
        case
            when typeof({{ column }}) like '%\_NS' escape '\'
                then make_timestamp(epoch_ns(try_cast({{ column }} as timestamp_ns)) // 1000)
            when typeof({{ column }}) like 'TIMESTAMP%' then try_cast({{ column }} as timestamp)
        end as {{ timestamp }},
        {% endfor -%}
        {% for column in ['event_properties', 'user_properties'] -%}
        {{ json_text(column) }} as {{ column }},
        {% endfor -%}
        source_file,
        loaded_at,
        raw_row,
        is_broken
    from (
        select
            {% for column in canonical_columns() -%}
            {{ mapping.get(column, 'null') }} as {{ column }},
            {% endfor -%}
            source_file,
            loaded_at,
            raw_row,
            is_broken
        from {{ rows }}
    )
)
{% endmacro %}

{# All sources are in one view, of which Derby stores 32,700 characters (docs/scale.md): so there is no
   indentation, and the ids are converted to text together. #}
{% macro spark__canonical_rows(rows, mapping) %}
{%- set ids = ['event_id', 'user_id', 'device_id', 'previous_id'] -%}
{%- set indented %}
(
    select
        cast(event_name as string) as event_name,
        {% for column in ids -%}
        ids[{{ loop.index0 }}] as {{ column }},
        {% endfor -%}
        {% for column, timestamp in [
            ('event_time', 'event_timestamp'), ('received_at', 'received_timestamp'),
        ] -%}
        case when typeof({{ column }}) not like 'timestamp%' then cast({{ column }} as string) end
            as {{ column }},
        case when typeof({{ column }}) like 'timestamp%' then try_cast(cast({{ column }} as string) as timestamp) end
            as {{ timestamp }},
        {% endfor -%}
        {% for column in ['event_properties', 'user_properties'] -%}
        {{ json_text(column) }} as {{ column }},
        {% endfor -%}
        source_file,
        loaded_at,
        raw_row,
        is_broken
    from (
        select *, {{ spark__texts_of_ids(ids) }} as ids
        from (
            select
                {% for column in canonical_columns() -%}
                {{ mapping.get(column, 'cast(null as string)') }} as {{ column }},
                {% endfor -%}
                source_file,
                loaded_at,
                raw_row,
                is_broken
            from {{ rows }} as mapped_rows
        ) as mapped
    ) as with_ids
)
{%- endset -%}
{{ return(modules.re.sub('\n +', '\n', indented)) }}
{% endmacro %}

{% macro default__canonical_rows(rows, mapping) %}
    {{ exceptions.raise_compiler_error("canonical_rows: add " ~ target.type) }}
{% endmacro %}
