-- One row per record of which judging found something: its verdict, and the columns that were left blank.
{{ config(materialized='ephemeral') }}

with problems as (
    select
        file_id,
        unnest(problems) as problem
    from {{ ref('int_file_record_counts') }}
),

final as (
    select
        file_id,
        problem['record_number'] as record_number,
        problem['verdict'] as verdict,
        list_transform(
            list_filter(problem['violations'], lambda found: found['code'] = 'OPTIONAL_VALUE_IGNORED'),
            lambda found: found['column_name']
        ) as ignored_columns
    from problems
)

select * from final
