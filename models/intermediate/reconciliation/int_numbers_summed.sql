-- One row per source, feed and number: its sum over the records in scope, and over the active rows.
with files as (
    select * from {{ ref('int_files_reconciled') }}
    where is_in_scope and is_visible
),

summed as (
    {% for feed in reconciled_feeds() if feed.feed in (
        'oneroster/line_items', 'oneroster/results', 'oneroster/result_learning_objective_ids'
    ) %}
        {{ numbers_summed(feed, 'files') }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select * from summed
