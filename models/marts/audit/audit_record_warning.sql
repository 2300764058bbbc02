-- One row per accepted record and warning: what should be corrected at its source.
with files as (
    select * from {{ ref('stg_landing__files') }}
    where is_visible
),

problems as (
    select
        file_id,
        unnest(problems, max_depth := 2) -- noqa: AL03
    from {{ ref('int_file_record_counts') }}
),

warnings as (
    select
        file_id,
        record_number,
        line_number,
        record_key,
        verdict,
        unnest(violations, max_depth := 2) -- noqa: AL03
    from problems
    where verdict = 'accepted'
),

final as (
    {{ described_violations('warnings', 'files') }}
)

select * exclude (verdict) from final
