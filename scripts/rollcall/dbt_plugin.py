"""A plugin of dbt-duckdb that looks at the databases of a target before dbt opens them."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt.flags import get_flags
from dbt_common.exceptions import DbtRuntimeError

from rollcall.home import is_small

_OF_AN_ENGINEER = "dev.duckdb"
_TABLES = "from duckdb_columns() where not internal"
_CYCLES = "from landing.landing.cycles"


class Plugin(BasePlugin):
    """Says in one sentence when there is no data directory, and lets unit tests run in a new one.

    A unit test of dbt reads the types of its inputs from the database. So where that of an engineer
    has no table yet, every table is built empty before the tests.
    """

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        """Find every attached database; build a new one empty where tests need its tables.

        Only the account that runs dbt can read what dbt writes from now on.

        Raises:
            DbtRuntimeError: one is missing; the message says which command makes it. Or the tables
                cannot be built; the message is dbt's.
        """
        os.umask(0o077)  # the database holds records of students
        attached = self.creds.attach if self.creds and self.creds.attach else []
        paths = [Path(attachment.path) for attachment in attached]
        for path in paths:
            if path.exists():
                continue
            if path.name == "landing.duckdb":
                raise DbtRuntimeError(
                    f"There is no data directory in {path.parent} yet; run `rollcall init`, or "
                    "name another by the variable ROLLCALL_HOME."
                )
            raise DbtRuntimeError(
                f"No cycle has been published in {path.parent} yet; run `rollcall cycle` first."
            )
        database = Path(self.creds.path) if self.creds else Path()
        if database.name == _OF_AN_ENGINEER and _needs_tables(paths) and _has_no(_TABLES, database):
            _build_empty()

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Have DuckDB run a query in one thread where all it reads is small."""
        attached = self.creds.attach if self.creds and self.creds.attach else []
        if all(is_small(Path(attachment.path)) for attachment in attached):
            conn.execute("set threads = 1")


def _needs_tables(attached: list[Path]) -> bool:
    """Say whether the command runs tests that need tables, whatever is in them.

    Where there is data, a model that is built alone must not be built from empty tables.
    """
    flags: Any = get_flags()  # type: ignore[no-untyped-call]
    if flags.WHICH == "build" and flags.SELECT and not flags.EMPTY:
        return all(_has_no(_CYCLES, path) for path in attached)
    return bool(flags.WHICH == "test")


def _has_no(rows: str, database: Path) -> bool:
    if not database.exists():
        return True
    try:
        with duckdb.connect(str(database), read_only=True) as connection:
            return not connection.execute(f"{rows} limit 1").fetchall()
    except duckdb.IOException:  # another process has it open, as dbt is about to say
        return False


def _build_empty() -> None:
    """Build every table without a row, by another dbt: this one has not opened the database."""
    flags: Any = get_flags()  # type: ignore[no-untyped-call]
    command = (sys.executable, "-m", "dbt.cli.main", "--quiet", "build", "--empty")
    kinds = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
    folders = (f"--project-dir={flags.PROJECT_DIR}", f"--profiles-dir={flags.PROFILES_DIR}")
    print("The database is new: every table is built empty first, which takes some 15 seconds.")
    done = subprocess.run(
        [*command, *kinds, *folders, "--no-write-json"], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise DbtRuntimeError(f"The tables could not be built empty: {done.stdout.strip()}")
