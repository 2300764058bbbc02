{#- The feeds that this project stages itself. Written by `rollcall layouts compare`. -#}
{% macro default__own_feeds() -%}
    {% do return([
        [% for feed in feeds %]
        '[[ feed.feed ]]',
        [% endfor %]
    ]) %}
{%- endmacro %}
