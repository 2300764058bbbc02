-- One row per record in scope that its mart does not hold as it is, and per active row that no record names.
with
{% for feed in reconciled_feeds() %}
{% set name = feed.feed.split('/')[1] %}
    {{ name }}_files as (
        select * from {{ ref('int_files_reconciled') }}
        where feed = '{{ feed.feed }}' and is_in_scope
    ),

    {{ name }} as (
        {{ records_unmatched(feed, name ~ '_files') }}
    ){{ ',' if not loop.last }}
{% endfor %}
{% for feed in reconciled_feeds() %}
select * from {{ feed.feed.split('/')[1] }}
{{ 'union all' if not loop.last }}
{% endfor %}
