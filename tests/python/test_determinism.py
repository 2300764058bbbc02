"""Nothing that reaches a table depends on the clock, on chance or on the order of storage."""

import json
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from conftest import District
from determinism import orders, troubles, words_of_template

from rollcall.project import PROJECT_DIR

TOTAL_ORDERS = {
    "*_key | version_at DESC, exported_at DESC, record_number ASC": "two files of a source and "
    "feed never share an export time, and a record number stands once in a file",
    "result_key, objective_id | version_at DESC, exported_at DESC, result_objective_key ASC": "it "
    "ends with the key",
    "arg_max decision_id": "decisions are numbered",
    "arg_max event_number": "events are numbered",
    "arg_max link_id": "decisions on students are numbered",
    "source_id | stage_decision_id": "decisions on stages are numbered",
    "student_key, objective_id | effective_at DESC, version_at DESC, override_key ASC": "it ends "
    "with the key",
    "user_key | *, role_key ASC": "it ends with the key",
    "student_key, objective_id, COALESCE(line_item_key, *), * | *, evidence_key ASC": "it ends "
    "with the key",
    "arg_min line_number": "a record begins on a line of its own",
    "source_id, feed | expected_at": "an expectation stands once for a time",
    "source_id, feed | exported_at": "what is taken is the order itself",
    "source_id, feed | exported_at, file_id": "it ends with the key",
    "source_id, feed | exported_at DESC, status = 'pending' DESC, file_id DESC": "it ends with the "
    "key",
    "source_id, part | exported_at DESC, status = 'pending' DESC, file_id DESC": "it ends with the "
    "id of a file, which lists a part once",
    "source_id, feed, COALESCE(record_key, file_id || ' ' || record_number) | is_origin AND NOT "
    "is_as_its_origin DESC, exported_at DESC, is_rejected ASC, record_number ASC": "two files that "
    "count never share an export time, and a record number stands once in a file",
    "source_id, feed, evidence_id | step_number DESC, reason ASC, evidence_key ASC": "it ends with "
    "the key",
    "source_id, feed, *, subject | step_number": "a step stands once in what is counted",
    "source_id, * | file_id, record_number": "rows of a mart that are equal in both are copies",
    "arg_min record_number": "a record number stands once in a file",
    "version_path | exported_at, file_id": "it ends with the id of a file, of which each has one",
    "arg_max (exported_at, record_number)": "two files of a source and feed never share an export "
    "time, and a record number stands once in a file",
    "arg_min (priority, student_key)": "it ends with the key",
    "arg_min (exported_at, file_id, line_number)": "a record begins on a line of its own",
    "arg_max (exported_at, said_at, *)": "it ends with what is taken",
    "student_key, field_name | rank ASC, source_id = roster_source_id DESC, source_id ASC": "a "
    "source says one thing of a field of a student",
    " | cycle_id": "cycles are numbered",
    "student_key, * | valid_from, valid_to": "used by a test that finds equal intervals",
}
"""Every order that decides which row wins: why no two rows can tie, or why a tie does not show."""


@pytest.fixture(scope="module")
def manifest(compiled: Path) -> Any:
    """What dbt compiles for the sample's last cycle."""
    return json.loads((compiled / "manifest.json").read_text(encoding="utf-8"))


def test_no_query_depends_on_when_or_in_which_order_it_runs(manifest: Any) -> None:
    compiled = {
        key: node["compiled_code"]
        for key, node in manifest["nodes"].items()
        if node.get("compiled_code")
    }
    assert len(compiled) > 150
    found = {key: sorted(troubles(sql)) for key, sql in compiled.items()}
    assert {key: told for key, told in found.items() if told} == {}


def test_every_order_that_decides_is_total(manifest: Any) -> None:
    used = {
        order
        for node in manifest["nodes"].values()
        if node.get("compiled_code")
        for order in orders(node["compiled_code"])
    }
    known = {order: [p for p in TOTAL_ORDERS if fnmatchcase(order, p)] for order in used}
    assert [order for order, patterns in known.items() if not patterns] == []
    assert set(TOTAL_ORDERS) == {patterns[0] for patterns in known.values()}, "none is left over"


