{# Keys of events that were added or removed since a table counted them: distinct keys, as a FROM item. keys:
   columns or expressions of stg_checked_events with their names; counted: the table, whose counted_in is the
   newest batch it has counted; of: SQL condition of the relevant rows. #}
{% macro changed_keys(keys, counted, of="status in ('accepted', 'duplicate')") %}
(
    select distinct {{ keys }}
    from {{ ref('stg_checked_events') }}
    where {{ is_uncounted(counted) }} and {{ of }}
)
{%- endmacro %}

{# True for rows of stg_checked_events that were added, or got another status, since a table counted them. #}
{% macro is_uncounted(counted) %}
decided_in > (select coalesce(max(counted_in), 0) from {{ counted }})
{%- endmacro %}

{# The newest batch, as a FROM item of one row. #}
{% macro newest_batch() %}(select max(decided_in) as batch_id from {{ ref('stg_checked_events') }}){% endmacro %}
