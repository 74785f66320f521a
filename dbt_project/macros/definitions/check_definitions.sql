{# Refuse a wrong definition before anything runs, with its file, the key and the nearest valid
   name. Names of events and properties are checked where they are known:
   prediction_condition_events and prediction_condition_filters. #}
{% macro check_definitions() %}
    {%- if execute -%}
    {%- set folder = env_var('FORETELL_PREDICTIONS', '') -%}
    {%- if folder and not graph.exposures -%}
        {{ refuse(
            'FORETELL_PREDICTIONS=' ~ folder ~ ': no prediction found there; '
            ~ 'name the folder that holds your definition .yml files'
        ) }}
    {%- endif -%}
    {%- for exposure in graph.exposures.values() -%}
        {%- set where = exposure.original_file_path ~ ': prediction ' ~ exposure.name -%}
        {%- set prediction = exposure.config.meta.get('prediction') -%}
        {%- if exposure.type == 'ml' -%}
            {%- if not modules.re.match('^[A-Za-z0-9_]+$', exposure.name) -%}
                {{ refuse(where ~ ': a name has only letters, digits and _') }}
            {%- endif -%}
            {%- do check_prediction(where, prediction) -%}
        {%- elif prediction is not none -%}
            {{ refuse(where ~ ': type is ' ~ exposure.type ~ '; a prediction is an exposure of type ml') }}
        {%- endif -%}
    {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{% macro check_prediction(where, prediction) %}
    {%- if prediction is not mapping -%}
        {{ refuse(
            where ~ ': an exposure of type ml needs config.meta.prediction with outcome and horizon_days'
        ) }}
    {%- endif -%}
    {%- set required = ['outcome', 'horizon_days'] -%}
    {%- do check_keys(where, prediction, ['cohort'] + required, required) -%}
    {%- do check_number(where ~ ': horizon_days', prediction.horizon_days, 1, 3650) -%}
    {%- set cohort = prediction.get('cohort', []) -%}
    {%- if cohort is mapping or cohort is string or cohort is not sequence -%}
        {{ refuse(
            where ~ ': cohort must be a list of conditions, e.g. cohort: [{event: any, within_days: 28}]'
        ) }}
    {%- endif -%}
    {%- if 'cohort' in prediction and not cohort -%}
        {{ refuse(
            where ~ ': cohort is an empty list; leave the key out for the default '
            ~ '(any event in the last 56 days)'
        ) }}
    {%- endif -%}
    {%- for condition in cohort -%}
        {%- do check_condition(
            where ~ ': cohort condition ' ~ loop.index, condition,
            ['event', 'at_least', 'at_most', 'within_days', 'where', 'user', 'not_done'], none
        ) -%}
    {%- endfor -%}
    {%- do check_condition(
        where ~ ': outcome', prediction.outcome,
        ['event', 'at_least', 'at_most', 'where', 'not_done'], 'event'
    ) -%}
{% endmacro %}

{% macro check_condition(where, condition, keys, required) %}
    {%- if condition is not mapping -%}
        {{ refuse(
            where ~ ' is ' ~ in_json(condition)
            ~ '; write keys and values, e.g. {event: purchase, at_least: 1}'
        ) }}
    {%- endif -%}
    {%- do check_keys(where, condition, keys, [required] if required else []) -%}
    {%- if 'event' in condition -%}
        {%- do check_events(where, condition.event) -%}
    {%- elif 'user' not in condition -%}
        {{ refuse(where ~ ' has neither event nor user') }}
    {%- endif -%}
    {%- set counting = ['at_least', 'at_most', 'within_days', 'where', 'not_done'] -%}
    {%- for key in counting if key in condition and 'event' not in condition -%}
        {{ refuse(where ~ ': ' ~ key ~ ' needs an event to count') }}
    {%- endfor -%}
    {%- do check_counts(where, condition) -%}
    {%- for key in ['where', 'user'] if key in condition -%}
        {%- do check_filters(where ~ ': ' ~ key, condition[key]) -%}
    {%- endfor -%}
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
    {%- for key, low, high in [
        ('at_least', 0, none), ('at_most', 0, none), ('within_days', 1, 3650),
    ] if key in condition -%}
        {%- do check_number(where ~ ': ' ~ key, condition[key], low, high) -%}
    {%- endfor -%}
    {%- if 'not_done' in condition and condition.not_done is not boolean -%}
        {{ refuse(
            where ~ ': not_done is ' ~ in_json(condition.not_done) ~ '; write true or leave it out'
        ) }}
    {%- endif -%}
    {%- if condition.get('not_done') and ('at_least' in condition or 'at_most' in condition) -%}
        {{ refuse(where ~ ': not_done contradicts at_least and at_most; keep one of them') }}
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
            where ~ ': at_least 0 holds for everybody; write at_least: 1 or more, or at_most'
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
        {%- set values = given if given is sequence and given is not string else [given] -%}
        {%- if given is mapping or not values -%}
            {{ refuse(
                where ~ '.' ~ property ~ ' is ' ~ in_json(given)
                ~ '; write a value or a list of values'
            ) }}
        {%- endif -%}
        {%- for value in values if not (value is string or value is number or value is boolean) -%}
            {{ refuse(
                where ~ '.' ~ property ~ ' is ' ~ in_json(given)
                ~ '; write a text, a number, true/false or a list of them'
            ) }}
        {%- endfor -%}
    {%- endfor -%}
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

{# A value as its author wrote it; a date, which JSON does not know, as text. #}
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

{# Stop with a message meant for people; the command line shows exactly what follows the mark. #}
{% macro refuse(message) %}{{ exceptions.raise_compiler_error('Foretell: ' ~ message) }}{% endmacro %}
