"""Verify: has anybody changed the ledger or the archive since it was written?

The events are a chain: each carries the hash of the one before and of the ledger entries it speaks
of. A changed, removed or inserted event breaks the chain where it stands; a changed entry differs
from the newest event about it. Cutting off the newest events leaves a chain that is whole but
shorter, so its head is worth keeping elsewhere: `--head` says whether it is still there.

The tables themselves have fingerprints, to be compared with another data directory or another day.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from rollcall import databases
from rollcall.archived import DAMAGED, MISSING, flaw, read_archived
from rollcall.clock import iso
from rollcall.cycle.fingerprint import combined, fingerprints
from rollcall.cycle.replay import ReplayReport
from rollcall.errors import DamagedBytesError, ExitCode, UsageError
from rollcall.home import Home, archive_path
from rollcall.ledger import ledger
from rollcall.ledger.sql import rows


@dataclass(slots=True)
class VerifyReport:
    """What was checked, the head of the chain, and what is wrong with it, in sentences."""

    event_count: int = 0
    archived_count: int = 0
    head: str = ledger.GENESIS
    problems: list[str] = field(default_factory=list)
    fingerprint: str | None = None
    fingerprints: dict[str, str] = field(default_factory=dict)
    differing_tables: list[str] = field(default_factory=list)
    replay: ReplayReport | None = None

    @property
    def exit_code(self) -> ExitCode:
        """The code a scheduler sees."""
        if self.differing_tables or (self.replay and self.replay.differing_tables):
            return ExitCode.NOT_PUBLISHED
        return ExitCode.ATTENTION if self.problems else ExitCode.DONE


def verify(
    home: Home,
    head: str | None = None,
    against: Path | None = None,
    progress: Callable[[int, int, str], None] = lambda *_: None,
) -> VerifyReport:
    """Check chain, entries and archive, and take fingerprints; nothing is changed.

    Args:
        home: the data directory.
        head: the hash of an event noted earlier, which must still be in the chain.
        against: another data directory, or a report as `--json` printed it, to compare with.
        progress: receives (archived files or tables done, in all, name of the last one).

    Raises:
        UsageError: there is no ledger in this data directory, or nothing to compare with.
    """
    report = VerifyReport()
    hashes = _by_name(home)
    try:
        with home.landing(read_only=True, of_any_version=True) as connection:
            report.head, report.event_count, problems = check_ledger(connection, head)
            report.problems += problems
            hashes = [*archived_files(connection), *_archived_seeds(home, connection)]
            if why := databases.pair_flaw(home, connection):
                report.problems.append(why)
    except duckdb.Error:
        report.problems += _damages(home)
    for place, (sha256, what) in enumerate(hashes, 1):
        report.problems += _check_archived(home, sha256, what)
        report.archived_count += 1
        progress(place, len(hashes), what)
    if home.warehouse_db.exists():
        try:
            report.fingerprints = _fingerprints(home, progress)
            report.fingerprint = combined(report.fingerprints)
        except duckdb.Error:
            report.problems += [p for p in _damages(home) if p not in report.problems]
    if against:
        beside = replace(home, path=against)
        other = _fingerprints(beside, progress) if against.is_dir() else _saved(against)
        names = sorted(report.fingerprints.keys() | other.keys())
        report.differing_tables = [
            name for name in names if report.fingerprints.get(name) != other.get(name)
        ]
    return report


def _damages(home: Home) -> list[str]:
    """Say which databases are damaged, while an error of one is handled; any other is raised."""
    found = databases.damages(home)
    if not found:
        raise
    return found


def _by_name(home: Home) -> list[tuple[str, str]]:
    """List what is in the archive by its names, which say what the bytes must be."""
    return [(path.name, path.name) for path in sorted(home.archive.glob("??/*"))]


def check_ledger(
    connection: duckdb.DuckDBPyConnection, head: str | None = None
) -> tuple[str, int, list[str]]:
    """Check chain and entries; returns the head, how many events there are, and what is wrong."""
    report = VerifyReport()
    report.problems += _check_chain(connection, report, head)
    report.problems += _check_entries(connection)
    return report.head, report.event_count, report.problems


def _fingerprints(home: Home, progress: Callable[[int, int, str], None]) -> dict[str, str]:
    with home.published() as connection:
        return fingerprints(connection, progress=progress)


def _saved(path: Path) -> dict[str, str]:
    """Read the fingerprints of a saved report."""
    try:
        found: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))["fingerprints"]
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(
            f"{path} is neither a data directory nor a report saved with `rollcall verify --json`."
        ) from error
    return found


def _check_chain(
    connection: duckdb.DuckDBPyConnection, report: VerifyReport, head: str | None
) -> Iterator[str]:
    """Follow the events; after a break go on from what is written, so that every break shows."""
    events = rows(connection, "select * from landing.events order by event_number")
    previous, expected = ledger.GENESIS, 1
    is_head_there = head in (None, ledger.GENESIS)
    for event in events:
        number = event["event_number"]
        if number > expected:
            yield f"Events {expected} to {number - 1} have been removed."
        elif event["previous_sha256"] != previous:
            yield f"Event {number} does not follow the one before it: one was changed or inserted."
        fields = [
            str(number),
            str(event["job_id"]),
            iso(event["happened_at"]),
            *(event[name] for name in ("kind", "subject", "detail", "entries_sha256")),
        ]
        if ledger.event_hash(event["previous_sha256"], fields) != event["sha256"]:
            yield f"Event {number} ({event['kind']} {event['subject']}) has been changed."
        previous, expected = event["sha256"], number + 1
        is_head_there = is_head_there or head == previous
    report.event_count, report.head = len(events), previous
    if not is_head_there:
        yield (
            f"The chain does not hold the head {head}: the events after some moment were cut off "
            "or written anew."
        )


def _check_entries(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Compare the entries with what the newest event about each says of them."""
    noted = {
        (about, subject): (number, sha256)
        for about, subject, number, sha256 in connection.execute(
            "select split_part(kind, '_', 1), subject, max(event_number), "
            "max_by(entries_sha256, event_number) from landing.events group by all"
        ).fetchall()
    }
    for about in ledger.SUBJECTS:
        present = ledger.digests(connection, about)
        for subject in sorted(present.keys() | {s for kind, s in noted if kind == about}):
            number, sha256 = noted.get((about, subject), (None, ""))
            if number is None:
                yield f"The ledger holds a {about} '{subject}' of which no event tells: inserted."
            elif subject not in present and sha256:
                yield f"The entry of {about} '{subject}' (event {number}) has been removed."
            elif present.get(subject, "") != sha256:
                yield f"The entry of {about} '{subject}' (event {number}) has been changed."


