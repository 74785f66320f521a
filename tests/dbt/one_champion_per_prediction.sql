{# At most one model scores a prediction. #}
select prediction, count(*) as n_champions
from {{ ref('models') }}
where status = 'champion'
group by prediction
having count(*) > 1
