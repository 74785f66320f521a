{# Conditions under all_of, any_of and none_of, at any depth, as clauses (conjunctive normal form): all clauses
   must hold, and of each clause at least one literal, which is a condition or its negation. Each literal is
   {id, condition, is_negated}; id is the condition's place in the YAML. node: a condition, or a mapping with
   one of the three keys; id: of the node. #}
{% macro parse_clauses(node, id, is_negated=false) %}
    {%- set key = nested_key(node) -%}
    {%- if not key and 'event' in node and 'user' in node -%}
        {#- One YAML condition on both events and user properties becomes two. -#}
        {%- set user = {'user': node.user} -%}
        {%- set event = {} -%}
        {%- for name, value in node.items() if name != 'user' -%}
            {%- do event.update({name: value}) -%}
        {%- endfor -%}
        {%- set node = {'all_of': [event, user]} -%}
        {%- set key = 'all_of' -%}
    {%- endif -%}
    {%- if not key -%}
        {{ return([[{'id': id, 'condition': node, 'is_negated': is_negated}]]) }}
    {%- endif -%}
    {%- set is_negated_inside = is_negated != (key == 'none_of') -%}
    {%- set all_must_hold = (key == 'all_of') != is_negated_inside -%}
    {%- set state = namespace(clauses=[] if all_must_hold else [[]]) -%}
    {%- for child in node[key] -%}
        {%- set child_id = id ~ (':' if id.endswith('cohort') else '.') ~ loop.index -%}
        {%- set clauses = parse_clauses(child, child_id, is_negated_inside) -%}
        {%- if all_must_hold -%}
            {%- set state.clauses = state.clauses + clauses -%}
        {%- else -%}
            {%- set product = [] -%}
            {%- if state.clauses | length * clauses | length > 200 -%}
                {{ refuse(id ~ ' has too many combinations; use fewer conditions under any_of') }}
            {%- endif -%}
            {%- for before in state.clauses -%}
                {%- for clause in clauses -%}{%- do product.append(before + clause) -%}{%- endfor -%}
            {%- endfor -%}
            {%- set state.clauses = product -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(state.clauses) }}
{% endmacro %}

{# The key of a node: all_of, any_of or none_of; empty for a condition. #}
{% macro nested_key(node) %}
    {%- for key in ['all_of', 'any_of', 'none_of'] if key in node -%}{{ return(key) }}{%- endfor -%}
    {{ return('') }}
{% endmacro %}
