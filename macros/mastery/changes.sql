{#- What has to be looked at again; each returns a query. -#}

{#-
    The results that differ from what is stored: new versions, those that await their line item or whose line item
    changed, withdrawn or returned ones, and those whose scores for single objectives changed.
    `stored`: the table of weighed results as the last cycle left it.
-#}
{% macro changed_results(stored) -%}
    select results.source_id, results.result_id
    from {{ ref('stg_oneroster__results') }} as results
    inner join {{ ref('int_cycle_bounded') }} as bounds on results.visible_at = bounds.as_of

    union

    select source_id, result_id
    from {{ stored }}
    anti join {{ ref('int_line_items_aligned') }} using (alignment_fingerprint)

    union

    (
        select source_id, record_key from {{ ref('int_records_removed') }} where feed = 'oneroster/results'
        except
        select source_id, result_id from {{ stored }} where is_withdrawn
    )

    union

    (
        select source_id, result_id from {{ stored }} where is_withdrawn
        except
        select source_id, record_key from {{ ref('int_records_removed') }} where feed = 'oneroster/results'
    )

    union

    select source_id, result_id
    from (
        {{ part_scores() }}
        except
        select source_id, result_id, objective_id, score from {{ stored }} where alignment = 'result'
    )

    union

    select source_id, result_id
    from (
        select source_id, result_id, objective_id, score from {{ stored }} where alignment = 'result'
        except
        {{ part_scores() }}
    )
{%- endmacro %}

{#- The scores for single objectives, one row each. -#}
{% macro part_scores() -%}
    select source_id, result_id, unnest(objective_ids) as objective_id, unnest(scores) as score
        from {{ ref('int_oneroster_part_scores') }}
{%- endmacro %}

{#-
    The students whose outcomes have to be evaluated again: something that decides them differs from when it
    was done last, or evidence has passed its maximum age since.
    `stored`: the table of gathered evidence as the last cycle left it.
-#}
{% macro students_to_evaluate(stored) -%}
    select roster_source_id, student_id
    from {{ ref('int_student_inputs') }}
    anti join {{ stored }} using (roster_source_id, student_id, inputs_fingerprint)

    union

    select stored.roster_source_id, stored.student_id
    from {{ stored }} as stored
    inner join {{ ref('int_cycle_bounded') }} as bounds on stored.expires_at < bounds.as_of
{%- endmacro %}
