{#- How evidence becomes a score. -#}

{#-
    The usable evidence about one student and objective as a list, in its order: by when it happened, then by
    what is known of it. The columns after these make the order total.
-#}
{% macro usable_evidence() -%}
    {{ sorted_rows(
        ['event_at', 'version_at', 'source_id', 'evidence_id', 'course_id', 'percent', 'asserted_state'],
        'ignored_reason is null'
    ) }}
{%- endmacro %}

{#- The usable evidence that is not older than its rule allows at the cut-off; null when there is none. -#}
{% macro young_enough(usable) -%}
    nullif({{ items_where(
        usable, field_of('item', 'event_at') ~ ' >= ' ~ days_before('as_of', 'maximum_age_days')
    ) }}, [])
{%- endmacro %}

{#-
    The score that a rule's method makes of percents in the order of events; null when it makes none.
    `percents`: expression of a list that is not empty. The rule's columns are read from the same row.
-#}
{% macro method_score(percents) -%}
    case method
        when 'highest' then list_max({{ percents }})
        when 'latest' then {{ percents }}[len({{ percents }})]
        when 'asserted' then {{ percents }}[len({{ percents }})]
        when 'average' then {{ quotient('list_sum(' ~ percents ~ ')', 'len(' ~ percents ~ ')') }}
        when 'weighted_average' then {{ weighted_average(percents) }}
        when 'standard_decaying_average' then {{ decaying_average(percents, 'weight_percent') }}
        when 'n_mastery' then {{ mean_of_mastered(percents, 'threshold_percent', 'needed_count') }}
    end
{%- endmacro %}

{#- The newest percent and the mean of all before it, weighted; the only percent when there is one. -#}
{% macro weighted_average(percents) -%}
    case
            when len({{ percents }}) = 1 then {{ percents }}[1]
            else cast(0.01 * (
                weight_percent * {{ percents }}[len({{ percents }})]
                + (100 - weight_percent) * {{ quotient(
                    '(list_sum(' ~ percents ~ ') - ' ~ percents ~ '[len(' ~ percents ~ ')])',
                    '(len(' ~ percents ~ ') - 1)'
                ) }}
            ) as decimal(18, 9))
        end
{%- endmacro %}

{#- The mean of the percents that reach the threshold, when there are as many as needed. -#}
{% macro mean_of_mastered(percents, threshold, needed) -%}
    {% set mastered = items_where(percents, 'item >= ' ~ threshold) %}
    case
            when len({{ mastered }}) >= {{ needed }}
                then {{ quotient('list_sum(' ~ mastered ~ ')', 'len(' ~ mastered ~ ')') }}
        end
{%- endmacro %}

{#- Why a result is no evidence; null when it is. For a row of a result with its line item and one objective. -#}
{% macro ignored_reason() -%}
    case
            when is_withdrawn then 'withdrawn'
            when score_status = 'exempt' then 'exempt'
            when score_status = 'not submitted' then 'not_submitted'
            when score_status <> 'fully graded' or score is null then 'ungraded'
            when is_awaiting_line_item then 'awaiting_line_item'
            when is_line_item_withdrawn then 'line_item_withdrawn'
            when objective_id is null then 'no_objective'
            when coalesce(score_max <= score_min, true) then 'no_range'
            when score < score_min or score > 2 * score_max - score_min then 'out_of_range'
        end
{%- endmacro %}

{#- True when the percents, rounded as the rule says, show mastery by the rule's threshold and minimum. -#}
{% macro reaches_threshold(percents) -%}
    len({{ percents }}) >= minimum_evidence
            and {{ round_half_up('(' ~ method_score(percents) ~ ')', 'rounding_digits') }} >= threshold_percent
{%- endmacro %}
