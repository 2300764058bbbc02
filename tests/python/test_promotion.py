"""The gate before a pilot is live: its criteria, what persons have said, and what is kept of it."""

from collections.abc import Iterator
from string import Template
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from conftest import Done, Project
from stories import approve_mapping_of
from test_pilots import FIRST_NIGHT, OF_PILOT, PILOT, SCHEMA, district_of, night

from rollcall.project import PROJECT_DIR
from rollcall.promotion.gate import CRITERIA

pytestmark = pytest.mark.more

NOW = "2026-09-01T19:00:00Z"
GATE = PROJECT_DIR / "scripts" / "rollcall" / "promotion"
SAID_BY_PERSONS = {"columns_not_approved", "effect_seen_by"}
"""Criteria of which the ledger says what their queries do not."""


# ---------------------------------------------------------------- each query, on small tables


@pytest.fixture
def tables() -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a warehouse of a pilot `pilot_map` in which every table is there and empty."""
    with duckdb.connect() as connection:
        connection.execute(
            """
            create schema pilot_map; create schema audit; create schema source_ledger;
            create table source_ledger.published_cycle as select 7 as cycle_id;
            create table pilot_map.built_in_cycle as select 7 as cycle_id;
            create table pilot_map.audit_pilot_boundary (expected_at timestamp, is_on_time boolean);
            create table pilot_map.audit_ingestion_log (
                landed_at timestamp, verdict varchar, code varchar, record_count bigint,
                structural_count bigint, malformed_count bigint, rejected_count bigint,
                exported_at timestamp, first_cycle_id bigint
            );
            create table pilot_map.recon_coverage (
                step varchar, reason varchar, record_count bigint, lost_count bigint
            );
            create table pilot_map.recon_missing_record (feed varchar, is_explained boolean);
            create table pilot_map.recon_unexpected_record (feed varchar, is_explained boolean);
            create table pilot_map.recon_diverging_value (feed varchar, is_explained boolean);
            create table pilot_map.recon_column_sum (feed varchar, is_equal boolean);
            create table pilot_map.recon_file_balance (feed varchar, is_balanced boolean);
            create table pilot_map.recon_contest (field_name varchar, rule varchar);
            create table audit.audit_cycle_log (cycle_id bigint, cutoff_at timestamp);
            create table pilot_map.audit_pilot_effect (effect_key varchar, student_count bigint);
            """
        )
        yield connection


def value_of(
    tables: duckdb.DuckDBPyConnection, criterion: str, since: str = "-infinity", **rows: str
) -> Any:
    """Fill tables of the pilot with rows, and ask the query of a criterion."""
    for table, values in rows.items():
        schema = "audit" if table == "audit_cycle_log" else "pilot_map"
        tables.execute(f"delete from {schema}.{table}")
        tables.execute(f"insert into {schema}.{table} values {values}")
    text = (GATE / "queries" / f"{criterion}.sql").read_text(encoding="utf-8")
    query = Template(text).substitute(pilot="pilot_map", since=f"timestamp '{since}'")
    [(value,)] = tables.execute(query).fetchall()
    return value


def test_a_pilot_that_the_last_cycle_could_not_build_is_behind(
    tables: duckdb.DuckDBPyConnection,
) -> None:
    assert value_of(tables, "cycles_behind") == 0
    assert value_of(tables, "cycles_behind", built_in_cycle="(5)") == 2


def test_boundaries_count_since_the_last_one_that_was_missed(
    tables: duckdb.DuckDBPyConnection,
) -> None:
    def on_time(*boundaries: bool, since: str = "-infinity") -> Any:
        rows = ", ".join(
            f"('2026-09-{day:02d}', {is_on_time})" for day, is_on_time in enumerate(boundaries, 1)
        )
        return value_of(tables, "boundaries_on_time", since, audit_pilot_boundary=rows)

    assert value_of(tables, "boundaries_on_time") == 0
    assert on_time(True, True, True) == 3
    assert on_time(True, False, True, True) == 2
    assert on_time(True, True, False) == 0
    assert on_time(True, True, True, since="2026-09-02") == 2


FILE = "('2026-09-02', '{}', {}, {}, {}, {}, {}, '2026-09-02', 1)"


def test_a_file_of_unknown_header_or_format_is_counted(tables: duckdb.DuckDBPyConnection) -> None:
    def count(verdict: str, code: str, since: str = "-infinity") -> Any:
        row = FILE.format(verdict, f"'{code}'", 9, 0, 0, 9)
        return value_of(tables, "unknown_layouts", since, audit_ingestion_log=row)

    for code in ("COLUMN_ADDED", "LAYOUT_UNKNOWN", "TYPE_CHANGED", "WRONG_DELIMITER"):
        assert count("rejected", code) == 1
    assert count("rejected", "COLUMN_ADDED", since="2026-09-03") == 0
    assert count("accepted", "COLUMN_UNNAMED") == 0
    assert count("rejected", "FILE_REPEATED") == 0


def test_every_code_of_a_layout_is_one_that_files_can_have() -> None:
    codes = (PROJECT_DIR / "seeds" / "reference" / "error_codes.csv").read_text(encoding="utf-8")
    query = (GATE / "queries" / "unknown_layouts.sql").read_text(encoding="utf-8")
    named = {word for word in query.split("'") if word.isupper() and not word.endswith("_")}
    assert len(named) == 11
    assert {code for code in named if f"\n{code},file,error," not in codes} == set()


def test_the_rejected_share_is_of_records_and_needs_some(tables: duckdb.DuckDBPyConnection) -> None:
    assert value_of(tables, "rejected_percent") is None
    files = [
        FILE.format("accepted", "null", 100, 20, 5, 3),
        FILE.format("held", "'MASS_DELETION'", 20, 0, 2, "null"),
        FILE.format("rejected", "'NOT_A_CSV'", "null", 0, "null", "null"),
    ]
    assert value_of(tables, "rejected_percent", audit_ingestion_log=", ".join(files)) == 10


def test_the_unlinked_share_is_of_valid_records(tables: duckdb.DuckDBPyConnection) -> None:
    assert value_of(tables, "unlinked_percent") == 0
    steps = (
        "('in_file', null, 50, 0), ('valid', null, 40, 0), ('valid', 'excluded', 0, 10), "
        "('linked', null, 30, 0), ('linked', 'none', 0, 8), ('linked', 'conflict', 0, 2)"
    )
    assert value_of(tables, "unlinked_percent", recon_coverage=steps) == 25


@pytest.mark.parametrize(
    "table",
    [
        *("recon_missing_record", "recon_unexpected_record", "recon_diverging_value"),
        *("recon_column_sum", "recon_file_balance"),
    ],
)
def test_what_reconciliation_does_not_explain_is_counted(
    tables: duckdb.DuckDBPyConnection, table: str
) -> None:
    rows = {table: "('f', true), ('f', false), ('f', false)"}
    assert value_of(tables, "unexplained_differences", **rows) == 2


def test_a_contest_that_a_row_of_the_hierarchy_decides_is_ruled(
    tables: duckdb.DuckDBPyConnection,
) -> None:
    contests = (
        "('family_name', 'source_hierarchy'), ('given_name', 'roster'), ('given_name', 'roster'), "
        "('birth_date', 'not_ranked')"
    )
    assert value_of(tables, "contests_not_ruled", recon_contest=contests) == 2


def test_data_ages_from_the_newest_export_to_each_cut_off(
    tables: duckdb.DuckDBPyConnection,
) -> None:
    assert value_of(tables, "latency_p95_hours") is None
    cycles = ", ".join(f"({cycle}, '2026-09-{cycle:02d} 18:00:00')" for cycle in range(1, 22))
    files = ", ".join(
        f"('2026-09-{cycle:02d}', 'accepted', null, 1, 0, 0, 0, '2026-09-{cycle:02d}', {cycle})"
        for cycle in range(1, 21)
    )
    rows = {"audit_cycle_log": cycles, "audit_ingestion_log": files}
    assert value_of(tables, "latency_p95_hours", **rows) == 18
    assert value_of(tables, "latency_p95_hours", since="2026-09-21") == 42


def test_the_fingerprint_of_an_effect_is_that_of_its_rows(
    tables: duckdb.DuckDBPyConnection,
) -> None:
    def effect(rows: str) -> Any:
        return value_of(tables, "effect_seen_by", audit_pilot_effect=rows)

    nothing = value_of(tables, "effect_seen_by")
    assert effect("('a', 1), ('b', 2)") == effect("('b', 2), ('a', 1)")
    assert len({nothing, effect("('a', 1)"), effect("('a', 2)"), effect("('b', 1)")}) == 4


# ---------------------------------------------------------------- a pilot that comes to the gate


def check(project: Project) -> Done:
    return project.run("promote", PILOT, "--check", "--json", now=NOW)


def failing(done: Done) -> dict[str, float | None]:
    return {
        one["criterion"]: one["value"] for one in done.json["criteria"] if not one["has_passed"]
    }


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Tell how a pilot comes to pass the gate after its first night."""
    project = district_of(tmp_path_factory.mktemp("promotion"), {PILOT: "pilot"})
    project.redeclare(PILOT, ",0 20 * * *,180,,", ",0 20 * * *,180,nwea/assessment_results,")
    limits = project.project / "seeds" / "contracts" / "district_limits.csv"
    limits.write_text(limits.read_text().replace("on_time,0,", "on_time,1,"))
    said: dict[str, Any] = {"early": check(project)}
    night(project, 1, FIRST_NIGHT | {PILOT: OF_PILOT})
    said["first"] = check(project)
    said["refused"] = project.run("promote", PILOT, "--reason", "they wait for it", now=NOW)
    approve_mapping_of(project, PILOT, NOW)
    said["seen"] = project.run("promote", PILOT, "--seen-by", " Ada  Lee ", "--json", now=NOW)
    said["last"] = check(project)
    return SimpleNamespace(project=project, said=said)


