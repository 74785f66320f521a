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

{# Text to a UTC timestamp; NULL if it is no time. Accepted: ISO 8601 with or without offset (naive: UTC), also
   with a space or a colon before the offset, a zone in brackets after it, a comma before the fraction, t and z,
   or without separators; or the time since 1970 in seconds, milli-, micro- or nanoseconds. The unit follows
   from the size: times before March 1973 and after 5138 are not accepted. #}
{% macro to_utc(text) %}{{ return(adapter.dispatch('to_utc', 'foretell')(text)) }}{% endmacro %}
{% macro duckdb__to_utc(text) %}
coalesce(
    try_cast({{ text }} as timestamptz) at time zone 'UTC',
    case
        when regexp_full_match({{ text }}, '{{ epoch_pattern() }}') then {{ duckdb__from_epoch(text) }}
        else try_cast(replace(regexp_replace(
            regexp_replace(
                upper({{ text }}), '^\s*(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})', '\1-\2-\3 \4:\5:\6'
            ),
            '{{ loose_time_pattern() }}', '\1\2\3'
        ), ',', '.') as timestamptz) at time zone 'UTC'
    end
)
{%- endmacro %}
{# A time without a date would be taken as one of today. -#}
{% macro spark__to_utc(text) %}
coalesce(
    case when {{ text }} rlike '^[{{ " \t\r\n" }}]*[0-9]{4}-[0-9]+-[0-9]+' then try_cast({{ text }} as timestamp) end,
    case
        when {{ text }} rlike '^({{ epoch_pattern() }})$' then {{ spark__from_epoch(text) }}
        when regexp_replace(upper({{ text }}), '^\s*(\d{4})(\d{2})(\d{2})T', '$1-$2-$3T') rlike '^\s*[0-9]{4}-[0-9]+-[0-9]+'
            then try_cast(replace(regexp_replace(
                regexp_replace(
                    upper({{ text }}), '^\s*(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})', '$1-$2-$3 $4:$5:$6'
                ),
                '{{ loose_time_pattern() }}', '$1$2$3'
            ), ',', '.') as timestamp)
    end
)
{%- endmacro %}
{% macro default__to_utc(text) %}{{ exceptions.raise_compiler_error("to_utc: add " ~ target.type) }}{% endmacro %}

{# Digits that may be a time since 1970; and the parts of a time: to the second, its fraction, its offset. #}
{% macro epoch_pattern() %}{{ return('\\s*[0-9]{9,19}([.][0-9]+)?\\s*|\\s*[0-9]([.][0-9]+)?[eE][+]?[0-9]{1,2}\\s*') }}{% endmacro %}
{% macro loose_time_pattern() %}
    {{ return('^\\s*([0-9]{4}[-/][0-9]+[-/][0-9]+[T ]+[0-9]+:[0-9]+(?::[0-9]+)?)([.,][0-9]+)?\\s*:?\\s*(?:(Z|[+-][0-9:]+)(?:\\[[^]]*\\])?)?\\s*$') }}
{% endmacro %}

{% macro duckdb__from_epoch(text) %}
try(make_timestamp(case
    when try_cast({{ text }} as double) < 1e8 then null
    when try_cast({{ text }} as double) < 1e11 then cast(round(try_cast({{ text }} as double) * 1e6) as bigint)
    when try_cast({{ text }} as double) < 1e14 then cast(round(try_cast({{ text }} as double) * 1e3) as bigint)
    when try_cast({{ text }} as double) < 1e17 then try_cast(floor(try_cast({{ text }} as double)) as bigint)
    else coalesce(try_cast({{ text }} as bigint), try_cast(floor(try_cast({{ text }} as double)) as bigint)) // 1000
end))
{%- endmacro %}
{% macro spark__from_epoch(text) %}
timestamp_micros(case
    when try_cast({{ text }} as double) < 1e8 then null
    when try_cast({{ text }} as double) < 1e11 then cast(round(try_cast({{ text }} as double) * 1e6) as bigint)
    when try_cast({{ text }} as double) < 1e14 then cast(round(try_cast({{ text }} as double) * 1e3) as bigint)
    when try_cast({{ text }} as double) < 1e17 then try_cast(floor(try_cast({{ text }} as double)) as bigint)
    else coalesce(try_cast({{ text }} as bigint), try_cast(floor(try_cast({{ text }} as double)) as bigint)) div 1000
end)
{%- endmacro %}

{# Microseconds since 1970-01-01 UTC (number or text) to a UTC timestamp; NULL where out of range. #}
{% macro from_unix_micros(micros) %}{{ return(adapter.dispatch('from_unix_micros', 'foretell')(micros)) }}{% endmacro %}
{% macro duckdb__from_unix_micros(micros) %}try(make_timestamp(try_cast({{ micros }} as bigint))){% endmacro %}
{# DuckDB supports no time beyond these. #}
{% macro spark__from_unix_micros(micros) %}
timestamp_micros(case
    when try_cast({{ micros }} as bigint) between -9223372022400000000 and 9223372036854775806
        then try_cast({{ micros }} as bigint)
end)
{%- endmacro %}
{% macro default__from_unix_micros(micros) %}{{ exceptions.raise_compiler_error("from_unix_micros: add " ~ target.type) }}{% endmacro %}

{# A UTC timestamp as text to the minute: 2026-01-31 23:00. #}
{% macro minute_text(ts) %}substr(cast({{ ts }} as {{ dbt.type_string() }}), 1, 16){% endmacro %}

{# Stop where the session has another time zone than UTC: times without a zone would be read in it. Foretell's own
   profile sets it; in somebody's project the profile is theirs. #}
{% macro check_time_zone() %}
    {%- if execute -%}
        {%- set zone = run_query('select ' ~ session_time_zone()).rows[0][0] -%}
        {%- if zone not in ['UTC', 'Etc/UTC', 'GMT', 'Etc/GMT', 'Z', 'Zulu', 'Universal', 'UCT'] -%}
            {{ refuse(
                'the session of this warehouse is in time zone ' ~ zone ~ ', in which times without a zone would be'
                ~ ' read; write UTC into the profile: ' ~ time_zone_setting()
            ) }}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
{% macro session_time_zone() %}{{ return(adapter.dispatch('session_time_zone', 'foretell')()) }}{% endmacro %}
{% macro duckdb__session_time_zone() %}current_setting('TimeZone'){% endmacro %}
{% macro spark__session_time_zone() %}current_timezone(){% endmacro %}
{% macro default__session_time_zone() %}{{ exceptions.raise_compiler_error("session_time_zone: add " ~ target.type) }}{% endmacro %}
{% macro time_zone_setting() %}{{ return(adapter.dispatch('time_zone_setting', 'foretell')()) }}{% endmacro %}
{% macro duckdb__time_zone_setting() %}{{ return('settings: {TimeZone: UTC}') }}{% endmacro %}
{% macro spark__time_zone_setting() %}{{ return('server_side_parameters: {spark.sql.session.timeZone: UTC}') }}{% endmacro %}
{% macro default__time_zone_setting() %}{{ exceptions.raise_compiler_error("time_zone_setting: add " ~ target.type) }}{% endmacro %}
