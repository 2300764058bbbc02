"""Entries of the ledger, read: files and deliveries, and which of them a cycle may see."""

from datetime import datetime
from typing import Any

import duckdb

from rollcall.clock import FAR
from rollcall.contracts.project import Contracts
from rollcall.errors import UsageError
from rollcall.ledger.parts import whole_by
from rollcall.ledger.sql import rows
from rollcall.zipped import is_clutter

USABLE_FILES = """
    select files.*
    from landing.files
    left join (
        select file_id, max_by(decision, decision_id) as decision
        from landing.decisions group by file_id
    ) as decided using (file_id)
    where (
            files.verdict = 'accepted'
            and coalesce(decided.decision not in ('supersede', 'withdraw'), true)
            and (decided.decision is distinct from 'refuse' or files.are_removals_held)
        )
        or (files.verdict = 'held' and decided.decision = 'release')
"""
"""SQL: the files that a cycle may see - accepted, not replaced or refused, or held and released."""
IS_REPLACED = "file_id in (select file_id from landing.decisions where decision = 'supersede')"
"""SQL: another delivery has taken the place of a file, as it stands in a query of `file_id`."""
IN_FUTURE = f"""
    select
        source_id, delivery_name, exported_at, list(file_id order by file_id) as file_ids,
        exported_at > $1::timestamp + interval 1 day as is_far
    from ({USABLE_FILES})
    where exported_at > $1 and file_id not in (select file_id from landing.cycle_files)
    group by source_id, delivery_name, exported_at
    order by exported_at, source_id, delivery_name
"""
"""SQL: the deliveries whose export time has not come at a moment, with their files.

One that is less than a day ahead is not far: clocks and time zones slip, and the next cycle takes
it.
"""
REJECTED = """
    files.verdict = 'rejected' and not exists (
        select 1 from landing.deliveries as rejected
        inner join landing.deliveries as landed using (source_id)
        where rejected.delivery_id = files.delivery_id and rejected.verdict = 'rejected'
            and landed.verdict = 'accepted'
            and (
                landed.content_sha256 = rejected.content_sha256
                or (
                    rejected.code = 'LANDING_FAILED'
                    and landed.delivery_name = rejected.delivery_name
                    and landed.landed_at >= rejected.landed_at
                )
            )
    )
"""
"""SQL: files rejected, but for those of a delivery whose bytes were landed after all.

Where landing failed before its bytes were known, its name tells.
"""
CYCLE_ATTEMPTS = """
    select
        subject::bigint as cycle_id,
        max_by(kind, event_number) as last_kind,
        max_by(detail, event_number) as last_detail,
        bool_or(kind = 'cycle_failed') as has_failed
    from landing.events
    where kind in ('cycle_failed', 'cycle_resumed', 'cycle_publish_anyway')
    group by subject
"""
"""SQL: of every cycle that did not complete at once, how it was tried last."""
UNFINISHED = "status not in ('completed', 'skipped')"
"""SQL: of `landing.cycles`, the one that is to be run again; there is one at most."""
FROZEN_FILES = f"""
    select file_id from landing.cycle_files inner join landing.cycles using (cycle_id)
    where {UNFINISHED}
"""
"""SQL: the files of the cycle that is to be run again."""
OF_A_CYCLE = (
    *("cycle_files", "cycle_decisions", "cycle_student_links", "cycle_stage_decisions"),
    "expected_exports",
)
"""Tables of the ledger that say what a cycle saw."""
PILOT_FAILED = "cycle_pilot_failed"
"""The kind of event that tells that a cycle could not build a pilot, whose name is its detail."""
FAILED_PILOTS = f"""
    select distinct detail from landing.events
    where kind = '{PILOT_FAILED}' and subject = $1 and event_number > (
        select max(event_number) from landing.events
        where kind in ('cycle_opened', 'cycle_resumed') and subject = $1
    )
    order by detail
"""
"""SQL: the pilots that the last try of a cycle could not build."""
QUESTIONS = ("FILE_NOT_DELIVERED", "FILE_NOT_ANNOUNCED", "REFERENCES_UNKNOWN")
"""Findings that ask something of a source, though no file of it waits.

The first begins with the feed of which no file is there, and is one of the manifest that says so;
the last asks of files that are complete alone, since what is new often comes before what it names.
"""
_ASKED = f"""
    with asked as (
        select
            files.source_id, files.delivery_name, files.file_name, files.exported_at,
            findings.finding_number, findings.job_id, findings.code, findings.detail,
            case findings.code
                when 'FILE_NOT_DELIVERED' then split_part(findings.detail, ': ', 1)
                else files.feed
            end as feed
        from landing.findings as findings
        inner join landing.files as files using (file_id)
        where findings.code in {QUESTIONS} and not files.{IS_REPLACED}
            and (findings.code <> 'REFERENCES_UNKNOWN' or files.mode = 'bulk')
    )
    select source_id, delivery_name, file_name, feed, code, detail
    from asked
    where job_id > ? and not exists (
        select 1 from ({USABLE_FILES}) as later
        where later.source_id = asked.source_id and later.feed = asked.feed
            and later.exported_at >= asked.exported_at
            and case asked.code
                when 'FILE_NOT_DELIVERED' then true
                when 'FILE_NOT_ANNOUNCED' then later.declared_mode in ('bulk', 'delta')
                else later.exported_at > asked.exported_at
            end
    )
    qualify row_number() over (
        partition by source_id, feed, code order by exported_at desc, finding_number desc
    ) = 1
    order by source_id, feed, code
"""
"""SQL: what is asked since a job, by source and feed, until a file of the feed answers it."""
_HELD = """
    select
        file_id, source_id, delivery_name, file_name, feed, verdict, code, detail,
        array(
            select newer.file_id from landing.files as newer
            where newer.source_id = held.source_id and newer.feed = held.feed
                and newer.exported_at > held.exported_at and newer.exported_at <= ?
                and newer.mode = 'bulk'
                and newer.verdict = 'accepted' and not newer.are_removals_held
                and held.mode = 'bulk'
        ) as newer_bulks
    from landing.files as held
    where (verdict = 'held' or are_removals_held)
        and not exists (
            select 1 from landing.decisions
            where decisions.file_id = held.file_id and decision <> 'reprocess'
        )
    order by landed_at desc, source_id, file_name
"""
"""SQL: what waits for a person, of a bulk with the newer ones that are taken."""
UNLINKED_FILES = """
    select * from landing.files
    where verdict = 'held' and code = 'STUDENTS_UNLINKED' and file_id not in (
        select file_id from landing.decisions where decision <> 'reprocess'
    )
    order by file_id
"""
"""SQL: files held because their students are nobody's, of which nobody has decided."""
POINTER_COLUMNS = ("file_id", "record_number", "line_number", "byte_offset")


