select
    code,
    summary as fault,
    scope,
    severity,
    explanation,
    advice
from good.reference.error_codes
order by code
