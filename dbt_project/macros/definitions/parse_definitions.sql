{# The predictions declared as exposures of type ml (DESIGN.md section 4), flattened into rows: definitions;
   conditions, with their events (none = any), filters (where / user) and measures (what conditions count, each
   once); clauses, which need one of their conditions to hold (parse_clauses). Every value stays data: it
   reaches SQL only through sql_string. #}
{% macro parse_definitions() %}
    {%- set rows = {
        'definitions': [], 'conditions': [], 'clauses': [], 'events': [], 'filters': [], 'measures': [],
        'measure_rows': [], 'rules': [],
    } -%}
    {%- if execute -%}
    {%- for exposure in definitions_in_use() -%}
        {%- set prediction = exposure.config.meta.get('prediction') -%}
        {%- if exposure.type == 'ml' and prediction is mapping -%}
            {#- Reasons and budgets are not part of the definition hash: models stay valid when they change. -#}
            {%- set definition, budget = dict(prediction), prediction.get('budget', {}) -%}
            {%- do definition.pop('reasons', none) -%}
            {%- do definition.pop('budget', none) -%}
            {%- do rows.definitions.append({
                'prediction': exposure.name,
                'label': exposure.label or exposure.name,
                'horizon_days': prediction.horizon_days,
                'is_anonymous_included': prediction.get('anonymous', true) | string | lower,
                'has_reasons': prediction.get('reasons', false) | string | lower,
                'is_value': is_value_outcome(prediction.outcome) | string | lower,
                'budget_minutes': budget.get('minutes'),
                'budget_memory_gb': budget.get('memory_gb'),
                'definition': tojson(definition, sort_keys=true),
                'definition_hash': local_md5(tojson(definition, sort_keys=true)),
                'file': definition_file(exposure),
            }) -%}
            {%- do flatten_prediction(rows, exposure.name, prediction) -%}
        {%- endif -%}
        {%- do flatten_rules(rows, exposure.config.meta.get('taxonomy') or {}) -%}
    {%- endfor -%}
    {%- endif -%}
    {{ return(rows) }}
{% endmacro %}

{# Cohort and outcome of one prediction as rows. For outcomes that can happen only once (a first time, a
   property that is set), added conditions remove users from the cohort for whom it has already happened. #}
{% macro flatten_prediction(rows, name, prediction) %}
    {%- set outcome = prediction.outcome -%}
    {%- set cohort = prediction.get('cohort', [{'event': 'any', 'within_days': 56}]) -%}
    {%- set clauses = parse_clauses({'all_of': cohort}, name ~ ':cohort') -%}
    {%- set before = name ~ ':outcome:before' -%}
    {%- if outcome.get('first_time') -%}
        {%- set done = {'event': outcome.event, 'where': outcome.get('where') or {}} -%}
        {%- set clauses = clauses + parse_clauses({'none_of': [done]}, before) -%}
    {%- elif 'user' in outcome -%}
        {%- set clauses = clauses + parse_clauses({'none_of': [{'user': outcome.user}]}, before) -%}
    {%- endif -%}
    {%- for clause in clauses -%}
        {%- set clause_id = name ~ ':' ~ loop.index -%}
        {%- for literal in clause -%}
            {%- do flatten_condition(rows, name, 'cohort', literal.id, literal.condition) -%}
            {%- do rows.clauses.append({
                'prediction': name, 'clause_id': clause_id, 'condition_id': literal.id,
                'is_negated': literal.is_negated | string | lower,
            }) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- do flatten_condition(rows, name, 'outcome', name ~ ':outcome:0', outcome) -%}
{% endmacro %}

{# True for a value outcome, which asks how much (a sum without bounds, a count) instead of whether. #}
{% macro is_value_outcome(outcome) %}
    {%- set is_sum = 'sum_of' in outcome and 'at_least' not in outcome and 'at_most' not in outcome -%}
    {{ return(is_sum or outcome.get('count', false)) }}
{% endmacro %}

{# One condition as rows: it counts events or checks user properties. A count condition holds where min_count <=
   count <= max_count, or the sum if it is one. #}
{% macro flatten_condition(rows, prediction, role, id, condition) %}
    {%- if id not in rows.conditions | map(attribute='condition_id') -%}
    {%- set is_change = role == 'outcome' and 'user' in condition -%}
    {%- set is_counted = is_change or 'event' in condition -%}
    {%- set where = condition.get('where') or condition.get('user') or {} -%}
    {%- set events = [] -%}
    {%- if 'event' in condition -%}
        {%- set events = [condition.event] if condition.event is string else condition.event | list -%}
    {%- endif -%}
    {%- set counted = tojson({
        'events': events | sort, 'where': where, 'sum_of': condition.get('sum_of'),
    }, sort_keys=true) -%}
    {%- if is_counted and counted not in rows.measures -%}
        {%- do rows.measure_rows.append({
            'measure_id': rows.measures | length, 'measure': counted,
            'label': measure_label(events, where, condition.get('sum_of')),
        }) -%}
        {%- do rows.measures.append(counted) -%}
    {%- endif -%}
    {%- set at_most = 0 if condition.get('not_done') else condition.get('at_most') -%}
    {%- set kind = 'change' if is_change else 'user' if not is_counted
        else 'sum' if 'sum_of' in condition else 'count' -%}
    {#- For value outcomes the label is whether the value is above 0: sums have six decimals. -#}
    {%- set least = 1 if at_most is none else 0 if kind != 'sum' else none -%}
    {%- if role == 'outcome' and kind == 'sum' and is_value_outcome(condition) -%}
        {%- set least = '0.000001' -%}
    {%- endif -%}
    {%- do rows.conditions.append({
        'condition_id': id, 'prediction': prediction, 'role': role, 'kind': kind,
        'measure_id': rows.measures.index(counted) if is_counted else none,
        'min_count': condition.get('at_least', least),
        'max_count': at_most,
        'from_days_ago': condition.get('from_days_ago', condition.get('within_days')),
        'to_days_ago': condition.get('to_days_ago', 0),
        'n_filters': where | length,
    }) -%}
    {%- for event in events -%}
        {%- do rows.events.append({'condition_id': id, 'event_name': none if event == 'any' else event}) -%}
    {%- endfor -%}
    {%- do flatten_filters(rows, id, where) -%}
    {%- if 'sum_of' in condition -%}
        {%- do rows.filters.append({
            'condition_id': id, 'property': condition.sum_of, 'value': none, 'min_value': none, 'max_value': none,
        }) -%}
    {%- endif -%}
    {%- endif -%}
{% endmacro %}

{# The description of a measure: purchase where category is shoes. #}
{% macro measure_label(events, where, sum_of) %}
    {%- set filters = [] -%}
    {%- for property, given in where.items() -%}
        {%- if given is mapping -%}
            {%- set bounds = [] -%}
            {%- if 'at_least' in given -%}{%- do bounds.append('at least ' ~ given.at_least) -%}{%- endif -%}
            {%- if 'at_most' in given -%}{%- do bounds.append('at most ' ~ given.at_most) -%}{%- endif -%}
            {%- do filters.append(property ~ ' is ' ~ bounds | join(' and ')) -%}
        {%- else -%}
            {%- set values = [given] if given is string or given is not sequence else given -%}
            {%- do filters.append(property ~ ' is ' ~ values | map('string') | join(' or ')) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set what = events | join(' or ') if events else 'a change' -%}
    {{ return(what ~ (' where ' ~ filters | join(' and ') if filters) ~ (', ' ~ sum_of if sum_of)) }}
{% endmacro %}

{% macro flatten_filters(rows, id, filters) %}
    {%- for property, given in filters.items() -%}
        {%- set is_range = given is mapping -%}
        {%- for value in ([given] if is_range or given is string or given is not sequence else given) -%}
            {%- do rows.filters.append({
                'condition_id': id, 'property': property,
                'value': none if is_range else value if value is string else tojson(value),
                'min_value': value.get('at_least') if is_range else none,
                'max_value': value.get('at_most') if is_range else none,
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