def test_before_a_cycle_has_built_it_nothing_can_be_checked(told: SimpleNamespace) -> None:
    early = told.said["early"]
    assert (early.code, early.out) == (2, "")
    assert "No warehouse has been published" in early.err


def test_a_check_names_what_fails_and_ends_with_3(told: SimpleNamespace) -> None:
    first = told.said["first"]
    assert first.code == 3
    assert [one["criterion"] for one in first.json["criteria"]] == [c.name for c in CRITERIA]
    assert failing(first) == {"columns_not_approved": 51, "effect_seen_by": 0}


def test_a_promotion_is_refused_while_a_criterion_fails(told: SimpleNamespace) -> None:
    refused = told.said["refused"]
    assert refused.code == 2
    assert " ".join(refused.err.split()) == (
        "rollcall: map-2 cannot be promoted: columns_not_approved is 51 and must be at most 0; "
        "effect_seen_by is 0 and must be at least 1. `rollcall promote map-2 --check` shows the "
        "query behind each."
    )
    decisions = "select decision from landing.stage_decisions"
    assert told.project.ledger(f"{decisions} where source_id = '{PILOT}'") == [("declare",)]


def test_all_criteria_hold_when_people_have_done_their_part(told: SimpleNamespace) -> None:
    assert told.said["seen"].json["seen_by"] == "Ada Lee"
    last = told.said["last"]
    assert (last.code, failing(last)) == (0, {})
    values = {one["criterion"]: one["value"] for one in last.json["criteria"]}
    assert (values["boundaries_on_time"], values["unlinked_percent"]) == (1, 20)
    assert values["latency_p95_hours"] == 17


