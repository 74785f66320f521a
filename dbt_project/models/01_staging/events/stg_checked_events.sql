{# Every raw row, typed, with its status. Grain: one row per raw row. Rows with one event_id (or,
   without an id, the same content in any notation) are one event: the row received first is
   accepted, the others are duplicates, in whatever order their files are loaded. A later file may
   hold the row received first: then the accepted row is added again, as a duplicate, with the batch
   that decided this. #}
{{ config(
    materialized='incremental_table', incremental_strategy='replace_decided',
    pre_hook="{{ set_load_bounds() }}", meta={'stays': 'with_events'}
) }}
{%- set is_load = is_incremental_run() -%}
{%- set closed = closed_hour() if is_load else none -%}
{%- set decided = decided_events(in_new_files() if is_load else none, closed) -%}
with

{% if is_load -%}
-- Without an id only rows of the same time are copies: other hours are not read.
earlier as (
    select loaded.*
    from {{ this }} as loaded
    where
        status = 'accepted'
        and event_hour >= {{ closed }} - 24 * {{ var('late_days') }}
        and event_id is not null
        and {{ duplicate_hash() }} in (select duplicate_hash from {{ decided }} as decided)
    union all
    select loaded.*
    from {{ this }} as loaded
    where
        status = 'accepted'
        and event_hour >= {{ closed }} - 24 * {{ var('late_days') }}
        and event_id is null
        and event_hour in (select event_hour from {{ decided }} as decided)
        and {{ duplicate_hash() }} in (select duplicate_hash from {{ decided }} as decided)
),

{% endif -%}
suspects as (
    select duplicate_hash
    from {{ decided }} as decided
    group by duplicate_hash
    having count(*) > 1
    {%- if is_load %}
    union
    select {{ duplicate_hash() }} as duplicate_hash from earlier
    {%- endif %}
),

undisputed as (
    select decided.*
    from {{ decided }} as decided
    left join suspects on decided.duplicate_hash = suspects.duplicate_hash
    where
        decided.reject_reason is not null
        or decided.is_late
        or suspects.duplicate_hash is null
),

disputed as (
    select
        event_id, user_id, device_id, identity_key,
        event_name, event_time, event_hour, received_at, event_properties, user_properties,
        previous_id, placeholder_id,
        batch_id, true as is_new
    from {{ decided }} as decided
    where
        reject_reason is null
        and not is_late
        and decided.duplicate_hash in (select suspects.duplicate_hash from suspects)
    {%- if is_load %}
    union all
    select
        event_id, user_id, device_id, identity_key,
        event_name, event_time, event_hour, received_at, event_properties, user_properties,
        previous_id, placeholder_id,
        batch_id, false as is_new
    from earlier
    {%- endif %}
),

described as (
    select
        disputed.*,
        case when event_id is null then {{ json_canonical('event_properties') }} end as content
    from disputed
),

keyed as (
    select
        described.*,
        case when event_id is not null then 'same event_id' else 'same content without event_id' end
            as duplicate_rule,
        -- The lengths keep user a|b apart from user a with a device that starts with b.
        coalesce(event_id, md5(concat_ws(
            '|',
            coalesce(length(user_id), 0), coalesce(length(device_id), 0),
            coalesce(length(previous_id), 0), length(event_name),
            user_id, device_id, previous_id, event_name, event_time, content
        ))) as duplicate_key
    from described
),

ranked as (
    select
        keyed.*,
        row_number() over (
            partition by duplicate_rule, duplicate_key
            order by
                received_at nulls last, event_time, event_name, user_id nulls last,
                device_id nulls last, event_properties nulls last, user_properties nulls last,
                previous_id nulls last,
                is_new, batch_id
        ) as arrival
    from keyed
),

last_batch as (select max(batch_id) as batch_id from {{ ref('stg_batches') }}),

final as (
    select
        event_id,
        user_id,
        device_id,
        identity_key,
        event_name,
        event_time,
        event_hour,
        received_at,
        event_properties,
        user_properties,
        previous_id,
        placeholder_id,
        case
            when reject_reason is not null then 'rejected'
            when is_late then 'late'
            else 'accepted'
        end as status,
        coalesce(
            reject_reason,
            case when is_late then 'more than {{ var('late_days') }} days late' end
        ) as reason,
        case
            when reject_reason is not null
                then coalesce(raw_row, {{ json_of([
                    'event_id', 'user_id', 'device_id', 'event_name', 'event_time_text',
                    'received_at', 'event_properties', 'user_properties', 'previous_id',
                    'placeholder_id',
                ]) }})
        end as raw_row,
        batch_id,
        batch_id as decided_in
    from undisputed
    union all
    select
        ranked.event_id,
        ranked.user_id,
        ranked.device_id,
        ranked.identity_key,
        ranked.event_name,
        ranked.event_time,
        ranked.event_hour,
        ranked.received_at,
        ranked.event_properties,
        ranked.user_properties,
        ranked.previous_id,
        ranked.placeholder_id,
        case when ranked.arrival > 1 then 'duplicate' else 'accepted' end as status,
        case when ranked.arrival > 1 then ranked.duplicate_rule end as reason,
        null as raw_row,
        ranked.batch_id,
        case when ranked.is_new then ranked.batch_id else last_batch.batch_id end as decided_in
    from ranked
    cross join last_batch
    where ranked.is_new or ranked.arrival > 1
)

select * from final
