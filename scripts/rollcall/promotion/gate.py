"""The gate before a pilot is live: criteria, each with the query that says whether it holds.

A check asks the last good warehouse, as anybody can, and the ledger for what persons have said. It
is kept, and changes nothing else.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from string import Template
from typing import Literal, NamedTuple

import duckdb

from rollcall.clock import iso
from rollcall.contracts.project import Contracts
from rollcall.contracts.sources import Source
from rollcall.databases import need_last_good
from rollcall.errors import UsageError
from rollcall.home import Home
from rollcall.ledger import ledger, stages
from rollcall.ledger.decisions import who
from rollcall.ledger.sql import literal
from rollcall.mapping.approvals import approvals_of, read_reviews, with_reviews
from rollcall.mapping.fields import read_mapping
from rollcall.mapping.words import Words
from rollcall.sanitize import plain

Comparison = Literal["at_least", "at_most"]
_QUERIES = Path(__file__).parent / "queries"
_LONGEST_NAME = 100


class Criterion(NamedTuple):
    """What must hold: its name, which is that of its query, and its limit for a source.

    Without `needs`, a table of the pilot, there is nothing to judge, as where a vendor names
    students by the roster's own ids and says nothing else of them.
    """

    name: str
    comparison: Comparison
    limit: Callable[[Source], float]
    needs: str = "built_in_cycle"


CRITERIA = (
    Criterion("cycles_behind", "at_most", lambda _: 0),
    Criterion("boundaries_on_time", "at_least", lambda of: of.limits.min_boundaries_on_time),
    Criterion("unknown_layouts", "at_most", lambda _: 0),
    Criterion("rejected_percent", "at_most", lambda of: of.limits.max_rejected_percent),
    Criterion("unlinked_percent", "at_most", lambda of: of.limits.max_unlinked_percent),
    Criterion("unexplained_differences", "at_most", lambda _: 0),
    Criterion("columns_not_approved", "at_most", lambda _: 0),
    Criterion("contests_not_ruled", "at_most", lambda _: 0, needs="recon_contest"),
    Criterion("latency_p95_hours", "at_most", lambda of: of.latency_target_hours),
    Criterion("effect_seen_by", "at_least", lambda _: 1),
)
"""In the order in which they are shown; `docs/pilot.md` says what each means."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a criterion came to: its value, None where nothing can be judged, which never passes.

    `query` is what the last good warehouse was asked; `detail` what persons have said.
    """

    criterion: str
    value: float | None
    comparison: Comparison
    limit_value: float
    has_passed: bool
    detail: str | None
    query: str


@dataclass(frozen=True, slots=True)
class PromotionCheck:
    """What a check of a pilot came to, criterion by criterion."""

    source_id: str
    checked_at: datetime
    criteria: tuple[Checked, ...]

    @property
    def failed(self) -> list[Checked]:
        """The criteria that do not hold."""
        return [checked for checked in self.criteria if not checked.has_passed]


@dataclass(frozen=True, slots=True)
class SeenEffect:
    """Who has seen what a pilot would change, and the hash of that."""

    source_id: str
    seen_by: str
    effect_sha256: str


def check(home: Home, contracts: Contracts, source_id: str, at: datetime) -> PromotionCheck:
    """Judge by each criterion whether a pilot may be live, and keep what was found.

    Args:
        home: the data directory, locked by the caller.
        contracts: the contracts of the project.
        source_id: the pilot.
        at: the present, UTC.

    Raises:
        UsageError: there is no such source, it is no pilot, or no cycle has built it.
    """
    source = contracts.source(source_id)
    with home.landing() as connection:
        ledger.prepare(connection, contracts)
        gate = _Gate(home, contracts, connection, source)
        found = PromotionCheck(source_id, at, gate.judge())
        with ledger.transaction(connection):
            job_id = ledger.next_job(connection)
            for checked in found.criteria:
                entry = {"job_id": job_id, "source_id": source_id} | asdict(checked)
                made = {"checked_by": who(), "checked_at": at}
                ledger.put(connection, "promotion_checks", entry | made)
            _note(connection, job_id, "promotion_checked", source_id, at)
    return found


def see_effect(
    home: Home, contracts: Contracts, source_id: str, seen_by: str, at: datetime
) -> SeenEffect:
    """Record that a person has seen what a pilot would change, as the last good cycle has it.

    Args:
        home: the data directory, locked by the caller.
        contracts: the contracts of the project.
        source_id: the pilot.
        seen_by: the name of the person.
        at: the present, UTC.

    Raises:
        UsageError: there is no such source, it is no pilot, no cycle has built it, or the name is
            none.
    """
    name = " ".join(plain(seen_by).split())
    if not name or len(name) > _LONGEST_NAME:
        raise UsageError(f"Name who has seen it, with up to {_LONGEST_NAME} characters.")
    source = contracts.source(source_id)
    with home.landing() as connection:
        ledger.prepare(connection, contracts)
        gate = _Gate(home, contracts, connection, source)
        seen = SeenEffect(source_id, name, gate.effect())
        with ledger.transaction(connection):
            job_id = ledger.next_job(connection)
            entry = {"job_id": job_id, "recorded_by": who(), "recorded_at": at} | asdict(seen)
            ledger.put(connection, "seen_effects", entry)
            _note(connection, job_id, "promotion_effect_seen", source_id, at)
    return seen


def promote(
    home: Home, contracts: Contracts, source_id: str, reason: str, at: datetime
) -> stages.StageReport:
    """Promote a source; a pilot only where every criterion holds.

    Args:
        home: the data directory, locked by the caller.
        contracts: the contracts of the project.
        source_id: the source.
        reason: why; it is kept with the decision.
        at: the present, UTC.

    Raises:
        UsageError: a criterion fails, or the source cannot be promoted; the message says why.
    """
    source = contracts.source(source_id)
    with home.landing() as connection:
        ledger.prepare(connection, contracts)
        stage = stages.decided(connection, contracts)[source.source_id]
    is_judged = stage == stages.PILOT and bool(reason.strip())
    if is_judged and (failed := check(home, contracts, source_id, at).failed):
        raise UsageError(
            f"{source_id} cannot be promoted: {'; '.join(map(said, failed))}. "
            f"`rollcall promote {source_id} --check` shows the query behind each."
        )
    return stages.decide(home, contracts, source_id, "promote", reason, at)


def said(checked: Checked) -> str:
    """Say in words what a criterion came to and what it has to be."""
    value = "nothing to judge" if checked.value is None else f"{checked.value:.6g}"
    return (
        f"{checked.criterion} is {value} and must be {checked.comparison.replace('_', ' ')} "
        f"{checked.limit_value:g}"
    )


def _note(
    connection: duckdb.DuckDBPyConnection, job_id: int, kind: str, source_id: str, at: datetime
) -> None:
    ledger.note(connection, job_id=job_id, at=at, kind=kind, subject=str(job_id), detail=source_id)


class _Gate:
    """The gate of one pilot: its queries, as they are asked of the last good warehouse.

    Raises:
        UsageError: it is no pilot, or no cycle has built it.
    """

    def __init__(
        self,
        home: Home,
        contracts: Contracts,
        connection: duckdb.DuckDBPyConnection,
        source: Source,
    ) -> None:
        self._home, self._contracts, self._source = home, contracts, source
        self._connection = connection
        self._schema = stages.schema_of(source.source_id)
        stage = stages.decided(connection, contracts)[source.source_id]
        if stage != stages.PILOT:
            raise UsageError(f"{source.source_id} is no pilot: its stage is {stage}.")
        need_last_good(home, connection)
        self._tables = {
            name
            for (name,) in connection.execute(
                "select table_name from duckdb_tables() "
                "where database_name = 'good' and schema_name = ?",
                [self._schema],
            ).fetchall()
        }
        if "built_in_cycle" not in self._tables:
            raise UsageError(
                f"No cycle has built {source.source_id} as a pilot yet; run `rollcall cycle`."
            )

    def judge(self) -> tuple[Checked, ...]:
        """Judge by every criterion that there is something to judge by."""
        return tuple(
            self._judge(criterion) for criterion in CRITERIA if criterion.needs in self._tables
        )

    def effect(self) -> str:
        """Return the hash of what the pilot would change."""
        return str(self._ask(self._query("effect_seen_by")))

    def _judge(self, criterion: Criterion) -> Checked:
        limit = criterion.limit(self._source)
        value: float | None
        detail: str | None = None
        if criterion.name == "columns_not_approved":
            value, detail, query = self._approvals()
        elif criterion.name == "effect_seen_by":
            value, detail, query = self._seen()
        else:
            query = self._query(criterion.name)
            value = self._ask(query)
        is_at_least = criterion.comparison == "at_least"
        has_passed = value is not None and (value >= limit if is_at_least else value <= limit)
        return Checked(
            criterion.name,
            None if value is None else float(value),
            criterion.comparison,
            float(limit),
            has_passed,
            detail,
            query,
        )

    def _query(self, name: str, layouts: str = "") -> str:
        text = (_QUERIES / f"{name}.sql").read_text(encoding="utf-8")
        since = f"timestamp {literal(self._since())}"
        values = {"pilot": self._schema, "since": since, "layouts": layouts}
        return Template(text).substitute(values).strip()

    def _since(self) -> str:
        """Return since when the source is a pilot, as SQL has it; ever, where it began as one."""
        newest = self._connection.execute(
            "select decision, decided_at from landing.stage_decisions where source_id = ? "
            "order by stage_decision_id desc limit 1",
            [self._source.source_id],
        ).fetchone()
        if newest is None or newest[0] == "declare":
            return "-infinity"
        return iso(newest[1]).removesuffix("Z")

    def _ask(self, query: str) -> float | None:
        with self._home.published() as warehouse:
            [row] = warehouse.execute(query).fetchall()
        return row[0]  # type: ignore[no-any-return]

    def _approvals(self) -> tuple[float, str, str]:
        source_id = self._source.source_id
        mapping = read_mapping(
            self._contracts, Words(self._home.project), source_id, self._connection
        )
        reviewed = with_reviews(mapping, read_reviews(self._connection, source_id))
        found = approvals_of(source_id, reviewed)
        used = sorted({f"{column.feed} {column.layout_version}" for column in mapping.fields})
        return (
            len(found.missing),
            f"{found.approved_count} of {found.needed_count} columns are approved as they are now.",
            self._query("columns_not_approved", f"[{', '.join(map(literal, used))}]"),
        )

    def _seen(self) -> tuple[float, str, str]:
        names = [
            name
            for (name,) in self._connection.execute(
                "select distinct seen_by from landing.seen_effects "
                "where source_id = ? and effect_sha256 = ? order by seen_by",
                [self._source.source_id, self.effect()],
            ).fetchall()
        ]
        detail = f"Seen as it is now by {', '.join(names) or 'nobody'}."
        return len(names), detail, self._query("effect_seen_by")
