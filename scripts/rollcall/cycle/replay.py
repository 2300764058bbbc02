"""Replay: every cycle again, in an empty data directory, from the archive and the ledger alone.

The ledger says what was decided: verdicts, decisions, cut-offs and the seeds of each cycle are
taken from it as they stood when the cycle ended, never taken anew. The archive says what was
delivered: raw rows are framed again from its bytes. The same code then gives the same tables, the
history included; other code shows what it changes.

A cycle costs one run of dbt, because history is taken cycle by cycle; tests are left out, since
every table is compared with the one that was tested.
"""

import json
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pyarrow as pa

from rollcall.archived import read_archived
from rollcall.contracts.layouts import fit_by
from rollcall.contracts.project import Contracts
from rollcall.contracts.sources import Source
from rollcall.csvfile.opening import open_records
from rollcall.cycle import fingerprint, warehouse
from rollcall.cycle.built_from import code_version
from rollcall.cycle.cycle import Progress, what_changed
from rollcall.cycle.pilots import PilotBuilder, give_up
from rollcall.errors import RollcallError, UsageError
from rollcall.home import Home
from rollcall.landing import raw
from rollcall.landing.container import Member, reopen
from rollcall.landing.verdicts import Readable
from rollcall.ledger import ledger, stages
from rollcall.ledger.entries import FAILED_PILOTS, OF_A_CYCLE, delivery_of
from rollcall.ledger.sql import rows
from rollcall.ledger.stages import Stages

_BY_JOB = (
    *("deliveries", "decisions", "student_links", "stage_decisions", "mapping_reviews"),
    *("promotion_checks", "seen_effects", "findings"),
)
_MADE_AGAIN = ("landing.malformed_records", "landing.structural_records")
_FRAMINGS = "*framings.csv"
"""The seeds that speak of layouts: those of today know some that a cycle did not have."""
_ORDER = ("raw_", "landing", "source_contracts", "rules", "reference", "staging", "transform")
_RAW_KEY = ("file_id", "record_number")


@dataclass(frozen=True, slots=True)
class Difference:
    """A table that the replay made otherwise: rows only recorded, rows only replayed.

    `example` names one such row by those columns of its key that are not personal.
    """

    table: str
    recorded_count: int
    replayed_count: int
    example: str


@dataclass(slots=True)
class ReplayReport:
    """What was rebuilt and compared.

    `other_code_cycles` lists the cycles that other code built than this; `differing_tables` all
    tables that differ, the earliest on the way of the data first, and `first` tells about it.
    """

    cycle_count: int = 0
    table_count: int = 0
    other_code_cycles: list[int] = field(default_factory=list)
    differing_tables: list[str] = field(default_factory=list)
    first: Difference | None = None


@dataclass(frozen=True, slots=True)
class _Cycle:
    """A completed cycle, and the event and job that completed it."""

    cycle_id: int
    code_version: str
    seeds_sha256: str
    event_number: int
    job_id: int


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """Which cycle the warehouse is of that was built again, from how many cycles.

    `other_code_cycles` lists those that other code had built.
    """

    cycle_id: int
    cycle_count: int
    other_code_cycles: list[int]


def replay(home: Home, progress: Progress) -> ReplayReport:
    """Rebuild every completed cycle beside the data directory and compare every table.

    Args:
        home: the data directory; it is held only while its databases are copied.
        progress: receives which cycle is rebuilt, and how far it is.

    Raises:
        UsageError: no cycle has been completed yet.
        DamagedBytesError: the archive does not hold what a cycle was built from.
        RollcallError: dbt failed.
    """
    with _beside(home) as recorded:
        with home.lock():
            _copy_ledger(home, recorded)
            if not home.warehouse_db.exists():
                raise home.has_no_warehouse()
            shutil.copyfile(home.warehouse_db, recorded.warehouse_db)
        report, _ = _rebuild(home, recorded, progress)
        return _compare(recorded, home.replaying, report)


def restore(home: Home, progress: Progress) -> RestoreReport:
    """Rebuild every completed cycle, and put the last one in place of the last good warehouse.

    Args:
        home: the data directory; it is held all the time. A warehouse that is there stays until the
            new one is complete.
        progress: receives which cycle is rebuilt, and how far it is.

    Raises:
        UsageError: no cycle has been completed yet.
        DamagedBytesError: the archive does not hold what a cycle was built from.
        RollcallError: dbt failed.
    """
    with home.lock(), _beside(home) as recorded:
        _copy_ledger(home, recorded)
        report, last = _rebuild(home, recorded, progress)
        warehouse.take_place(home.replaying.warehouse_db, home)
    return RestoreReport(last, report.cycle_count, report.other_code_cycles)


