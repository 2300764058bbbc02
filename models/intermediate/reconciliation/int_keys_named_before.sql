-- One row per key that no record in scope names, but one of the bulk in force or a file since does.
{%- set feeds = feeds_of_files(ref('int_files_reconciled'), 'is_sighting and not is_in_scope') %}
with files as (
    select * from {{ ref('int_files_reconciled') }}
    where is_sighting and not is_in_scope
),

doubts as (
    select * from {{ ref('int_records_unmatched') }}
    where file_id is null
),

final as (
    {% for feed in feeds %}
        {{ keys_named(feed, 'files', 'doubts') }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select * from final
