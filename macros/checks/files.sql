{#- The ids of files that may lack records: a malformed one hides its key, or there are none but structural ones. -#}
{% macro incomplete_files() -%}
    select malformed.file_id
    from {{ source('landing', 'malformed_records') }} as malformed
    where malformed.record_key is null
    union all
    select structural.file_id
    from {{ source('landing', 'structural_records') }} as structural
    inner join {{ source('landing', 'files') }} as counted on structural.file_id = counted.file_id
    group by structural.file_id
    having count(*) = max(counted.record_count)
{%- endmacro %}
