"""Run dbt in this process: one import of dbt and one parse serve every invocation of a build.

dbt takes a second to import, and most commands need none of it: it is imported when it is run.
"""

import gc
import hashlib
import json
import logging
import re
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rollcall.cycle.failing_rows import NOTHING_EXAMINED, Examined
from rollcall.cycle.nodes import with_ancestors
from rollcall.environment import undisturbed
from rollcall.errors import NoRoomError, RollcallError, is_out_of_room, reraise_stop
from rollcall.home import Home, is_small
from rollcall.ledger.stages import schema_of
from rollcall.project import EVERYTHING
from rollcall.sanitize import without_values

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult
    from dbt.contracts.graph.manifest import Manifest
    from dbt_common.events.base_types import EventMsg

_RESULTS = ("LogModelResult", "LogSeedResult", "LogSnapshotResult", "LogTestResult")
_ANY = "any"
"""The pilot for which the project is parsed: only what runs depends on which it is."""
_MANY_OBJECTS = 8_000_000
"""About two gigabytes of what dbt makes."""
_SELECTED = "selected"
"""The tag of nodes that are to be run, while dbt runs them: one criterion selects them all."""
Progress = Callable[[int, int, str], None]
"""Receives: nodes done, nodes in all, name of the last one."""


@dataclass(frozen=True, slots=True)
class NodeResult:
    """What became of one node.

    `kind` is model, seed, snapshot or test; `status` and `message` are dbt's; `relation` is what it
    built, such as `core.dim_org`, if anything; `compiled_code` is the query that ran. `examined` is
    what a generic test that failed or warned tests, and `stored_in` where the rows that a test
    found are kept, if anywhere.
    """

    name: str
    kind: str
    status: str
    message: str
    relation: str
    compiled_code: str
    examined: Examined
    stored_in: str


