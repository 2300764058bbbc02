"""Run the sample district night by night into an empty data directory and answer what people ask.

Between two nights people review a pilot and promote it.

Usage: python scripts/demo.py DATA_DIRECTORY
"""

import csv
import io
import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path

import duckdb

from rollcall.cli import commands

sys.path.append(str(Path(__file__).resolve().parents[1]))
from sample_district.people import decide

ROOT = Path(__file__).resolve().parents[1]
PROJECT = ROOT / "sample_district" / "project"
SAMPLE = ROOT / "sample_exports"

REASONS = (
    "select reason, count(*) filter (kind = 'missing') as missing, "
    "count(*) filter (kind = 'unexpected') as unexpected, "
    "count(*) filter (kind = 'diverging') as diverging from ("
    "select 'missing' as kind, reason from reconciliation.recon_missing_record "
    "union all select 'unexpected', reason from reconciliation.recon_unexpected_record "
    "union all select 'diverging', reason from reconciliation.recon_diverging_value"
    ") group by reason order by reason"
)
QUESTIONS = (
    (
        "Is every record accounted for?",
        "select count(*) as files, sum(record_count)::bigint as records, "
        "sum(malformed_count)::bigint as malformed, sum(rejected_count)::bigint as rejected, "
        "sum(duplicate_count)::bigint as duplicates, sum(accepted_count)::bigint as accepted, "
        "bool_and(is_balanced) as balanced from reconciliation.recon_file_balance",
    ),
    ("Which records and values differ from the newest exports, and why?", REASONS),
    (
        "What was rejected, and why?",
        "select code, count(*) as times, any_value(message) as meaning "
        "from audit.audit_rejected_record group by code order by times desc, code",
    ),
    (
        "Which files were not taken?",
        "select source_id, delivery_name, file_name, code "
        "from audit.audit_ingestion_log where verdict <> 'accepted' order by all",
    ),
    (
        "Who is on the roster, and what do we know of them?",
        "select 'students' as what, count(*) filter (is_active) as active, "
        "count(*) filter (not is_active) as removed from core.dim_user where role = 'student' "
        "union all select 'classes', count(*) filter (is_active), count(*) filter (not is_active) "
        "from core.dim_class "
        "union all select 'enrollments', count(*) filter (is_active), "
        "count(*) filter (not is_active) from core.fct_enrollment "
        "union all select 'results', count(*) filter (is_active), "
        "count(*) filter (not is_active) from core.fct_result",
    ),
    (
        "Which references are unresolved, because the record has not come yet?",
        "select what, missing, count(*) as records from ("
        "select 'result' as what, unnest(unresolved) as missing from core.fct_result "
        "union all select 'enrollment', unnest(unresolved) from core.fct_enrollment "
        "union all select 'class', unnest(unresolved) from core.dim_class"
        ") group by all order by all",
    ),
    (
        "How many students reached or lost mastery, night by night, and why?",
        "select cycle_id as night, count(distinct student_id) as students, "
        "count(*) filter (after_value = 'true') as reached, "
        "count(*) filter (before_value = 'true') as lost, reason from progression.fct_checkpoint "
        "where field = 'is_completed' and 'true' in (before_value, after_value) "
        "group by cycle_id, reason order by cycle_id, reason",
    ),
    (
        "What have students mastered, and on what data?",
        "select state, count(*) as outcomes, count(distinct student_id) as students, "
        "sum(evidence_count)::bigint as evidence, count(*) filter (is_override) as overridden, "
        "any_value(evidence_until) as scores_until, any_value(as_of) as as_of, "
        "bool_or(is_provisional) as provisional from progression.fct_mastery "
        "where is_on_roster group by state order by state",
    ),
    (
        "How much evidence is usable, and why not the rest?",
        "select source_id, disposition, evidence_count from audit.audit_evidence order by all",
    ),
    (
        "How far do the vendor's tests get, and where are they lost?",
        "select step_number, step, coalesce(reason, '') as lost_because, "
        "sum(record_count)::bigint as records, sum(lost_count)::bigint as lost "
        "from reconciliation.recon_coverage where source_id = 'map' group by all "
        "order by step_number, lost_because",
    ),
    (
        "How far are students on their paths? (a table of the sample's own project)",
        "select * from district.gates_by_school order by all",
    ),
)


