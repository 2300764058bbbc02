"""Staging SQL is held to the contracts: every layout, column, requirement and severity."""

import csv
import re
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from rollcall.contracts.project import Contracts
from rollcall.project import PROJECT_DIR

sys.path.append(str(PROJECT_DIR / "scripts"))
from staging_yaml import expanded, rendered

CONTRACTS = Contracts.load(PROJECT_DIR / "seeds" / "contracts")
STAGING = PROJECT_DIR / "models" / "staging"


def rows() -> list[dict[str, str]]:
    path = PROJECT_DIR / "seeds" / "contracts" / "layouts.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def staged_feeds() -> dict[str, list[dict[str, str]]]:
    """The columns of every staged feed, in all layouts, by feed.

    A column has the name of the raw column in which it lands.
    """
    raw_columns = {
        (layout.feed, layout.version): layout.raw_columns
        for layout in CONTRACTS.layouts
        if layout.is_staged
    }
    found = defaultdict(list)
    for row in rows():
        key = row["feed"], row["layout_version"]
        if key in raw_columns:
            raw_column = raw_columns[key][int(row["position"]) - 1]
            found[row["feed"]].append(row | {"column_name": raw_column})
    return dict(found)


FEEDS = staged_feeds()
READ_AS = {
    ("date", "YYYY-MM-DD"): ("date", "date"),
    ("date", "MM/DD/YYYY"): ("us_date", "us_date"),
    ("date", "MMDDYYYY"): ("digit_date", "digit_date"),
    ("time", "HH:MM:SS"): ("time_of_day", "time"),
}
"""Of a type and format: the macro that reads it, and what `readable` calls it."""


