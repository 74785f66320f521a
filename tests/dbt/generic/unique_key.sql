{# The grain: no two rows share these columns and none of them is NULL. columns: list of names.
   On tables of many rows per user give a `where` that keeps the rows of one user in 64: keys are
   dense integers, and a broken join or group by shows on any of them. changed: see changed_rows. #}
{% test unique_key(model, columns, changed='') %}
select
    {{ columns | join(', ') }},
    count(*) as n_rows
from {{ changed_rows(model, changed) }}
group by {{ columns | join(', ') }}
having count(*) > 1{% for column in columns %} or ({{ column }}) is null{% endfor %}
{% endtest %}
