{# The predictions declared as exposures of type ml (DESIGN.md section 4), flattened into rows:
   definitions, conditions, events (of a condition; none = any), filters (where / user) and measures,
   what conditions count, each once.
   Every value stays data: it reaches SQL only through sql_string. #}
{% macro parse_definitions() %}
    {%- set rows = {'definitions': [], 'conditions': [], 'events': [], 'filters': [], 'measures': []} -%}
    {%- if execute -%}
    {%- for exposure in graph.exposures.values() | sort(attribute='name') -%}
        {%- set prediction = exposure.config.meta.get('prediction') -%}
        {%- if exposure.type == 'ml' and prediction is mapping -%}
            {%- set name = exposure.name -%}
            {%- do rows.definitions.append({
                'prediction': name,
                'label': exposure.label or name,
                'horizon_days': prediction.horizon_days,
                'definition': tojson(prediction, sort_keys=true),
                'definition_hash': local_md5(tojson(prediction, sort_keys=true)),
                'file': exposure.original_file_path,
            }) -%}
            {%- set cohort = prediction.get('cohort', [{'event': 'any', 'within_days': 56}]) -%}
            {%- for condition in cohort -%}
                {%- do flatten_condition(rows, name, 'cohort', loop.index, condition) -%}
            {%- endfor -%}
            {%- do flatten_condition(rows, name, 'outcome', 0, prediction.outcome) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- endif -%}
    {{ return(rows) }}
{% endmacro %}

{# One condition as rows. A count condition holds where min_count <= count <= max_count. #}
{% macro flatten_condition(rows, prediction, role, place, condition) %}
    {%- set condition_id = prediction ~ ':' ~ role ~ ':' ~ place -%}
    {%- set never = condition.get('not_done', false) -%}
    {%- set at_most = 0 if never else condition.get('at_most') -%}
    {%- set where = condition.get('where') or {} -%}
    {%- set user = condition.get('user') or {} -%}
    {%- if 'event' in condition -%}
        {%- set events = [condition.event] if condition.event is string else condition.event -%}
        {%- set counted = tojson({'events': events | sort, 'where': where}, sort_keys=true) -%}
        {%- if counted not in rows.measures -%}{%- do rows.measures.append(counted) -%}{%- endif -%}
        {%- do rows.conditions.append({
            'condition_id': condition_id, 'prediction': prediction, 'role': role, 'kind': 'count',
            'measure_id': rows.measures.index(counted),
            'min_count': condition.get('at_least', 0 if at_most is not none else 1),
            'max_count': at_most, 'within_days': condition.get('within_days'),
            'n_filters': where | length,
        }) -%}
        {%- for event in events -%}
            {%- do rows.events.append({
                'condition_id': condition_id, 'event_name': none if event == 'any' else event,
            }) -%}
        {%- endfor -%}
        {%- do flatten_filters(rows, condition_id, where) -%}
    {%- endif -%}
    {%- if user -%}
        {%- do rows.conditions.append({
            'condition_id': condition_id ~ ':user', 'prediction': prediction, 'role': role,
            'kind': 'user', 'measure_id': none, 'min_count': 1, 'max_count': none, 'within_days': none, 'n_filters': user | length,
        }) -%}
        {%- do flatten_filters(rows, condition_id ~ ':user', user) -%}
    {%- endif -%}
{% endmacro %}

{% macro flatten_filters(rows, condition_id, filters) %}
    {%- for property, given in filters.items() -%}
        {%- for value in (given if given is sequence and given is not string else [given]) -%}
            {%- do rows.filters.append({
                'condition_id': condition_id, 'property': property,
                'value': value if value is string else tojson(value),
            }) -%}
        {%- endfor -%}
    {%- endfor -%}
{% endmacro %}

{# Rows of parse_definitions as SQL. columns: a mapping of column name to SQL type. #}
{% macro definition_rows(part, columns) %}
    {%- set rows = parse_definitions()[part] %}
    {%- for row in rows %}
    select
        {%- for column, type in columns.items() %}
        cast({{ 'null' if row[column] is none else sql_string(row[column]) }} as {{ type }})
            as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    {{ 'union all' if not loop.last }}
    {%- else %}
    select
        {%- for column, type in columns.items() %}
        cast(null as {{ type }}) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    where false
    {%- endfor %}
{% endmacro %}
