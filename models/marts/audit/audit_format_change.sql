-- One row per source, feed and file that is written otherwise than the one exported before it.
with formed as (
    select
        *,
        case
            when verdict = 'rejected' and (starts_with(code, 'COLUMN_') or code = 'LAYOUT_UNKNOWN')
                then 'header_rejected'
            when code = 'TYPE_CHANGED' then 'format_rejected'
            when layout_version is not null then 'read'
        end as form
    from {{ ref('audit_ingestion_log') }}
    where feed is not null
),

read_by as (
    select
        *,
        case when form = 'read' then layout_version end as to_layout_version
    from formed
    where form is not null
),

compared as (
    select
        *,
        lag(form) over (partition by source_id, feed order by exported_at, file_id) as form_before,
        last_value(to_layout_version ignore nulls) over (
            partition by source_id, feed order by exported_at, file_id
            rows between unbounded preceding and 1 preceding
        ) as from_layout_version
    from read_by
),

changed as (
    select
        *,
        case
            when form <> 'read' then form
            when to_layout_version <> from_layout_version then 'layout_changed'
            else 'restored'
        end as change
    from compared
    where
        coalesce(form_before, 'read') <> form
        or to_layout_version <> from_layout_version
),

layouts as (
    select
        feed,
        layout_version,
        list(column_name order by position) as column_names
    from {{ ref('audit_field_mapping') }}
    group by feed, layout_version
),

final as (
    select
        changed.source_id,
        changed.feed,
        changed.change,
        changed.from_layout_version,
        changed.to_layout_version,
        changed.code,
        case
            when changed.change = 'restored' then 'Written as before again.'
            when changed.change <> 'layout_changed' then changed.detail
            when before.column_names = after.column_names then 'The same columns.'
            when list_sort(before.column_names) = list_sort(after.column_names)
                then 'The same columns in another order.'
            else concat_ws(
                ' ',
                'New: ' || {{ names_missing('after.column_names', 'before.column_names') }} || '.',
                'Gone: ' || {{ names_missing('before.column_names', 'after.column_names') }} || '.'
            )
        end as differences,
        changed.file_id,
        changed.delivery_name,
        changed.file_name,
        changed.exported_at
    from changed
    left join layouts as before
        on changed.feed = before.feed and changed.from_layout_version = before.layout_version
    left join layouts as after
        on changed.feed = after.feed and changed.to_layout_version = after.layout_version
)

select * from final
