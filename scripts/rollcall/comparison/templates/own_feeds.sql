{#- The feeds that this project stages itself. Written by `rollcall layouts compare`. -#}
{% macro default__own_feeds() -%}
    {% do return([
        [% for feed in feeds %]
        '[[ feed.feed ]]',
        [% endfor %]
    ]) %}
{%- endmacro %}
[% if assessments %]

{#- The families whose results are assessments, with their feeds and the marts of these. Written by it, too. -#}
{% macro default__own_assessments() -%}
    {% do return({
        [% for family, marts in assessments.items() %]
        '[[ family ]]': {
            [% for feed, mart in marts.items() %]
            '[[ feed ]]': '[[ mart ]]',
            [% endfor %]
        },
        [% endfor %]
    }) %}
{%- endmacro %}
[% endif %]
