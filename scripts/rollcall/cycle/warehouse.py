"""The warehouse: dbt builds it aside, and one rename puts it in place."""

import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from rollcall.contracts.project import Contracts
from rollcall.cycle.dbt_run import DbtRun, NodeResult, Progress
from rollcall.cycle.failing_records import failing_records
from rollcall.cycle.failing_rows import named_rows, remedies
from rollcall.cycle.nodes import nodes_of_cycle, with_ancestors
from rollcall.databases import ORIGIN, need_last_good
from rollcall.errors import NoRoomError, RollcallError, is_out_of_room
from rollcall.folders import sync
from rollcall.home import Home, wal_of
from rollcall.ledger.sql import literal
from rollcall.ledger.stages import acted_on

STORED_AS = "storage_version 'v1.0.0', block_size 65536"
"""How a warehouse is stored from its first day, so that any DuckDB from 1.1 on reads it.

In blocks of 64 KiB small tables take less than half of the room of the default, large ones as much.
"""
_ASIDE = "views_set_aside"
_LIVE = "staging"
"""The schema in which live views are set aside; those of a pilot stay in its own."""
_RECORD_COUNTS = "int_file_record_counts"
"""What a cycle builds first: every record of the new files with its verdict."""
_LINKS = "int_student_links"
"""What it builds with that, where new results name students by ids of their own: whose they are."""
BUILD = ("build", "--cache-selected-only", "--exclude-resource-type=unit_test")
_FAILED = frozenset({"error", "fail", "runtime error"})
_WARNED = "warn"


@dataclass(frozen=True, slots=True)
class Failure:
    """A dbt node that failed or warned: its name, kind (model, test, seed), a one-line message.

    `sentences` holds what the test says of every row to correct, where it says something;
    `stored_in` names the table that keeps these rows, if one does.
    """

    name: str
    kind: str
    message: str
    sentences: tuple[str, ...] = ()
    stored_in: str = ""


@dataclass(frozen=True, slots=True)
class Build:
    """What one dbt build did: nodes run, those that failed, and tests that warned.

    `overruled` are tests that failed and do not keep the build from being published.
    """

    node_count: int
    failures: tuple[Failure, ...]
    warnings: tuple[Failure, ...]
    overruled: tuple[Failure, ...] = ()


def start_from_last_good(home: Home, change: "Change") -> "Change":
    """Put a copy of the last good warehouse where the next one is built; throw away any remains.

    Where everything is built anyway, a new file takes only history from it: it has neither the
    room of tables that are replaced nor tables that are gone. Returns what is to be built then:
    views that cannot be made as they were are left to dbt, which says why.
    """
    if home.warehouse_db.exists() and not change.must_rebuild:
        _copy_last_good(home)
        try:
            with duckdb.connect(str(home.building_db)) as connection:
                home.attach(connection, home.landing_db, "landing")
                take_views_back(connection, _LIVE)
        except duckdb.Error:
            return replace(change, is_code_new=True)
    else:
        discard(home.building_db)
        with duckdb.connect() as connection:
            home.attach(connection, home.building_db, "building", STORED_AS)
            home.attach(connection, home.landing_db, "landing")
            home.attach_last_good(connection)
            connection.execute("use building")
            take_history(connection, "snapshots")
    return change


def take_history(connection: duckdb.DuckDBPyConnection, schema: str) -> None:
    """Make a schema in the warehouse in use that has the history of the last good one, if any.

    Args:
        connection: the warehouse in use, with the landing database attached as `landing` and the
            last good warehouse, where there is one, as `good`.
        schema: that of live tables or of a pilot.
    """
    history = connection.execute(
        "select table_name from duckdb_tables() where database_name = 'good' "
        "and schema_name = ? and starts_with(table_name, 'snap_') order by table_name",
        [schema],
    ).fetchall()
    connection.execute(f"create schema {schema}")
    for (table,) in history:
        connection.execute(f"create table {schema}.{table} as from good.{schema}.{table}")
        _forget_what_was_taken_back(connection, f"{schema}.{table}")


