select
    sha256(
        coalesce(string_agg(concat(effect_key, ':', student_count), ' ' order by effect_key asc), '')
    ) as fingerprint
from $pilot.audit_pilot_effect