@contextmanager
def _beside(home: Home) -> Iterator[Home]:
    """Give a place for copies of the databases within that of the replay; both are thrown away."""
    recorded = Home(home.replaying.path / "recorded", home.project)
    shutil.rmtree(home.replaying.path, ignore_errors=True)
    try:
        yield recorded
    finally:
        shutil.rmtree(home.replaying.path, ignore_errors=True)


def _copy_ledger(home: Home, recorded: Home) -> None:
    with home.landing() as connection:
        ledger.prepare(connection, home.project.contracts())
        if not connection.execute(
            "select 1 from landing.cycles where status = 'completed' limit 1"
        ).fetchone():
            raise UsageError(
                f"No cycle of {home.path} has been published yet, so there is nothing to replay; "
                "run `rollcall cycle` first."
            )
        connection.execute("checkpoint")
        recorded.path.mkdir(mode=0o700, parents=True)
        shutil.copyfile(home.landing_db, recorded.landing_db)


def _rebuild(home: Home, recorded: Home, progress: Progress) -> tuple[ReplayReport, int]:
    """Rebuild every completed cycle; gives the last one, too."""
    replaying = home.replaying
    replaying.prepare()
    if home.dbt_target.exists():  # the parsed project, which is most often the same
        shutil.copytree(home.dbt_target, replaying.dbt_target)
    with replaying.landing():  # it is there before the archive has anything
        replaying.archive.rmdir()
    replaying.archive.symlink_to(home.archive.resolve())
    with replaying.lock():
        return _Replay(replaying, recorded, progress).run()


