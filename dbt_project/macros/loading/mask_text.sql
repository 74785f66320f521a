{# A text known at compile time without passwords and keys, for tables and messages: user:password@ of
   URLs, and query keys of theirs that open something. The rules are those of models_ml/secrets.py. #}
{% macro mask_text(text) %}
    {%- set quotes = '"' ~ "'" -%}
    {%- set user = '(?i)\\b([a-z][a-z0-9+.-]*://)[^\\s/@' ~ quotes ~ ']*:[^\\s/@' ~ quotes ~ ']*@' -%}
    {%- set key = '(?i)([?&;](?:[a-z0-9_.-]*(?:sig|signature|token|secret|password|passwd|credential|key)'
        ~ '[a-z0-9_.-]*|pwd|auth|code)=)[^&;\\s' ~ quotes ~ ']+' -%}
    {{ return(modules.re.sub(key, '\\1***', modules.re.sub(user, '\\1***@', text))) }}
{% endmacro %}
