-- One row per record that is not accepted and violation: malformed, rejected or duplicate, with its first line.
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

violations as (
    select
        file_id,
        record_number,
        line_number,
        record_key,
        verdict,
        unnest(violations, max_depth := 2) -- noqa: AL03
    from problems
    where verdict <> 'accepted'
),

found as (
    select
        file_id,
        record_number,
        line_number,
        record_key,
        verdict,
        column_name,
        code
    from violations

    union all

    select
        file_id,
        record_number,
        line_number,
        record_key,
        'malformed' as verdict,
        null as column_name,
        code
    from {{ source('landing', 'malformed_records') }}
),

final as (
    {{ described_violations('found', 'files') }}
)

select * from final
