{# Text with passwords and keys masked, for tables and messages: user:password@ of URLs, and secret query
   parameters. The rules are those of models_ml/foretell/system/secrets.py. #}

{# Of a text known at compile time. #}
{% macro mask_text(text) %}
    {%- set masked = namespace(text=text) -%}
    {%- for pattern, put in mask_rules() -%}
        {%- set masked.text = modules.re.sub(pattern, put.replace('$', '\\'), masked.text) -%}
    {%- endfor -%}
    {{ return(masked.text) }}
{% endmacro %}

{# Of a column, as SQL. #}
{% macro masked_column(column) %}
    {%- set masked = namespace(sql=column) -%}
    {%- for pattern, put in mask_rules() -%}
        {%- set masked.sql = replaced_by_pattern(masked.sql, pattern, put) -%}
    {%- endfor -%}
    {{ return(masked.sql) }}
{% endmacro %}

{# Pairs of a pattern and its replacement; $1 is the first group. #}
{% macro mask_rules() %}
    {%- set quotes = "'" ~ '\\"' -%}
    {{ return([
        ('(?i)\\b([a-z][a-z0-9+.-]*://)[^\\s/@' ~ quotes ~ ']*:[^\\s/@' ~ quotes ~ ']*@', '$1***@'),
        (
            '(?i)([?&;](?:[a-z0-9_.-]*(?:sig|signature|token|secret|password|passwd|credential|key)'
            ~ '[a-z0-9_.-]*|pwd|auth|code)=)[^&;\\s' ~ quotes ~ ']+',
            '$1***',
        ),
    ]) }}
{% endmacro %}
