"""Evaluation of mastery against one DuckDB statement on the same staged rows, in one run.

100,000 students, 20 objectives, 4,000,000 results; every student is on a learning path of ten
steps. Times are those of the dbt nodes, from the start of the first to the end of the last; dbt's
own start is left out.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
STUDENTS, OBJECTIVES, ITEMS, CLASS_SIZE, COURSES, PATH_STEPS = 100_000, 20, 40, 25, 100, 10
CUTOFFS = ("2026-09-01 18:00:00", "2026-09-02 18:00:00", "2026-09-03 18:00:00")
STEPS = (
    "stg_landing__cycles",
    "int_cycle_completeness",
    "int_export_schedule",
    "path:models/intermediate/mastery",
    "fct_evidence",
)
MARTS = (
    *("dim_user", "dim_class", "dim_line_item", "brg_line_item_objective"),
    *("fct_enrollment", "fct_result", "fct_result_objective_score"),
)
HISTORY = ("resource_type:snapshot", "path:models/marts/progression")
BASELINE = """
create or replace table latest as
select results.student_id, objectives.objective_id,
    max_by(
        results.score / line_items.score_max,
        (results.score_date, results.version_at, results.result_id)
    ) as score
from staging.stg_oneroster__results as results
inner join staging.stg_oneroster__line_items as line_items using (source_id, line_item_id)
inner join staging.stg_oneroster__line_item_learning_objective_ids as objectives
    using (source_id, line_item_id)
where results.score_status = 'fully graded'
group by all
"""


class Bench:
    """A home whose staging tables are written here, and dbt on it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.building = home / "building.duckdb"
        self.environment = os.environ | {
            "ROLLCALL_HOME": str(home),
            "DBT_PROFILES_DIR": str(ROOT / "profiles"),
            "DBT_TARGET_PATH": str(home / "target"),
            "DBT_LOG_PATH": str(home / "logs"),
        }

    def dbt(self, *arguments: str) -> float:
        """Run dbt on the warehouse in the making; return the seconds that its nodes took."""
        command = [BIN / "dbt", "--quiet", *arguments, "--target", "cycle"]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, check=False
        )
        if done.returncode:
            sys.exit(f"{command} ended with {done.returncode}: {done.stdout.decode()}")
        results = json.loads((self.home / "target" / "run_results.json").read_text("utf-8"))
        times = [
            datetime.fromisoformat(timing[edge].replace("Z", "+00:00"))
            for result in results["results"]
            for timing in result["timing"]
            if timing["name"] == "execute"
            for edge in ("started_at", "completed_at")
        ]
        if os.environ.get("BENCH_NODES"):
            for result in sorted(results["results"], key=lambda r: -r["execution_time"])[:8]:
                print(f"    {result['unique_id']:60} {result['execution_time']:6.2f} s")
        return (max(times) - min(times)).total_seconds()

    def sql(self, *statements: str, database: str = "building") -> float:
        """Run statements on a database of the home; return the seconds they took."""
        with duckdb.connect(str(self.home / f"{database}.duckdb")) as connection:
            connection.execute("set threads = 2; set timezone = 'UTC'")
            started = time.perf_counter()
            for statement in statements:
                connection.execute(statement)
            return time.perf_counter() - started

    def rows(self, question: str) -> list[tuple[object, ...]]:
        """Ask the warehouse in the making."""
        with duckdb.connect(str(self.building), read_only=True) as connection:
            return connection.execute(question).fetchall()

    def open_cycle(self, number: int) -> None:
        """Write a cycle into the ledger."""
        self.sql(
            f"insert into landing.landing.cycles values ({number}, {number}, timestamp "
            f"'{CUTOFFS[number - 1]}', 'open', '', '', timestamp '{CUTOFFS[number - 1]}', null)",
            database="landing",
        )

    def digests(self) -> dict[str, object]:
        """Return a digest of every table of the steps."""
        with duckdb.connect(str(self.building), read_only=True) as connection:
            names = connection.execute(
                "select table_name from information_schema.tables "
                "where table_schema = 'transform' and table_type = 'BASE TABLE'"
            ).fetchall()
            return {
                name: connection.execute(
                    f"select count(*), sum(hash(rows)) from intermediate.{name} as rows"
                ).fetchone()
                for (name,) in names
            }


def results(first: int, students: str, cycle: int) -> str:
    """Return a statement that stages results of these items; shuffled, as exports are."""
    cutoff = CUTOFFS[cycle - 1]
    return f"""
        insert into staging.stg_oneroster__results by name
        select 'lms' as source_id, 'sis' as roster_source_id,
            'R-' || item || '-' || student as result_id, 'lms:' || result_id as result_key,
            'L-' || item || '-' || (student // {CLASS_SIZE}) as line_item_id,
            'lms:' || line_item_id as line_item_key,
            'S-' || student as student_id, 'sis:' || student_id as student_key,
            'fully graded' as score_status,
            (hash(student, item) % 201) / 2 as score,
            date '2025-09-01' + cast(hash(item, student) % 300 as integer) as score_date,
            cast(score_date + 1 as timestamp) as event_at,
            false as is_deleted, timestamp '{cutoff}' - to_minutes(item) as version_at,
            timestamp '{cutoff}' as exported_at, timestamp '{cutoff}' as landed_at,
            timestamp '{cutoff}' as visible_at, 'f{cycle}' as file_id,
            row_number() over () as record_number, row_number() over () + 1 as line_number
        from range({first}, {first + (ITEMS if cycle == 1 else OBJECTIVES)}) as items (item),
            range({STUDENTS}) as students (student)
        where {students}
        order by hash(student, item)"""


