{# Full run, or active users only. Active-only (var scope: active) is allowed if the previous run
   finished and its tables are current (build_state); `reason` says why not. Users with events since
   since_hour are active: usually the last hour, more if an hourly run was missed. Grain: one row;
   none without events. #}
-- depends_on: {{ ref('build_state') }}, {{ ref('prediction_definitions') }}
with

now as (select as_of_hour, as_of from {{ ref('stg_as_of') }}),

{% if var('scope') == 'active' -%}
-- The newest finished run; no row if there is none.
finished as (
    select *
    from {{ ref('build_state') }}
    where finished_at is not null
),

definitions as ({{ hash_of_definitions(ref('prediction_definitions')) }}),

reasons as (
    select
        now.as_of_hour,
        least(now.as_of_hour - 1, coalesce({{ hour_index('finished.as_of') }}, now.as_of_hour - 1))
            as since_hour,
        case
            when finished.version is null then 'no run has finished yet'
            when finished.version <> '{{ warehouse_version() }}'
                then 'the previous run was of another version'
            when finished.scored_as_of is null then 'there are no scores yet'
            when finished.as_of > now.as_of then 'a past hour is replayed'
            when
                finished.follows_stopped
                or finished.scored_as_of <> finished.as_of
                or finished.as_of < finished.newest_as_of
                then 'an earlier run was stopped, or replayed a past hour'
            when
                finished.oldest_score_as_of
                < now.as_of - interval '{{ var('max_score_age_days') }}' day
                then 'some published scores are too old'
            when finished.definitions_hash <> definitions.definitions_hash then 'definitions changed'
        end as reason
    from now
    cross join definitions
    left join finished on true
),
{%- else -%}
reasons as (
    select as_of_hour, as_of_hour - 1 as since_hour, 'a daily run' as reason
    from now
),
{%- endif %}

final as (
    select
        as_of_hour,
        since_hour,
        case when reason is null then 'active' else 'everyone' end as scope,
        reason
    from reasons
)

select * from final
