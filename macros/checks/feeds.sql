{#- The feeds of which there is a model `stg_<family>__<feed>` in this project or in one that uses it. -#}
{% macro staged_feeds() %}
    {%- set found = [] -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.name.startswith('stg_') -%}
        {%- if '__' in node.name and not node.name.startswith('stg_landing__') -%}
            {%- do found.append(node.name[4:].replace('__', '/')) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do return(found) -%}
{% endmacro %}

{#- The feeds whose comparison `int_compared__<family>__<feed>` is part of what is compared. -#}
{% macro compared_feeds() %}
    {%- set found = [] -%}
    {%- for node in graph.nodes.values() if node.name == 'int_compared_records' -%}
        {%- for parent in node.depends_on.nodes -%}
            {%- do found.append(parent.split('.')[2].replace('int_compared__', '').replace('__', '/')) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- do return(found) -%}
{% endmacro %}
