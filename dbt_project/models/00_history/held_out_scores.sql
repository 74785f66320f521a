{# Predictions for users that a model had not seen. Written by Python.
   Its columns and their types are in _00_history.yml. #}
{{ config(materialized='history_table') }}

{{ no_rows() }}