def _forget_what_was_taken_back(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Bring a table of history back to the last good cycle: later ones may have been taken back."""
    last_good = "(select max(cutoff_at) from landing.landing.cycles where status = 'completed')"
    since = f"coalesce({last_good}, timestamp '-infinity')"
    connection.execute(f"delete from {table} where dbt_valid_from > {since}")
    connection.execute(f"update {table} set dbt_valid_to = null where dbt_valid_to > {since}")


def _copy_last_good(home: Home) -> None:
    """Copy the last good warehouse to where a cycle is built, in place of any remains."""
    discard(home.building_db)
    home.wait_for_writers(home.warehouse_db)
    shutil.copyfile(home.warehouse_db, home.building_db)


def take_views_back(connection: duckdb.DuckDBPyConnection, schema: str) -> None:
    """Make the views of a schema again that are not there, by the queries that are kept of them.

    Args:
        connection: the warehouse in use, with the landing database attached as `landing`.
        schema: that of live tables, or of a pilot.

    Raises:
        duckdb.Error: a view cannot be made as it was.
    """
    waiting = connection.execute(
        f"select name, query from {schema}.{_ASIDE} where name not in "
        "(select schema_name || '.' || view_name from duckdb_views() "
        "where database_name = current_database()) order by name"
    ).fetchall()
    while waiting:  # one may read another
        failed = []
        for name, query in waiting:
            try:
                connection.execute(f"create view {name} as {query}")
            except duckdb.Error:
                if len(waiting) == 1:
                    raise
                failed.append((name, query))
        waiting = failed if len(failed) < len(waiting) else failed[:1]


def _set_views_aside(connection: duckdb.DuckDBPyConnection, queries: Mapping[str, str]) -> None:
    """Drop the views that cannot be read in this file alone, and keep their queries in a table.

    They read the landing database, which readers of the published file do not have. `queries` are
    those of the views that were built; of others the table has them. There is one in `staging`, and
    one in the schema of each pilot, which has the queries of all its views.
    """
    views = connection.execute(
        "select schema_name, view_name from duckdb_views() where not internal order by all"
    ).fetchall()
    for schema in sorted({_LIVE, *(schema for schema, _ in views if _is_of_pilot(schema))}):
        columns = "name varchar primary key, query varchar"
        connection.execute(f"create table if not exists {schema}.{_ASIDE} ({columns})")
    for schema, view in views:
        name = f"{schema}.{view}"
        place = schema if _is_of_pilot(schema) else _LIVE
        is_readable = _is_readable(connection, name)
        if name in queries and (_is_of_pilot(schema) or not is_readable):
            row = [name, queries[name]]
            connection.execute(f"insert or replace into {place}.{_ASIDE} values (?, ?)", row)
        if not is_readable:
            connection.execute(f"drop view {name}")


def _is_readable(connection: duckdb.DuckDBPyConnection, view: str) -> bool:
    try:
        connection.execute(f"describe {view}")
    except duckdb.Error:
        return False
    return True


def _is_of_pilot(schema: str) -> bool:
    return schema.startswith("pilot_")


def _note_origin(connection: duckdb.DuckDBPyConnection, home: Home) -> None:
    """Write into a warehouse of which cycle it is, and the event of the ledger that opened it."""
    connection.execute(f"attach {literal(str(home.landing_db))} as landing (read_only)")
    connection.execute(
        f"create schema if not exists {ORIGIN.partition('.')[0]};"
        f"create or replace table {ORIGIN} as select subject::bigint as cycle_id, event_number, "
        "sha256 as event_sha256 from landing.landing.events where kind = 'cycle_opened' "
        "order by event_number desc limit 1"
    )
    connection.execute("detach landing")


def discard(database: Path) -> None:
    """Throw away a database that is not to be kept, such as a warehouse in the making."""
    database.unlink(missing_ok=True)
    wal_of(database).unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Change:
    """What differs from the last good cycle.

    `is_code_new`: views and seeds are of other code, or there are none yet; `must_rebuild`: all
    tables are built whole, and nothing but history is taken from the last good warehouse; `feeds`:
    the feeds of which files or decisions are new.
    """

    is_code_new: bool
    must_rebuild: bool
    feeds: frozenset[str] = frozenset()


class Builder:
    """dbt builds of one data directory: in `building.duckdb`, for the newest cycle.

    Args:
        home: the data directory, locked, and the project to build with.
        families: the families of files of which live tables are made.
        change: what is to be built besides what came; everything, by default.
        progress: receives (nodes done, nodes in all, name of the last one).

    Raises:
        RollcallError: the project cannot be parsed.
    """

    def __init__(
        self,
        home: Home,
        families: Sequence[str],
        change: Change,
        *,
        progress: Progress = lambda *_: None,
    ) -> None:
        self._home = home
        self._change = change
        self._progress = progress
        self._dbt = DbtRun(home, families)
        self._queries: dict[str, str] = {}
        self._nodes: set[str] = set()
        self._built: set[str] = set()

    def start(self) -> None:
        """Put in place what is built upon; throw away the remains of a build."""
        self._change = start_from_last_good(self._home, self._change)
        if self._change.is_code_new:  # what columns a table has may depend on seeds
            with duckdb.connect(str(self._home.building_db)) as connection:
                for table in self._dbt.tables:
                    connection.execute(f"drop table if exists {table}")
        self._nodes = self._nodes_for(None if self._is_all_new else self._change.feeds)

    def build_first(self, *, with_students: bool) -> Build:
        """Give every record of the new files its verdict; if wished, find whose students are."""
        wanted = {_RECORD_COUNTS, _LINKS} if with_students else {_RECORD_COUNTS}
        manifest = self._dbt.manifest
        ends = [key for key, node in manifest.nodes.items() if node.name in wanted]
        self._built = self._nodes & with_ancestors(manifest, ends)
        return self._build(self._built)

    @property
    def _is_all_new(self) -> bool:
        return self._change.is_code_new or self._change.must_rebuild

    def _nodes_for(self, feeds: Collection[str] | None) -> set[str]:
        return nodes_of_cycle(self._dbt.manifest, feeds, is_code_new=self._change.is_code_new)

    @property
    def builds_whole(self) -> bool:
        """Whether all tables are built whole, and staging has nothing of earlier cycles."""
        return self._change.must_rebuild

    @property
    def can_link_students(self) -> bool:
        """Whether the project has sources that know students by ids of their own."""
        return any(table.endswith(".int_student_links") for table in self._dbt.tables)

    def build_rest(self) -> Build:
        """Build everything else of a cycle, and test it; the log names what nothing new reaches."""
        left = self._nodes_for(None) - self._nodes
        names = ", ".join(sorted(self._dbt.manifest.nodes[key].name for key in left))
        if names:
            self._home.log(
                f"Nothing new reaches {len(left)} nodes, which stay as they are: {names}"
            )
        return self._build(self._nodes - self._built)

    def build_all(self) -> Build:
        """Build every table without a test."""
        nodes = self._nodes_for(None)
        return self._build({key for key in nodes if not key.startswith("test.")})

    def test(self) -> Build:
        """Run every test of a cycle; a failure keeps none from being run."""
        return self._run(["test"], {key for key in self._nodes if key.startswith("test.")})

    def complete(self, built: Build) -> Build:
        """Have a build fail where a table was not built or a test not run that belongs to it."""
        left_out = self._dbt.left_out(self._nodes)
        if built.failures or not left_out:
            return built
        named = ", ".join(left_out[:3]) + (f" and {len(left_out) - 3} more" * (len(left_out) > 3))
        message = f"{named}: dbt has left out what belongs to a cycle."
        return replace(built, failures=(Failure("every_node_runs", "cycle", message),))

    @property
    def live_nodes(self) -> frozenset[str]:
        """The ids of the nodes that live tables are made of."""
        return frozenset(self._dbt.manifest.nodes)

    @property
    def change(self) -> Change:
        """What is built besides what came."""
        return self._change

    def publish(self, queries: Mapping[str, str]) -> None:
        """Put what was built in place of the last good warehouse, and keep its dbt artifacts.

        `queries` are those of the views that were built of pilots, by name.
        """
        self._dbt.keep_artifacts(self._home.dbt_state)
        publish(self._home, {**self._queries, **queries})

    def _build(self, nodes: Collection[str]) -> Build:
        return self._run(BUILD, nodes)

    def _run(self, command: Sequence[str], nodes: Collection[str] | None = None) -> Build:
        results = self._dbt.invoke(command, self._progress, nodes)
        self._queries |= {node.relation: node.compiled_code for node in results if node.relation}
        return read_results(results, self._home, self._home.building_db, self._queries)


@contextmanager
def compared(
    home: Home, contracts: Contracts, progress: Progress = lambda *_: None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Compare what has landed with the last good cycle, in a copy of it; yields that copy.

    The copy lies where a cycle is built, so the data directory must be locked.

    Raises:
        UsageError: there is no warehouse to compare with, or it is not that of the ledger.
        RollcallError: a model of reconciliation failed.
    """
    with home.landing(read_only=True) as ledger:
        need_last_good(home, ledger)
        families = acted_on(ledger, contracts).live_families(contracts)
    try:
        _copy_last_good(home)
        results = DbtRun(home, families).invoke(
            ["run", "--full-refresh", "--select=tag:reconciliation"], progress
        )
        built = read_results(results, home, home.building_db, {})
        if built.failures:
            failure = built.failures[0]
            raise RollcallError(
                f"The exports could not be compared: {failure.name}: {failure.message} "
                f"(dbt's log: {home.logs / 'dbt.log'})."
            )
        with duckdb.connect(str(home.building_db), read_only=True) as connection:
            yield connection
    finally:
        discard(home.building_db)


def read_results(
    results: list[NodeResult], home: Home, database: Path, queries: Mapping[str, str]
) -> Build:
    """Read what dbt did: what failed or warned, with the rows and records at fault.

    `queries` are those of the models that were built, by name.

    Raises:
        NoRoomError: no room was left.
    """
    failures: list[Failure] = []
    warnings: list[Failure] = []
    for result in results:
        if result.status not in _FAILED and result.status != _WARNED:
            continue
        message = result.message
        if is_out_of_room(message):
            raise NoRoomError(home.path)
        sentences: tuple[str, ...] = ()
        if result.status in ("fail", _WARNED):
            sentences, message = _said_of_rows(home, database, result)
        elif result.kind != "test":
            message = _said_of_records(home, database, result, queries)
        found = warnings if result.status == _WARNED else failures
        found.append(Failure(result.name, result.kind, message, sentences, result.stored_in))
    return Build(len(results), tuple(failures), tuple(warnings))


def _said_of_rows(home: Home, database: Path, test: NodeResult) -> tuple[tuple[str, ...], str]:
    """Return what a test says of every row to correct, if anything, and a message on the first."""
    with duckdb.connect(str(database), read_only=True) as connection:
        home.attach(connection, home.landing_db, "landing")
        try:
            sentences = remedies(connection, test.compiled_code)
            first = " ".join(sentences[:3])
            return sentences, first or named_rows(connection, test.compiled_code, test.examined)
        except duckdb.Error:  # a query that cannot stand in another; what dbt says is left
            return (), test.message


def _said_of_records(
    home: Home, database: Path, node: NodeResult, queries: Mapping[str, str]
) -> str:
    """Return a message on what could not be built, with the record at fault where one is found."""
    message = node.message
    if not node.compiled_code:
        return message
    with duckdb.connect(str(database), read_only=True) as connection:
        home.attach(connection, home.landing_db, "landing")
        try:
            found = list(failing_records(connection, node.compiled_code, queries))
        except duckdb.Error:  # a relation that cannot be read by itself; what dbt says is left
            return message
    return " ".join([message, *(f"Look at {place}." for place in found)])


def publish(home: Home, queries: Mapping[str, str]) -> None:
    """Put the built warehouse in place of the last good one, in one rename.

    A reader that keeps the old file open keeps seeing the old state. `queries` are those of the
    views that were built, by name.
    """
    with duckdb.connect(str(home.building_db)) as connection:
        _set_views_aside(connection, queries)
        _note_origin(connection, home)
        connection.execute("checkpoint")
    wal_of(home.building_db).unlink(missing_ok=True)
    home.building_db.chmod(0o400)
    take_place(home.building_db, home)


def take_place(built: Path, home: Home) -> None:
    """Rename a complete warehouse to the last good one of a data directory."""
    sync(built)
    wal_of(home.warehouse_db).unlink(missing_ok=True)
    built.replace(home.warehouse_db)
    sync(home.path)