@dataclass(frozen=True, slots=True)
class _Replay:
    """A replay under way."""

    home: Home
    recorded: Home
    progress: Progress
    stored: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The entries of the files whose records are stored now, by file."""

    def run(self) -> tuple[ReplayReport, int]:
        """Rebuild cycle by cycle, then bring the ledger to where it stands today.

        Returns:
            The report, and the last cycle.
        """
        report, last = ReplayReport(), 0
        for cycle in self._cycles():
            self.progress.say(f"Replaying cycle {cycle.cycle_id}")
            self._take_seeds(cycle)
            if code_version(self.home.project) != cycle.code_version:
                report.other_code_cycles.append(cycle.cycle_id)
            with self._landing() as connection:
                self._bring_to(connection, cycle)
                change = what_changed(connection, cycle.cycle_id)
                acted = stages.acted_on(connection, self.home.project.contracts())
                failed = connection.execute(
                    FAILED_PILOTS.replace("landing.events", "recorded.landing.events"),
                    [str(cycle.cycle_id)],
                ).fetchall()
            self._build(cycle, change, acted, {name for (name,) in failed})
            report.cycle_count += 1
            last = cycle.cycle_id
        with self._landing() as connection:
            self._bring_to(connection, None)
        return report, last

    def _cycles(self) -> list[_Cycle]:
        with self.recorded.landing(read_only=True) as connection:
            return [
                _Cycle(*row)
                for row in connection.execute(
                    "select cycle_id, code_version, seeds_sha256, max(event_number), "
                    "max_by(events.job_id, event_number) from landing.cycles "
                    "inner join landing.events on kind = 'cycle_completed' "
                    "and subject = cast(cycle_id as varchar) where status = 'completed' "
                    "group by all order by cycle_id"
                ).fetchall()
            ]

    def _take_seeds(self, cycle: _Cycle) -> None:
        """Put the seeds of a cycle into today's code; one that it did not have is that of today."""
        project = self.home.project.path
        shutil.rmtree(project, ignore_errors=True)
        self.recorded.project.copy_to(project)
        listing = f"the listing of the seeds of cycle {cycle.cycle_id}"
        lines = read_archived(self.home, cycle.seeds_sha256, listing).decode().splitlines()
        listed = {name: sha256 for sha256, _, name in (line.partition(" ") for line in lines)}
        for path in project.rglob(_FRAMINGS):
            if str(path.relative_to(project)) not in listed:
                path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
        for name, sha256 in listed.items():
            (project / name).parent.mkdir(parents=True, exist_ok=True)
            (project / name).write_bytes(read_archived(self.home, sha256, f"the seed {name}"))

    @contextmanager
    def _landing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self.home.landing() as connection:
            self.home.attach(connection, self.recorded.landing_db, "recorded")
            yield connection

    def _bring_to(self, connection: duckdb.DuckDBPyConnection, cycle: _Cycle | None) -> None:
        """Make ledger and raw tables what they were when a cycle was built; None means today."""
        today = self.recorded.project.contracts()
        contracts = self.home.project.contracts() if cycle else today
        ledger.prepare(connection, contracts)
        ledger.prepare(connection, today)
        for table, query in _entries_at(cycle).items():
            connection.execute(f"delete from landing.{table}")
            connection.execute(f"insert into landing.{table} by name {query}")
        entries = {
            entry["file_id"]: entry
            for entry in rows(
                connection,
                "select * from landing.files where raw_table is not null "
                "and verdict <> 'rejected' order by file_id",
            )
        }
        for file_id, entry in self.stored.items():
            if entries.get(file_id) != entry:
                raw.remove(connection, file_id, entry["raw_table"])
        fresh = [e for file_id, e in entries.items() if self.stored.get(file_id) != e]
        for delivery_id in sorted({entry["delivery_id"] for entry in fresh}):
            files = [entry for entry in fresh if entry["delivery_id"] == delivery_id]
            self._frame(connection, contracts, files)
        self.stored.clear()
        self.stored.update(entries)

    def _frame(
        self,
        connection: duckdb.DuckDBPyConnection,
        contracts: Contracts,
        files: list[dict[str, Any]],
    ) -> None:
        """Store the records of files of one delivery, from its archived bytes."""
        delivery = delivery_of(connection, files[0])
        source = contracts.sources[delivery["source_id"]]
        members = {
            member.name: member
            for member in reopen(
                delivery,
                [(file["file_name"], file["sha256"], file["byte_count"]) for file in files],
                self.home,
                source.limits,
            )
        }
        for file in files:
            readable = _readable(contracts, source, members[file["file_name"]], file)
            with readable.member.path.open("rb") as stream:
                framer = open_records(
                    stream,
                    file["encoding"],
                    readable.layout.framing,
                    int(source.limits.max_record_bytes),
                )
                raw.store(connection, file["file_id"], readable, framer)
        self.home.empty_spool()

    def _build(
        self, cycle: _Cycle, change: warehouse.Change, acted: Stages, failed: Collection[str]
    ) -> None:
        """Build live tables, then the pilots but for those that the cycle could not build."""
        contracts = self.home.project.contracts()
        families = acted.live_families(contracts)
        builder = warehouse.Builder(self.home, families, change, progress=self.progress.nodes)
        builder.start()
        _need(builder.build_all())
        queries: dict[str, str] = {}
        for source_id in acted.pilots:
            if source_id in failed:
                give_up(self.home, source_id)
                continue
            pilot = PilotBuilder(
                self.home,
                contracts,
                source_id,
                builder.change,
                builder.live_nodes,
                progress=self.progress.nodes,
            )
            pilot.start()
            _need(pilot.build_all())
            pilot.complete(cycle.cycle_id)
            queries |= pilot.queries
        builder.publish(queries)


def _need(built: warehouse.Build) -> None:
    """Raise where a build failed."""
    if built.failures:
        failure = built.failures[0]
        raise RollcallError(
            f"The replay stopped: {failure.kind} {failure.name} failed: {failure.message}."
        )


def _entries_at(cycle: _Cycle | None) -> dict[str, str]:
    """Return queries for the entries of each table when a cycle was built; None means today."""
    if cycle is None:
        tables = (*_BY_JOB, *OF_A_CYCLE, "files", "replaced_files", "cycles", "events")
        return {table: f"from recorded.landing.{table}" for table in tables}
    by_job = {
        table: f"from recorded.landing.{table} where job_id <= {cycle.job_id}" for table in _BY_JOB
    }
    by_cycle = {
        table: f"from recorded.landing.{table} where cycle_id <= {cycle.cycle_id}"
        for table in OF_A_CYCLE
    }
    is_this = f"cycle_id = {cycle.cycle_id}"
    return {
        **by_job,
        **by_cycle,
        "files": "from (from recorded.landing.files union all by name "
        f"from recorded.landing.replaced_files) where job_id <= {cycle.job_id} "
        "qualify row_number() over (partition by file_id order by job_id desc) = 1",
        "cycles": f"select * replace (case when {is_this} then 'open' else status end as status, "
        f"case when {is_this} then null else closed_at end as closed_at) "
        f"from recorded.landing.cycles where cycle_id <= {cycle.cycle_id}",
        "events": f"from recorded.landing.events where event_number < {cycle.event_number}",
    }