class DbtRun:
    """A dbt project parsed for one target, to be invoked several times.

    Args:
        home: the data directory, where the target builds, and the project.
        families: families of files that are read; others are disabled.
        target: a target of `profiles/profiles.yml`.
        pilot: the source for which the project builds alone; live tables by default.

    Raises:
        RollcallError: the project cannot be parsed; the message is dbt's.
    """

    def __init__(
        self,
        home: Home,
        families: Sequence[str],
        target: str = "cycle",
        pilot: str | None = None,
    ) -> None:
        self._home = home
        folder = schema_of(pilot) if pilot else target
        self._target_path = home.dbt_target if folder == "cycle" else home.dbt_target / folder
        kept = self._target_path / "manifest.kept"
        self._variables: dict[str, Any] = {"families": list(families)}
        if pilot:  # all pilots of the same families are parsed alike
            self._variables["pilot"] = _ANY
            kept = home.dbt_target / f"pilots_of_{'_'.join(families)}.kept"
        self._options = [
            f"--target={target}",
            f"--vars={json.dumps(self._variables)}",
            f"--project-dir={home.project.path}",
            f"--profiles-dir={home.project.rollcall / 'profiles'}",
            f"--target-path={self._target_path.resolve()}",
            f"--log-path={home.logs.resolve()}",
            "--log-level=none",
            "--log-level-file=info",
            "--no-use-colors",
            "--no-write-json",
            *(["--threads=2"] if is_small(home.landing_db) else []),
        ]
        self._ran: dict[str, Any] = {}
        _collect_what_many_left()
        self._has_other_seeds = False
        self._manifest = self._read_or_parse(kept)
        if pilot:
            self.set_variable("pilot", pilot)

    def invoke(
        self,
        arguments: Sequence[str],
        progress: Progress = lambda *_: None,
        nodes: Collection[str] | None = None,
    ) -> list[NodeResult]:
        """Run one command of dbt on the parsed project, and return what became of each node.

        `run_results.json` has what became of the nodes of every command so far.

        Args:
            arguments: the command and its options.
            progress: receives (nodes done, nodes in all, name of the last one).
            nodes: ids of the nodes to run; those that the arguments select, by default.

        Raises:
            BusyError: another program kept the landing database open for writing.
            RollcallError: dbt could not run at all; the message says where its log is.
        """
        self._home.wait_for_writers(self._home.landing_db)
        self._forget_ephemeral_models()
        with self._manifest_for(nodes) as (manifest, selection):
            done = self._run([*arguments, *selection], manifest, partial(_follow, progress))
        if done.exception or done.result is None:
            raise self._failure(done)
        ran: Any = done.result
        for result in ran.results:
            result.message = without_values(result.message or "")
        self._ran |= {result.node.unique_id: result for result in ran.results}
        together = replace(ran, results=list(self._ran.values()))
        together.write(str(self._target_path / "run_results.json"))
        return [_node_result(result, self._manifest) for result in ran.results]

    def _forget_ephemeral_models(self) -> None:
        """Have dbt put ephemeral models into their readers again, also into those compiled before.

        A node that says that they are in it is compiled anew without them.
        """
        for node in self._manifest.nodes.values():
            if getattr(node, "extra_ctes_injected", False):
                compiled: Any = node
                compiled.extra_ctes_injected, compiled.extra_ctes = False, []

    @contextmanager
    def _manifest_for(
        self, nodes: Collection[str] | None
    ) -> "Iterator[tuple[Manifest, Sequence[str]]]":
        """Give dbt no more of the project than it needs to run nodes, and select these.

        dbt links all that it is given, and looks through it for each thing that is selected: with
        every test of the project that takes it longer than a tenth of a small night.
        """
        if nodes is None:
            yield self._manifest, ()
            return
        known = self._manifest.nodes
        needed = with_ancestors(self._manifest, nodes)
        for unique_id in nodes:
            known[unique_id].tags.append(_SELECTED)
        try:
            yield (
                replace(
                    self._manifest,
                    nodes={key: node for key, node in known.items() if key in needed},
                    exposures={},
                    unit_tests={},
                ),
                ("--indirect-selection=empty", f"--select=tag:{_SELECTED}"),
            )
        finally:
            for unique_id in nodes:
                known[unique_id].tags.remove(_SELECTED)

    def left_out(self, nodes: Collection[str]) -> list[str]:
        """Name those nodes that no command has run so far."""
        return sorted(
            self._manifest.nodes[unique_id].name
            for unique_id in nodes
            if unique_id not in self._ran or self._ran[unique_id].status == "skipped"
        )

    @property
    def manifest(self) -> "Manifest":
        """The parsed project."""
        return self._manifest

    def set_variable(self, name: str, value: Any) -> None:
        """Give the commands from now on another value of a variable; the project stays parsed."""
        self._variables[name] = value
        self._options[1] = f"--vars={json.dumps(self._variables)}"

    @property
    def tables(self) -> list[str]:
        """Names of the tables that a build makes whole, such as `core.dim_org`."""
        return [
            f"{node.schema}.{node.alias}"
            for node in self._manifest.nodes.values()
            if node.config.materialized == "table"
        ]

    def keep_artifacts(self, folder: Path) -> None:
        """Copy what dbt wrote of the project and of its results: what `--state` asks for.

        A manifest can be written in a process that has run dbt.
        """
        folder.mkdir(mode=0o700, exist_ok=True)
        if self._has_other_seeds:
            self._manifest.write(str(self._target_path / "manifest.json"))  # type: ignore[no-untyped-call]
        for name in ("manifest.json", "run_results.json"):
            if (self._target_path / name).exists():
                shutil.copyfile(self._target_path / name, folder / name)

    def _read_or_parse(self, kept: Path) -> "Manifest":
        """Read the parsed project that was kept, when nothing but seeds has changed; else parse it.

        dbt keeps one as well, but parses the whole project again when the target's path is new. Of
        a seed the manifest holds a checksum alone, and dbt reads it when it loads it.
        """
        from dbt.contracts.graph.manifest import Manifest
        from dbt.parser.manifest import extended_mashumuro_decoder

        parsed_from = self._parsed_from()
        if kept.exists():
            seal, _, manifest_bytes = kept.read_bytes().partition(b"\n")
            if seal == _seal(parsed_from, manifest_bytes):
                with _uncollected():
                    manifest = Manifest.from_msgpack(
                        manifest_bytes, decoder=extended_mashumuro_decoder
                    )
                    manifest.build_parent_and_child_maps()  # type: ignore[no-untyped-call]
                    manifest.build_flat_graph()  # type: ignore[no-untyped-call]
                self._has_other_seeds = self._point_to_seeds(manifest)
                return manifest
        parsed = self._run(["parse"])
        if parsed.exception or not isinstance(parsed.result, Manifest):
            raise self._failure(parsed)
        if "pilot" not in self._variables:
            parsed.result.write(str(self._target_path / "manifest.json"))  # type: ignore[no-untyped-call]
        manifest_bytes = (self._target_path / "partial_parse.msgpack").read_bytes()
        kept.write_bytes(_seal(parsed_from, manifest_bytes) + b"\n" + manifest_bytes)
        return parsed.result

    def _parsed_from(self) -> bytes:
        """Return what decides how the project is parsed: versions, target, families, and files."""
        versions = (f"{name} {version(name)}" for name in ("dbt-core", "dbt-duckdb"))
        listing = self._home.project.listing(EVERYTHING, ("profiles", "selectors.yml"))
        read = re.sub(r"^\w+ (.*\.csv)$", r"\1", listing, flags=re.MULTILINE)
        return "\n".join([*versions, *self._options[:2], read]).encode()

    def _point_to_seeds(self, manifest: "Manifest") -> bool:
        """Point a manifest to the seeds of this project; say whether any is other than it knew.

        dbt reads a seed below its root; the checksum is what `state:modified` compares.
        """
        from dbt.artifacts.resources.base import FileHash
        from dbt.contracts.graph.nodes import SeedNode

        is_other = False
        for node in manifest.nodes.values():
            if isinstance(node, SeedNode) and node.checksum.name == "sha256":
                folder = self._home.project.folder_of(node.package_name)
                text = (folder / node.original_file_path).read_text(encoding="utf-8")
                now = FileHash.from_contents(text.strip())
                is_other |= now != node.checksum
                node.checksum, node.root_path = now, str(folder)
        return is_other

    def _run(
        self,
        arguments: Sequence[str],
        manifest: "Manifest | None" = None,
        *callbacks: "Callable[[EventMsg], None]",
    ) -> "dbtRunnerResult":
        from dbt.cli.main import dbtRunner

        logging.raiseExceptions = False  # a line of dbt's log for which there is no room
        with _uncollected(), undisturbed({"ROLLCALL_HOME": str(self._home.path.resolve())}):
            try:
                _hear_what_matters()
                runner = dbtRunner(manifest=manifest, callbacks=list(callbacks))
                return runner.invoke([*arguments, *self._options])
            finally:
                _close_databases()

    def _failure(self, done: "dbtRunnerResult") -> RollcallError:
        reraise_stop(done.exception)
        if is_out_of_room(str(done.exception)):
            return NoRoomError(self._home.path)
        said = " ".join(without_values(str(done.exception or "it gave no reason")).split())
        return RollcallError(
            f"dbt could not build the warehouse: {said} (its log: {self._home.logs / 'dbt.log'})."
        )


