select
    source_id as source,
    disposition,
    evidence_count as results
from good.audit.audit_evidence
order by source, disposition
