{# What events that came or went since a table counted them belong to: distinct keys, as a FROM item.
   keys: columns or expressions of stg_checked_events with their names; counted: the table, whose
   counted_in says up to which batch it has seen; of: which rows matter. #}
{% macro changed_keys(keys, counted, of="status in ('accepted', 'duplicate')") %}
(
    select distinct {{ keys }}
    from {{ ref('stg_checked_events') }}
    where {{ is_uncounted(counted) }} and {{ of }}
)
{%- endmacro %}

{# True for rows of stg_checked_events that came, or were decided anew, since a table counted them. #}
{% macro is_uncounted(counted) %}
decided_in > (select coalesce(max(counted_in), 0) from {{ counted }})
{%- endmacro %}

{# The newest batch, as a FROM item of one row. #}
{% macro newest_batch() %}(select max(decided_in) as batch_id from {{ ref('stg_checked_events') }}){% endmacro %}
