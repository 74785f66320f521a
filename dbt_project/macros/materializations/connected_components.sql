{# A table of the connected components of graphs: (graph, node, component), where component is one of its nodes.
   The model's SQL gives the edges: (graph, left_node, right_node), two different bigints. Method: randomised
   contraction. In each pass every node joins the node with the lowest hash among itself and its neighbours;
   joined nodes count as one node from then on. On average at least a quarter of the nodes is removed per pass,
   so a chain of 10,000 nodes takes about a dozen passes. Source: Boegeholz, Brand, Todor (ICDE 2020),
   "In-database connected component analysis". #}
{% materialization connected_components, default %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set tables = namespace(
        edges=working_table('edges_0', sql),
        nodes=none
    ) -%}
    {{ run_hooks(pre_hooks) }}

    {%- set tables.nodes = working_table('nodes_0',
        'select graph, left_node as node, left_node as component from ' ~ tables.edges
        ~ ' union select graph, right_node, right_node from ' ~ tables.edges
    ) -%}
    {%- set left = namespace(edges=count_of(tables.edges)) -%}
    {%- for number in range(1, max_passes() + 1) -%}
        {%- if left.edges > 0 -%}
            {%- set joined = working_table('joined_' ~ number, joined_nodes(tables.edges, number)) -%}
            {%- set nodes = working_table('nodes_' ~ number, nodes_after(tables.nodes, joined)) -%}
            {%- set edges = working_table('edges_' ~ number, edges_after(tables.edges, joined)) -%}
            {%- for done in [joined, tables.nodes, tables.edges] -%}
                {%- do run_query('drop table ' ~ done) -%}
            {%- endfor -%}
            {%- set tables.nodes = nodes -%}
            {%- set tables.edges = edges -%}
            {%- set left.edges = count_of(edges) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if left.edges > 0 -%}
        {{ refuse(model.name ~ ': not connected after ' ~ max_passes() ~ ' passes; please report it') }}
    {%- endif -%}
    {% call statement('main') -%}
        {{ replace_table(target_relation, 'select graph, node, component from ' ~ tables.nodes) }}
    {%- endcall %}
    {%- do run_query('drop table ' ~ tables.nodes) -%}
    {%- do run_query('drop table ' ~ tables.edges) -%}

    {{ run_hooks(post_hooks) }}
    {% do persist_docs(target_relation, model) %}
    {{ adapter.commit() }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{# Far more passes than any graph needs: each about halves the number of nodes. #}
{% macro max_passes() %}{{ return(100) }}{% endmacro %}

{% macro count_of(table) %}{{ return(run_query('select count(*) from ' ~ table).rows[0][0]) }}{% endmacro %}

{# One pass: which node each node joins. number: of the pass, so that each pass uses other hashes. #}
{% macro joined_nodes(edges, number) %}
    select
        graph,
        node,
        case
            when {{ hash_key('node, ' ~ number) }} < min({{ hash_key('neighbour, ' ~ number) }}) then node
            else {{ value_at_min('neighbour', hash_key('neighbour, ' ~ number)) }}
        end as joined
    from (
        select graph, left_node as node, right_node as neighbour from {{ edges }}
        union all
        select graph, right_node as node, left_node as neighbour from {{ edges }}
    )
    group by graph, node
{% endmacro %}

{% macro nodes_after(nodes, joined) %}
    select nodes.graph, nodes.node, coalesce(joined.joined, nodes.component) as component
    from {{ nodes }} as nodes
    left join {{ joined }} as joined
        on nodes.graph = joined.graph and nodes.component = joined.node
{% endmacro %}

{% macro edges_after(edges, joined) %}
    select distinct
        edges.graph,
        least(left_nodes.joined, right_nodes.joined) as left_node,
        greatest(left_nodes.joined, right_nodes.joined) as right_node
    from {{ edges }} as edges
    inner join {{ joined }} as left_nodes
        on edges.graph = left_nodes.graph and edges.left_node = left_nodes.node
    inner join {{ joined }} as right_nodes
        on edges.graph = right_nodes.graph and edges.right_node = right_nodes.node
    where left_nodes.joined <> right_nodes.joined
{% endmacro %}
