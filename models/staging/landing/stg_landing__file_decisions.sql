-- One row per file on which a person decided by the newest cycle: the last decision.
with decisions as (
    select * from {{ source('landing', 'decisions') }}
),

cycle_decisions as (
    select * from {{ source('landing', 'cycle_decisions') }}
),

ranked as (
    select
        decisions.*,
        cycle_decisions.cycle_id,
        row_number() over (
            partition by decisions.file_id order by decisions.decision_id desc
        ) as recency
    from decisions
    inner join cycle_decisions using (decision_id)
),

final as (
    select
        file_id,
        decision,
        reason,
        decided_by,
        decided_at,
        cycle_id
    from ranked
    where recency = 1
)

select * from final
