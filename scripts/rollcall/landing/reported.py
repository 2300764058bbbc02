"""What is reported of a landing, from the ledger: also what a run landed that was killed."""

from dataclasses import fields

import duckdb

from rollcall.contracts.project import Contracts
from rollcall.landing.job import FileReport, LandReport
from rollcall.ledger.entries import QUESTIONS, REJECTED, open_questions
from rollcall.ledger.sql import rows

_JUDGED = """
    select subject as file_id, max(event_number) as place from landing.events
    where starts_with(kind, 'file_') group by subject
"""
"""SQL: files in the order in which they were judged last."""
_REPORTED = f"""
    (files.verdict = 'accepted' and not files.are_removals_held)
    or ({REJECTED})
    or (
        files.verdict <> 'rejected' and not exists (
            select 1 from landing.decisions
            where decisions.file_id = files.file_id and decision <> 'reprocess'
        )
    )
"""
"""SQL: of `files`, those of which somebody has not decided yet what is held of them."""
_NOTES = f"""
    select
        concat_ws(
            ': ',
            nullif(concat_ws('/', files.source_id, files.delivery_name, files.file_name), ''),
            findings.detail
        ) as sentence
    from landing.findings as findings left join landing.files as files using (file_id)
    where findings.job_id > $1
        and (findings.cycle_id is null or findings.code in ('ID_REUSED', 'REFERENCES_UNKNOWN'))
        and (
            findings.code not in {("EXPORT_IN_FUTURE", *QUESTIONS)}
            or (findings.code = 'REFERENCES_UNKNOWN' and files.mode <> 'bulk')
        )
        and (
            findings.file_id is null
            or (files.verdict = 'accepted'
                and (not files.are_removals_held or findings.code <> files.code))
        )
    order by findings.finding_number
"""
_REPLACED = """
    select
        deliveries.source_id || '/' || deliveries.delivery_name || ': replaces '
        || count(*) || ' files, ' || min(decisions.reason) || case
            when count(cycle_files.file_id) = 0 then ''
            else '; ' || count(cycle_files.file_id)
                || ' of them were in use, so the next cycle rebuilds their feeds'
        end || '.'
    from landing.decisions as decisions
    inner join landing.files as files using (file_id)
    inner join landing.deliveries as deliveries
        on deliveries.job_id = decisions.job_id and deliveries.source_id = files.source_id
        and deliveries.exported_at = files.exported_at and deliveries.supersedes is not null
    left join landing.cycle_files as cycle_files using (file_id)
    where decisions.decision = 'supersede' and decisions.job_id > $1
    group by deliveries.delivery_id, deliveries.source_id, deliveries.delivery_name
    order by min(decisions.decision_id)
"""

_COUNTED = """
    select files.*, coalesce(structural_count, 0) as structural_count
    from landing.files left join (
        select file_id, count(*) as structural_count
        from landing.structural_records group by file_id
    ) using (file_id)
"""


def report_landing(
    connection: duckdb.DuckDBPyConnection,
    contracts: Contracts,
    report: LandReport,
    since_job: int,
) -> None:
    """Complete a report by all that was landed and judged after a job, in the order of judgement.

    A hold that somebody has decided, and a rejected file whose bytes were landed after all, are not
    among its files. What failed in this landing, as it did in one before, stays among them.
    """
    failed_again = [file for file in report.files if file.code == "LANDING_FAILED"]
    names = ", ".join(f"files.{field.name}" for field in fields(FileReport))
    files = rows(
        connection,
        f"select {names} from ({_COUNTED}) as files inner join ({_JUDGED}) using (file_id) "
        f"where files.job_id > ? and ({_REPORTED}) order by place",
        [since_job],
    )
    report.files = [FileReport(**file) for file in files]
    known = {file.file_id for file in report.files}
    failed_again = [file for file in failed_again if file.file_id not in known]
    report.files += failed_again
    notes = [connection.execute(sql, [since_job]).fetchall() for sql in (_REPLACED, _NOTES)]
    report.findings = [sentence for part in notes for (sentence,) in part]
    [(report.deliveries_landed, report.deliveries_rejected)] = connection.execute(
        "select count(*) filter (verdict = 'accepted'), count(*) filter (exists (select 1 "
        "from landing.files where files.delivery_id = deliveries.delivery_id "
        f"and deliveries.verdict = 'rejected' and ({REJECTED}))) "
        "from landing.deliveries where job_id > ?",
        [since_job],
    ).fetchall()
    report.deliveries_rejected += len(failed_again)
    report.questions = open_questions(connection, contracts, since_job)


def last_job_that_ended(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the last landing, or judging again, that came to its end; 0 where there is none."""
    [(job_id,)] = connection.execute(
        "select coalesce(max(job_id), 0) from landing.events "
        "where kind in ('job_landed', 'job_reprocessed')"
    ).fetchall()
    return int(job_id)