def base_sql(feed: str) -> str:
    family, name = feed.split("/")
    path = STAGING / family / "base" / f"base_{family}__{name}.sql"
    return expanded(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("feed", FEEDS)
def test_every_staged_feed_has_a_base_view_that_stages_the_columns_of_its_layouts(
    feed: str,
) -> None:
    sql = base_sql(feed)
    for row in FEEDS[feed]:
        if row["staged_as"]:
            name = row["staged_as"].split(".")[1]
            pattern = rf"\('{re.escape(row['column_name'])}'(, \w+)?\) \}}\}} as {name},"
            assert re.search(pattern, sql), f"{row['column_name']} is not staged as {name}"
    assert "{{ content_hash() }} as content_hash" in sql


@pytest.mark.parametrize("feed", FEEDS)
def test_required_columns_are_required_and_values_are_those_allowed(feed: str) -> None:
    """A check is there where any layout asks for it; that of the file decides on its records."""
    sql = base_sql(feed)
    demands = defaultdict(set)
    for row in FEEDS[feed]:
        if row["staged_as"]:
            demands[row["column_name"]].add(row["is_required"])
    for row in FEEDS[feed]:
        name = row["column_name"]
        if not row["staged_as"] or name in ("sourcedId", "status", "dateLastModified"):
            continue
        if "in_part" not in demands[name]:
            assert (f"required('{name}')" in sql) == ("yes" in demands[name]), name
        if row["allowed_values"] and row["data_type"] == "enum":
            named = re.search(rf"allowed\('{re.escape(name)}', (\w+)", sql)
            assert named, f"{name} is not checked against its values"
            assert f"one_of('{name}', {named[1]})" in sql, f"{name} is read as it is written"
            found = re.search(rf"set {named[1]} = \[(.*?)\]", sql, re.DOTALL)
            assert found
            allowed = set(re.findall(r"'([^']+)'", found[1]))
            assert allowed >= set(row["allowed_values"].split("|"))
        if row["allowed_values"] and row["data_type"] in ("integer", "float"):
            named = re.search(rf"readable\('{re.escape(name)}', '\w+', words=(\w+)\)", sql)
            assert named, f"{name} is not read with the words that may stand there"
            found = re.search(rf"set {named[1]} = \[(.*?)\]", sql, re.DOTALL)
            assert found
            assert re.findall(r"'([^']+)'", found[1]) == row["allowed_values"].split("|")
        if row["allowed_values"] and row["data_type"] == "string":
            named = re.search(rf"known\('{re.escape(name)}', (\w+)", sql)
            assert named, f"{name} is not compared with the values that are known"
            found = re.search(rf"set {named[1]} = \[(.*?)\]", sql, re.DOTALL)
            assert found
            assert re.findall(r"'([^']+)'", found[1]) == row["allowed_values"].split("|")
        kind = (row["data_type"], row["format"])
        if kind in READ_AS:
            macro, readable = READ_AS[kind]
            assert f"{{{{ {macro}('{name}') }}}} as " in sql, f"{name} is not read as its format"
            assert f"readable('{name}', '{readable}')" in sql, f"{name} is not checked for it"
        if row["data_type"] in ("date", "datetime", "float", "integer", "year", "bool", "time"):
            assert f"readable('{name}'" in sql, f"{name} is not checked for its type"


def test_staged_as_names_a_column_of_a_contracted_model() -> None:
    for row in rows():
        if row["staged_as"]:
            model, column = row["staged_as"].split(".")
            text = (STAGING / row["feed"].split("/")[0] / f"{model}.yml").read_text(
                encoding="utf-8"
            )
            assert f"{{name: {column}," in text
            assert f"personal_data: {row['personal_data']}" in next(
                line for line in text.splitlines() if f"{{name: {column}," in line
            )


def test_the_yaml_of_staging_has_the_columns_of_the_base_views() -> None:
    for path, text in rendered().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run `make generate`"


def test_the_raw_table_of_every_staged_feed_is_a_dbt_source() -> None:
    for family in {feed.split("/")[0] for feed in FEEDS}:
        text = (STAGING / family / f"_{family}__sources.yml").read_text(encoding="utf-8")
        named = {f"{family}/{name}" for name in re.findall(r"^      - name: (\w+)", text, re.M)}
        assert named == {
            layout.feed
            for layout in CONTRACTS.layouts
            if layout.is_staged and layout.feed.startswith(f"{family}/")
        }


def test_codes_raised_by_macros_and_loader_are_catalogued() -> None:
    path = PROJECT_DIR / "seeds" / "reference" / "error_codes.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        codes = {row["code"]: row for row in csv.DictReader(stream)}
    raised = set()
    places = (("macros", "*.sql"), ("models/intermediate", "*.sql"), ("scripts/rollcall", "*.py"))
    for folder, pattern in places:
        for file in (PROJECT_DIR / folder).rglob(pattern):
            raised |= set(re.findall(r"[\"']([A-Z]+(?:_[A-Z]+)+)[\"']", file.read_text("utf-8")))
    raised -= {"SUDO_USER"}
    raised -= {name for name in raised if name.startswith(("DBT_", "ROLLCALL_"))}
    assert raised == set(codes)
    macros = (PROJECT_DIR / "macros" / "checks" / "checks.sql").read_text(encoding="utf-8")
    for code in re.findall(r"'code': '(\w+)',[^}]*?'is_error': false", macros, re.DOTALL):
        if code not in ("VALUE_NOT_ALLOWED",):
            assert codes[code]["severity"] == "warning", code


def models() -> list[Path]:
    """The models that people write; `compared/` is written by a script."""
    paths = sorted((PROJECT_DIR / "models").rglob("*.sql"))
    return [path for path in paths if path.parent.name != "compared"]


@pytest.mark.parametrize("path", models(), ids=lambda path: path.stem)
def test_models_are_short_and_say_their_grain(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("-- One row per "), "line 1 says the grain"
    assert len(lines) <= 100
    described = path.with_suffix(".yml").read_text(encoding="utf-8")
    assert len(described.splitlines()) <= 150
    assert "description: 'One row per " in described


def test_no_model_macro_or_snapshot_reads_the_clock_or_chance() -> None:
    forbidden = re.compile(
        r"\b(now|today|current_timestamp|current_date|localtimestamp|random|uuid|"
        r"get_current_timestamp)\b\s*(\(|,|$)",
        re.IGNORECASE | re.MULTILINE,
    )
    for folder in ("models", "macros", "snapshots", "tests/generic", "tests/singular"):
        for path in (PROJECT_DIR / folder).rglob("*.sql"):
            assert not forbidden.search(path.read_text(encoding="utf-8")), path.name


def test_the_reading_order_names_files_that_are_there() -> None:
    text = (PROJECT_DIR / "CONTRIBUTING.md").read_text(encoding="utf-8")
    order = re.findall(r"^\d+\. `([^`]+)`", text, re.MULTILINE)
    assert len(order) == 10
    for name in order:
        assert (PROJECT_DIR / name).is_file(), name
