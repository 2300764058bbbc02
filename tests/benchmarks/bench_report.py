"""Rendering the report of 1,000,000 results and 60 cycles, against a dbt build, in one run.

The home of `make demo` is copied and made larger: students and their history many times over, the
cycles after its last one with the files of that one. The build is that of the demo itself; of a
home of this size it takes longer.

Usage: python tests/benchmarks/bench_report.py DEMO_HOME
"""

import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from rollcall.contracts.project import Contracts
from rollcall.cycle import warehouse
from rollcall.home import Home
from rollcall.project import PROJECT_DIR
from rollcall.report import render_report

RESULTS, CYCLES = 1_000_000, 60
LARGEST_PAGE_BYTES = 5_000_000
PER_STUDENT = ("student_key", "student_id", "user_key", "user_id", "mastery_key", "gate_key")


def main(demo: Path) -> int:
    """Measure; returns 0 when the figures are kept."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home")
        shutil.copytree(demo, home.path)
        contracts = Contracts.load(PROJECT_DIR / "seeds" / "contracts")
        with home.lock():
            build_seconds = timed(lambda: build(home, contracts))
            enlarge(home)
            render_seconds = timed(lambda: render_report(home, contracts))
        files = sorted(home.report.iterdir(), key=lambda path: -path.stat().st_size)
        pages = [path for path in files if path.suffix == ".html"]
        print(f"dbt build of the demo      {build_seconds:8.1f} s")
        print(f"report of {RESULTS:,} results {render_seconds:8.1f} s, {len(pages)} pages")
        for path in (pages[0], *files[:3]):
            print(f"  {path.name:24} {path.stat().st_size / 1e6:8.1f} MB")
        is_kept = render_seconds <= build_seconds
        is_kept &= pages[0].stat().st_size <= LARGEST_PAGE_BYTES
        return 0 if is_kept else 1


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that some work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def build(home: Home, contracts: Contracts) -> None:
    """Build the warehouse of the newest cycle once more, aside."""
    change = warehouse.Change(is_code_new=True, must_rebuild=False)
    builder = warehouse.Builder(home, contracts.families, change)
    builder.start()
    for built in (builder.build_first(with_students=False), builder.build_rest()):
        if built.failures:
            sys.exit(f"the build failed: {built.failures[0].message}")
    warehouse.discard(home.building_db)


def enlarge(home: Home) -> None:
    """Copy students with their history, then the newest cycle with its files."""
    home.warehouse_db.chmod(0o600)
    with duckdb.connect() as connection:
        connection.execute(f"attach '{home.landing_db}' as store")
        connection.execute(f"attach '{home.warehouse_db}' as good")
        [(results,)] = connection.execute("select count(*) from good.core.fct_result").fetchall()
        [(last,)] = connection.execute("select max(cycle_id) from store.landing.cycles").fetchall()
        for table, columns in tables(connection):
            if any(name in columns for name in PER_STUDENT):
                copy_students(connection, table, columns, RESULTS // results, CYCLES - last)
        for number in range(last + 1, CYCLES + 1):
            copy_cycle(connection, last, number)


def tables(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, list[str]]]:
    """Return the tables of the warehouse that people's questions are answered from."""
    return connection.execute(
        "select 'good.' || table_schema || '.' || table_name, "
        "list(column_name order by ordinal_position) "
        "from information_schema.tables inner join information_schema.columns "
        "using (table_catalog, table_schema, table_name) "
        "where table_catalog = 'good' and table_type = 'BASE TABLE' "
        "and table_schema in ('transform', 'snapshots', 'core') group by all order by all"
    ).fetchall()


def copy_students(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: list[str],
    times: int,
    days: int,
) -> None:
    """Add each student many times over under other ids, with a history that begins later."""
    keys = [name for name in PER_STUDENT if name in columns]
    changed = [f"{key} || '-' || copies.number as {key}" for key in keys]
    for column in ("dbt_valid_from", "dbt_valid_to", "changed_at"):
        if column in columns:
            changed.append(f"{column} + to_days((copies.number % {days})::integer) as {column}")
    connection.execute(
        f"insert into {table} by name select rows.* replace ({', '.join(changed)}) "
        f"from {table} as rows, range(1, {times}) as copies (number) "
        f"where {keys[0]} is not null"
    )


def copy_cycle(connection: duckdb.DuckDBPyConnection, last: int, number: int) -> None:
    """Add a cycle that saw the same files as another, days later and under other ids."""
    days = f"to_days({number - last})"
    seen = f"select file_id from store.landing.cycle_files where cycle_id = {last}"
    for table, condition, changed in (
        (
            "store.landing.files",
            f"file_id in ({seen})",
            f"exported_at + {days} as exported_at, landed_at + {days} as landed_at, "
            f"job_id + {number} as job_id",
        ),
        ("good.audit.audit_ingestion_log", f"first_cycle_id = {last}", "number as first_cycle_id"),
        ("good.audit.audit_rejected_record", "true", "number as cycle_id"),
        (
            "good.reconciliation.recon_file_balance",
            f"first_cycle_id = {last}",
            "number as first_cycle_id",
        ),
        ("store.landing.cycle_files", f"cycle_id = {last}", "number as cycle_id"),
    ):
        connection.execute(
            f"insert into {table} by name select rows.* replace "
            f"(file_id || '-' || number as file_id, {changed}) "
            f"from {table} as rows, (select {number} as number) "
            f"where not contains(file_id, '-') and {condition}"
        )
    for table, changed in (
        ("store.landing.cycles", f"cutoff_at + {days} as cutoff_at, job_id + {number} as job_id"),
        ("good.audit.audit_cycle_log", f"cutoff_at + {days} as cutoff_at"),
        ("good.staging.stg_landing__cycles", f"as_of + {days} as as_of"),
        ("good.audit.audit_sync_lag", f"due_at + {days} as due_at"),
    ):
        connection.execute(
            f"insert into {table} by name select * replace ({number} as cycle_id, {changed}) "
            f"from {table} where cycle_id = {last}"
        )


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
