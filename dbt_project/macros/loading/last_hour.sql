{# The last and the first hour of some events, decided in one query of ten steps. Events after the last hour have
   wrong clocks. One row: last_hour, first_event_hour. hours: a FROM item as stg_event_hours; written_by: the hour
   by which all events had been written or loaded, as SQL, NULL if unknown; begun_by: the newest first hour of the
   files with at least 3 events, as SQL (a file of a few stray events does not count). Rules:
   - An event received before its own hour has a fast clock: it is no evidence of the hour.
   - The volume of an hour is the number of its users: one phone with a wrong clock may send hundreds of events.
   - No event happens after it was written. If more than half of the events did, the time of writing is wrong.
   - An hour with events received within a day is proven, and so is begun_by. After the last proven hour, or
     if none is proven, a few users (up to 3, or 0.5 %) far apart from all others have wrong clocks. Far apart
     means: in windows of an hour to four weeks before them, volume was at most 5 % of the usual volume for
     the time of day and week. The hour right after a usual one may have just begun.
   - A few events (under 0.1 %) before four weeks of silence have wrong clocks, too: they are not the first. #}
{% macro last_hour(hours, written_by='cast(null as integer)', begun_by='cast(null as integer)') %}
    {%- set windows = [1, 3, 6, 12, 24, 72, 168, 672] %}
    with counted as (
        select event_hour, n_events, n_users_timed, n_prompt, {{ written_by }} as written_by
        from {{ hours }} as hours
    ),

    written as (
        select
            case
                when 2 * sum(case when event_hour > written_by then n_events else 0 end) <= sum(n_events)
                    then max(written_by)
            end as written_by
        from counted
    ),

    known as (
        select
            counted.event_hour,
            counted.n_users_timed as n_users,
            {{ modulo('counted.event_hour', 24) }} as hour_of_day,
            {{ modulo('counted.event_hour', 168) }} as hour_of_week,
            counted.n_prompt > 0 or coalesce(counted.event_hour <= {{ begun_by }}, false) as is_proven
        from counted
        cross join written
        where counted.n_users_timed > 0 and coalesce(counted.event_hour <= written.written_by, true)
    ),

    history as (
        select max(event_hour) - min(event_hour) as n_hours, sum(n_users) as n_users from known
    ),

    expected as ({{ usual_of_windows('known', 'history', windows) }}),

    seen as (
        select
            known.*
            {%- for n in windows %},
            sum(n_users) over (
                order by event_hour range between {{ n - 1 }} preceding and current row
            ) as seen_{{ n }}
            {%- endfor %},
            event_hour - min(event_hour) over () + 1 as hours_before,
            event_hour - lag(event_hour) over (order by event_hour) as silent_hours,
            sum(n_users) over (order by event_hour) - n_users as n_before
        from known
    ),

    decided as (
        select
            seen.event_hour,
            seen.n_users,
            seen.is_proven,
            not (
                {%- for n in windows %}
                (
                    seen.hours_before >= {{ n }}
                    and expected.expected_{{ n }} >= 20
                    and seen.seen_{{ n }} < 0.05 * expected.expected_{{ n }}
                )
                {{- ' or' if not loop.last }}
                {%- endfor %}
            ) as is_usual,
            max(case
                when seen.silent_hours > 24 * 28 and seen.n_before < 0.001 * history.n_users
                    then seen.event_hour
            end) over () as starts_after_silence
        from seen
        inner join expected on seen.hour_of_week = expected.hour_of_week
        cross join history
    ),

    usual as (
        select coalesce(
            max(case when is_usual or is_proven then event_hour end), max(event_hour)
        ) as last_usual
        from decided
    ),

    tail as (
        select
            sum(case when decided.event_hour > usual.last_usual + 1 then decided.n_users else 0 end)
                as n_stray,
            max(case when decided.event_hour <= usual.last_usual + 1 then decided.event_hour end)
                as last_usual,
            max(decided.event_hour) as last_known,
            min(case
                when coalesce(decided.event_hour >= decided.starts_after_silence, true)
                    then decided.event_hour
            end) as first_event_hour
        from decided
        cross join usual
    )

    select
        case
            when tail.n_stray <= greatest(3, 0.005 * history.n_users) then tail.last_usual
            else tail.last_known
        end as last_hour,
        tail.first_event_hour
    from tail
    cross join history
{% endmacro %}

{# The usual number of users of the 1, 3, 6 … hours up to each hour of the week: columns hour_of_week and expected_1,
   expected_3 … of windows. An hour has the median over users of its time of day, or of its time of the week where
   that is lower and three weeks are known, so a few stray events do not change it. known: a CTE with n_users,
   hour_of_day and hour_of_week; history: a CTE with n_hours, the hours from the first to the last. #}
{% macro usual_of_windows(known, history, windows) %}
    with of_day as ({{ usual_volume(known, 'hour_of_day') }}),

    of_week as ({{ usual_volume(known, 'hour_of_week') }}),

    slots as (
        select
            of_hour.hour_of_week,
            case
                when history.n_hours < 504 then coalesce(of_day.n_users, 0)
                else least(coalesce(of_day.n_users, 0), coalesce(of_week.n_users, 0))
            end as n_users
        from {{ numbers_below(168, 'hour_of_week') }} as of_hour
        cross join {{ history }} as history
        left join of_day on {{ modulo('of_hour.hour_of_week', 24) }} = of_day.slot
        left join of_week on of_hour.hour_of_week = of_week.slot
    )

    select
        slots.hour_of_week
        {%- for n in windows %},
        sum(case when {{ modulo('168 + slots.hour_of_week - earlier.hour_of_week', 168) }} < {{ [n, 168] | min }}
            then earlier.n_users else 0 end) * {{ [n / 168, 1.0] | max }} as expected_{{ n }}
        {%- endfor %}
    from slots
    cross join slots as earlier
    group by slots.hour_of_week
{% endmacro %}

{# The usual number of users of an hour, per slot (of day or week): the median over users, each counted in the
   hour of its event. known: a CTE with n_users and the slot. #}
{% macro usual_volume(known, slot) %}
    select slot, min(n_users) as n_users
    from (
        select
            {{ slot }} as slot,
            n_users,
            sum(n_users) over (partition by {{ slot }} order by n_users) as n_up_to,
            sum(n_users) over (partition by {{ slot }}) as n_of_slot
        from {{ known }} as known
    ) as ranked
    where 2 * n_up_to >= n_of_slot
    group by slot
{% endmacro %}
