-- One row per result and objective: what the result says of it, or why it is no evidence.
-- depends_on: {{ ref('stg_landing__cycles') }}
{{ config(materialized='incremental', unique_key='result_key') }}

with ranked_scores as (
    select
        *,
        row_number() over (
            partition by result_key, objective_id
            order by version_at desc, exported_at desc, result_objective_key asc
        ) as recency
    from {{ ref('fct_result_objective_score') }}
    where is_active and score is not null
),

objective_scores as (
    select
        result_key,
        array_agg(objective_id order by objective_id) as objective_ids,
        array_agg(score order by objective_id) as scores
    from ranked_scores
    where recency = 1
    group by result_key
),

results as (
    select
        result_key,
        source_id,
        result_id,
        roster_source_id,
        student_id,
        student_key,
        line_item_key,
        class_key,
        score_status,
        score,
        score_min,
        score_max,
        event_at,
        usable_at,
        version_at,
        exported_at,
        visible_at,
        file_id,
        record_number,
        line_number,
        not is_active as is_withdrawn
    from {{ ref('fct_result') }}
    {% if is_incremental() %}where result_key in ({{ changed_results(this, 'objective_scores') }}){% endif %}
),

line_items as (
    select * from {{ ref('int_line_item_objectives') }}
),

by_objective as (
    select
        results.*,
        line_items.line_item_key is null as lacks_line_item,
        not line_items.is_active as is_line_item_withdrawn,
        line_items.course_id,
        line_items.alignment_fingerprint,
        case when objective_scores.result_key is null then line_items.alignment else 'result' end as alignment,
        unnest(coalesce(objective_scores.objective_ids, line_items.objective_ids, [null])) as objective_id,
        unnest(objective_scores.scores) as objective_score
    from results
    left join line_items using (line_item_key)
    left join objective_scores using (result_key)
),

-- Wide enough to be doubled, and to be a hundred times as much.
ranged as (
    select
        * exclude (score, score_min, score_max),
        case when alignment = 'result' then objective_score else score end as score,
        cast(coalesce(score_min, 0) as decimal(24, 6)) as score_min,
        cast(score_max as decimal(24, 6)) as score_max
    from by_objective
),

judged as (
    select *, {{ disposition_of_result() }} as disposition
    from ranged
),

scored as (
    select
        *,
        case when disposition = 'usable' then {{ quotient('(score - score_min) * 100', '(score_max - score_min)') }} end
            as percent
    from judged
)

select
    * exclude (score_min, score_max, objective_score, lacks_line_item, is_line_item_withdrawn),
    {{ fingerprint([
        'result_key', 'objective_id', 'course_id', 'percent', 'event_at', 'version_at', 'visible_at', 'disposition',
    ]) }} as evidence_fingerprint
from scored