def _readable(
    contracts: Contracts, source: Source, member: Member, file: dict[str, Any]
) -> Readable:
    """Read a file by the layout that the ledger names, not by the one that its header fits."""
    framing = contracts.framing_of(file["feed"], file["layout_version"])
    with member.path.open("rb") as stream:
        names = open_records(stream, file["encoding"], framing).header.names
    [feed] = [feed for feed in contracts.feeds if feed.feed == file["feed"]]
    for layout in contracts.versions(file["feed"]):
        fit = fit_by(layout, names, source.header_policy)
        if fit and layout.version == file["layout_version"]:
            return Readable(member, feed, names, fit)
    where = f"{file['source_id']}/{file['delivery_name']}/{file['file_name']}"
    raise RollcallError(
        f"{where} was read by {file['feed']} {file['layout_version']}, which its header does not "
        "fit by the contracts archived with its cycle."
    )


def _compare(recorded: Home, replaying: Home, report: ReplayReport) -> ReplayReport:
    """Compare every table to the byte, facts about the run included: the ledger gave them."""
    with recorded.published() as kept, replaying.published() as made:
        for connection, home in ((kept, recorded), (made, replaying)):
            home.attach(connection, home.landing_db, "landing")
        before, after = _digests(kept), _digests(made)
        report.table_count = len(before)
        report.differing_tables = sorted(
            (t for t in before.keys() | after.keys() if before.get(t) != after.get(t)),
            key=lambda table: (_place(table), table),
        )
        if report.differing_tables:
            table = report.differing_tables[0]
            key = _key(replaying, table)
            report.first = _difference(
                table,
                _rows(kept, table, key) if table in before else None,
                _rows(made, table, key) if table in after else None,
            )
    return report


def _digests(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    landed = fingerprint.fingerprints(connection, catalog="landing", leaving_out=())
    made_again = {
        table: digest
        for table, digest in landed.items()
        if table.startswith("raw_") or table in _MADE_AGAIN
    }
    return made_again | fingerprint.fingerprints(connection, leaving_out=())


def _place(table: str) -> int:
    """Say how early a table comes on the way of the data."""
    schemas = [place for place, schema in enumerate(_ORDER) if table.startswith(schema)]
    return schemas[0] if schemas else len(_ORDER)


def _key(replaying: Home, table: str) -> tuple[str, ...]:
    """Return the columns of a table's key that hold nothing personal."""
    if table.startswith("raw_") or table in _MADE_AGAIN:
        return _RAW_KEY
    manifest = json.loads((replaying.dbt_target / "manifest.json").read_text(encoding="utf-8"))
    nodes = manifest["nodes"]
    for test in nodes.values():
        metadata, node = test.get("test_metadata"), nodes.get(test.get("attached_node"))
        if (
            metadata
            and node
            and metadata["name"] == "one_row_per"
            and f"{node['schema']}.{node['alias']}" == table
        ):
            classes = {
                name: column["config"]["meta"].get("personal_data")
                for name, column in node["columns"].items()
            }
            columns = metadata["kwargs"]["columns"]
            return tuple(name for name in columns if classes.get(name) == "none")
    return ()


def _rows(connection: duckdb.DuckDBPyConnection, table: str, key: tuple[str, ...]) -> pa.Table:
    """Return digest and key of every row."""
    catalog = "landing" if table.startswith("raw_") or table in _MADE_AGAIN else "warehouse"
    text, _ = fingerprint.row_text(connection, f"{catalog}.{table}", ())
    parts = [f"'{name} = ' || coalesce(cast({name} as varchar), 'null')" for name in key]
    return connection.sql(
        f"select md5({text}) as digest, concat_ws(', ', '', {', '.join(parts) or 'null'}) as key "
        f"from {catalog}.{table}"
    ).to_arrow_table()


def _difference(table: str, recorded: pa.Table | None, replayed: pa.Table | None) -> Difference:
    """Compare two sets of rows in which a row may stand more than once."""
    nothing = pa.table({"digest": pa.array([], pa.string()), "key": pa.array([], pa.string())})
    with duckdb.connect() as connection:
        connection.register("recorded", nothing if recorded is None else recorded)
        connection.register("replayed", nothing if replayed is None else replayed)
        counts = []
        for here, there in (("recorded", "replayed"), ("replayed", "recorded")):
            row = connection.execute(
                f"select count(*), min(key) from (select digest, key from {here} "
                f"except all select digest, key from {there})"
            ).fetchone()
            counts.append(row or (0, None))
    examples = [example for _, example in counts if example]
    return Difference(table, counts[0][0], counts[1][0], (examples or [""])[0].lstrip(", "))
