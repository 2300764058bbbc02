"""Reconciling a bulk of 1,000,000 results against the marts, and one hand-written full join.

The full join parses the same fields of the same raw text, compares them with the mart and writes
key, file and record of what differs. The ratio is between statements: all that dbt compiled for
reconciliation, one after the other on the connection that runs the join. What dbt's nodes take,
from the start of the first to the end of the last, is printed beside it: most of that is dbt's
work per node, which is the same for ten records.
"""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from bench_mastery import BIN, CUTOFFS, Bench

RECORDS = 1_000_000
EVERY = 10_000
"""The score of one record in so many differs in the mart."""
RAW = f"""
insert into landing.raw_oneroster.results by name
select 'f1' as file_id, '1.1' as layout_version,
    row_number() over (order by hash(record)) as record_number,
    row_number() over (order by hash(record)) + 1 as line_number, 0 as byte_offset,
    'R-' || record as "sourcedId", 'active' as "status",
    strftime(date '2026-08-01' + (record % 28)::integer, '%Y-%m-%dT10:00:00.000Z')
        as "dateLastModified",
    'L-' || record // 25 as "lineItemSourcedId", 'S-' || record % 50000 as "studentSourcedId",
    'fully graded' as "scoreStatus", (record % 201 / 2)::varchar as "score",
    strftime(date '2026-08-01' + (record % 28)::integer, '%Y-%m-%d') as "scoreDate",
    '' as "comment"
from range({RECORDS}) as records (record) order by record_number
"""
FILES = f"""
insert into landing.landing.files by name
select 'f1' as file_id, 'd1' as delivery_id, 1 as job_id, 'lms' as source_id, 'd' as delivery_name,
    'results.csv' as file_name, '' as sha256, 0 as byte_count, 'oneroster/results' as feed,
    '1.1' as layout_version,
    'bulk' as mode, false as are_removals_held, 'raw_oneroster.results' as raw_table,
    {RECORDS} as record_count, 0 as malformed_count, 'accepted' as verdict,
    timestamp '2026-09-01' as exported_at, timestamp '2026-09-01' as landed_at
"""
MART = f"""
insert into core.fct_result by name
select 'lms' as source_id, 'sis' as roster_source_id,
    "sourcedId" as result_id, 'lms:' || "sourcedId" as result_key,
    "lineItemSourcedId" as line_item_id, 'lms:' || "lineItemSourcedId" as line_item_key,
    "studentSourcedId" as student_id, 'sis:' || "studentSourcedId" as student_key,
    "scoreStatus" as score_status,
    try_cast("score" as decimal(18, 6))
        + (substr("sourcedId", 3)::integer % {EVERY} = 7)::integer as score,
    try_cast("scoreDate" as date) as score_date, true as is_active, [] as unresolved,
    try_cast("dateLastModified" as timestamptz) at time zone 'UTC' as modified_at,
    timestamp '2026-09-01' as exported_at, file_id, record_number, line_number
from landing.raw_oneroster.results order by hash("sourcedId", 1)
"""
BASELINE = """
create or replace temp table differing as
select coalesce(raw.result_id, mart.result_id) as result_id,
    raw.file_id, raw.record_number, raw.line_number
from (
    select 'lms' as source_id, file_id, record_number, line_number,
        nullif(trim("sourcedId"), '') as result_id,
        nullif(trim("lineItemSourcedId"), '') as line_item_id,
        nullif(trim("studentSourcedId"), '') as student_id,
        nullif(trim("scoreStatus"), '') as score_status,
        try_cast(trim("score") as decimal(18, 6)) as score,
        try_cast(trim("scoreDate") as date) as score_date,
        try_cast(trim("dateLastModified") as timestamptz) at time zone 'UTC' as modified_at
    from landing.raw_oneroster.results where file_id = 'f1'
) as raw
full join core.fct_result as mart using (source_id, result_id)
where raw.line_item_id is distinct from mart.line_item_id
    or raw.student_id is distinct from mart.student_id
    or raw.score_status is distinct from mart.score_status
    or raw.score is distinct from mart.score
    or raw.score_date is distinct from mart.score_date
    or raw.modified_at is distinct from mart.modified_at
"""


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
            *("--exclude-resource-type", "unit_test"),
            *("--exclude-resource-type", "test"),
        )
        landing = Path(name) / "landing.duckdb"
        attach = f"attach '{landing}' as landing"
        opened = f"timestamp '{CUTOFFS[0]}'"
        bench.sql(
            attach,
            FILES,
            "insert into landing.landing.cycle_files values (1, 'f1')",
            RAW,
            "update landing.landing.cycles set status = 'completed', "
            f"closed_at = {opened} where cycle_id = 1",
            MART,
        )
        nodes = min(bench.dbt("run", "--select", "tag:reconciliation") for _ in range(3))
        ran = json.loads((Path(name) / "target" / "run_results.json").read_text("utf-8"))
        manifest = json.loads((Path(name) / "target" / "manifest.json").read_text("utf-8"))
        statements = [
            f"create or replace temp table step as ({result['compiled_code']})"
            for result in ran["results"]
            if manifest["nodes"][result["unique_id"]]["config"]["materialized"] == "table"
        ]
        attach = f"{attach} (read_only)"
        joined = min(bench.sql(attach, BASELINE) for _ in range(5))
        reconciled = min(bench.sql(attach, *statements) for _ in range(5))
        ((scores, values),) = bench.rows(
            "select count(*) filter (column_name = 'score'), count(*) "
            "from reconciliation.recon_diverging_value"
        )
        shutil.rmtree(name, ignore_errors=True)
    print(
        f"hand-written full join {joined:.2f} s; reconciliation {reconciled:.2f} s, "
        f"ratio {reconciled / joined:.2f} (limit 2); "
        f"{len(statements)} nodes of dbt {nodes:.1f} s; differing scores {scores}, "
        f"of all differing values {values}; planted {RECORDS // EVERY}"
    )


if __name__ == "__main__":
    main()
