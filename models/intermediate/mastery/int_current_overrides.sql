-- One row per student and objective that a teacher has decided on: the decision that counts at the cut-off.
with merged as (
    {{ merged_students() }}
),

overrides as (
    {% if is_used('overrides') %}
    select
        overrides.* replace (
            coalesce(merged.student_key, overrides.student_key) as student_key,
            case
                when merged.student_key is null then overrides.student_id
                else substr(merged.student_key, length(overrides.roster_source_id) + 2)
            end as student_id
        )
    from {{ with_live('fct_override') }} as overrides
    left join merged on overrides.student_key = merged.user_key
    where overrides.is_active
    {% else %}
    {{ no_overrides() }}
    {% endif %}
),

students as (
    select user_key from {{ with_live('dim_user') }}
),

current_cycle as (
    select * from {{ ref('stg_landing__cycles') }}
    where is_current
),

ranked as (
    select
        overrides.*,
        row_number() over (
            partition by overrides.student_key, overrides.objective_id
            order by overrides.effective_at desc, overrides.version_at desc, overrides.override_key asc
        ) as recency
    from overrides
    inner join students on overrides.student_key = students.user_key
    inner join current_cycle on overrides.usable_at <= current_cycle.as_of
),

final as (
    select
        student_key,
        roster_source_id,
        student_id,
        objective_id,
        source_id,
        override_id,
        override_key,
        action,
        case when action = 'set' then state end as state,
        teacher_id,
        reason,
        effective_at,
        visible_at
    from ranked
    where recency = 1
)

select * from final
