{#-
    Clean intervals: of each key at most one is open, each ends after it begins, and none begins before
    the one before it has ended. Returns the offending intervals.
-#}
{% test clean_intervals(model, key) %}
with intervals as (
    select
        {{ key }},
        dbt_valid_from,
        dbt_valid_to,
        lead(dbt_valid_from) over (partition by {{ key }} order by dbt_valid_from, dbt_valid_to) as next_valid_from
    from {{ model }}
)

select *
from intervals
where
    {{ key }} is null
    or dbt_valid_from is null
    or dbt_valid_to <= dbt_valid_from
    or next_valid_from < coalesce(dbt_valid_to, timestamp '9999-12-31')
{% endtest %}
