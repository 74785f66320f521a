{# Refuse a wrong definition before anything runs, with its file, the key and the nearest valid name.
   Names of events and properties are checked where they are known: prediction_condition_events. #}
{% macro check_definitions() %}
    {%- if execute -%}
    {%- for exposure in graph.exposures.values() if exposure.type == 'ml' -%}
        {%- set where = exposure.original_file_path ~ ': prediction ' ~ exposure.name -%}
        {%- set prediction = exposure.config.meta.get('prediction') -%}
        {%- if prediction is not mapping -%}
            {{ refuse(where ~ ': an exposure of type ml needs config.meta.prediction with outcome and horizon_days') }}
        {%- endif -%}
        {%- do check_keys(where, prediction, ['cohort', 'outcome', 'horizon_days'], ['outcome', 'horizon_days']) -%}
        {%- do check_number(where ~ ': horizon_days', prediction.horizon_days, 1, 3650) -%}
        {%- set cohort = prediction.get('cohort', []) -%}
        {%- if cohort is mapping or cohort is string or cohort is not sequence -%}
            {{ refuse(where ~ ': cohort must be a list of conditions, e.g. cohort: [{event: any, within_days: 28}]') }}
        {%- endif -%}
        {%- if 'cohort' in prediction and not cohort -%}
            {{ refuse(where ~ ': cohort is an empty list; leave the key out for the default (any event in the last 56 days)') }}
        {%- endif -%}
        {%- for condition in cohort -%}
            {%- do check_condition(where ~ ': cohort condition ' ~ loop.index, condition,
                ['event', 'at_least', 'at_most', 'within_days', 'where', 'user', 'not_done'], none) -%}
        {%- endfor -%}
        {%- do check_condition(where ~ ': outcome', prediction.outcome,
            ['event', 'at_least', 'at_most', 'where', 'not_done'], 'event') -%}
    {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{% macro check_condition(where, condition, keys, required) %}
    {%- if condition is not mapping -%}
        {{ refuse(where ~ ' is ' ~ tojson(condition) ~ '; write keys and values, e.g. {event: purchase, at_least: 1}') }}
    {%- endif -%}
    {%- do check_keys(where, condition, keys, [required] if required else []) -%}
    {%- if 'event' not in condition and 'user' not in condition -%}
        {{ refuse(where ~ ' has neither event nor user') }}
    {%- endif -%}
    {%- if 'event' in condition -%}
        {%- set events = [condition.event] if condition.event is string else condition.event -%}
        {%- if events is mapping or events is not sequence or not events or events | select('string') | list | length != events | length -%}
            {{ refuse(where ~ ': event is ' ~ tojson(condition.event) ~ '; write any, one name or a list of names') }}
        {%- endif -%}
    {%- endif -%}
    {%- for key in ['at_least', 'at_most', 'within_days', 'where', 'not_done'] if key in condition and 'event' not in condition -%}
        {{ refuse(where ~ ': ' ~ key ~ ' needs an event to count') }}
    {%- endfor -%}
    {%- if 'at_least' in condition -%}{%- do check_number(where ~ ': at_least', condition.at_least, 0, none) -%}{%- endif -%}
    {%- if 'at_most' in condition -%}{%- do check_number(where ~ ': at_most', condition.at_most, 0, none) -%}{%- endif -%}
    {%- if 'within_days' in condition -%}{%- do check_number(where ~ ': within_days', condition.within_days, 1, 3650) -%}{%- endif -%}
    {%- if 'not_done' in condition and condition.not_done not in [true, false] -%}
        {{ refuse(where ~ ': not_done is ' ~ tojson(condition.not_done) ~ '; write true or leave it out') }}
    {%- endif -%}
    {%- if condition.get('not_done') and ('at_least' in condition or 'at_most' in condition) -%}
        {{ refuse(where ~ ': not_done contradicts at_least and at_most; keep one of them') }}
    {%- endif -%}
    {%- if 'at_least' in condition and 'at_most' in condition and condition.at_least > condition.at_most -%}
        {{ refuse(where ~ ': at_least ' ~ condition.at_least ~ ' is above at_most ' ~ condition.at_most ~ '; no user can satisfy both') }}
    {%- endif -%}
    {%- if condition.get('at_least') == 0 and 'at_most' not in condition -%}
        {{ refuse(where ~ ': at_least 0 holds for everybody; write at_least: 1 or more, or at_most') }}
    {%- endif -%}
    {%- for key in ['where', 'user'] if key in condition -%}
        {%- do check_filters(where ~ ': ' ~ key, condition[key]) -%}
    {%- endfor -%}
{% endmacro %}

{% macro check_filters(where, filters) %}
    {%- if filters is not mapping or not filters -%}
        {{ refuse(where ~ ' is ' ~ tojson(filters) ~ '; write properties and values, e.g. {category: shoes}') }}
    {%- endif -%}
    {%- for property, given in filters.items() -%}
        {%- set values = given if given is sequence and given is not string else [given] -%}
        {%- for value in values if value is none or value is mapping or (value is sequence and value is not string) -%}
            {{ refuse(where ~ '.' ~ property ~ ' is ' ~ tojson(given) ~ '; write a text, a number, true/false or a list of them') }}
        {%- endfor -%}
        {%- if given is mapping or not values -%}
            {{ refuse(where ~ '.' ~ property ~ ' is ' ~ tojson(given) ~ '; write a value or a list of values') }}
        {%- endif -%}
    {%- endfor -%}
{% endmacro %}

{% macro check_keys(where, given, allowed, required) %}
    {%- for key in given if key not in allowed -%}
        {{ refuse(where ~ ': unknown key "' ~ key ~ '"; did you mean "' ~ nearest_name(key, allowed) ~ '"? Valid keys: ' ~ allowed | join(', ')) }}
    {%- endfor -%}
    {%- for key in required if key not in given or given[key] is none -%}
        {{ refuse(where ~ ': key "' ~ key ~ '" is missing') }}
    {%- endfor -%}
{% endmacro %}

{% macro check_number(where, value, low, high) %}
    {%- if value is not integer or value is boolean or value < low or (high is not none and value > high) -%}
        {{ refuse(where ~ ' is ' ~ tojson(value) ~ '; write a whole number ' ~ ('from ' ~ low ~ ' to ' ~ high if high is not none else 'of at least ' ~ low)) }}
    {%- endif -%}
{% endmacro %}

{# The allowed name that shares most letter pairs with `name` (Dice). #}
{% macro nearest_name(name, allowed) %}
    {%- set best = namespace(name=allowed[0], score=-1) -%}
    {%- for candidate in allowed -%}
        {%- set pairs = namespace(shared=0) -%}
        {%- for i in range((name | string | length) - 1) if (name | string)[i:i + 2] in candidate -%}
            {%- set pairs.shared = pairs.shared + 1 -%}
        {%- endfor -%}
        {%- set score = 2 * pairs.shared / ((name | string | length) + (candidate | length)) -%}
        {%- if score > best.score -%}{%- set best.name = candidate -%}{%- set best.score = score -%}{%- endif -%}
    {%- endfor -%}
    {{ return(best.name) }}
{% endmacro %}

{# Stop with a message meant for people; the command line shows exactly what follows the mark. #}
{% macro refuse(message) %}{{ exceptions.raise_compiler_error('Foretell: ' ~ message) }}{% endmacro %}
