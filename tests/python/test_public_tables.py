"""What Python relies on: public tables, and what dbt itself decides about records."""

import re

import pytest
import yaml

from rollcall.contracts.project import Contracts
from rollcall.landing.volume_checks import DELETING_STATUSES
from rollcall.project import PROJECT_DIR

CONTRACTS = Contracts.load(PROJECT_DIR / "seeds" / "contracts")
STAGED = [feed.feed for feed in CONTRACTS.feeds if feed.is_staged]
NOT_PUBLIC = re.compile(
    r"\b(?:staging|transform|snapshots)\.\w+|\b(?:base|stg)_\w+?__\w+|\b(?:int|snap)_\w+"
)
WRITES_MODELS = {PROJECT_DIR / "scripts" / "rollcall" / name for name in ("comparison", "scaffold")}
DURING_A_CYCLE = {
    "scripts/rollcall/cycle/cycle.py": {"staging.stg_landing__cycles"},
    "scripts/rollcall/cycle/failing_records.py": {"staging.stg_landing__files"},
    "scripts/rollcall/cycle/reported.py": {"staging.stg_landing__cycles"},
    "scripts/rollcall/cycle/pilot_nodes.py": {
        *("stg_landing__files", "stg_landing__stages"),
        *("int_student_inputs", "int_objective_evidence", "int_mastery_scored"),
        *("int_mastery_status", "int_path_enrollments", "int_gate_status", "int_pilot_outcomes"),
    },
    "scripts/rollcall/cycle/pilots.py": {"int_file_record_counts", "int_student_links"},
    "scripts/rollcall/cycle/tables.py": {
        *("staging.stg_landing__files", "transform.int_file_record_counts"),
        *("transform.int_assessment_results", "transform.int_roster_students"),
        *("transform.int_student_links", "transform.int_student_witnesses"),
    },
    "scripts/rollcall/cycle/warehouse.py": {"int_file_record_counts", "int_student_links"},
}
"""What is read of a warehouse in the making, before its public tables are built, and around it."""


def test_command_line_and_report_read_public_tables_only() -> None:
    found: dict[str, set[str]] = {}
    scripts = PROJECT_DIR / "scripts"
    for path in [scripts / "demo.py", *sorted((scripts / "rollcall").rglob("*"))]:
        if path.suffix in (".py", ".sql", ".j2") and not WRITES_MODELS & {*path.parents}:
            names = set(NOT_PUBLIC.findall(path.read_text(encoding="utf-8")))
            if names:
                found[str(path.relative_to(PROJECT_DIR))] = names
    assert found == DURING_A_CYCLE


def test_what_deletes_is_what_the_macro_says() -> None:
    parsing = (PROJECT_DIR / "macros" / "parsing" / "parsing.sql").read_text(encoding="utf-8")
    [listed] = re.findall(r"macro is_deletion.*? in \((.*?)\)", parsing, re.S)
    assert tuple(re.findall(r"'(\w+)'", listed)) == DELETING_STATUSES


def test_a_public_table_declares_the_key_that_its_test_holds_it_to() -> None:
    """Where a key may be null in part, only the test can say it."""
    for folder in ("core", "progression", "audit", "reconciliation"):
        for path in sorted((PROJECT_DIR / "models" / "marts" / folder).glob("*.yml")):
            described = path.read_text(encoding="utf-8")
            [key] = re.findall(r"one_row_per:\n.*\n.*columns: \[(.*)\]", described)
            declared = re.findall(r"primary_key, columns: \[(.*?)\]", described) or [
                column["name"]
                for column in yaml.safe_load(described)["models"][0]["columns"]
                if {"type": "primary_key"} in column.get("constraints", [])
            ]
            assert declared == [key] * ("coalesce" not in key), path.name


@pytest.mark.parametrize("feed", STAGED)
def test_the_mart_of_a_feed_has_its_records_their_key_and_their_lineage(feed: str) -> None:
    found = CONTRACTS.mart_of(feed)
    assert found is not None
    schema, model = found[0].split(".")
    mart = PROJECT_DIR / "models" / "marts" / schema / f"{model}.sql"
    sql = re.sub(r"\s+", " ", mart.read_text(encoding="utf-8"))
    own_key = r"\w+_id" if len(found[1]) > 1 else found[1][0].staged_column
    assert re.search(f"'{feed}', '{own_key}'", sql)
    described = mart.with_suffix(".yml").read_text(encoding="utf-8")
    wanted = {"source_id", "file_id", "record_number", "exported_at", "is_active"}
    for layout in CONTRACTS.versions(feed):
        wanted |= {column.staged_column for column in layout.columns if column.staged_as} - {
            "is_deleted"
        }
    assert {name for name in wanted if f"{{name: {name}," not in described} == set()


def test_a_feed_that_is_kept_raw_only_has_no_mart() -> None:
    assert {feed.feed for feed in CONTRACTS.feeds if feed.mart} == set(STAGED)
