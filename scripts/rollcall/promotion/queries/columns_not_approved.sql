with layouts as (
    select
        feed,
        layout_version,
        column_name,
        staged_as,
        personal_data
    from source_contracts.layouts
    union all
    select
        feed,
        layout_version,
        column_name,
        staged_as,
        personal_data
    from source_contracts.district_layouts
)

select * from layouts
where
    list_contains($layouts, concat(feed, ' ', layout_version))
    and staged_as <> ''
order by all
