-- One row per staged row whose record or mart row differs without a reason: does it side with the source?
{%- set feeds = reconciled_feeds() %}
with doubts as (
    select distinct
        source_id,
        feed,
        record_key
    from {{ ref('int_differences_explained') }}
    where reason = 'unexplained'
),

staged as (
    {% for feed in feeds %}
        {{ staged_rows(feed, 'doubts') }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select * from staged
