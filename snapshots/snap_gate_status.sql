-- One row per student, path, step and interval of cycles in which the gate stood the same.
{% snapshot snap_gate_status %}
{{ config(unique_key='gate_key') }}
with gates as (
    select * from {{ ref('int_gate_status') }}
),

cycles as (
    select * from {{ ref('stg_landing__cycles') }}
    where is_current
)

select
    {{ text_hash(['gates.student_key', 'gates.path_id', 'gates.step_number']) }} as gate_key,
    gates.* exclude (inputs_fingerprint),
    {{ text_hash([
        'gates.path_version', 'gates.objective_id', 'gates.is_optional', 'gates.gate', 'gates.blocked_by',
    ]) }} as row_hash,
    cycles.as_of
from gates
cross join cycles
{% endsnapshot %}
