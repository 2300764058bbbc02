-- One row per record, of a file in doubt, of which judging found something: its verdict, and what was left blank.
{{ config(materialized='ephemeral') }}

with compared as (
    select * from {{ ref('int_compared_records') }}
),

files_in_doubt as (
    select file_id from compared
    union distinct
    select processed_file_id from compared
),

-- The problems of all files that ever came are many; those of a few files are looked at.
problems as (
    select
        counts.file_id,
        unnest(counts.problems) as problem
    from {{ ref('int_file_record_counts') }} as counts
    inner join files_in_doubt on counts.file_id = files_in_doubt.file_id
),

final as (
    select
        file_id,
        problem['record_number'] as record_number,
        problem['verdict'] as verdict,
        list_transform(
            list_filter(
                problem['violations'],
                lambda found: found['code'] in ('OPTIONAL_VALUE_IGNORED', 'DATE_IMPLAUSIBLE')
            ),
            lambda found: found['column_name']
        ) as ignored_columns
    from problems
)

select * from final
