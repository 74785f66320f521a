{# A run stops here, before everything that events feed, if no event can be used (foretell.run says why).
   dbt alone builds empty tables instead: var needs_events is set by `foretell` and Dagster. #}
{{ config(meta={'dagster': {'ref': {'name': 'stg_as_of'}}}) }}
select events.n_hours
from (select count(*) as n_hours from {{ ref('stg_as_of') }}) as events
where events.n_hours = 0 and {{ 'true' if var('needs_events', false) else 'false' }}
