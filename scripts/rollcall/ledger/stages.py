"""The stage of each source: draft, pilot, live or retired, and what persons decide of it.

`sources.csv` says in which stage a source begins; the first cycle that knows the source records
that, and from then on decisions alone change it. A decision is a new entry of the ledger; the next
cycle acts on it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import duckdb

from rollcall.contracts.project import Contracts
from rollcall.errors import UsageError
from rollcall.home import Home
from rollcall.ledger import ledger
from rollcall.ledger.decisions import who

DRAFT, PILOT, LIVE, RETIRED = "draft", "pilot", "live", "retired"
EXPECTING = (PILOT, LIVE)
"""Stages in which exports are due."""
_RESULTS = {"promote": LIVE, "demote": PILOT, "retire": RETIRED}
_DECLARE = "declare"
_DECIDED = """
    select
        source_id, stage,
        coalesce(cycle_id, if(decision = 'declare', 0, null)) as cycle_id, stage_decision_id
    from landing.stage_decisions
    left join landing.cycle_stage_decisions using (stage_decision_id)
"""


@dataclass(frozen=True, slots=True)
class StageReport:
    """What was decided of a source, its stage until now and from the next cycle on, the effect."""

    source_id: str
    decision: str
    stage_before: str
    stage: str
    effect: str


@dataclass(frozen=True, slots=True)
class Stages:
    """The stages by which a cycle is built: of every source, which live has ever seen, with files.

    `with_files` are the sources of which any file has landed, whatever its verdict.
    """

    stage: Mapping[str, str]
    seen_by_live: frozenset[str]
    with_files: frozenset[str]

    @property
    def pilots(self) -> list[str]:
        """The sources that build alone, in order; what has sent nothing has nothing to build."""
        return sorted(name for name in self.with_files if self.stage.get(name) == PILOT)

    def live_families(self, contracts: Contracts) -> tuple[str, ...]:
        """The families of files that live tables are made of."""
        return _families(contracts, self.seen_by_live)


def pilot_families(contracts: Contracts, source_id: str) -> tuple[str, ...]:
    """The families of files that a pilot is made of."""
    return _families(contracts, {source_id})


def schema_of(source_id: str) -> str:
    """Name the schema of a pilot: `pilot_map`.

    Letters, digits and nothing else stand for themselves, whatever their case, which DuckDB does
    not tell either; an underscore is doubled, any other character is its number between two. So no
    two sources share a schema.
    """

    def written(character: str) -> str:
        if character == "_":
            return "__"
        is_plain = character.isascii() and character.isalnum()
        return character if is_plain else f"_{ord(character):x}_"

    return "pilot_" + "".join(map(written, source_id.lower()))


def _families(contracts: Contracts, source_ids: frozenset[str] | set[str]) -> tuple[str, ...]:
    chosen = (contracts.sources[name] for name in source_ids if name in contracts.sources)
    return tuple(sorted({family for source in chosen for family in source.families}))


def declare(
    connection: duckdb.DuckDBPyConnection, contracts: Contracts, job_id: int, at: datetime
) -> None:
    """Record of each source that is new in `sources.csv` the stage in which it begins."""
    known = {
        name
        for (name,) in connection.execute(
            "select source_id from landing.stage_decisions where decision = ?", [_DECLARE]
        ).fetchall()
    }
    for source in contracts.sources.values():
        if source.source_id not in known:
            ledger.decide_stage(
                connection,
                job_id=job_id,
                source_id=source.source_id,
                decision=_DECLARE,
                stage=source.stage,
                reason="sources.csv",
                decided_by="rollcall",
                at=at,
            )


def acted_on(connection: duckdb.DuckDBPyConnection, contracts: Contracts) -> Stages:
    """Return the stages as the cycles so far have acted on decisions, the open one included."""
    decided = connection.execute(
        "select source_id, max_by(stage, stage_decision_id), bool_or(stage = 'live') "
        f"from ({_DECIDED}) where cycle_id is not null group by source_id"
    ).fetchall()
    stage = {name: source.stage for name, source in contracts.sources.items()}
    was_live = {name for name, initial in stage.items() if initial == LIVE}
    for name, newest, has_been_live in decided:
        if name in stage:
            stage[name] = newest
            (was_live.add if has_been_live else was_live.discard)(name)
    with_files = connection.execute("select distinct source_id from landing.files").fetchall()
    return Stages(stage, frozenset(was_live), frozenset(name for (name,) in with_files))


def decided(connection: duckdb.DuckDBPyConnection, contracts: Contracts) -> dict[str, str]:
    """Return source to stage as it was decided last: what the next cycle goes by."""
    found = dict(
        connection.execute(
            "select source_id, max_by(stage, stage_decision_id) "
            "from landing.stage_decisions group by source_id"
        ).fetchall()
    )
    return {name: found.get(name, source.stage) for name, source in contracts.sources.items()}


def check_pilots(connection: duckdb.DuckDBPyConnection | None, contracts: Contracts) -> None:
    """Check that pilots stage no column that nothing needs.

    A source that was live once keeps what it stages: a demotion waits for nobody.

    Args:
        connection: the ledger in use; None where there is none yet, and `sources.csv` says the
            stages.
        contracts: the contracts of the project.

    Raises:
        ContractError: a pilot stages one; names the line of the layout.
    """
    for source_id in _tried_out(connection, contracts):
        contracts.check_taken_by(source_id)


def _tried_out(connection: duckdb.DuckDBPyConnection | None, contracts: Contracts) -> list[str]:
    """Return the pilots that have never been live, in order."""
    if connection is None:
        stage = {name: source.stage for name, source in contracts.sources.items()}
        return sorted(name for name, is_now in stage.items() if is_now == PILOT)
    was_live = connection.execute(
        "select distinct source_id from landing.stage_decisions where stage = 'live'"
    ).fetchall()
    return sorted(
        name
        for name, is_now in decided(connection, contracts).items()
        if is_now == PILOT and (name,) not in was_live
    )


def is_frozen(connection: duckdb.DuckDBPyConnection, file_id: str, source_id: str) -> bool:
    """Say whether live tables keep a file of a source that is live no longer, as it was."""
    newest = connection.execute(
        "select max_by(stage, stage_decision_id), "
        "max(stage_decision_id) filter (where stage = 'live') "
        "from landing.stage_decisions where source_id = ?",
        [source_id],
    ).fetchone()
    stage, last_live = newest or (None, None)
    if stage == LIVE or last_live is None:
        return False
    found = connection.execute(
        "select 1 from landing.cycle_files where file_id = ? and coalesce(cycle_id < ("
        "select min(cycle_id) from landing.cycle_stage_decisions "
        "inner join landing.stage_decisions using (stage_decision_id) "
        "where source_id = ? and stage_decision_id > ?), true)",
        [file_id, source_id, last_live],
    ).fetchone()
    return found is not None


def decide(
    home: Home, contracts: Contracts, source_id: str, decision: str, reason: str, at: datetime
) -> StageReport:
    """Promote, demote or retire a source from the next cycle on.

    Args:
        home: the data directory, locked by the caller.
        contracts: the contracts of the project.
        source_id: the source.
        decision: `promote` (a draft becomes a pilot, a pilot live, a retired source a pilot),
            `demote` or `retire`.
        reason: why; it is kept with the decision.
        at: the present, UTC.

    Raises:
        UsageError: there is no such source, no reason, or the source cannot go there from its
            stage.
        ContractError: it would be a pilot that stages what nothing needs.
    """
    if not reason.strip():
        raise UsageError("A decision needs a reason; say why with --reason.")
    contracts.source(source_id)
    with home.landing() as connection:
        ledger.prepare(connection, contracts)
        before = decided(connection, contracts)[source_id]
        stage = _stage_after(source_id, before, decision)
        with ledger.transaction(connection):
            job_id = ledger.next_job(connection)
            declare(connection, contracts, job_id, at)
            ledger.decide_stage(
                connection,
                job_id=job_id,
                source_id=source_id,
                decision=decision,
                stage=stage,
                reason=reason.strip(),
                decided_by=who(),
                at=at,
            )
            if source_id in _tried_out(connection, contracts):
                contracts.check_taken_by(source_id)
    return StageReport(source_id, decision, before, stage, _EFFECTS[decision, stage])


_EFFECTS = {
    ("promote", PILOT): "From the next cycle on it builds alone; live tables do not see it.",
    ("promote", LIVE): "The next cycle lets live tables see all of its files.",
    ("demote", PILOT): (
        "Live tables keep what they have of it until now, and say that it rests on a source that "
        "was demoted; what comes later is seen by the pilot alone."
    ),
    ("retire", RETIRED): (
        "What live tables have of it stays; no export is due any more, and later files are kept "
        "raw."
    ),
}


def _stage_after(source_id: str, before: str, decision: str) -> str:
    """Return the stage to which a decision leads; only live sources are demoted.

    Raises:
        UsageError: it leads nowhere.
    """
    stage = PILOT if decision == "promote" and before in (DRAFT, RETIRED) else _RESULTS[decision]
    if stage == before or (decision == "demote" and before != LIVE):
        raise UsageError(f"{source_id} cannot be {decision}d: it is {_said(before)}.")
    return stage


def _said(stage: str) -> str:
    return f"a {stage}" if stage in (DRAFT, PILOT) else stage
