-- One row per source, result and objective: what the result says of it, or why it is no evidence.
-- depends_on: {{ ref('int_cycle_bounded') }}
{{ config(materialized='incremental', unique_key=['source_id', 'result_id']) }}

with {% if is_incremental() %}changed as materialized ({{ changed_results(this) }}),{% endif %}
results as (
    select * from {{ ref('stg_oneroster__results') }}
    {% if is_incremental() %}
    where
        result_id in (select result_id from changed) -- lets the engine skip the other columns of most rows
        and (source_id, result_id) in (select source_id, result_id from changed)
    {% endif %}
),

removed as (
    select * from {{ ref('int_records_removed') }}
    where feed = 'oneroster/results'
),

line_items as (
    select * from {{ ref('int_line_items_aligned') }}
),

part_scores as (
    select * from {{ ref('int_oneroster_part_scores') }}
),

days as (
    select * from {{ ref('int_score_days_ended') }}
),

by_objective as (
    select
        results.*,
        days.ends_at as event_at,
        removed.record_key is not null as is_withdrawn,
        line_items.line_item_id is null as is_awaiting_line_item,
        line_items.is_withdrawn as is_line_item_withdrawn,
        line_items.class_id as line_item_class_id,
        line_items.course_id,
        line_items.score_min,
        line_items.score_max,
        line_items.alignment_fingerprint,
        case when part_scores.result_id is null then line_items.alignment else 'result' end as alignment,
        unnest(coalesce(part_scores.objective_ids, line_items.objective_ids, [null])) as objective_id,
        unnest(part_scores.scores) as part_score
    from results
    inner join days using (source_id, score_date)
    left join line_items using (source_id, line_item_id)
    left join part_scores using (source_id, result_id)
    left join removed
        on results.source_id = removed.source_id and results.result_id = removed.record_key
),

weighed as (
    select
        source_id,
        result_id,
        objective_id,
        alignment,
        roster_source_id,
        student_id,
        line_item_id,
        line_item_class_id as class_id,
        course_id,
        score_status,
        case when alignment = 'result' then part_score else score end as score,
        coalesce(score_min, 0) as score_min,
        score_max,
        event_at,
        version_at,
        exported_at,
        visible_at,
        file_id,
        record_number,
        line_number,
        is_withdrawn,
        alignment_fingerprint,
        is_awaiting_line_item,
        is_line_item_withdrawn
    from by_objective
),

final as (
    select
        *,
        {{ ignored_reason() }} as ignored_reason,
        case
            when ({{ ignored_reason() }}) is null
                then {{ quotient('(score - score_min) * 100', '(score_max - score_min)') }}
        end as percent,
        {{ fingerprint([
            'source_id', 'result_id', 'objective_id', 'course_id', 'percent', 'event_at', 'version_at',
            'visible_at', 'ignored_reason',
        ]) }} as evidence_fingerprint
    from weighed
)

select * from final
