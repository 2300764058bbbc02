{#- What records of every feed share: where they come from, which version is the newest, what is present. -#}

{#- Where a record comes from and which clocks it carries; for a join of `records` with `files`. -#}
{% macro lineage() -%}
    files.source_id,
        files.roster_source_id,
        files.feed,
        files.mode,
        records.file_id,
        records.record_number,
        records.line_number,
        files.exported_at,
        files.landed_at,
        files.visible_at,
        files.is_new
{%- endmacro %}

{#- A number that is equal for records of a file whose staged columns are equal: tells a duplicate from a conflict. -#}
{% macro content_hash() -%}
    hash(*columns(* exclude (record_number, line_number, violations)))
{%- endmacro %}

{#-
    The keys that several valid records of one file have: the first of these records, and whether they contradict each
    other. `records`: a relation of base columns.
-#}
{% macro repeated_keys(records) -%}
    select
        file_id,
        record_key,
        min(record_number) as first_record_number,
        min(content_hash) <> max(content_hash) as is_conflict
    from {{ records }}
    where not is_rejected
    group by file_id, record_key
    having count(*) > 1
{%- endmacro %}

{#-
    The newest accepted version of each record, of which an incremental run adds those that are newer than the stored
    ones. Rejected records do not count, nor do records of one file that contradict each other; of equal ones the first.
    `records`: a relation of base columns. `key`: the column that is the record's key.
-#}
{% macro newest_accepted(records, key) -%}
    with repeated as (
        {{ rollcall.repeated_keys(records) | indent(4) }}
    ),

    ranked as (
        select
            {{ records }}.*,
            violations as warnings,
            least(coalesce(modified_at, exported_at), exported_at) as version_at,
            row_number() over (
                partition by {{ key }}
                order by version_at desc, exported_at desc, record_number asc
            ) as recency
        from {{ records }}
        left join repeated using (file_id, record_key)
        where not is_rejected and not coalesce(is_conflict, false)
    )

    select ranked.* exclude (feed, mode, is_new, record_key, violations, is_rejected, content_hash, recency)
    from ranked
    {%- if is_incremental() %}
    left join {{ this }} as stored on ranked.{{ key }} = stored.{{ key }}
    {%- endif %}
    where recency = 1
        {%- if is_incremental() %}
        and (
            stored.version_at is null
            or ranked.version_at > stored.version_at
            or (ranked.version_at = stored.version_at and ranked.exported_at > stored.exported_at)
        )
        {%- endif %}
{%- endmacro %}

{#-
    The staged records of a feed with `is_active`, and the reason why one is not. A record is present when any record
    of the latest bulk of its source, or of a file since, has its key, rejected ones included. Records that delete do
    not count, rejected or not; nor does a malformed one of a delta, of which nobody knows what it wants. It is active
    unless its newest version deletes it and no later bulk has it, or a bulk is there and it is not present.
    Where a bulk is whole within the values of a column, such as the term, the latest bulk of a record is the newest that
    lists its value, in a record of any kind.
    `staged`, `raw`: the feed's staging model and raw table. `feed`: its name. `key`: the column with the record's key;
    `record_key`: SQL that reads it from a raw record, where it is not the text of `sourcedId`; `deletes`: SQL that is
    true for a raw record that deletes, where `sourcedId` is not the key but a status can delete; `whole_by`: where
    `feeds.csv` names a column, the staged column, and SQL that reads it from a raw record.
-#}
{% macro with_presence(staged, raw, feed, key, record_key=none, deletes=none, whole_by=none) -%}
    with files as (
        select * from {{ ref('stg_landing__files') }}
        where feed = '{{ feed }}' and is_visible
    ),

    present_keys as (
        select source_id, record_key, max(case when mode = 'bulk' then exported_at end) as bulk_exported_at {%- if whole_by %}, max(exported_at) as exported_at {%- endif %}
        from (
            select file_id, {{ record_key or rollcall.text('sourcedId') }} as record_key, false as is_malformed
            from ({{ rollcall.trimmed_records(raw) | indent(12) }}) as records
            where not {{ deletes or ('false' if record_key else rollcall.is_deletion('status')) }}
            union all
            select file_id, record_key, true as is_malformed from {{ source('landing', 'malformed_records') }}
        ) as records
        inner join files using (file_id)
        where files.{{ 'is_staged' if whole_by else 'is_since_latest_bulk' }} and (files.mode = 'bulk' or not records.is_malformed)
        group by source_id, record_key
    ),

    {% if whole_by -%}
    latest_bulks as (
        select files.source_id, {{ whole_by[1] }} as whole_by, max(files.exported_at) as exported_at
        from ({{ rollcall.trimmed_records(raw) | indent(8) }}) as records
        inner join files using (file_id)
        where files.is_staged and files.mode = 'bulk' and files.removals = 'applied'
        group by files.source_id, {{ whole_by[1] }}
    ),

    {% endif -%}
    judged as (
        select
            staged.*,
            case
                when staged.is_deleted and not files.are_removals_held and coalesce(present_keys.bulk_exported_at <= staged.exported_at, true) then 'deleted'
                {%- if whole_by %}
                when coalesce(latest_bulks.exported_at > present_keys.exported_at, latest_bulks.exported_at is not null) then 'absent'
                {%- else %}
                when files.has_latest_bulk and present_keys.record_key is null then 'absent'
                {%- endif %}
            end as inactive_reason
        from {{ staged }} as staged
        left join files on staged.file_id = files.file_id
        left join present_keys on staged.source_id = present_keys.source_id and staged.{{ key }} = present_keys.record_key
        {%- if whole_by %}
        left join latest_bulks on staged.source_id = latest_bulks.source_id and staged.{{ whole_by[0] }} is not distinct from latest_bulks.whole_by
        {%- endif %}
    )

    select * exclude (is_deleted, warnings), inactive_reason is null as is_active
    from judged
{%- endmacro %}

{#- True when a source declares the family: what only other families need costs nothing. -#}
{% macro is_used(family) -%}
    {% do return(family in var('families')) %}
{%- endmacro %}

{#- The feeds that a district's project stages itself, as `family/feed`; `rollcall layouts compare` writes them there. -#}
{% macro own_feeds() -%}
    {% do return(adapter.dispatch('own_feeds', 'rollcall')()) %}
{%- endmacro %}

{% macro default__own_feeds() -%}
    {% do return([]) %}
{%- endmacro %}

{#- The feeds that are read, as `family/feed`: of the shipped ones those whose family is used, and a project's own. -#}
{% macro read_feeds(feeds_of_families) -%}
    {%- set found = [] -%}
    {%- for family, feeds in feeds_of_families.items() if rollcall.is_used(family) or (family == 'oneroster' and rollcall.reads_oneroster()) -%}
        {%- for feed in feeds -%}
            {%- do found.append(family ~ '/' ~ feed) -%}
        {%- endfor -%}
    {%- endfor -%}
    {% do return(found + rollcall.own_feeds()) %}
{%- endmacro %}

{#- What the records of several feeds are judged by, of the files that are new in an incremental run. -#}
{% macro staged_records(family, feeds) -%}
    {%- for feed in feeds %}
    select file_id, record_number, line_number, record_key, is_rejected, violations, content_hash from {{ ref('base_' ~ family ~ '__' ~ feed) }} {%- if is_incremental() %} where is_new {%- endif %}
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#-
    Violations as people read them: with file, text and advice, and the column under the name that its file gives it.
    `found`: a relation of violations of records. `files`: a relation of visible files.
-#}
{% macro described_violations(found, files) -%}
    select
        found.file_id,
        files.source_id,
        files.feed,
        files.delivery_name,
        files.file_name,
        found.record_number,
        found.line_number,
        found.record_key,
        found.verdict,
        coalesce(columns_of_file.column_name, found.column_name) as column_name,
        found.code,
        error_codes.severity,
        error_codes.explanation
        || case when found.code in ('VALUE_NOT_ALLOWED', 'WRONG_CASE', 'VALUE_UNKNOWN') then coalesce(' Written as: ' || replace(mapping.allowed_values, '|', ', ') || '.', '') else '' end as message,
        error_codes.advice,
        files.first_cycle_id as cycle_id
    from {{ found }} as found
    inner join {{ files }} as files on found.file_id = files.file_id
    inner join {{ ref('error_codes') }} as error_codes on found.code = error_codes.code
    left join {{ source('landing', 'layout_columns') }} as columns_of_file
        on
            files.feed = columns_of_file.feed
            and files.layout_version = columns_of_file.layout_version
            and found.column_name = columns_of_file.raw_column
    left join {{ ref('audit_field_mapping') }} as mapping
        on
            columns_of_file.feed = mapping.feed
            and columns_of_file.layout_version = mapping.layout_version
            and columns_of_file.column_name = mapping.column_name
{%- endmacro %}

{#-
    The records of new files of several feeds, and whether staging holds their key. `feeds`: feed to staged column;
    `record_keys`: feed to the SQL that reads its key from a raw record, where it is not the text of `sourcedId`.
-#}
{% macro new_records(family, feeds, record_keys={}) -%}
    {%- for feed, key in feeds.items() %}
    select
        files.feed,
        records.file_id,
        records.record_number,
        staged.source_id is not null as is_staged
    from files
    inner join ({{ rollcall.trimmed_records(source('raw_' ~ family, feed)) }}) as records on files.file_id = records.file_id
    left join {{ ref('stg_' ~ family ~ '__' ~ feed) }} as staged
        on files.source_id = staged.source_id and {{ record_keys.get(feed) or rollcall.text('sourcedId') }} = staged.{{ key }}
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#-
    The feeds of each family in use in which another value for the same key is a correction: their score, and what of it is
    compared. The key of a lesson of i-Ready holds its score, and work in Canvas is handed in and graded again.
-#}
{% macro result_measures() -%}
    {%- set measures = {
        'nwea': {'assessment_results': ('rit_score', 'result_hash')},
        'iready': {
            'diagnostic_ela': ('overall_scale_score', 'result_hash'),
            'diagnostic_math': ('overall_scale_score', 'result_hash'),
        },
        'star': {
            'overall': ('unified_score', 'result_hash'),
            'standards': ('percent_mastery', 'cast(percent_mastery as varchar)'),
            'skill_area': ('mastery_score', 'cast(mastery_score as varchar)'),
        },
        'state': {
            'co_cmas': ('scale_score', 'result_hash'),
            'in_ilearn': ('coalesce(overall_scale_score, iread_scale_score)', 'result_hash'),
        },
    } -%}
    {%- set used = {} -%}
    {%- for family in measures if rollcall.is_used(family) -%}
        {%- do used.update({family: measures[family]}) -%}
    {%- endfor -%}
    {%- do return(used) -%}
{%- endmacro %}

{#- The records of these feeds, with what they say of a result. -#}
{% macro measured_records() -%}
    {%- set queries = [] -%}
    {%- for family, feeds in rollcall.result_measures().items() -%}
        {%- for feed, (score, compared) in feeds.items() -%}
            {%- do queries.append(
                'select file_id, record_key, record_number, line_number, is_rejected, content_hash, '
                ~ compared ~ ' as result_hash, cast(' ~ score ~ ' as decimal(18, 6)) as score from '
                ~ ref('base_' ~ family ~ '__' ~ feed)
            ) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ queries | join('\n    union all\n    ') }}
{%- endmacro %}

{#- Records that restate a result of an assessment, as warnings of these records. -#}
{% macro restated_results() -%}
    select
        file_id,
        record_number,
        line_number,
        record_key,
        'RESULT_RESTATED' as code,
        'Record ' || record_number_before || ' of ' || delivery_name_before || '/' || file_name_before
        || ' said another result; audit.audit_restated_result has both.' as message
    from {{ ref('audit_restated_result') }}
{%- endmacro %}
