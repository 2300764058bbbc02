{#- What is evidence, and which of it counts. -#}

{#- What becomes of a result as evidence: `usable`, or why it is not. For a row of a result with its line item. -#}
{% macro disposition_of_result() -%}
    case
            when is_withdrawn then 'withdrawn'
            when score_status = 'exempt' then 'exempt'
            when score_status = 'not submitted' then 'not_submitted'
            when score_status <> 'fully graded' or score is null then 'ungraded'
            when lacks_line_item then 'unresolved_line_item'
            when is_line_item_withdrawn then 'line_item_withdrawn'
            when objective_id is null then 'no_objective'
            when coalesce(score_max <= score_min, true) then 'no_range'
            when score < score_min or score > 2 * score_max - score_min then 'out_of_range'
            when usable_at > (select as_of from {{ ref('stg_landing__cycles') }} where is_current) then 'in_future'
            else 'usable'
        end
{%- endmacro %}

{#-
    A query for the keys of results that differ from what is stored as evidence: new versions, those whose line item
    changed, withdrawn or returned ones, those that have happened since, and those whose scores for single objectives changed.
    `stored`: the evidence as the last cycle left it. `objective_scores`: those scores, by result.
-#}
{% macro changed_results(stored, objective_scores) -%}
    {%- set results = ref('fct_result') -%}
    select results.result_key
        from {{ results }} as results
        inner join {{ ref('stg_landing__cycles') }} as cycles on results.visible_at = cycles.as_of and cycles.is_current
        union
        select result_key from {{ stored }}
        anti join {{ ref('int_line_item_objectives') }} using (alignment_fingerprint)
        union
        select stored.result_key
        from {{ stored }} as stored
        inner join {{ ref('stg_landing__cycles') }} as cycles on stored.usable_at <= cycles.as_of and cycles.is_current
        where stored.disposition = 'in_future'
        union
        (select result_key from {{ results }} where not is_active except select result_key from {{ stored }} where is_withdrawn)
        union
        (select result_key from {{ stored }} where is_withdrawn except select result_key from {{ results }} where not is_active)
        union
        select result_key from (
            select result_key, unnest(objective_ids) as objective_id, unnest(scores) as score from {{ objective_scores }}
            except
            select result_key, objective_id, score from {{ stored }} where alignment = 'result'
        )
        union
        select result_key from (
            select result_key, objective_id, score from {{ stored }} where alignment = 'result'
            except
            select result_key, unnest(objective_ids), unnest(scores) from {{ objective_scores }}
        )
{%- endmacro %}

{#-
    The usable evidence about one student and objective as a list, in its order: by when it happened, then by
    what is known of it. The columns after these make the order total.
-#}
{% macro usable_evidence() -%}
    {{ rollcall.sorted_rows(
        ['event_at', 'version_at', 'source_id', 'evidence_id', 'course_id', 'percent', 'level', 'feed', 'scale'],
        "disposition = 'usable'"
    ) }}
{%- endmacro %}

{#- The rows of a group for which the condition holds, as a list sorted by the columns; null when there is none. -#}
{% macro sorted_rows(columns, condition) -%}
    list_sort(list(struct_pack(
            {%- for column in columns %}{{ column }} := {{ column }}{{ ', ' if not loop.last }}{% endfor -%}
        )) filter (where {{ condition }}))
{%- endmacro %}

{#- The usable evidence that is not older than its rule allows at the cut-off; null when there is none. -#}
{% macro young_enough(usable, days, as_of) -%}
    nullif(list_filter({{ usable }}, lambda item: item.event_at >= {{ as_of }} - to_days({{ days }})), [])
{%- endmacro %}

{#- What counts for the method of a rule: all of it for levels, and what has a percent for scores. -#}
{% macro counted_by_method(usable) -%}
    case
            when rules.method = 'asserted' then {{ usable }}
            else nullif(list_filter({{ usable }}, lambda item: item.percent is not null), [])
        end
{%- endmacro %}

{#- The states that evidence asserts, in its order: what the rule says of a level, or a level that is a state. -#}
{% macro asserted_levels(evidence, level_states) -%}
    list_filter(
            list_transform(
                {{ evidence }},
                lambda item: coalesce(
                    {{ level_states }}[concat_ws('|', item.source_id, item.feed, item.scale, item.level)],
                    case when item.level in ('mastered', 'not_mastered') then item.level end
                )
            ),
            lambda level: level is not null
        )
{%- endmacro %}

{#- No override, in the shape of core.fct_override, for a project without the family `overrides`. -#}
{% macro no_overrides() -%}
    select
        null::varchar as student_key, null::varchar as roster_source_id, null::varchar as student_id,
        null::varchar as objective_id, null::varchar as source_id, null::varchar as override_id,
        null::varchar as override_key, null::varchar as action, null::varchar as state, null::varchar as teacher_id,
        null::varchar as reason, null::timestamp as effective_at, null::timestamp as usable_at,
        null::timestamp as version_at, null::timestamp as visible_at
    where false
{%- endmacro %}

{#- The feeds each of whose records is a result, and the mart of each: what may become evidence. -#}
{% macro evidence_marts() -%}
    {% set marts = {'oneroster/results': 'fct_result'} if rollcall.reads_oneroster() else {} %}
    {% set of_families = {
        'nwea': {'nwea/assessment_results': 'fct_nwea_assessment_result'},
        'iready': {
            'iready/diagnostic_ela': 'fct_iready_diagnostic_ela',
            'iready/diagnostic_math': 'fct_iready_diagnostic_math',
            'iready/lessons': 'fct_iready_lesson',
        },
        'star': {
            'star/overall': 'fct_star_result',
            'star/standards': 'fct_star_standard',
            'star/skill_area': 'fct_star_skill_area',
        },
        'canvas': {
            'canvas/outcome_results': 'fct_canvas_outcome_result',
            'canvas/student_competency': 'fct_canvas_competency',
            'canvas/gradebook': 'fct_canvas_score',
        },
        'state': {'state/co_cmas': 'fct_cmas_result', 'state/in_ilearn': 'fct_ilearn_result'},
    } %}
    {% do of_families.update(rollcall.own_assessments()) %}
    {% for family in rollcall.assessment_families() %}
        {% do marts.update(of_families[family]) %}
    {% endfor %}
    {% do return(marts) %}
{%- endmacro %}

{#- Their names, as a list of SQL. -#}
{% macro evidence_feeds() -%}
    '{{ rollcall.evidence_marts() | join("', '") }}'
{%- endmacro %}

{#- The day of an event in a time zone; the end of a day, which is the next one's beginning, is of that day. -#}
{% macro event_day(event_at, time_zone) -%}
    {{ rollcall.day_in_zone("(" ~ event_at ~ " - interval '1 microsecond')", time_zone) }}
{%- endmacro %}
