-- Finds: feeds that are staged, or have a model stg_<family>__<feed>, and are not compared with their exports.
-- Matters: of a feed that nobody compares, "nothing is unexplained" says nothing.
-- Do: write the comparison of the feed that the sentence names, or stage it no more.
-- depends_on: {{ ref('int_compared_records') }}
{{ config(tags=['of_seeds']) }}
-- `render` reads the seeds also where `dbt build --empty` leaves out every row.
with feeds as (
    select * from {{ ref('feeds').render() }}
    union all
    select * from {{ ref('district_feeds').render() }}
),

staged as (
    select feed from feeds
    where is_staged and list_contains({{ var('families') }}, family)
    union
    select unnest({{ staged_feeds() if execute else [] }}) as feed
)

select
    feed,
    feed || ' is staged and not compared: write int_compared__' || replace(feed, '/', '__')
    || ' (`rollcall layouts compare` does it from the layouts), '
    || 'or set is_staged to false and take its staging model out.' as remedy
from staged
where not list_contains({{ compared_feeds() if execute else [] }}, feed)
order by feed
