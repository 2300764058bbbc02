select
    source_id as source,
    fate,
    evidence_count as results
from good.audit.audit_evidence
order by source, fate
