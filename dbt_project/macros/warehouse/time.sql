{# Whole hours since 1970-01-01 UTC, as integer. ts: SQL timestamp expression in UTC. #}
{% macro hour_index(ts) %}{{ return(adapter.dispatch('hour_index', 'foretell')(ts)) }}{% endmacro %}
{% macro duckdb__hour_index(ts) %}cast(floor(epoch({{ ts }}) / 3600) as integer){% endmacro %}
{% macro spark__hour_index(ts) %}cast(floor(unix_timestamp({{ ts }}) / 3600) as integer){% endmacro %}
{% macro default__hour_index(ts) %}{{ exceptions.raise_compiler_error("hour_index: add " ~ target.type) }}{% endmacro %}

{# The UTC timestamp at which hour number `hour` (see hour_index) starts. #}
{% macro hour_start(hour) %}{{ return(adapter.dispatch('hour_start', 'foretell')(hour)) }}{% endmacro %}
{% macro duckdb__hour_start(hour) %}cast(make_timestamp(cast({{ hour }} as bigint) * 3600000000) as timestamp){% endmacro %}
{% macro spark__hour_start(hour) %}timestamp_seconds(cast({{ hour }} as bigint) * 3600){% endmacro %}
{% macro default__hour_start(hour) %}{{ exceptions.raise_compiler_error("hour_start: add " ~ target.type) }}{% endmacro %}

{# The UTC timestamp at which day number `day` (since 1970-01-01) starts. #}
{% macro day_start(day) %}{{ return(hour_start('24 * ' ~ day)) }}{% endmacro %}

{# Text (ISO, with or without offset; naive = UTC) to a UTC timestamp; NULL where it does not parse. #}
{% macro to_utc(text) %}{{ return(adapter.dispatch('to_utc', 'foretell')(text)) }}{% endmacro %}
{% macro duckdb__to_utc(text) %}(try_cast({{ text }} as timestamptz) at time zone 'UTC'){% endmacro %}
{# A time without a date would be one of today. -#}
{% macro spark__to_utc(text) %}
case when {{ text }} rlike '^[{{ " \t\r\n" }}]*[0-9]{4}-[0-9]+-[0-9]+' then try_cast({{ text }} as timestamp) end
{%- endmacro %}
{% macro default__to_utc(text) %}{{ exceptions.raise_compiler_error("to_utc: add " ~ target.type) }}{% endmacro %}

{# Microseconds since 1970-01-01 UTC (number or text) to a UTC timestamp; NULL where out of range. #}
{% macro from_unix_micros(micros) %}{{ return(adapter.dispatch('from_unix_micros', 'foretell')(micros)) }}{% endmacro %}
{% macro duckdb__from_unix_micros(micros) %}try(make_timestamp(try_cast({{ micros }} as bigint))){% endmacro %}
{# DuckDB knows no time beyond these. #}
{% macro spark__from_unix_micros(micros) %}
timestamp_micros(case
    when try_cast({{ micros }} as bigint) between -9223372022400000000 and 9223372036854775806
        then try_cast({{ micros }} as bigint)
end)
{%- endmacro %}
{% macro default__from_unix_micros(micros) %}{{ exceptions.raise_compiler_error("from_unix_micros: add " ~ target.type) }}{% endmacro %}
