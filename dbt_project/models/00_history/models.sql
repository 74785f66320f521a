{# Every model ever trained, with its artefact. Written by Python.
   Its columns and their types are in _00_history.yml. #}
{{ config(materialized='history_table') }}

{{ no_rows() }}