def main(home: Path) -> int:
    """Run every night, then ask; returns 0 when every cycle was published."""
    _fresh(home)
    with (SAMPLE / "nights.csv").open(encoding="utf-8", newline="") as stream:
        nights = list(csv.DictReader(stream))
    for night in nights:
        print(f"\n--- night {night['night']}: {night['story']}")
        options = () if night is nights[-1] else ("--no-report",)
        code = _cycle(home, f"night_{night['night']}", night["cutoff_at"], options)
        if code not in (0, 3):
            print(f"rollcall cycle ended with {code}; the demo stops here.", file=sys.stderr)
            return code
        print(f"Differences from the newest exports: {_reasons(home)}.")
        decide(night["night"], home, partial(_by_people, home))
    _ask(home)
    print(f"\nFor people: open {home / 'report' / 'index.html'} in a browser.")
    print(f"For DuckDB clients: {home / 'warehouse.duckdb'}.")
    print(f"What arrived and what did not: .venv/bin/rollcall status --home {home}")
    return 0


def _fresh(home: Path) -> None:
    """Remove what an earlier demo left; only a folder that a demo made is ever removed."""
    marker = home / ".demo"
    if home.exists() and any(home.iterdir()) and not marker.exists():
        sys.exit(f"{home} is not the data directory of a demo; name another folder.")
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(mode=0o700, parents=True)
    marker.touch()
    shutil.rmtree(_project(home), ignore_errors=True)
    shutil.copytree(PROJECT, _project(home))


def _project(home: Path) -> Path:
    """Return where the district's project is: beside its data directory."""
    return home.with_name(f"{home.name}_project")


def _cycle(home: Path, night: str, cutoff_at: str, options: Sequence[str]) -> int:
    """Run `rollcall cycle` on what a night brought.

    The report shows the newest night, so it is rendered after the last one alone.
    """
    arguments = ("--inbox", SAMPLE / night, "--cutoff", cutoff_at, *options)
    return _rollcall(home, cutoff_at, "cycle", *arguments)


def _by_people(home: Path, *arguments: str | Path, now: str) -> None:
    """Run a command of people between two nights; shows what it says in the first place."""
    print(f"\n$ rollcall {' '.join(map(_quoted, arguments))}")
    said = io.StringIO()
    with redirect_stdout(said):
        code = _rollcall(home, now, *arguments)
    print("\n".join(line for line in said.getvalue().splitlines() if line[:1].strip()))
    if code not in (0, 3):
        sys.exit(f"rollcall {arguments[0]} ended with {code}; the demo stops here.")


def _quoted(argument: str | Path) -> str:
    text = argument.name if isinstance(argument, Path) else argument
    return f"'{text}'" if " " in text else text


def _rollcall(home: Path, now: str, command: str | Path, *arguments: str | Path) -> int:
    """Run `rollcall` in this process, which loads dbt once for all nights; gives its exit code."""
    os.environ["ROLLCALL_NOW"] = now
    os.environ["ROLLCALL_HOME"] = str(home)
    sys.argv = ["rollcall", "--project", *map(str, (_project(home), command, *arguments))]
    try:
        commands.main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def _reasons(home: Path) -> str:
    """Say how many records and values differ from the newest exports, by reason."""
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        rows = connection.sql(REASONS).fetchall()
    return ", ".join(f"{sum(counts)} {reason}" for reason, *counts in rows) or "nothing"


def _ask(home: Path) -> None:
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        for question, sql in QUESTIONS:
            print(f"\n{question}")
            relation = connection.sql(sql)
            widths = [len(name) for name in relation.columns]
            rows = [
                ["" if value is None else str(value) for value in row]
                for row in relation.fetchall()
            ]
            for row in rows:
                widths = [max(width, len(cell)) for width, cell in zip(widths, row, strict=True)]
            if not rows:
                print("  nothing")
                continue
            for row in [relation.columns, *rows]:
                cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
                print("  " + "  ".join(cells).rstrip())


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
