-- Finds: rows of identity_columns.csv, source_hierarchy.csv and level_states.csv that name nothing or cannot be used.
-- Matters: such a row links nobody and stands for no state, and nobody notices.
-- Do: correct the row of the seed that the sentence names.
{{ config(tags=['of_seeds'], enabled=has_assessments()) }}
with known_columns as (
    select distinct
        feed,
        column_name
    from {{ source('landing', 'layout_columns') }}
),

columns_judged as (
    select
        concat('identity_columns.csv, ', columns.source_id, ' ', columns.feed, ' ', columns.column_name) as place,
        case
            when sources.source_id is null then 'source_id is not in sources.csv'
            when known_columns.column_name is null then 'no layout of the feed has the column'
            when
                columns.feed = 'oneroster/users'
                and columns.column_name not in ('sourcedId', 'identifier', 'username', 'email')
                then 'of the roster only sourcedId, identifier, username and email are compared'
            when columns.feed = 'canvas/users' and columns.column_name not in ('user_id', 'login_id', 'email')
                then 'of a roster of Canvas only user_id, login_id and email are compared'
            when columns.assigner is null then 'assigner is blank'
            when columns.assigner like '%:%' then 'assigner holds a colon'
            when
                columns.id_kind is null
                or columns.id_kind not in ('state', 'district', 'school', 'sis', 'lms', 'vendor', 'email', 'login')
                then 'id_kind is not one of state, district, school, sis, lms, vendor, email, login'
            when coalesce(columns.priority < 1, true) then 'priority is 1 or more'
            when
                columns.normalise not in ('trim', 'upper', 'strip_dot_zero')
                and not starts_with(columns.normalise, 'strip_prefix:')
                then 'normalise is not one of trim, upper, strip_dot_zero, strip_prefix:'
        end as problem
    from {{ ref('identity_columns') }} as columns
    left join {{ ref('sources') }} as sources using (source_id)
    left join known_columns using (feed, column_name)
),

rules as (
    select distinct rule_id from {{ ref('mastery_rules') }}
),

levels_judged as (
    select
        concat('level_states.csv, ', levels.source_id, ' ', levels.feed, ' ', levels.level) as place,
        case
            when sources.source_id is null then 'source_id is not in sources.csv'
            when levels.rule_id is not null and rules.rule_id is null then 'there is no rule ' || levels.rule_id
            when coalesce(levels.state not in ('mastered', 'not_mastered'), true)
                then 'state is not one of mastered, not_mastered'
        end as problem
    from {{ ref('level_states') }} as levels
    left join {{ ref('sources') }} as sources using (source_id)
    left join rules on levels.rule_id = rules.rule_id
),

hierarchy_judged as (
    select
        concat('source_hierarchy.csv, ', hierarchy.field_name, ' ', hierarchy.source_id) as place,
        case
            when sources.source_id is null then 'source_id is not in sources.csv'
            when
                coalesce(
                    hierarchy.field_name not in ('family_name', 'given_name', 'birth_date', 'grade', 'school_name'),
                    true
                )
                then 'field_name is not one of family_name, given_name, birth_date, grade, school_name'
            when coalesce(hierarchy.rank < 1, true) then 'rank is 1 or more'
        end as problem
    from {{ ref('source_hierarchy') }} as hierarchy
    left join {{ ref('sources') }} as sources using (source_id)
),

judged as (
    select * from hierarchy_judged
    union all
    select * from columns_judged
    union all
    select * from levels_judged
)

select
    place,
    concat('seeds/rules/', place, ': ', problem, '.') as remedy
from judged
where problem is not null