def _seal(parsed_from: bytes, manifest: bytes) -> bytes:
    """Hash what a manifest was parsed from together with its bytes, so that neither can change."""
    return hashlib.sha256(parsed_from + manifest).hexdigest().encode()


def _collect_what_many_left() -> None:
    """Collect what earlier runs of this process left, once it is much.

    A process seldom runs more than a few; of the pilots of a night, each leaves some 150 MB.
    """
    is_much = gc.get_freeze_count() > _MANY_OBJECTS
    gc.unfreeze()
    if is_much:
        gc.collect()


@contextmanager
def _uncollected() -> Iterator[None]:
    """Collect no garbage: the manifest stays, and to look through it again and again takes long.

    A tenth of a small night, for 30 MB more. What is left is not looked through afterwards, either.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _close_databases() -> None:
    """Close what dbt-duckdb keeps open between invocations: readers and the rename come next."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    environment = DuckDBConnectionManager._ENV
    DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
    if environment is not None:
        environment.close()


def _hear_what_matters() -> None:
    """Have dbt make no message of what only one who debugs it would read: nobody listens to these.

    Of ten events of dbt, one is logged. Its log has no values of records.
    """
    from dbt_common.events.base_types import BaseEvent, EventLevel
    from dbt_common.events.event_manager import EventManager
    from dbt_common.events.event_manager_client import ctx_set_event_manager
    from dbt_common.events.logger import LoggerConfig

    class WhatMatters(EventManager):
        def fire_event(
            self, e: BaseEvent, level: EventLevel | None = None, *arguments: Any, **named: Any
        ) -> None:
            if (level or e.level_tag()) != EventLevel.DEBUG:
                super().fire_event(e, level, *arguments, **named)

        def add_logger(self, config: LoggerConfig) -> None:
            super().add_logger(replace(config, scrubber=without_values))

    ctx_set_event_manager(WhatMatters())


def _follow(progress: Progress, event: "EventMsg") -> None:
    """Report a node that is done; dbt calls this for each of its events."""
    if event.info.name in _RESULTS:
        data: Any = event.data
        total = data.num_models if event.info.name == "LogTestResult" else data.total
        _node_done(progress, data.index, total, data.node_info.node_name)


def _node_done(progress: Progress, done: int, total: int, name: str) -> None:
    progress(done, total, name)


def _node_result(result: Any, manifest: "Manifest") -> NodeResult:
    node = result.node
    kind, _, name, *_ = node.unique_id.split(".")
    is_stored = kind == "test" and node.should_store_failures
    return NodeResult(
        name,
        kind,
        str(result.status),
        " ".join(result.message.split()),
        f"{node.schema}.{node.alias}" if node.is_relational else "",
        getattr(node, "compiled_code", None) or "",
        _examined(node, manifest) if result.status in ("fail", "warn") else NOTHING_EXAMINED,
        f"{node.schema}.{node.alias}" if is_stored else "",
    )


def _examined(node: Any, manifest: "Manifest") -> Examined:
    """Read what a generic test tests, and the grain of it by the test that states it."""
    model: Any = manifest.nodes.get(getattr(node, "attached_node", None) or "")
    if model is None:
        return NOTHING_EXAMINED
    tests: Iterator[Any] = map(manifest.nodes.get, manifest.child_map[model.unique_id])
    grains = (
        tuple(test.test_metadata.kwargs["columns"])
        for test in tests
        if getattr(test, "test_metadata", None) and test.test_metadata.name == "one_row_per"
    )
    hidden = (
        name
        for name, column in model.columns.items()
        if column.config.meta.get("personal_data") == "direct"
    )
    return Examined(
        node.test_metadata.name,
        node.column_name or "",
        f"{model.schema}.{model.alias}",
        next(grains, ()),
        frozenset(hidden),
    )