def open_questions(
    connection: duckdb.DuckDBPyConnection, contracts: Contracts, since_job: int = 0
) -> list[dict[str, Any]]:
    """Return what is asked of sources and not answered: by a file, or by the contracts of today.

    A source answers with `ignore_files` what it never sends, with `default_mode` what files are.
    """

    def is_open(question: dict[str, Any]) -> bool:
        source = contracts.sources.get(question["source_id"])
        if source is None:
            return False
        if question["code"] == "FILE_NOT_ANNOUNCED":
            return not source.default_mode
        names = {feed.feed: feed.file_name for feed in contracts.feeds}
        return not is_clutter(names.get(question["feed"], ""), source.ignore_files)

    return [question for question in rows(connection, _ASKED, [since_job]) if is_open(question)]


def held_files(
    connection: duckdb.DuckDBPyConnection, contracts: Contracts, now: datetime
) -> list[dict[str, Any]]:
    """Return what waits for a person, but for bulks that newer ones have made pointless.

    They do when they list all that it lists, of a feed whose bulks are whole of what they list.

    Args:
        connection: the ledger.
        contracts: the feeds.
        now: the present, UTC; a bulk of the future has made nothing pointless yet.
    """
    parts = {
        feed.feed: (layout.raw_table, part[1])
        for feed in contracts.feeds
        for layout in contracts.versions(feed.feed)
        if layout.is_staged and (part := whole_by(feed, layout))
    }

    def is_pointless(held: dict[str, Any], newer: list[str]) -> bool:
        if not newer or held["feed"] not in parts:
            return bool(newer)
        raw_table, value = parts[held["feed"]]
        listed = f"select {value} from {raw_table} where file_id"
        unlisted = connection.execute(
            f"{listed} = ? except {listed} in (select unnest(?))", [held["file_id"], newer]
        )
        return unlisted.fetchone() is None

    waiting = rows(connection, _HELD, [now])
    return [held for held in waiting if not is_pointless(held, held.pop("newer_bulks"))]


def cutoff_ahead(connection: duckdb.DuckDBPyConnection, now: datetime) -> datetime | None:
    """Return the cut-off of the newest cycle where it lies far ahead of the present, UTC."""
    found = connection.execute(
        "select max(cutoff_at) from landing.cycles where status <> 'skipped' and cutoff_at > ?",
        [now + FAR],
    ).fetchone()
    return found[0] if found else None


def frozen_files(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Return the files that are new in the cycle that did not complete; none where there is none.

    One that somebody has decided to do without is not among them.
    """
    return rows(
        connection,
        "select file_id, source_id, delivery_name, file_name, feed, record_count "
        f"from ({USABLE_FILES}) where file_id in ({FROZEN_FILES}) "
        "order by source_id, delivery_name, file_name",
    )


def find_file(connection: duckdb.DuckDBPyConnection, name: str) -> dict[str, Any]:
    """Find the one file that a person names: by id, or by `source/delivery/file` or its end.

    Raises:
        UsageError: no file has that name, or several have; the message lists them.
    """
    found = rows(
        connection,
        "select * from landing.files where file_id = ? or "
        "'/' || source_id || '/' || delivery_name || '/' || file_name like '%/' || "
        "replace(replace(replace(?, '\\', '\\\\'), '%', '\\%'), '_', '\\_') escape '\\' "
        "order by landed_at desc, source_id, delivery_name, file_name",
        [name, name],
    )
    if not found:
        raise UsageError(
            f"No landed file is called '{name}'; name it as source/delivery/file or by its id, "
            "as `rollcall status` shows them."
        )
    if len(found) > 1:
        listed = ", ".join(
            f"{file['source_id']}/{file['delivery_name']}/{file['file_name']} ({file['file_id']})"
            for file in found[:5]
        )
        raise UsageError(f"{len(found)} files are called '{name}': {listed}; name one by its id.")
    return found[0]


def delivery_of(connection: duckdb.DuckDBPyConnection, file: dict[str, Any]) -> dict[str, Any]:
    """Return the delivery that brought a file, given the file's entry."""
    [delivery] = rows(
        connection,
        "select * from landing.deliveries where delivery_id = ?",
        [file["delivery_id"]],
    )
    return delivery
