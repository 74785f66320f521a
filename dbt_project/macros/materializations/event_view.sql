{# A view of the events of all sources (event_sources). Which columns their files have is only known from the files, so
   the part of the query that reads them, raw_events, is written here, when the view is made, and not when the
   model is compiled. The model's SQL selects from raw_events. #}
{% materialization event_view, default %}
    {%- set target_relation = this.incorporate(type='view') -%}
    {%- set existing = load_cached_relation(this) -%}
    {{ run_hooks(pre_hooks) }}
    {%- set sources = [] -%}
    {%- for each in event_sources() -%}
        {%- do sources.append(
            'select ' ~ sql_string(each.name) ~ ' as source, of_source.* from ' ~ read_events(each) ~ ' as of_source'
        ) -%}
    {%- endfor -%}
    {%- if existing is not none and not existing.is_view -%}{%- do adapter.drop_relation(existing) -%}{%- endif -%}
    {% call statement('main') -%}
        create or replace view {{ target_relation }} as
        with raw_events as ({{ sources | join(' union all ') }})
        {{ compiled_code }}
    {%- endcall %}
    {{ run_hooks(post_hooks) }}
    {% do persist_docs(target_relation, model) %}
    {%- do adapter.commit() -%}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
