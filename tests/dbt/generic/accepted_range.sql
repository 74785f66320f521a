{# Numbers stay between min_value and max_value, both included; leave one out for no bound. NULL is
   not decided (use not_null). NaN is refused by max_value: it sorts above every number. #}
{% test accepted_range(model, column_name, min_value=none, max_value=none) %}
select {{ column_name }}
from {{ model }}
where false
    {%- if min_value is not none %} or {{ column_name }} < {{ min_value }}{% endif %}
    {%- if max_value is not none %} or {{ column_name }} > {{ max_value }}{% endif %}
{% endtest %}
