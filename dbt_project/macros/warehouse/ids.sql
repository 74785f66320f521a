{# An id as text, whatever its type. Whole numbers that another tool converted to floats or decimals (pandas
   does so if one is missing) become whole again: 1001.0 is 1001. A float that has lost digits keeps the form
   that is_rounded_id detects. #}
{% macro id_text(column) %}{{ return(adapter.dispatch('id_text', 'foretell')(column)) }}{% endmacro %}
{% macro duckdb__id_text(column) -%}
case
    when typeof({{ column }}) = 'FLOAT' and abs(try_cast({{ column }} as double)) >= 16777216
        then format('{:e}', try_cast({{ column }} as double))
    when typeof({{ column }}) like 'DECIMAL%' then regexp_replace(cast({{ column }} as varchar), '[.]0+$', '')
    when
        ends_with(cast({{ column }} as varchar), '.0')
        and abs(try_cast(cast({{ column }} as varchar) as double)) <= 9007199254740992
        then regexp_replace(cast({{ column }} as varchar), '^(-?[0-9]+)[.]0$', '\1')
    else cast({{ column }} as varchar)
end
{%- endmacro %}
{% macro spark__id_text(column) %}{{ spark__texts_of_ids([column]) }}[0]{% endmacro %}
{% macro default__id_text(column) %}{{ exceptions.raise_compiler_error("id_text: add " ~ target.type) }}{% endmacro %}

{# Spark only: an array of the ids in some columns as text. #}
{% macro spark__texts_of_ids(columns) -%}
transform(array(
    {%- for column in columns %}
    named_struct(
        'text', cast({{ column }} as string), 'type', typeof({{ column }}), 'number', try_cast({{ column }} as double)
    ){{ ',' if not loop.last }}
    {%- endfor %}
), id -> case
    when id.type in ('double', 'float') and id.number = floor(id.number) then if(
        abs(id.number) <= if(id.type = 'float', 16777215, 9007199254740992),
        cast(cast(id.number as bigint) as string), format_string('%.16e', id.number)
    )
    when id.type like 'decimal%' then regexp_replace(id.text, '[.]0+$', '')
    when id.text rlike '^-?[0-9]+[.]0$' and abs(id.number) <= 9007199254740992 then split_part(id.text, '.', 1)
    else id.text
end)
{%- endmacro %}

{# True where an id is a number that lost its last digits in another tool: 1.43e+17, or more than 2^53 with .0 #}
{% macro is_rounded_id(id) -%}
{#- Digits and length are checked first, because most ids fail these cheap checks. -#}
case
                when length({{ id }}) <= 26 and {{ id }} < ':' then
                    {{ adapter.dispatch('matches', 'foretell')(id, '^-?([0-9]([.][0-9]+)?[eE][+][0-9]+|[0-9]{16,}[.]0)$') }}
                else false
            end
{%- endmacro %}

{# An id, or NULL if it is a placeholder that a tool wrote instead of an id: var placeholder_ids, in any letter
   case, with spaces around it, or an empty text. Done with a pattern: a list of so many texts becomes a join
   over all rows of each id, at four times the cost. #}
{% macro real_id(id) -%}
{%- set escaped = [] -%}
{%- for placeholder in placeholder_ids() -%}{%- do escaped.append(modules.re.escape(placeholder)) -%}{%- endfor -%}
case
    when {{ matches_whole(id, '\\s*(?i:' ~ escaped | join('|') ~ ')\\s*') }} then null
    else {{ id }}
end
{%- endmacro %}

{% macro placeholder_ids() %}
    {%- set listed = [''] -%}
    {%- for id in var('placeholder_ids') -%}{%- do listed.append(id | string | trim | lower) -%}{%- endfor -%}
    {{ return(listed) }}
{% endmacro %}
