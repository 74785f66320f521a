{# Connected groups of merged users in each state (stg_merge_states). Grain: one row per (graph,
   node): graph is a state_id, node an identity_key; component is the same for all nodes of one
   group. #}
{{ config(materialized='connected_components') }}

select state_id as graph, previous_key as left_node, user_key as right_node
from {{ ref('stg_merge_states') }}
