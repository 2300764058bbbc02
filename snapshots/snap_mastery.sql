-- One row per student, objective and interval of cycles in which every step decided the same.
{% snapshot snap_mastery %}
{{ config(unique_key='mastery_key') }}
select * from {{ ref('int_mastery_hashed') }}
{% endsnapshot %}
