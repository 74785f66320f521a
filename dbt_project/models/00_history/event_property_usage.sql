{# What people query in SQL. Written by `foretell usage`.
   Its columns and their types are in _00_history.yml. #}
{{ config(materialized='history_table') }}

{{ no_rows() }}