def test_no_macro_hook_or_seed_depends_on_them_either(manifest: Any) -> None:
    templates = {
        key: macro["macro_sql"]
        for key, macro in manifest["macros"].items()
        if macro["package_name"] == "rollcall"
    }
    for key, node in manifest["nodes"].items():
        if node["resource_type"] != "seed":
            templates[key] = node["raw_code"]
        for moment in ("pre-hook", "post-hook"):
            for place, hook in enumerate(node["config"].get(moment, [])):
                templates[f"{key} {moment} {place}"] = hook["sql"]
    assert any("pre-hook" in key for key in templates)
    found = {key: words_of_template(text) for key, text in templates.items()}
    assert {key: told for key, told in found.items() if told} == {}


def test_what_dbt_runs_around_a_query_reads_no_clock(
    sample_run: tuple[District, list[int]],
) -> None:
    """Snapshots are written by SQL of dbt itself, whose clock is replaced by the cut-off."""
    folder = sample_run[0].home / "target" / "run" / "rollcall" / "snapshots"
    statements = [path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.sql"))]
    assert len(statements) == len(list((PROJECT_DIR / "snapshots").glob("*.sql")))
    for statement in statements:
        assert words_of_template(statement) == set()


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("select now()", "now"),
        ("select * from a where b < current_timestamp", "current_timestamp"),
        ("select current_date", "current_date"),
        ("select get_current_timestamp()", "get_current_timestamp"),
        ("select today()", "today"),
        ("select random()", "random"),
        ("select uuid()", "uuid"),
        ("select gen_random_uuid()", "gen_random_uuid"),
        ("select rowid from a", "rowid"),
        ("select row_number() over () as n from a", "row_number without an order"),
        ("select row_number() over (partition by b) as n from a", "row_number without an order"),
        ("select lag(b) over (partition by c) from a", "lag without an order"),
        ("select first(b) from a", "first"),
        ("select last(b) from a", "last"),
        ("select any_value(b) from a", "any_value"),
        ("select array_agg(b) from a", "array_agg without an order"),
        ("select list(b) filter (c) from a", "array_agg without an order"),
        ("select string_agg(b, ',') from a", "group_concat without an order"),
        ("select b from a limit 1", "limit without an order"),
        ("select * from a using sample 3 rows", "tablesample"),
    ],
)
def test_each_of_them_would_be_found(sql: str, told: str) -> None:
    assert told in {*troubles(sql), *words_of_template(sql)}


@pytest.mark.parametrize(
    "sql",
    [
        "select row_number() over (partition by b order by c) from a",
        "select list(b order by c) from a",
        "select list_sort(list(b) filter (c)) from a",
        "select 'the first now' as last_name, list_filter(b, lambda item: item > 1) from a",
        "select b from a order by c limit 1",
        "select max_by(b, c) from a",
    ],
)
def test_what_is_determined_passes(sql: str) -> None:
    assert {*troubles(sql), *words_of_template(sql)} == set()


@pytest.mark.parametrize(
    "template",
    [
        "select '{{ run_started_at }}'",
        "{% set at = modules.datetime.datetime.now() %}",
        "{% do run_query('select now()') %}",
        '{{ config(post_hook="update a set b = current_timestamp") }} select 1',
        "{% if is_incremental() %} where b > current_date {% endif %}",
    ],
)
def test_jinja_is_read_too(template: str) -> None:
    assert words_of_template(template)


def test_an_order_names_what_decides() -> None:
    sql = "select row_number() over (partition by a.b order by a.c desc) from a"
    assert list(orders(sql)) == ["b | c DESC"]
    assert list(orders("select max_by(b, a.c) from a")) == ["arg_max c"]