def staged() -> list[str]:
    """Return the statements that stage roster and line items."""
    classes = STUDENTS // CLASS_SIZE
    moment = f"timestamp '{CUTOFFS[0]}'"
    common = f"""false as is_deleted, {moment} as version_at, {moment} as exported_at,
        {moment} as landed_at, {moment} as visible_at, 'f' as file_id,
        1 as record_number, 2 as line_number"""
    items = f"range({ITEMS + OBJECTIVES}) as items (item), range({classes}) as classes (class)"
    return [
        f"""insert into staging.stg_oneroster__users by name
            select 'sis' as source_id, 'sis' as roster_source_id, 'S-' || student as user_id,
                'sis:' || user_id as user_key, 'student' as role,
                'O-' || student % 50 as primary_org_id, {common}
            from range({STUDENTS}) as students (student)""",
        f"""insert into staging.stg_oneroster__classes by name
            select 'sis' as source_id, 'sis' as roster_source_id, 'C-' || class as class_id,
                'sis:' || class_id as class_key, 'CRS-' || class % {COURSES} as course_id,
                'sis:' || course_id as course_key, 'O-' || class % 50 as org_id, {common}
            from range({classes}) as classes (class)""",
        f"""insert into staging.stg_oneroster__line_items by name
            select 'lms' as source_id, 'sis' as roster_source_id,
                'L-' || item || '-' || class as line_item_id,
                'lms:' || line_item_id as line_item_key, 'C-' || class as class_id,
                'sis:' || class_id as class_key, 0 as score_min, 100 as score_max, {common}
            from {items}""",
        f"""insert into staging.stg_oneroster__line_item_learning_objective_ids by name
            select 'lms' as source_id, 'sis' as roster_source_id,
                'A-' || item || '-' || class as line_item_objective_id,
                'lms:' || line_item_objective_id as line_item_objective_key,
                'L-' || item || '-' || class as line_item_id,
                'lms:' || line_item_id as line_item_key, 'unknown' as objective_source,
                'OBJ.' || item % {OBJECTIVES} as objective_id, {common} from {items}""",
        f"""insert into staging.stg_oneroster__enrollments by name
            select 'sis' as source_id, 'sis' as roster_source_id,
                'E-' || student as enrollment_id, 'sis:' || enrollment_id as enrollment_key,
                'C-' || (student // {CLASS_SIZE}) as class_id, 'sis:' || class_id as class_key,
                'S-' || student as user_id, 'sis:' || user_id as user_key,
                'O-' || student % 50 as org_id, 'student' as role,
                {common} from range({STUDENTS}) as students (student)""",
        # each step but the first waits for one or two before it, by every rule in turn
        f"""insert into rules.learning_paths by name
            select 'P-' || course as path_id, 1 as path_version, 'CRS-' || course as course_id,
                step as step_number, 'OBJ.' || (2 * step - 1) as objective_id,
                step % 5 = 0 as is_optional,
                if(step > 2, (step - 2) || '|' || (step - 1), nullif(step - 1, 0)::varchar)
                    as prerequisites,
                ['all', 'any', '1'][1 + step % 3] as prerequisite_rule,
                timestamp '2000-01-01' as effective_from
            from range({COURSES}) as courses (course),
                range(1, {PATH_STEPS + 1}) as steps (step)""",
    ]


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name))
        subprocess.run(
            [BIN / "rollcall", "init"], env=bench.environment, check=True, stdout=subprocess.DEVNULL
        )
        bench.open_cycle(1)
        bench.dbt(
            "build",
            "--exclude-resource-type",
            "unit_test",
            "--exclude-resource-type",
            "test",
            "--exclude-resource-type",
            "snapshot",
        )
        bench.sql(*staged(), results(0, "true", 1))
        bench.dbt("run", "--select", *MARTS)
        baseline = min(bench.sql(BASELINE) for _ in range(2))
        full = bench.dbt("run", "--full-refresh", "--select", *STEPS)
        first_history = bench.dbt(
            "build",
            "--exclude-resource-type",
            "test",
            "--exclude-resource-type",
            "unit_test",
            "--select",
            *HISTORY,
        )
        little = []
        for cycle in (2, 3):
            bench.open_cycle(cycle)
            bench.sql(results(ITEMS, f"student % 100 = {cycle}", cycle))
            bench.dbt("run", "--select", *MARTS)
            little.append(bench.dbt("run", "--select", *STEPS))
        history = bench.dbt(
            "build",
            "--exclude-resource-type",
            "test",
            "--exclude-resource-type",
            "unit_test",
            "--select",
            *HISTORY,
        )
        incremental = bench.digests()
        full = min(full, bench.dbt("run", "--full-refresh", "--select", *STEPS))
        equal = incremental == bench.digests()
        shutil.rmtree(name, ignore_errors=True)
    print(
        f"latest score per student and objective {baseline:.1f} s; "
        f"full evaluation {full:.1f} s, ratio {full / baseline:.1f} (limit 10); "
        f"1 % of the students {min(little):.1f} s, ratio {min(little) / full:.2f} (limit 0.25); "
        f"equal: {equal}"
    )
    print(f"history: first cycle {first_history:.1f} s, then {history:.1f} s")


if __name__ == "__main__":
    main()
