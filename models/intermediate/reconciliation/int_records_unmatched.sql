-- One row per record in scope that its mart does not hold as it is, and per active row that no record names.
{%- set feeds = feeds_of_files(ref('int_files_reconciled'), 'is_in_scope') %}
{%- set files_in_scope %}(select * from {{ ref('int_files_reconciled') }} where is_in_scope){% endset %}
with unmatched as (
    {% for feed in feeds %}
        {{ records_unmatched(feed, files_in_scope) }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select * from unmatched
