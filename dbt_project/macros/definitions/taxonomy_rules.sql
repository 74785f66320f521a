{# Pins and bans: {event}, {property}, {event, property}, with {value} or without, or {user_property}. #}
{% macro check_rules(where, taxonomy) %}
    {%- if taxonomy is not mapping -%}
        {{ refuse(where ~ ' must have pin or ban, e.g. {ban: [{property: session_id}]}') }}
    {%- endif -%}
    {%- do check_keys(where, taxonomy, ['pin', 'ban'], []) -%}
    {%- for action, rules in taxonomy.items() -%}
        {%- do check_list(where ~ ': ' ~ action, rules) -%}
        {%- for rule in rules -%}
            {%- set place = where ~ ': ' ~ action ~ ' ' ~ loop.index -%}
            {%- if rule is not mapping or not rule -%}
                {{ refuse(place ~ ' is ' ~ in_json(rule) ~ '; write e.g. {event: page*, property: title}') }}
            {%- endif -%}
            {%- set is_user = 'user_property' in rule -%}
            {%- do check_keys(
                place, rule, ['user_property', 'value'] if is_user else ['event', 'property', 'value'], []
            ) -%}
            {%- if 'value' in rule and not is_user and 'property' not in rule -%}
                {{ refuse(place ~ ': value needs a property') }}
            {%- endif -%}
            {%- for key, name in rule.items()
                if not (name is string and name) and not (key == 'value' and name is number) -%}
                {{ refuse(place ~ ': ' ~ key ~ ' is ' ~ in_json(name) ~ '; write a name, * for anything') }}
            {%- endfor -%}
        {%- endfor -%}
    {%- endfor -%}
{% endmacro %}

{# Pins and bans as rows. * in a name matches any text, \* a literal asterisk. #}
{% macro flatten_rules(rows, taxonomy) %}
    {%- for action in ['pin', 'ban'] -%}
        {%- for rule in taxonomy.get(action) or [] -%}
            {%- do rows.rules.append({
                'rule': action ~ ' ' ~ tojson(rule, sort_keys=true),
                'is_ban': (action == 'ban') | string | lower,
                'is_user_property': ('user_property' in rule) | string | lower,
                'event_name': like_pattern(rule.get('event')),
                'property': like_pattern(rule.get('user_property', rule.get('property'))),
                'value': like_pattern(rule.get('value')),
            }) -%}
        {%- endfor -%}
    {%- endfor -%}
{% endmacro %}

{% macro like_pattern(pattern) %}
    {%- if pattern is none -%}{{ return(none) }}{%- endif -%}
    {%- set text = pattern if pattern is string else tojson(pattern) -%}
    {%- set escaped = text | replace('!', '!!') | replace('%', '!%') | replace('_', '!_') -%}
    {{ return(escaped | replace('\\*', '\x00') | replace('*', '%') | replace('\x00', '*')) }}
{% endmacro %}
