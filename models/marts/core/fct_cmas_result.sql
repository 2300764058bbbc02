-- One row per source and test that a student of Colorado took or was to take: a result of CMAS.
{{ config(enabled=is_used('state')) }}

with results as (
    {{ with_presence(
        ref('stg_state__co_cmas'), source('raw_state', 'co_cmas'),
        'state/co_cmas', 'assessment_id', text('StudentTestUUID'), whole_by=('data_year', year('AssessmentYear'))
    ) }}
),

codes as (
    select * from {{ ref('state_codes') }}
    where feed = 'state/co_cmas'
),

-- A code that no row of the seed names stands for itself; such an action keeps the result off rosters, too.
final as (
    select
        results.*,
        case results.validity
            when 'not_tested' then coalesce(not_tested.meaning, results.not_tested_reason, results.invalidation)
            when 'void' then coalesce(void.meaning, results.void_reason, results.invalidation)
            when 'invalidated' then results.invalidation
            when 'suppressed' then concat_ws(
                ': ',
                coalesce(suppression.meaning, results.suppression_code),
                coalesce(action.meaning, results.suppression_action)
            )
        end as validity_reason,
        coalesce(action.is_on_roster, results.suppression_action is null) as is_on_roster,
        cast([] as varchar[]) as unresolved
    from results
    left join codes as not_tested
        on
            not_tested.column_name = 'NotTestedReason'
            and try_cast(results.not_tested_reason as integer) = not_tested.code
    left join codes as void
        on void.column_name = 'VoidScoreReason' and try_cast(results.void_reason as integer) = void.code
    left join codes as suppression
        on
            suppression.column_name = 'ReportSuppressionCode'
            and try_cast(results.suppression_code as integer) = suppression.code
    left join codes as action
        on
            action.column_name = 'ReportSuppressionAction'
            and try_cast(results.suppression_action as integer) = action.code
)

select * from final
