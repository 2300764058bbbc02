{#- What has to be looked at again. -#}

{#-
    A query for the results that differ from what is stored: new versions, those that await their line item or
    whose line item changed, withdrawn or returned ones, and those whose scores for single objectives changed.
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
    Delete from a table that was stored by an earlier cycle what no longer holds, so that its model only has to add
    what is missing: rows whose fingerprint is no longer among the inputs, since something has changed or is gone,
    and, where rows expire, all that share a fingerprint with one that has.
    `stored`: the table. `inputs`: the relation with the fingerprints of today.
-#}
{% macro forget_outdated(stored, inputs, rows_expire=false) -%}
    {% if is_incremental() %}
    delete from {{ stored }}
    where
        inputs_fingerprint not in (select inputs_fingerprint from {{ inputs }})
        {% if rows_expire -%}
        or inputs_fingerprint in (
            select stored.inputs_fingerprint
            from {{ stored }} as stored
            inner join {{ ref('int_cycle_bounded') }} as bounds on stored.expires_at < bounds.as_of
        )
        {%- endif %}
    {% endif %}
{%- endmacro %}
