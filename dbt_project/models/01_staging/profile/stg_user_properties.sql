{# User properties as events set them. Grain: one row per (identity_key, property, event_hour): the
   last value of the hour. Repeated values are kept: of a user's two identities the newest statement
   counts, even if it repeats the earlier value of that identity. All times, also those after
   as_of. #}
{{ config(
    materialized='incremental_table', incremental_strategy='recount',
    recount_by=['identity_key', 'event_hour']
) }}
with

{% if is_incremental_run() -%}
changed as (
    select *
    from {{ changed_keys(
        'identity_key, event_hour', this,
        of="status in ('accepted', 'duplicate') and user_properties is not null"
    ) }} as changed
),

{% endif -%}
events as (
    select
        events.event_id,
        events.event_time,
        events.event_hour,
        events.user_properties,
        events.identity_key
    from {{ ref('stg_events') }} as events
    {%- if is_incremental_run() %}
    inner join changed
        on events.identity_key = changed.identity_key and events.event_hour = changed.event_hour
    {%- endif %}
    where events.user_properties is not null
),

pairs as (
    {{ json_pairs('events', 'user_properties', [
        'identity_key', 'event_hour', 'event_time', 'event_id',
    ]) }}
),

ranked as (
    select
        identity_key,
        property,
        event_hour,
        event_time as stated_at,
        value,
        row_number() over (
            partition by identity_key, property, event_hour
            order by event_time desc, event_id desc nulls last, value desc nulls last
        ) as place
    from pairs
),

newest as (select batch_id from {{ newest_batch() }} as newest),

listed as (
    select
        ranked.identity_key,
        ranked.property,
        ranked.event_hour,
        ranked.stated_at,
        ranked.value,
        newest.batch_id as counted_in
    from ranked
    cross join newest
    where ranked.place = 1
    {%- if is_incremental_run() %}
    union all
    select
        identity_key,
        null as property,
        event_hour,
        null as stated_at,
        null as value,
        null as counted_in
    from changed
    {%- endif %}
),

final as (
    select identity_key, property, event_hour, stated_at, value, counted_in
    from listed
    order by identity_key, property, event_hour
)

select * from final
