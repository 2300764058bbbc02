-- One row per source and user, as Canvas knows it.
{{ config(enabled=is_used('canvas')) }}

with users as (
    {{ with_presence(
        ref('stg_canvas__users'), source('raw_canvas', 'users'),
        'canvas/users', 'user_id', text('user_id')
    ) }}
)

select
    *,
    cast([] as varchar[]) as unresolved
from users
