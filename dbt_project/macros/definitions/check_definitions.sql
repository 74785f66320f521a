{# Refuse an invalid definition before anything runs, with its file, the key and the nearest valid name. Names
   of events and properties are checked in prediction_condition_events and prediction_condition_filters, where
   they are known. #}
{% macro check_definitions() %}
    {%- if execute -%}
    {%- set folder = env_var('FORETELL_PREDICTIONS', '') -%}
    {%- if folder and not graph.exposures -%}
        {{ refuse(
            'FORETELL_PREDICTIONS=' ~ folder ~ ': no prediction found there; '
            ~ 'name the folder that holds your definition .yml files'
        ) }}
    {%- endif -%}
    {%- for exposure in definitions_in_use() -%}
        {%- set where = definition_file(exposure) ~ ': prediction ' ~ exposure.name -%}
        {%- set prediction = exposure.config.meta.get('prediction') -%}
        {%- if exposure.type == 'ml' -%}
            {%- if not modules.re.match('^[A-Za-z0-9_]+$', exposure.name) -%}
                {{ refuse(where ~ ': a name has only letters, digits and _') }}
            {%- endif -%}
            {%- do check_prediction(where, prediction) -%}
        {%- elif prediction is not none -%}
            {{ refuse(where ~ ': type is ' ~ exposure.type ~ '; a prediction is an exposure of type ml') }}
        {%- endif -%}
        {%- if 'taxonomy' in exposure.config.meta -%}
            {%- set where = definition_file(exposure) ~ ': exposure ' ~ exposure.name ~ ': taxonomy' -%}
            {%- do check_rules(where, exposure.config.meta.taxonomy) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{# The user's file that contains a definition, if dbt reads a copy (models_ml/foretell/definition_files.py). #}
{% macro definition_file(exposure) %}
    {{ return(exposure.config.meta.get('foretell_file') or exposure.original_file_path) }}
{% endmacro %}

{% macro check_prediction(where, prediction) %}
    {%- if prediction is not mapping -%}
        {{ refuse(
            where ~ ': an exposure of type ml needs config.meta.prediction with outcome and horizon_days'
        ) }}
    {%- endif -%}
    {%- set required = ['outcome', 'horizon_days'] -%}
    {%- do check_keys(where, prediction, ['cohort', 'anonymous', 'reasons', 'budget'] + required, required) -%}
    {%- do check_number(where ~ ': horizon_days', prediction.horizon_days, 1, 3650) -%}
    {%- do check_flag(where ~ ': anonymous', prediction.get('anonymous', true), 'true or false') -%}
    {%- do check_flag(where ~ ': reasons', prediction.get('reasons', true), 'true or false') -%}
    {%- if 'budget' in prediction -%}{%- do check_budget(where ~ ': budget', prediction.budget) -%}{%- endif -%}
    {%- if 'cohort' in prediction -%}
        {%- do check_list(where ~ ': cohort', prediction.cohort, '; leave the key out for the default '
            ~ '(any event in the last 56 days)') -%}
        {%- for node in prediction.cohort -%}
            {%- do check_node(where ~ ': cohort condition ' ~ loop.index, node) -%}
        {%- endfor -%}
        {%- do parse_clauses({'all_of': prediction.cohort}, where ~ ': cohort') -%}
    {%- endif -%}
    {%- do check_outcome(where ~ ': outcome', prediction.outcome) -%}
{% endmacro %}

{% macro check_budget(where, budget) %}
    {%- if budget is not mapping or not budget -%}
        {{ refuse(where ~ ' is ' ~ in_json(budget) ~ '; write e.g. {minutes: 5, memory_gb: 4}') }}
    {%- endif -%}
    {%- do check_keys(where, budget, ['minutes', 'memory_gb'], []) -%}
    {%- for key, high in [('minutes', 1440), ('memory_gb', 1024)] if key in budget -%}
        {%- do check_number(where ~ ': ' ~ key, budget[key], 1, high) -%}
    {%- endfor -%}
{% endmacro %}

{% macro check_list(where, given, hint='') %}
    {%- if given is mapping or given is string or given is not sequence -%}
        {{ refuse(where ~ ' must be a list, e.g. [{event: any, within_days: 28}]') }}
    {%- endif -%}
    {%- if not given -%}{{ refuse(where ~ ' is an empty list' ~ hint) }}{%- endif -%}
{% endmacro %}

{# A condition of a cohort, or several under all_of, any_of or none_of. #}
{% macro check_node(where, node) %}
    {%- set key = nested_key(node) if node is mapping else '' -%}
    {%- if key -%}
        {%- if node | length > 1 -%}
            {{ refuse(where ~ ': ' ~ key ~ ' must be the only key; put other conditions into its list') }}
        {%- endif -%}
        {%- do check_list(where ~ ': ' ~ key, node[key]) -%}
        {%- for child in node[key] -%}
            {%- do check_node(where ~ ': ' ~ key ~ ' condition ' ~ loop.index, child) -%}
        {%- endfor -%}
    {%- else -%}
        {%- do check_condition(where, node, [
            'event', 'at_least', 'at_most', 'sum_of', 'within_days', 'from_days_ago', 'to_days_ago', 'where',
            'user', 'not_done', 'all_of', 'any_of', 'none_of',
        ]) -%}
        {%- do check_window(where, node) -%}
    {%- endif -%}
{% endmacro %}

{% macro check_outcome(where, outcome) %}
    {%- do check_condition(
        where, outcome,
        ['event', 'at_least', 'at_most', 'sum_of', 'count', 'where', 'not_done', 'first_time', 'user']
    ) -%}
    {%- if 'user' in outcome and ('event' in outcome or outcome.user | length > 1) -%}
        {{ refuse(
            where ~ ': user is a change of one property, without event, e.g. {user: {plan: pro}}'
        ) }}
    {%- endif -%}
    {%- do check_flag(where ~ ': first_time', outcome.get('first_time', true), 'true or leave it out') -%}
    {%- for key in ['not_done', 'at_most', 'user', 'sum_of']
        if outcome.get('first_time') and outcome.get(key) not in (none, false) -%}
        {{ refuse(where ~ ': first_time contradicts ' ~ key ~ '; keep one of them') }}
    {%- endfor -%}
    {%- do check_flag(where ~ ': count', outcome.get('count', true), 'true or leave it out') -%}
    {%- for key in ['at_least', 'at_most', 'sum_of', 'not_done', 'first_time', 'user']
        if outcome.get('count') and outcome.get(key, false) is not sameas false -%}
        {{ refuse(where ~ ': count (how often) contradicts ' ~ key ~ '; keep one of them') }}
    {%- endfor -%}
{% endmacro %}

{% macro check_condition(where, condition, keys) %}
    {%- if condition is not mapping -%}
        {{ refuse(
            where ~ ' is ' ~ in_json(condition)
            ~ '; write keys and values, e.g. {event: purchase, at_least: 1}'
        ) }}
    {%- endif -%}
    {%- do check_keys(where, condition, keys, []) -%}
    {%- if 'event' in condition -%}
        {%- do check_events(where, condition.event) -%}
    {%- elif 'user' not in condition -%}
        {{ refuse(where ~ ' has neither event nor user') }}
    {%- endif -%}
    {%- for key in ['at_least', 'at_most', 'sum_of', 'within_days', 'from_days_ago', 'to_days_ago', 'where',
        'first_time', 'count'] if key in condition and 'event' not in condition -%}
        {{ refuse(where ~ ': ' ~ key ~ ' needs an event to count') }}
    {%- endfor -%}
    {%- do check_counts(where, condition) -%}
    {%- for key in ['where', 'user'] if key in condition -%}
        {%- do check_filters(where ~ ': ' ~ key, condition[key]) -%}
    {%- endfor -%}
{% endmacro %}

{# within_days: 28 covers the last 28 days; from_days_ago: 56, to_days_ago: 28 covers the 28 days before
   them. #}
{% macro check_window(where, condition) %}
    {%- if 'within_days' in condition and ('from_days_ago' in condition or 'to_days_ago' in condition) -%}
        {{ refuse(where ~ ': within_days contradicts from_days_ago and to_days_ago; keep one of them') }}
    {%- endif -%}
    {%- for key, low in [('within_days', 1), ('from_days_ago', 1), ('to_days_ago', 0)] if key in condition -%}
        {%- do check_number(where ~ ': ' ~ key, condition[key], low, 3650) -%}
    {%- endfor -%}
    {%- if condition.get('from_days_ago', 3651) <= condition.get('to_days_ago', 0) -%}
        {{ refuse(
            where ~ ': from_days_ago ' ~ condition.from_days_ago ~ ' is not before to_days_ago '
            ~ condition.to_days_ago ~ '; the window is empty'
        ) }}
    {%- endif -%}
{% endmacro %}

{% macro check_events(where, event) %}
    {%- set events = [event] if event is string else event -%}
    {%- if events is mapping or events is not sequence or not events
        or events | select('string') | list | length != events | length -%}
        {{ refuse(
            where ~ ': event is ' ~ in_json(event) ~ '; write any, one name or a list of names'
        ) }}
    {%- endif -%}
    {%- if 'any' in events and events | length > 1 -%}
        {{ refuse(
            where ~ ': event is ' ~ in_json(event) ~ '; any covers the others, write event: any'
        ) }}
    {%- endif -%}
{% endmacro %}

{% macro check_counts(where, condition) %}
    {%- if 'sum_of' in condition and (condition.sum_of is not string or not condition.sum_of) -%}
        {{ refuse(where ~ ': sum_of is ' ~ in_json(condition.sum_of) ~ '; write the name of an event property') }}
    {%- endif -%}
    {%- for key in ['at_least', 'at_most'] if key in condition -%}
        {%- if 'sum_of' in condition -%}
            {%- do check_amount(where ~ ': ' ~ key, condition[key]) -%}
        {%- else -%}
            {%- do check_number(where ~ ': ' ~ key, condition[key], 0, none) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if 'sum_of' in condition and condition.get('at_least', 1) <= 0 -%}
        {{ refuse(where ~ ': at_least ' ~ condition.at_least ~ ' of a sum holds for users without events; write more than 0') }}
    {%- endif -%}
    {%- do check_flag(where ~ ': not_done', condition.get('not_done', true), 'true or leave it out') -%}
    {%- if condition.get('not_done')
        and ('at_least' in condition or 'at_most' in condition or 'sum_of' in condition) -%}
        {{ refuse(where ~ ': not_done contradicts at_least, at_most and sum_of; keep one of them') }}
    {%- endif -%}
    {%- if 'at_least' in condition and 'at_most' in condition
        and condition.at_least > condition.at_most -%}
        {{ refuse(
            where ~ ': at_least ' ~ condition.at_least ~ ' is above at_most ' ~ condition.at_most
            ~ '; no user can satisfy both'
        ) }}
    {%- endif -%}
    {%- if condition.get('at_least') == 0 and 'at_most' not in condition -%}
        {{ refuse(
            where ~ ': at_least 0 holds for all users; write at_least: 1 or more, or at_most'
        ) }}
    {%- endif -%}
{% endmacro %}

{% macro check_filters(where, filters) %}
    {%- if filters is not mapping or not filters -%}
        {{ refuse(
            where ~ ' is ' ~ in_json(filters) ~ '; write properties and values, e.g. {category: shoes}'
        ) }}
    {%- endif -%}
    {%- for property, given in filters.items() -%}
        {%- if given is mapping -%}
            {%- do check_range(where ~ '.' ~ property, given) -%}
        {%- else -%}
            {%- do check_values(where ~ '.' ~ property, given) -%}
        {%- endif -%}
    {%- endfor -%}
{% endmacro %}

{% macro check_range(where, given) %}
    {%- if not given -%}
        {{ refuse(where ~ ' is {}; write a value, a list of values or a range, e.g. {at_least: 50}') }}
    {%- endif -%}
    {%- do check_keys(where, given, ['at_least', 'at_most'], []) -%}
    {%- for key, value in given.items() -%}{%- do check_amount(where ~ '.' ~ key, value) -%}{%- endfor -%}
    {%- if given | length == 2 and given.at_least > given.at_most -%}
        {{ refuse(where ~ ': at_least ' ~ given.at_least ~ ' is above at_most ' ~ given.at_most) }}
    {%- endif -%}
{% endmacro %}

{% macro check_values(where, given) %}
    {%- set values = given if given is sequence and given is not string else [given] -%}
    {%- if not values -%}
        {{ refuse(where ~ ' is ' ~ in_json(given) ~ '; write a value or a list of values') }}
    {%- endif -%}
    {%- for value in values if not (value is string or value is number or value is boolean) -%}
        {{ refuse(
            where ~ ' is ' ~ in_json(given) ~ '; write a text, a number, true/false, a list of them, '
            ~ 'or a range, e.g. {at_least: 50}'
        ) }}
    {%- endfor -%}
{% endmacro %}

{% macro check_flag(where, given, valid) %}
    {%- if given is not boolean -%}{{ refuse(where ~ ' is ' ~ in_json(given) ~ '; write ' ~ valid) }}{%- endif -%}
{% endmacro %}

{% macro check_amount(where, value) %}
    {%- if value is not number or value is boolean or not (-1e15 < value < 1e15) -%}
        {{ refuse(where ~ ' is ' ~ in_json(value) ~ '; write a number') }}
    {%- endif -%}
{% endmacro %}

{% macro check_keys(where, given, allowed, required) %}
    {%- for key in given if key not in allowed -%}
        {{ refuse(
            where ~ ': unknown key "' ~ key ~ '"; did you mean "' ~ nearest_name(key, allowed)
            ~ '"? Valid keys: ' ~ allowed | join(', ')
        ) }}
    {%- endfor -%}
    {%- for key in required if key not in given or given[key] is none -%}
        {{ refuse(where ~ ': key "' ~ key ~ '" is missing') }}
    {%- endfor -%}
{% endmacro %}

{% macro check_number(where, value, low, high) %}
    {%- if value is not integer or value is boolean or value < low
        or (high is not none and value > high) -%}
        {%- set range = 'from ' ~ low ~ ' to ' ~ high if high is not none else 'of at least ' ~ low -%}
        {{ refuse(where ~ ' is ' ~ in_json(value) ~ '; write a whole number ' ~ range) }}
    {%- endif -%}
{% endmacro %}

{# A value as its author wrote it; a date, which JSON does not have, as text. #}
{% macro in_json(value) %}{{ return(tojson(value, value | string)) }}{% endmacro %}

{# The allowed name that shares most letter pairs with `name` (Dice). #}
{% macro nearest_name(name, allowed) %}
    {%- set best = namespace(name=allowed[0], score=-1) -%}
    {%- for candidate in allowed -%}
        {%- set pairs = namespace(shared=0) -%}
        {%- for i in range((name | string | length) - 1)
            if (name | string)[i:i + 2] in candidate -%}
            {%- set pairs.shared = pairs.shared + 1 -%}
        {%- endfor -%}
        {%- set score = 2 * pairs.shared / ((name | string | length) + (candidate | length)) -%}
        {%- if score > best.score -%}
            {%- set best.name = candidate -%}
            {%- set best.score = score -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(best.name) }}
{% endmacro %}

{# Stop with a message for people; the command line shows exactly the text after the mark. #}
{% macro refuse(message) %}{{ exceptions.raise_compiler_error('Foretell: ' ~ message) }}{% endmacro %}
