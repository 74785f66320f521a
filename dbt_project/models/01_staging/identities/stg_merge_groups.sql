{# Connected groups of merged users, from all merges. Grain: one row per node, an identity_key;
   component is the same for all nodes of one group. #}
{{ config(materialized='connected_components') }}

select cast(0 as bigint) as graph, previous_key as left_node, user_key as right_node
from {{ ref('stg_merges') }}
where is_merged
