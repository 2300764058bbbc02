"""Linking of 1,000,000 ids to 200,000 students against one hash join of the same rows.

Five sources know each student by an id of the district, and write the name beside it. Both are
measured in processor seconds, by the statements that dbt compiles, and write a table; the join
links by the id alone, whoever's it is. Linking is what comes after ids, names and roster are read.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
from bench_mastery import BIN, CUTOFFS, Bench

STUDENTS, SOURCES = 200_000, 5
FAMILIES = ["oneroster", "overrides", "nwea"]
STEPS = (*("int_roster_students", "int_student_ids", "int_student_witnesses", "int_student_links"),)
LIMIT = 3
GIVEN = "translate((student % 676)::varchar, '0123456789', 'ABCDEFGHIJ')"
FAMILY = "translate((student // 676)::varchar, '0123456789', 'ABCDEFGHIJ')"
ROSTER = f"""
    insert into core.dim_user by name
    select 'sis' as source_id, 'sis' as roster_source_id, 'S-' || student as user_id,
        'sis:' || user_id as user_key, 'student' as role, 'D' || student as identifier,
        {GIVEN} as given_name, {FAMILY} as family_name, true as is_active
    from range({STUDENTS}) as students (student)
    order by hash(student)
"""
RESULTS = f"""
    insert into transform.int_assessment_results by name
    select 'map' || source as source_id, 'sis' as roster_source_id,
        'nwea/assessment_results' as feed,
        [{{
            'assigner': 'district', 'id_kind': 'district', 'priority': 1,
            'is_trusted_alone': false, 'id_value': 'D' || student
        }}] as student_ids,
        source_id || ':district:district:D' || student as source_student_key,
        {GIVEN} as given_name, {FAMILY} as family_name,
        timestamp '{CUTOFFS[0]}' as exported_at
    from range({STUDENTS}) as students (student), range({SOURCES}) as sources (source)
    order by hash(student, source)
"""
COLUMNS = """
    insert into rules.identity_columns by name
    select 'sis' as source_id, 'oneroster/users' as feed, 'identifier' as column_name,
        'district' as assigner, 'district' as id_kind, 1 as priority
"""
PLAIN_JOIN = """
    create or replace table transform.joined as
    select results.source_student_key, users.user_key
    from transform.int_assessment_results as results
    left join core.dim_user as users on results.student_ids[1].id_value = users.identifier
"""


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name))
        subprocess.run(
            [BIN / "rollcall", "init"], env=bench.environment, check=True, stdout=subprocess.DEVNULL
        )
        bench.open_cycle(1)
        wanted = [f"+{step}" for step in STEPS]
        families = json.dumps({"families": FAMILIES})
        bench.dbt(
            *("build", "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"),
            *("--vars", families, "--select", *wanted),
        )
        bench.sql(COLUMNS, ROSTER, RESULTS)
        nodes = json.loads((bench.home / "target" / "manifest.json").read_text("utf-8"))["nodes"]
        compiled = [
            f"create or replace table {node['relation_name']} as {node['compiled_code']}"
            for step in STEPS
            for node in [nodes[f"model.rollcall.{step}"]]
            if node["config"]["materialized"] == "table"
        ]
        with duckdb.connect(str(bench.building)) as connection:
            connection.execute("set threads = 2; set timezone = 'UTC'")
            connection.execute(f"attach '{bench.home / 'landing.duckdb'}' as landing (read_only)")
            baseline = min(seconds(connection, [PLAIN_JOIN]) for _ in range(3))
            whole = min(seconds(connection, compiled) for _ in range(2))
            linking = min(seconds(connection, compiled[-1:]) for _ in range(3))
            if os.environ.get("BENCH_NODES"):
                for statement in compiled:
                    print(
                        f"    {statement.split()[4]:60} {seconds(connection, [statement]):5.2f} s"
                    )
            [(linked,)] = connection.execute(
                "select count(*) from transform.int_student_links where outcome = 'linked'"
            ).fetchall()
    is_whole = linked == STUDENTS * SOURCES
    print(
        f"{STUDENTS * SOURCES:,} ids, {STUDENTS:,} students: hash join {baseline:.2f} s, linking "
        f"{linking:.2f} s of processor, ratio {linking / baseline:.1f} (limit {LIMIT}); "
        f"with the reading of ids, names and roster {whole:.2f} s; all linked: {is_whole}"
    )
    if not is_whole:
        sys.exit(1)


def seconds(connection: duckdb.DuckDBPyConnection, statements: list[str]) -> float:
    """Return the processor seconds that statements take."""
    started = time.process_time()
    for statement in statements:
        connection.execute(statement)
    return time.process_time() - started


if __name__ == "__main__":
    main()
