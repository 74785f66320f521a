{# Events counted by hour. Grain: one row per (identity_key, event_hour, token_id). All times, also
   those after as_of: whoever reads says up to which hour. Keyed by the raw identity: who that is
   may be learned later (stg_identities). Any event is the sum of the event types, so it has no
   rows of its own. In weeks, each sorted by identity: a block of users lies in a few places, and
   a new week leaves the others alone (docs/decisions/0010). #}
{%- set sorted_by = [floor_divide('event_hour', 168), 'identity_key', 'event_hour', 'token_id'] -%}
{{ config(
    materialized='incremental', incremental_strategy='recount',
    recount_by=['identity_key', 'event_hour'], resort_by=sorted_by, filled_by_week='stg_events',
    post_hook="{{ delete_rows(this, 'token_id in (select token_id from '"
        ~ " ~ ref('hourly_tokens') ~ ' where not is_counted)') }}"
) }}
with

tokens as (
    select token_id, kind, event_name, property, value
    from {{ ref('hourly_tokens') }}
    where is_counted
),

{% if is_incremental() -%}
touched as (select * from {{ touched('identity_key, event_hour', this) }} as touched),

-- What of properties is counted from now on: its whole history is counted now.
added_tokens as (
    select token_id, event_name
    from tokens
    where
        property is not null
        and token_id not in (select distinct token_id from {{ this }})
),

events as (
    select events.identity_key, events.event_hour, events.event_name, events.event_properties
    from {{ ref('stg_events') }} as events
    inner join touched
        on events.identity_key = touched.identity_key and events.event_hour = touched.event_hour
),

untouched_events as (
    select events.identity_key, events.event_hour, events.event_name, events.event_properties
    from {{ ref('stg_events') }} as events
    left join touched
        on events.identity_key = touched.identity_key and events.event_hour = touched.event_hour
    where
        touched.identity_key is null
        and events.event_name in (select event_name from added_tokens)
),
{%- else -%}
events as (
    select identity_key, event_hour, event_name, event_properties
    from {{ ref('stg_events') }}
    where {{ in_weeks('event_hour') }} and {{ in_block('identity_key') }}
),
{%- endif %}

by_event as (
    select
        events.identity_key,
        events.event_hour,
        tokens.token_id,
        count(*) as n_events
    from events
    inner join tokens on events.event_name = tokens.event_name and tokens.kind = 'event'
    group by events.identity_key, events.event_hour, tokens.token_id
),

detailed_events as (
    select identity_key, event_hour, event_name, event_properties, false as is_untouched
    from events
    where event_name in (select tokens.event_name from tokens where tokens.property is not null)
    {%- if is_incremental() %}
    union all
    select identity_key, event_hour, event_name, event_properties, true as is_untouched
    from untouched_events
    {%- endif %}
),

pairs as (
    {{ json_pairs('detailed_events', 'event_properties', [
        'identity_key', 'event_hour', 'event_name', 'is_untouched',
    ]) }}
),

-- A value is counted by its own token, as another one by those of sets without it, and if it is a
-- number, in the sum.
by_property as (
    select
        pairs.identity_key,
        pairs.event_hour,
        tokens.token_id,
        count(case when tokens.kind = 'sum' then {{ to_number('pairs.value') }} else 1 end)
            as n_events,
        sum(case when tokens.kind = 'sum' then {{ to_number('pairs.value') }} end) as value_sum
    from pairs
    left join tokens as named
        on pairs.event_name = named.event_name
        and pairs.property = named.property
        and {{ counted_value('named.kind', 'pairs.value') }} = named.value
        and named.kind in ('value', 'version')
    inner join tokens
        on pairs.event_name = tokens.event_name
        and pairs.property = tokens.property
        and pairs.value is not null
        and (tokens.kind in ('sum', 'other') or tokens.token_id = named.token_id)
    left join {{ ref('hourly_other_values') }} as members
        on tokens.token_id = members.token_id and named.token_id = members.value_token_id
    where
        members.token_id is null
        and (
            not pairs.is_untouched
            {%- if is_incremental() %}
            or tokens.token_id in (select token_id from added_tokens)
            {%- endif %}
        )
    group by pairs.identity_key, pairs.event_hour, tokens.token_id
),

counted as (
    select identity_key, event_hour, token_id, n_events, null as value_sum from by_event
    union all
    select identity_key, event_hour, token_id, n_events, value_sum
    from by_property
    where n_events > 0
),

newest as (select batch_id from {{ newest_batch() }} as newest),

final as (
    select
        counted.identity_key,
        counted.event_hour,
        counted.token_id,
        cast(counted.n_events as integer) as n_events,
        cast(counted.value_sum as decimal(38, 6)) as value_sum,
        newest.batch_id as counted_in
    from counted
    cross join newest
    {%- if is_incremental() %}
    union all
    select
        identity_key, event_hour,
        null as token_id, null as n_events, null as value_sum, null as counted_in
    from touched
    {%- endif %}
    order by {{ sorted_by | join(', ') }}
)

select * from final
