with changes as (
    select
        cycle,
        'mastery' as what,
        before,
        after,
        reason,
        student_id
    from listing_changed_mastery
    union all
    select
        cycle,
        'gate' as what,
        before,
        after,
        reason,
        student_id
    from listing_changed_gates
)

select
    cycle,
    what,
    before,
    after,
    regexp_replace(reason, '^override \S+', 'override') as reason,
    count(*) as changes,
    count(distinct student_id) as students
from changes
group by all
order by cycle desc, what desc, changes desc, before asc, after asc, reason asc
