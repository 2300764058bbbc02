{#-
    Clean intervals from `valid_from` to `valid_to`: of each key at most one is open, each ends after it begins,
    and none begins before the one before it has ended. Returns the offending intervals.
-#}
{% test clean_intervals(model, keys) %}
with intervals as (
    select
        {{ keys | join(', ') }},
        valid_from,
        valid_to,
        lead(valid_from) over (
            partition by {{ keys | join(', ') }} order by valid_from, valid_to
        ) as next_valid_from
    from {{ model }}
)

select *
from intervals
where
    valid_from is null
    or valid_to <= valid_from
    or next_valid_from < coalesce(valid_to, timestamp '9999-12-31')
    {%- for key in keys %}
    or {{ key }} is null
    {%- endfor %}
{% endtest %}
