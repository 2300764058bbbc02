-- One row per student as a source knows one: which student of the roster that is, and how that is known.
{{ config(enabled=has_assessments()) }}

with merged as (
    {{ merged_students() }}
),

matches as (
    select * from {{ ref('int_student_matches') }}
),

trusted as (
    select distinct source_student_key
    from {{ ref('int_student_ids') }}
    where is_trusted_alone
),

proposals as (
    select * from {{ ref('int_student_proposals') }}
),

judged as (
    select
        matches.source_student_key,
        matches.source_id,
        matches.roster_source_id,
        matches.is_id_shared,
        matches.do_ids_differ,
        matches.does_birth_date_agree,
        matches.does_family_name_agree,
        matches.does_initial_agree,
        matches.is_indistinct,
        trusted.source_student_key is not null as is_trusted_alone,
        decided.decision is not null as is_by_hand,
        coalesce(matches.is_on_roster, true) as is_on_roster,
        case
            when decided.decision = 'link' then 'linked'
            when decided.decision = 'unlink' then 'none'
            when matches.is_id_shared then 'ambiguous'
            when matches.do_ids_differ then 'conflict'
            when not (
                coalesce(matches.does_birth_date_agree, true) and coalesce(matches.does_family_name_agree, true)
                and coalesce(matches.does_initial_agree, true)
            ) then 'conflict'
            when matches.is_indistinct then 'ambiguous'
            when matches.does_birth_date_agree or (matches.does_family_name_agree and matches.does_initial_agree)
                then 'linked'
            when matches.student_key is not null then 'linked_unwitnessed'
            when proposals.is_unique then 'proposed'
            when proposals.student_key is not null then 'ambiguous'
            else 'none'
        end as outcome,
        case
            when decided.decision = 'link' then coalesce(merged.student_key, decided.student_key)
            when decided.decision is null then coalesce(matches.student_key, proposals.student_key)
        end as found_student_key
    from matches
    left join trusted on matches.source_student_key = trusted.source_student_key
    left join proposals on matches.source_student_key = proposals.source_student_key
    left join {{ ref('int_student_decisions') }} as decided
        on matches.source_student_key = decided.source_student_key
    left join merged on decided.student_key = merged.user_key
)

select
    *,
    case when outcome in ('linked', 'linked_unwitnessed') then found_student_key end as student_key,
    outcome = 'linked' or (outcome = 'linked_unwitnessed' and is_trusted_alone) as is_usable
from judged
