{# One end of the 95 % interval of a rate, 0 to 1 (Wilson 1927). n_positive, n: SQL expressions, n at least 1;
   sign: '-' for the low end, '+' for the high one. The Python version is in foretell.learn.metrics. #}
{% macro wilson_end(n_positive, n, sign) %}
{%- set z2 = 1.959964 * 1.959964 -%}
({{ n_positive }} + {{ z2 }} / 2 {{ sign }} 1.959964 * sqrt(
            1e0 * {{ n_positive }} * ({{ n }} - {{ n_positive }}) / {{ n }} + {{ z2 }} / 4
        )) / ({{ n }} + {{ z2 }})
{%- endmacro %}
