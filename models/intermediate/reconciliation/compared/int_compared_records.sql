-- One row per doubt, per record that speaks of one, and per key of one that is present, of all feeds. Written by
-- `rollcall layouts compare`.
with compared as (
    select cast(null as boolean) as is_in_scope
    where false
    {% if reads_oneroster() %}

    union all by name

    select * from {{ ref('int_compared__oneroster__academic_sessions') }}

    union all by name

    select * from {{ ref('int_compared__oneroster__categories') }}

    union all by name

    select * from {{ ref('int_compared__oneroster__classes') }}

    union all by name

    select * from {{ ref('int_compared__oneroster__courses') }}

    union all by name

    select * from {{ ref('int_compared__oneroster__enrollments') }}

    union all by name

    select * from {{ ref('int_compared__oneroster__line_item_learning_objective_ids') }}

    union all by name

    select * from {{ ref('int_compared__oneroster__line_items') }}

    union all by name

    select * from {{ ref('int_compared__oneroster__orgs') }}

    union all by name

    select * from {{ ref('int_compared__oneroster__result_learning_objective_ids') }}

    union all by name

    select * from {{ ref('int_compared__oneroster__results') }}

    union all by name

    select * from {{ ref('int_compared__oneroster__roles') }}

    union all by name

    select * from {{ ref('int_compared__oneroster__users') }}
    {% endif %}

    {% if is_used('overrides') %}
    union all by name

    select * from {{ ref('int_compared__overrides__mastery_overrides') }}
    {% endif %}

    {% if is_used('nwea') %}
    union all by name

    select * from {{ ref('int_compared__nwea__assessment_results') }}
    union all by name

    select * from {{ ref('int_compared__nwea__students') }}
    {% endif %}

    {% if is_used('iready') %}
    union all by name

    select * from {{ ref('int_compared__iready__diagnostic_ela') }}
    union all by name

    select * from {{ ref('int_compared__iready__diagnostic_math') }}
    union all by name

    select * from {{ ref('int_compared__iready__lessons') }}
    {% endif %}

    {% if is_used('star') %}
    union all by name

    select * from {{ ref('int_compared__star__overall') }}
    union all by name

    select * from {{ ref('int_compared__star__standards') }}
    union all by name

    select * from {{ ref('int_compared__star__skill_area') }}
    {% endif %}

    {% if is_used('canvas') %}
    union all by name

    select * from {{ ref('int_compared__canvas__outcome_results') }}
    union all by name

    select * from {{ ref('int_compared__canvas__student_competency') }}
    union all by name

    select * from {{ ref('int_compared__canvas__gradebook') }}
    union all by name

    select * from {{ ref('int_compared__canvas__users') }}
    union all by name

    select * from {{ ref('int_compared__canvas__courses') }}
    union all by name

    select * from {{ ref('int_compared__canvas__sections') }}
    union all by name

    select * from {{ ref('int_compared__canvas__enrollments') }}
    {% endif %}

    {% if is_used('state') %}
    union all by name

    select * from {{ ref('int_compared__state__co_cmas') }}
    union all by name

    select * from {{ ref('int_compared__state__in_ilearn') }}
    {% endif %}
    {% for feed in own_feeds() %}
    union all by name

    select * from {{ ref('int_compared__' ~ feed.replace('/', '__')) }}
    {% endfor %}
)

select
    kind,
    feed,
    source_id,
    record_key,
    file_id,
    record_number,
    line_number,
    is_malformed,
    processed_file_id,
    processed_record_number,
    is_active,
    row_count,
    is_deletion,
    modified_at,
    is_in_scope,
    compared_values
from compared
