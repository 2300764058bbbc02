-- One row per key that a mart holds more than once.
{%- set feeds = reconciled_feeds() %}
with repeated as (
    {% for feed in feeds %}
        {{ rows_repeated(feed) }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select * from repeated
