{# A statement about the columns of one row holds for every row; NULL counts as broken.
   holds: SQL condition. changed: see changed_rows. #}
{% test every_row(model, holds, changed='') %}
select *
from {{ changed_rows(model, changed) }}
where not coalesce(({{ holds }}), false)
{% endtest %}
