-- One row per number of a record of the newest files, and per number of an active row of a mart. Written by `rollcall
-- layouts compare`.
-- noqa: disable=LT05
with files as (
    select * from {{ ref('int_compared_files') }}
    where is_in_scope and is_visible
)

select
    files.source_id,
    'oneroster/line_items' as feed,
    'score_min' as column_name,
    records.file_id,
    records.record_number,
    cast(null as varchar) as record_key,
    try_cast(records.resultvaluemin as decimal(18, 6)) as source_number,
    cast(null as decimal(18, 6)) as processed_number
from (
    select
        file_id,
        record_number,
        regexp_replace(
            status, '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as status,
        regexp_replace(
            resultvaluemin, '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as resultvaluemin
    from {{ source('raw_oneroster', 'line_items') }}
) as records
inner join files on records.file_id = files.file_id
where coalesce(lower(records.status) not in ('tobedeleted', 'inactive'), true)

union all

select
    source_id,
    'oneroster/line_items' as feed,
    'score_min' as column_name,
    file_id,
    record_number,
    line_item_id as record_key,
    cast(null as decimal(18, 6)) as source_number,
    score_min as processed_number
from {{ ref('dim_line_item') }}
where is_active

union all

select
    files.source_id,
    'oneroster/line_items' as feed,
    'score_max' as column_name,
    records.file_id,
    records.record_number,
    cast(null as varchar) as record_key,
    try_cast(records.resultvaluemax as decimal(18, 6)) as source_number,
    cast(null as decimal(18, 6)) as processed_number
from (
    select
        file_id,
        record_number,
        regexp_replace(
            status, '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as status,
        regexp_replace(
            resultvaluemax, '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as resultvaluemax
    from {{ source('raw_oneroster', 'line_items') }}
) as records
inner join files on records.file_id = files.file_id
where coalesce(lower(records.status) not in ('tobedeleted', 'inactive'), true)

union all

select
    source_id,
    'oneroster/line_items' as feed,
    'score_max' as column_name,
    file_id,
    record_number,
    line_item_id as record_key,
    cast(null as decimal(18, 6)) as source_number,
    score_max as processed_number
from {{ ref('dim_line_item') }}
where is_active

union all

select
    files.source_id,
    'oneroster/result_learning_objective_ids' as feed,
    'score' as column_name,
    records.file_id,
    records.record_number,
    cast(null as varchar) as record_key,
    try_cast(records.score as decimal(18, 6)) as source_number,
    cast(null as decimal(18, 6)) as processed_number
from (
    select
        file_id,
        record_number,
        regexp_replace(
            status, '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as status,
        regexp_replace(
            score, '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as score
    from {{ source('raw_oneroster', 'result_learning_objective_ids') }}
) as records
inner join files on records.file_id = files.file_id
where coalesce(lower(records.status) not in ('tobedeleted', 'inactive'), true)

union all

select
    source_id,
    'oneroster/result_learning_objective_ids' as feed,
    'score' as column_name,
    file_id,
    record_number,
    result_objective_id as record_key,
    cast(null as decimal(18, 6)) as source_number,
    score as processed_number
from {{ ref('fct_result_objective_score') }}
where is_active

union all

select
    files.source_id,
    'oneroster/results' as feed,
    'score' as column_name,
    records.file_id,
    records.record_number,
    cast(null as varchar) as record_key,
    try_cast(records.score as decimal(18, 6)) as source_number,
    cast(null as decimal(18, 6)) as processed_number
from (
    select
        file_id,
        record_number,
        regexp_replace(
            status, '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as status,
        regexp_replace(
            score, '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as score
    from {{ source('raw_oneroster', 'results') }}
) as records
inner join files on records.file_id = files.file_id
where coalesce(lower(records.status) not in ('tobedeleted', 'inactive'), true)

union all

select
    source_id,
    'oneroster/results' as feed,
    'score' as column_name,
    file_id,
    record_number,
    result_id as record_key,
    cast(null as decimal(18, 6)) as source_number,
    score as processed_number
from {{ ref('fct_result') }}
where is_active

{% if is_used('nwea') %}
union all

select
    files.source_id,
    'nwea/assessment_results' as feed,
    'standard_error' as column_name,
    records.file_id,
    records.record_number,
    cast(null as varchar) as record_key,
    try_cast(records.teststandarderror as decimal(18, 6)) as source_number,
    cast(null as decimal(18, 6)) as processed_number
from (
    select
        file_id,
        record_number,
        regexp_replace(
            teststandarderror, '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as teststandarderror
    from {{ source('raw_nwea', 'assessment_results') }}
) as records
inner join files on records.file_id = files.file_id

union all

select
    source_id,
    'nwea/assessment_results' as feed,
    'standard_error' as column_name,
    file_id,
    record_number,
    replace(term_name, '|', '||') || ' | ' || replace(student_id, '|', '||') || ' | ' || replace(test_name, '|', '||') || ' | ' || replace(cast(test_date as varchar), '|', '||') || ' | ' || replace(cast(test_time as varchar), '|', '||') as record_key,
    cast(null as decimal(18, 6)) as source_number,
    standard_error as processed_number
from {{ ref('fct_nwea_assessment_result') }}
where is_active
union all

select
    files.source_id,
    'nwea/assessment_results' as feed,
    'percent_correct' as column_name,
    records.file_id,
    records.record_number,
    cast(null as varchar) as record_key,
    try_cast(records.percentcorrect as decimal(18, 6)) as source_number,
    cast(null as decimal(18, 6)) as processed_number
from (
    select
        file_id,
        record_number,
        regexp_replace(
            percentcorrect, '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as percentcorrect
    from {{ source('raw_nwea', 'assessment_results') }}
) as records
inner join files on records.file_id = files.file_id

union all

select
    source_id,
    'nwea/assessment_results' as feed,
    'percent_correct' as column_name,
    file_id,
    record_number,
    replace(term_name, '|', '||') || ' | ' || replace(student_id, '|', '||') || ' | ' || replace(test_name, '|', '||') || ' | ' || replace(cast(test_date as varchar), '|', '||') || ' | ' || replace(cast(test_time as varchar), '|', '||') as record_key,
    cast(null as decimal(18, 6)) as source_number,
    percent_correct as processed_number
from {{ ref('fct_nwea_assessment_result') }}
where is_active
{% endif %}

{% if is_used('star') %}
union all

select
    files.source_id,
    'star/overall' as feed,
    'standard_error' as column_name,
    records.file_id,
    records.record_number,
    cast(null as varchar) as record_key,
    try_cast(records.standarderrorofmeasurement as decimal(18, 6)) as source_number,
    cast(null as decimal(18, 6)) as processed_number
from (
    select
        file_id,
        record_number,
        regexp_replace(
            standarderrorofmeasurement, '^[\pZ\pC]+|[\pZ\pC]+$', '', 'g'
        ) as standarderrorofmeasurement
    from {{ source('raw_star', 'overall') }}
) as records
inner join files on records.file_id = files.file_id

union all

select
    source_id,
    'star/overall' as feed,
    'standard_error' as column_name,
    file_id,
    record_number,
    assessment_id as record_key,
    cast(null as decimal(18, 6)) as source_number,
    standard_error as processed_number
from {{ ref('fct_star_result') }}
where is_active
{% endif %}

{% if own_feeds() %}
union all

select * from {{ ref('int_compared_own_numbers') }}
{% endif %}
