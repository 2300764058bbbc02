-- One row per student, path, step and interval of cycles in which the gate stood the same.
{% snapshot snap_progression_step %}
{{ config(unique_key='progression_key') }}
select * from {{ ref('int_progression_hashed') }}
{% endsnapshot %}
