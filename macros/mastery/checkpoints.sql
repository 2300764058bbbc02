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

{#- Why a gate changed. -#}
{% macro change_of_gate(before, after) -%}
    case
            when {{ before }}.gate is null then 'enrolled on the path'
            when {{ after }}.gate is null then 'no longer on the path'
            when {{ before }}.path_version <> {{ after }}.path_version
                then 'path ' || {{ after }}.path_id || ' version ' || {{ after }}.path_version
            when {{ after }}.gate = 'completed' then 'objective mastered'
            when {{ before }}.gate = 'completed' then 'mastery lost'
            when {{ after }}.gate = 'locked' then 'blocked by ' || array_to_string({{ after }}.blocked_by, ', ')
            else 'prerequisites met'
        end
{%- endmacro %}

{#- One field of a step before and after; the override is named where it can have moved the field. -#}
{% macro field_change(step, field) -%}
    {
                'step': '{{ step }}',
                'field': '{{ field }}',
                'before_value': cast(before.{{ field }} as varchar),
                'after_value': cast(after.{{ field }} as varchar),
                'is_by_override': {{ 'true' if step == 'overridden' else 'false' }}
            }
{%- endmacro %}
