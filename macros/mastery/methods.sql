{#- How evidence becomes a score. -#}

{#-
    The score that a rule's method makes of percents in the order of events; null when it makes none.
    `percents`: expression of a list that is not empty. The rule's columns are read from the same row.
-#}
{% macro method_score(percents) -%}
    case method
                when 'highest' then list_max({{ percents }})
                when 'latest' then {{ percents }}[-1]
                when 'asserted' then {{ percents }}[-1]
                when 'average' then {{ rollcall.quotient('list_sum(' ~ percents ~ ')', 'len(' ~ percents ~ ')') }}
                when 'weighted_average' then {{ rollcall.weighted_average(percents) }}
                when 'standard_decaying_average' then {{ rollcall.decaying_average(percents, 'weight_percent') }}
                when 'n_mastery' then {{ rollcall.mean_of_mastered(percents, 'threshold_percent', 'needed_count') }}
            end
{%- endmacro %}

{#- The newest percent and the mean of all before it, weighted; the only percent when there is one. -#}
{% macro weighted_average(percents) -%}
    case
                    when len({{ percents }}) = 1 then {{ percents }}[1]
                    else cast(0.01 * (
                        weight_percent * {{ percents }}[-1]
                        + (100 - weight_percent)
                        * {{ rollcall.quotient('(list_sum(' ~ percents ~ ') - ' ~ percents ~ '[-1])', '(len(' ~ percents ~ ') - 1)') }}
                    ) as decimal(18, 9))
                end
{%- endmacro %}

{#- Each percent moves the score towards itself by the weight; the first one is where it starts. -#}
{% macro decaying_average(percents, weight) -%}
    list_reduce(
                    {{ percents }},
                    lambda average, percent: cast(0.01 * ({{ weight }} * percent + (100 - {{ weight }}) * average) as decimal(18, 9))
                )
{%- endmacro %}

{#- The mean of the percents that reach the threshold, when there are as many as needed. -#}
{% macro mean_of_mastered(percents, threshold, needed) -%}
    {%- set mastered = 'list_filter(' ~ percents ~ ', lambda item: item >= ' ~ threshold ~ ')' -%}
    case
                    when len({{ mastered }}) >= {{ needed }}
                        then {{ rollcall.quotient('list_sum(' ~ mastered ~ ')', 'len(' ~ mastered ~ ')') }}
                end
{%- endmacro %}

{#-
    A decimal with nine places, rounded half up. The division passes through a float of at least fifteen digits,
    so a quotient that has no more than nine places comes out exact.
-#}
{% macro quotient(numerator, denominator) -%}
    cast(cast({{ numerator }} as double) / cast({{ denominator }} as double) as decimal(18, 9))
{%- endmacro %}

{#- A decimal rounded half up to as many places as a column says, 0 to 4. -#}
{% macro round_half_up(expression, digits) -%}
    case {{ digits }}
                when 0 then cast(round({{ expression }}, 0) as decimal(18, 4))
                when 1 then cast(round({{ expression }}, 1) as decimal(18, 4))
                when 2 then cast(round({{ expression }}, 2) as decimal(18, 4))
                when 3 then cast(round({{ expression }}, 3) as decimal(18, 4))
                when 4 then cast(round({{ expression }}, 4) as decimal(18, 4))
            end
{%- endmacro %}
