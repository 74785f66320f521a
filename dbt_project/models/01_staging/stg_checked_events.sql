{# Raw rows that needed a decision: those that cannot be used, and those of which several are alike
   (accepted the first received, duplicate the others). Every other row is accepted as it is.
   Grain: one row per such raw row. Rows are alike if they have one event_id or, without id, one
   content. #}
with

suspects as (
    select {{ duplicate_hash() }} as duplicate_hash
    from {{ ref('stg_raw_events') }}
    group by 1
    having count(*) > 1
),

undecided as (
    select judged.*, suspects.duplicate_hash is not null as is_suspect
    from {{ judged_events() }} as judged
    left join suspects on judged.duplicate_hash = suspects.duplicate_hash
    where judged.reject_reason is not null or suspects.duplicate_hash is not null
),

keyed as (
    select
        undecided.*,
        case
            when reject_reason is not null then null
            when event_id is not null then 'same event_id'
            else 'same content without event_id'
        end as duplicate_rule,
        -- The lengths keep user a|b apart from user a with a device that starts with b.
        coalesce(event_id, md5(concat_ws(
            '|',
            coalesce(length(user_id), 0), coalesce(length(device_id), 0), length(event_name),
            user_id, device_id, event_name, event_time_text, event_properties
        ))) as duplicate_key
    from undecided
),

ranked as (
    select
        keyed.*,
        row_number() over (
            partition by duplicate_rule, duplicate_key
            order by
                received_at nulls last, event_time nulls last, event_name nulls last,
                user_id nulls last, device_id nulls last,
                event_properties nulls last, user_properties nulls last
        ) as arrival
    from keyed
),

final as (
    select
        event_id,
        user_id,
        device_id,
        identity,
        event_name,
        event_time,
        received_at,
        event_properties,
        user_properties,
        case
            when reject_reason is not null then 'rejected'
            when arrival > 1 then 'duplicate'
            else 'accepted'
        end as fate,
        coalesce(reject_reason, case when arrival > 1 then duplicate_rule end) as reason,
        case
            when reject_reason is not null
                then coalesce(raw_row, {{ json_of([
                    'event_id', 'user_id', 'device_id', 'event_name', 'event_time_text',
                    'received_at', 'event_properties', 'user_properties',
                ]) }})
        end as raw_row,
        duplicate_hash
    from ranked
)

select * from final
