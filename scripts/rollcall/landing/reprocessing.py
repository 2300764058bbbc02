"""Reprocessing: one file judged again, from the archive, by the contracts of today."""

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import duckdb

from rollcall.contracts.project import Contracts
from rollcall.contracts.sources import MANIFEST
from rollcall.databases import attach_last_good
from rollcall.errors import UsageError
from rollcall.home import Home
from rollcall.landing import raw
from rollcall.landing.container import Member, Rejection, reopen
from rollcall.landing.delivery import earlier_files
from rollcall.landing.file import land_file, reject_file
from rollcall.landing.job import Context, Delivery, FileReport, note
from rollcall.landing.verdicts import TERMS, Effect, Judgement, judge_members, read_manifest
from rollcall.ledger import ledger
from rollcall.ledger.decisions import file_path, who
from rollcall.ledger.entries import IS_REPLACED, delivery_of, find_file
from rollcall.ledger.sql import rows
from rollcall.ledger.stages import is_frozen


@dataclass(frozen=True, slots=True)
class Reprocessed:
    """What became of a file that was judged again, and of those judged again with it."""

    file: FileReport
    beside: tuple[FileReport, ...] = ()

    @property
    def needs_attention(self) -> bool:
        """Whether a person should look."""
        return any(file.needs_attention for file in (self.file, *self.beside))

    def as_json(self) -> dict[str, Any]:
        """Return the file's report, and those of the others as `files_beside`."""
        return asdict(self.file) | {"files_beside": [asdict(file) for file in self.beside]}


def reprocess(home: Home, contracts: Contracts, name: str, at: datetime) -> Reprocessed:
    """Judge a file again: its bytes from the archive, by the contracts of today.

    A file keeps its id and its records their numbers, so what was reported of them before can be
    compared. A file that cycles have used makes the next one rebuild every table. With a manifest,
    the files that it speaks of are judged again: it says which of them are complete.

    Raises:
        UsageError: the file is not found, was rejected with its whole delivery, another file has
            the same feed and export time, or outcomes rest on it and its source is live no longer.
        DamagedBytesError: the archive does not hold the bytes.
    """
    with home.landing() as connection:
        ledger.prepare(connection, contracts)
        file = find_file(connection, name)
        delivery = delivery_of(connection, file)
        if delivery["verdict"] == "rejected":
            raise UsageError(
                f"{file_path(file)} was rejected with its whole delivery ({file['code']}); "
                "`rollcall land` tries the delivery again; where it lacked an export time, give it "
                "with --exported-at and --delivery, where another has its time, with --supersede."
            )
        source = contracts.sources.get(file["source_id"])
        if source is None:
            raise UsageError(
                f"The source '{file['source_id']}' is no longer declared in sources.csv."
            )
        # Within a transaction it could not be tried again.
        if flaw := attach_last_good(home, connection):
            raise UsageError(flaw)
        try:
            with ledger.transaction(connection):
                context = Context(connection, contracts, home, ledger.next_job(connection), at)
                members = _members(context, delivery)
                landed = Delivery(
                    delivery["delivery_id"],
                    delivery["delivery_name"],
                    delivery["container"],
                    source,
                    delivery["exported_at"],
                    delivery["landed_at"],
                    members,
                )
                report = judge_again(context, landed, file, who())
                is_manifest = report.feed == MANIFEST and report.verdict == "accepted"
                others = _files_beside(connection, file) if is_manifest else []
                beside = tuple(judge_again(context, landed, other, who()) for other in others)
                note(context, "job_reprocessed", str(context.job_id), report.verdict)
                return Reprocessed(report, beside)
        finally:
            home.empty_spool()


def judge_again(
    context: Context, delivery: Delivery, file: dict[str, Any], decided_by: str
) -> FileReport:
    """Give one file of a landed delivery a new verdict, by the contracts of today.

    Args:
        context: the landing; its connection is in a transaction.
        delivery: the delivery, with its members from the archive.
        file: the entry of the file in the ledger.
        decided_by: who asked for it.

    Raises:
        UsageError: another file has the same feed and export time, or outcomes rest on the file as
            it is, because its source was demoted or retired.
    """
    if is_frozen(context.connection, file["file_id"], file["source_id"]):
        raise UsageError(
            f"{file_path(file)} stays as it is: {file['source_id']} is live no longer, and what "
            "live tables have of it is frozen with this file. It can be judged again when the "
            "source is live."
        )
    ledger.decide(
        context.connection,
        job_id=context.job_id,
        file_id=file["file_id"],
        decision="reprocess",
        reason=f"judged again; it was {file['verdict']}"
        + (f" ({file['code']})" * bool(file["code"])),
        decided_by=decided_by,
        at=context.at,
    )
    context.connection.execute(
        "insert into landing.replaced_files by name from landing.files where file_id = ?",
        [file["file_id"]],
    )
    raw.remove(context.connection, file["file_id"], file["raw_table"])
    judged = judge_members(context.contracts, delivery.source, delivery.container, delivery.members)
    [(member, outcome)] = [pair for pair in judged if pair[0].name == file["file_name"]]
    only = replace(delivery, members=(member,))
    for earlier in earlier_files(context, only):
        raise UsageError(
            f"'{earlier.delivery_name}' has brought {earlier.feed} for this export time since; "
            "land the delivery with --supersede to replace it."
        )
    if isinstance(outcome, Rejection):
        return reject_file(context, delivery, member, outcome)
    wrong_year = _wrong_year(context, delivery)
    report, _ = land_file(context, delivery, outcome, read_manifest(judged), wrong_year)
    return report


def _files_beside(
    connection: duckdb.DuckDBPyConnection, manifest: dict[str, Any]
) -> list[dict[str, Any]]:
    """Return the other files of a delivery but those that another delivery has replaced."""
    return rows(
        connection,
        "select * from landing.files where delivery_id = ? and file_id <> ? "
        f"and not ({IS_REPLACED}) order by file_id",
        [manifest["delivery_id"], manifest["file_id"]],
    )


def _members(context: Context, delivery: dict[str, Any]) -> tuple[Member, ...]:
    files = context.connection.execute(
        "select file_name, sha256, byte_count from landing.files where delivery_id = ? "
        "order by file_name",
        [delivery["delivery_id"]],
    ).fetchall()
    source = context.contracts.sources[delivery["source_id"]]
    return reopen(delivery, files, context.home, source.limits)


def _wrong_year(context: Context, delivery: Delivery) -> Judgement | None:
    """Return what was reported of the school year of the delivery's file of terms."""
    found = context.connection.execute(
        "select findings.code, findings.detail from landing.findings "
        "inner join landing.files using (file_id) "
        "where delivery_id = ? and feed = ? and findings.code = 'SCHOOL_YEAR_MISMATCH' "
        "order by finding_number desc limit 1",
        [delivery.delivery_id, TERMS],
    ).fetchone()
    return Judgement(found[0], found[1], Effect.HOLD) if found else None
