{# The state of the newest build. Written by hooks (macros/history/build_state.sql).
   Its columns and their types are in _00_history.yml. #}
{{ config(materialized='history_table') }}

{{ no_rows() }}
