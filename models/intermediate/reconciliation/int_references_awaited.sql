-- One row per active record and column in which it names a record that has not come.
with
awaited as (
    {% for feed in reconciled_feeds() if feed.feed not in ('oneroster/categories', 'overrides/mastery_overrides') %}
        {{ references_awaited(feed) }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select * from awaited
