{# Stop the query with a message for people, as a text expression. message: SQL text expression. #}
{% macro refuse_in_sql(message) %}{{ return(adapter.dispatch('refuse_in_sql', 'foretell')(message)) }}{% endmacro %}
{% macro duckdb__refuse_in_sql(message) %}cast(error('Foretell: ' || {{ message }}) as varchar){% endmacro %}
{% macro spark__refuse_in_sql(message) %}cast(raise_error('Foretell: ' || {{ message }}) as string){% endmacro %}
{% macro default__refuse_in_sql(message) %}{{ exceptions.raise_compiler_error("refuse_in_sql: add " ~ target.type) }}{% endmacro %}

{# An aggregate over known names: the one most similar to another name, for unknown_name_message. Only the
   beginnings of long names are compared. #}
{% macro nearest_in_sql(known, given) %}
min_by({{ known }}, levenshtein(substr(lower({{ given }}), 1, 200), substr(lower({{ known }}), 1, 200)))
{%- endmacro %}

{# SQL text expression: the error message for a name that does not occur, with its definition and file.
   condition_id: prediction:role:place, as parse_definitions writes it. #}
{% macro unknown_name_message(what, given, nearest, condition_id) %}
    (case
        {%- for row in parse_definitions().definitions %}
        when split_part({{ condition_id }}, ':', 1) = {{ sql_string(row.prediction) }}
            then {{ sql_string(row.file) }}
        {%- endfor %}
        when true then '' end
    || ': prediction ' || split_part({{ condition_id }}, ':', 1)
    || case split_part({{ condition_id }}, ':', 2)
        when 'cohort' then ': cohort condition ' || split_part({{ condition_id }}, ':', 3)
        else ': outcome' end
    || ': unknown {{ what }} "' || substr({{ given }}, 1, 200) || '"; '
    || coalesce(
        'the nearest in the data is "' || substr({{ nearest }}, 1, 200) || '"',
        'no {{ what }} occurs there'
    ))
{% endmacro %}
