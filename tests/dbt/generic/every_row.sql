{# A statement about the columns of one row holds for every row; NULL counts as broken.
   holds: SQL condition. #}
{% test every_row(model, holds) %}
select *
from {{ model }}
where not coalesce(({{ holds }}), false)
{% endtest %}
