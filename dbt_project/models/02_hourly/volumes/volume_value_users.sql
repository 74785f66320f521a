{# Identities that had each value of event properties, by day, for counting users: a sample of
   identities (volume_user_sample). Grain: one row per (identity_key, event_day, event_name,
   property, value). Values longer than max_value_characters share the row whose value is NULL. All
   times, also those after as_of: first_hour is the first hour in which the value occurred. #}
{%- set sample = "identity_key % (select step from " ~ ref('volume_user_sample') ~ ") = 0" -%}
{{ config(
    materialized='incremental_table', incremental_strategy='recount',
    recount_by=['identity_key', 'event_day'],
    post_hook="{{ delete_rows(this, 'not (identity_key % (select step from '"
        ~ " ~ ref('volume_user_sample') ~ ') = 0)') }}",
    tags=['daily']
) }}
with

{% if is_incremental_run() -%}
changed as (
    select *
    from {{ changed_keys(
        'identity_key, ' ~ floor_divide('event_hour', 24) ~ ' as event_day', this,
        of="status in ('accepted', 'duplicate') and event_properties is not null and " ~ sample
    ) }} as changed
),

{% endif -%}
events as (
    select
        events.identity_key,
        {{ floor_divide('events.event_hour', 24) }} as event_day,
        events.event_hour,
        events.event_name,
        events.event_properties
    from {{ ref('stg_events') }} as events
    {%- if is_incremental_run() %}
    inner join changed
        on events.identity_key = changed.identity_key
        and {{ floor_divide('events.event_hour', 24) }} = changed.event_day
    {%- endif %}
    where events.event_properties is not null and events.{{ sample }}
),

pairs as (
    {{ json_pairs('events', 'event_properties', [
        'identity_key', 'event_day', 'event_hour', 'event_name',
    ]) }}
),

newest as (select batch_id from {{ newest_batch() }} as newest),

final as (
    select
        pairs.identity_key,
        pairs.event_day,
        pairs.event_name,
        pairs.property,
        case
            when length(pairs.value) <= {{ var('max_value_characters') }} then pairs.value
        end as value,
        min(pairs.event_hour) as first_hour,
        newest.batch_id as counted_in
    from pairs
    cross join newest
    where pairs.value is not null
    group by 1, 2, 3, 4, 5, 7
    {%- if is_incremental_run() %}
    union all
    select
        identity_key, event_day,
        null as event_name, null as property, null as value, null as first_hour,
        null as counted_in
    from changed
    {%- endif %}
)

select * from final
