{# At most one row says what counts as now (none where there are no events). #}
select count(*) as n_rows
from {{ ref('stg_as_of') }}
having count(*) > 1