def test_the_query_of_a_criterion_gives_its_value(told: SimpleNamespace) -> None:
    for one in told.said["last"].json["criteria"]:
        found = told.project.warehouse(one["query"])
        if one["criterion"] not in SAID_BY_PERSONS:
            assert found == [(one["value"],)], one["criterion"]
        elif one["criterion"] == "effect_seen_by":
            assert found == [(told.said["seen"].json["effect_sha256"],)]
        else:
            assert f" of {len(found)} columns" in one["detail"]


def test_every_check_is_an_entry_of_the_ledger(told: SimpleNamespace) -> None:
    assert told.project.ledger(
        "select count(distinct job_id), count(*) from landing.promotion_checks"
    ) == [(3, 3 * len(CRITERIA))]
    assert told.project.run("verify", now=NOW).code == 0


def test_an_approval_that_is_void_closes_the_gate(told: SimpleNamespace) -> None:
    macros = told.project.project / "macros" / "parsing" / "parsing.yml"
    text = macros.read_text(encoding="utf-8")
    words = "Read as a whole number, 6.0 as 6;"
    assert words in text
    macros.write_text(text.replace(words, "Read as a whole number;"), encoding="utf-8")
    assert failing(check(told.project)).keys() == {"columns_not_approved"}
    macros.write_text(text, encoding="utf-8")
    assert check(told.project).code == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((PILOT,), "A decision needs a reason; say why with --reason."),
        ((PILOT, "--check", "--reason", "x"), "run one at a time."),
        ((PILOT, "--seen-by", " "), "Name who has seen it, with up to 100 characters."),
        (("near", "--check"), "near is no pilot: its stage is live."),
        (("lms", "--check"), "No source is called 'lms'; there are map-2, near, sis."),
    ],
)
def test_what_cannot_be_done_is_said(
    told: SimpleNamespace, arguments: tuple[str, ...], sentence: str
) -> None:
    done = told.project.run("promote", *arguments, now=NOW)
    assert done.code == 2
    assert " ".join(done.err.split()).endswith(sentence)


def test_the_screen_shows_verdict_and_query(told: SimpleNamespace) -> None:
    shown = told.project.run("promote", PILOT, "--check", now=NOW).out
    assert "holds: boundaries_on_time is 1 and must be at least 1." in shown
    assert f"    cross join {SCHEMA}.built_in_cycle as built" in shown
    assert "All hold. Promote it: rollcall promote map-2 --reason '...'" in shown
