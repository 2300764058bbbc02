-- One row per source, login, outcome, quiz or assignment, and question: its newest accepted version.
{{ config(enabled=is_used('canvas'), unique_key='result_key') }}

with records as (
    select * from {{ ref('base_canvas__outcome_results') }}
    {% if is_incremental() %}
    where is_new
    {% endif %}
),

newest as (
    {{ newest_accepted('records', 'result_key') }}
)

select * from newest
