-- One row per active record and column in which it names a record that has not come.
{%- set feeds_that_refer = reconciled_feeds() | rejectattr(
    'feed', 'in', ('oneroster/categories', 'overrides/mastery_overrides')
) %}
with awaited as (
    {% for feed in feeds_that_refer %}
        {{ references_awaited(feed) }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select * from awaited
