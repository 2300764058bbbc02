"""Pilots: sources that build alone, after live tables and before these are published.

Each has a schema of its own in the warehouse. What goes wrong there concerns the pilot alone: its
schema keeps its last good state, and the cycle goes on.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import duckdb

from rollcall.contracts.project import Contracts
from rollcall.cycle.dbt_run import DbtRun, Progress
from rollcall.cycle.nodes import nodes_of_cycle, with_ancestors
from rollcall.cycle.pilot_nodes import EFFECT, WITH_LIVE, name_with_live, pilot_nodes, place
from rollcall.cycle.warehouse import (
    BUILD,
    Build,
    Change,
    read_results,
    take_history,
    take_views_back,
)
from rollcall.databases import ORIGIN
from rollcall.home import Home
from rollcall.ledger.stages import pilot_families, schema_of

_BUILT = "built_in_cycle"
"""The table in the schema of a pilot that names the pilot, and the cycle that built it last."""
_FIRST = ("int_file_record_counts", "int_student_links")
_TESTS = ("tests/singular/integrity", "tests/singular/values")


class PilotBuilder:
    """dbt builds of one pilot: in `building.duckdb`, in its schema.

    Args:
        home: the data directory, locked, whose live tables are built.
        contracts: the contracts of the project.
        source_id: the pilot.
        change: what is to be built besides what came, as live tables are.
        live_nodes: the ids of the nodes that live tables are made of.
        progress: receives (nodes done, nodes in all, name of the last one).

    Raises:
        RollcallError: the project cannot be parsed.
    """

    def __init__(
        self,
        home: Home,
        contracts: Contracts,
        source_id: str,
        change: Change,
        live_nodes: Collection[str],
        progress: Progress = lambda *_: None,
    ) -> None:
        self.schema = schema_of(source_id)
        self.source_id = source_id
        self.queries: dict[str, str] = {}
        self._home, self._change, self._progress = home, change, progress
        families = pilot_families(contracts, source_id)
        self._dbt = DbtRun(home, families, pilot=source_id)
        manifest = self._dbt.manifest
        models = {
            key: node.name for key, node in manifest.nodes.items() if key.startswith("model.")
        }
        not_live = sorted(name for key, name in models.items() if key not in live_nodes)
        self._dbt.set_variable("not_live", not_live)
        marts = {feed.mart.split(".")[-1] for feed in contracts.feeds if feed.family in families}
        self._alone = pilot_nodes(manifest.nodes, manifest.child_map, families, marts, live_nodes)
        effect = {key for key, node in manifest.nodes.items() if node.name in EFFECT}
        place(manifest.nodes, self._alone | effect, self.schema)
        self._effect = effect
        ends = [key for key in self._alone if manifest.nodes[key].name in _FIRST]
        self._first = self._alone & with_ancestors(manifest, ends)
        self._tests = self._put_tests_aside()

    def start(self, *, is_again: bool = False) -> None:
        """Put in place what is built upon: its last good state, or its history alone.

        All is built whole where live tables are, and where the last good cycle did not build it.
        """
        self._dbt.set_variable("is_with_live", False)
        with duckdb.connect(str(self._home.building_db)) as connection:
            self._home.attach(connection, self._home.landing_db, "landing")
            self._home.attach_last_good(connection)
            self._builds_whole = self._change.must_rebuild or not self._was_built_last(connection)
            if self._builds_whole:
                connection.execute(f"drop schema if exists {self.schema} cascade")
                take_history(connection, self.schema)
                return
            if is_again:
                _take_last_good(connection, self.schema)
            else:
                take_views_back(connection, self.schema)
            if self._change.is_code_new:
                self._drop_tables(connection)

    @property
    def links_students(self) -> bool:
        """Whether its files name students by ids of their own."""
        return any(key.endswith(".int_student_links") for key in self._first)

    @property
    def builds_whole(self) -> bool:
        """Whether all tables are built whole, and staging has nothing of earlier cycles."""
        return self._builds_whole

    def build(self, judge: Callable[["PilotBuilder"], bool] | None) -> Build:
        """Build it, test it, and compare what live tables have with what they would have.

        Args:
            judge: judges the new files when records and students are; says whether any was kept
                out, so that the build begins again. None where no file is new.
        """
        while judge:
            built = self._build(self._first)
            if built.failures:
                return built
            if not judge(self):
                return self._build_rest((self._alone - self._first) | self._tests)
            self.start(is_again=True)
        return self._build_rest(self._alone | self._tests)

    def build_all(self) -> Build:
        """Build every table without a test."""
        return self._build_rest(self._alone)

    def _build_rest(self, nodes: Collection[str]) -> Build:
        """Build nodes, then what both evidences together would be."""
        built = self._build(nodes)
        if built.failures:
            return built
        manifest = self._dbt.manifest
        again = {key for key, node in manifest.nodes.items() if node.name in WITH_LIVE}
        place(manifest.nodes, again, self.schema)
        name_with_live(manifest.nodes, again)
        self._dbt.set_variable("is_with_live", True)
        return self._build(again | self._effect)

    def complete(self, cycle_id: int) -> None:
        """Note in which cycle it was built."""
        with duckdb.connect(str(self._home.building_db)) as connection:
            connection.execute(
                f"create or replace table {self.schema}.{_BUILT} as "
                "select ?::varchar as source_id, ?::bigint as cycle_id",
                [self.source_id, cycle_id],
            )

    def _put_tests_aside(self) -> set[str]:
        """Return the tests that a pilot runs, and have none keep the rows that it finds."""
        found: set[str] = set()
        nodes: Mapping[str, Any] = self._dbt.manifest.nodes
        for key, node in nodes.items():
            if node.resource_type != "test":
                continue
            node.config.store_failures = False
            models = [name for name in node.depends_on.nodes if name.startswith("model.")]
            is_of_pilot = self._alone.issuperset(models)
            if is_of_pilot and node.original_file_path.startswith(_TESTS):
                found.add(key)
        return found

    def _build(self, nodes: Collection[str]) -> Build:
        """Build those of the nodes that a cycle builds and that news can reach."""
        is_new = self._change.is_code_new or self._builds_whole
        is_all_read = is_new or not self._effect.isdisjoint(nodes)  # effects read live tables
        feeds = None if is_all_read else self._change.feeds
        of_cycle = nodes_of_cycle(self._dbt.manifest, feeds, is_code_new=is_new)
        results = self._dbt.invoke(BUILD, self._progress, of_cycle & set(nodes))
        self.queries |= {node.relation: node.compiled_code for node in results if node.relation}
        return read_results(results, self._home, self._home.building_db, self.queries)

    def _was_built_last(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Say whether the last good cycle built it."""
        there = connection.execute(
            "select 1 from duckdb_tables() where database_name = 'good' "
            "and schema_name = ? and table_name = ?",
            [self.schema, _BUILT],
        ).fetchone()
        return (
            there is not None
            and connection.execute(
                f"select 1 from good.{self.schema}.{_BUILT} "
                f"inner join good.{ORIGIN} using (cycle_id)"
            ).fetchone()
            is not None
        )

    def _drop_tables(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Drop the tables that are made whole: what columns they have may depend on seeds."""
        nodes = self._dbt.manifest.nodes
        for node in (nodes[key] for key in sorted(self._alone)):
            if node.config.materialized == "table":
                connection.execute(f"drop table if exists {node.schema}.{node.alias}")


def give_up(home: Home, source_id: str) -> None:
    """Put the last good state of a pilot back in place, in the warehouse in the making."""
    with duckdb.connect(str(home.building_db)) as connection:
        home.attach(connection, home.landing_db, "landing")
        home.attach_last_good(connection)
        _take_last_good(connection, schema_of(source_id))


def _take_last_good(connection: duckdb.DuckDBPyConnection, schema: str) -> None:
    """Have a schema be what it is in the last good warehouse; gone where that has none."""
    connection.execute(f"drop schema if exists {schema} cascade")
    tables = connection.execute(
        "select table_name, sql from duckdb_tables() where database_name = 'good' "
        "and schema_name = ? order by table_name",
        [schema],
    ).fetchall()
    if not tables:
        return
    connection.execute(f"create schema {schema}")
    for table, sql in tables:
        connection.execute(sql)
        connection.execute(f"insert into {schema}.{table} by name from good.{schema}.{table}")
    take_views_back(connection, schema)