def archived_files(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, str]]:
    """Yield the hash of everything that the archive must hold, and what it is."""
    yield from connection.execute(
        "select archive_sha256 as sha256, min(source_id || '/' || delivery_name) as what "
        "from landing.deliveries where archive_sha256 is not null group by all union "
        "select files.sha256, min(files.source_id || '/' || files.delivery_name || '/' || "
        "file_name) from landing.files inner join landing.deliveries using (delivery_id) "
        "where archive_sha256 is null and container in ('csv', 'folder') "
        "and deliveries.verdict = 'accepted' group by all union "
        "select seeds_sha256, 'seeds of cycle ' || min(cycle_id) from landing.cycles group by all "
        "order by what"
    ).fetchall()


def _archived_seeds(home: Home, connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """List the seeds of every cycle, as their archived listings name them; each version once."""
    found: dict[str, str] = {}
    for (listing,) in connection.execute(
        "select distinct seeds_sha256 from landing.cycles order by all"
    ).fetchall():
        with suppress(DamagedBytesError):  # it is in the list of its own accord
            for line in read_archived(home, listing, "the listing").decode().splitlines():
                sha256, _, name = line.partition(" ")
                found.setdefault(sha256, name)
    return sorted(found.items())


def _check_archived(home: Home, sha256: str, what: str) -> Iterator[str]:
    path = archive_path(home.archive, sha256)
    found = flaw(path, sha256)
    if found == MISSING:
        yield f"The archive no longer holds {what} ({sha256})."
    elif found == DAMAGED:
        yield f"The archived bytes of {what} have been changed ({path})."
    elif found:
        yield f"The archived bytes of {what} {found} ({path})."
