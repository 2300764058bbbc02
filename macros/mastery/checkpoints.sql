{#- What changed between two recorded rows of the same student and objective. -#}

{#- Why evidence or rule moved a score: the rule first, since it may move everything else. -#}
{% macro change_of_evidence(before, after) -%}
    case
            when {{ before }}.mastery_key is null then 'first seen'
            when {{ after }}.mastery_key is null then 'no longer counted for this objective'
            when ({{ before }}.rule_fingerprint is distinct from {{ after }}.rule_fingerprint)
                then concat('rule ', coalesce({{ after }}.rule_id || ' version ' || {{ after }}.rule_version, 'none'))
            when {{ after }}.withdrawn_count > {{ before }}.withdrawn_count then 'evidence withdrawn'
            when {{ after }}.withdrawn_count < {{ before }}.withdrawn_count then 'evidence restored'
            when {{ after }}.expired_count > {{ before }}.expired_count then 'evidence too old'
            when {{ after }}.evidence_count > {{ before }}.evidence_count then 'new evidence'
            when {{ after }}.evidence_count < {{ before }}.evidence_count then 'evidence no longer counted'
            when {{ after }}.last_evidence_at > {{ before }}.last_evidence_at then 'newer evidence'
            else 'evidence corrected'
        end
{%- endmacro %}

{#- Why a teacher's decision moved a state; null when there was none on either side. -#}
{% macro change_of_override(before, after) -%}
    case
            when coalesce({{ before }}.override_id, '') = coalesce({{ after }}.override_id, '')
                and coalesce({{ before }}.override_action, '') = coalesce({{ after }}.override_action, '')
                then null
            when {{ after }}.override_action = 'set' then 'override ' || {{ after }}.override_id || ' set'
            when {{ after }}.override_action = 'clear' then 'override ' || {{ after }}.override_id || ' cleared'
            else 'override ' || {{ before }}.override_id || ' withdrawn'
        end
{%- endmacro %}

{#- The rows of fct_checkpoint for one field of a step; the override is named where it can have moved the field. -#}
{% macro mastery_checkpoint(step, field) -%}
    select
        changed_at,
        roster_source_id,
        student_id,
        objective_id,
        cast(null as varchar) as path_id,
        cast(null as integer) as step_number,
        '{{ step }}' as step,
        '{{ field }}' as field,
        cast({{ field }}_before as varchar) as before_value,
        cast({{ field }}_after as varchar) as after_value,
        {{ 'coalesce(override_reason, evidence_reason)' if step == 'overridden' else 'evidence_reason' }} as reason
    from mastery_changes
    where {{ field }}_before is distinct from {{ field }}_after
{%- endmacro %}
