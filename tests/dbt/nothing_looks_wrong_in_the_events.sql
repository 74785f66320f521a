{# A warning, not a failure: what ingest_alarms says is for a person to look at. #}
{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'ingest_alarms'}}}) }}

select kind, message from {{ ref('ingest_alarms') }}
