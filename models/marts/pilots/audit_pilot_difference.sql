-- One row per problem of a pilot and record or file that shows it: of ingestion, of transformation, or of logic.
{{ config(enabled=pilot() is not none) }}

with evidence as (
    select * from {{ ref('fct_evidence') }}
),

of_files as (
    select
        'ingestion' as problem,
        coalesce(code, 'REMOVALS_HELD') as code,
        feed,
        file_id
    from {{ ref('audit_ingestion_log') }}
    where verdict in ('rejected', 'held') or are_removals_held
),

violations as (
    select * from {{ ref('audit_rejected_record') }}
    where verdict <> 'duplicate'
    union all by name
    select * from {{ ref('audit_record_warning') }}
),

of_records as (
    select
        if(coalesce(verdict, 'accepted') = 'accepted', 'transformation', 'ingestion') as problem,
        code,
        feed,
        file_id,
        record_number,
        line_number,
        column_name
    from violations
),

of_values as (
    select
        'transformation' as problem,
        'unexplained' as code,
        feed,
        file_id,
        record_number,
        line_number,
        column_name
    from {{ ref('recon_diverging_value') }}
    where not is_explained
),

-- No evidence for want of a student, an objective, a score or a date; or a rule makes no state of it, or another one.
of_evidence as (
    select
        if(evidence.disposition = 'usable', 'logic', 'transformation') as problem,
        case
            when evidence.disposition = 'unlinked' then 'identity_' || evidence.identity
            when evidence.disposition <> 'usable' then evidence.disposition
            when mastery.basis in ('no_rule', 'nothing_asserted', 'too_little') then mastery.basis
            else outcomes.value_now || '_to_' || outcomes.value_with_pilot
        end as code,
        evidence.feed,
        evidence.file_id,
        evidence.record_number,
        evidence.line_number
    from evidence
    left join {{ ref('fct_mastery') }} as mastery using (student_key, objective_id)
    left join {{ ref('int_pilot_outcomes') }} as outcomes
        on
            outcomes.outcome = 'mastery'
            and evidence.student_key = outcomes.student_key
            and evidence.objective_id = outcomes.objective_id
    where
        evidence.disposition in (
            'unlinked', 'no_objective', 'ungraded', 'undated', 'no_range', 'out_of_range', 'unresolved_line_item'
        )
        or (
            evidence.disposition = 'usable'
            and (
                mastery.basis in ('no_rule', 'nothing_asserted', 'too_little')
                or outcomes.value_now <> outcomes.value_with_pilot
            )
        )
),

final as (
    select * from of_files
    union all by name
    select * from of_records
    union all by name
    select * from of_values
    union all by name
    select * from of_evidence
)

select
    {{ text_hash(['problem', 'code', 'feed', 'file_id', 'record_number', 'line_number', 'column_name']) }}
        as problem_key,
    *,
    count(*) as problem_count
from final
group by all
