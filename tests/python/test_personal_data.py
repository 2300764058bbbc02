"""Personal data is classed from column to column: no column claims less than what feeds it.

The class of a raw column is that of the layouts; every model, snapshot and seed declares its own.
One step at a time is enough: what feeds a column is itself held to what feeds it. An exception says
why, in `personal_data_why` beside the class.
"""

import csv
import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from column_lineage import Column, Relation, feeds

from rollcall.contracts.project import Contracts
from rollcall.project import PROJECT_DIR

pytestmark = pytest.mark.more

CLASSES = ("none", "indirect", "direct", "sensitive")
CONTRACTS = PROJECT_DIR / "seeds" / "contracts"
ADDED_BY_DBT = "dbt_"
HOLDS_ANY_VALUE = "recon_diverging_value"
"""Its columns come out of lists of structs, whose fields no catalogue of columns names."""
ADDED_BY_LOADER = ("file_id", "record_number", "line_number", "byte_offset")


@dataclass(frozen=True)
class Catalogue:
    """What dbt compiled, the columns of every relation, and those that feed each of them."""

    nodes: dict[str, Any]
    columns: dict[Relation, tuple[str, ...]]
    fed_by: dict[Column, set[Column]]


def relation(node: dict[str, Any]) -> Relation:
    return tuple(part.strip('"') for part in node["relation_name"].split("."))


@pytest.fixture(scope="module")
def catalogue(compiled: Path) -> Catalogue:
    """Read the catalogue from the sample's last cycle, as it was built."""
    manifest = json.loads((compiled / "manifest.json").read_text(encoding="utf-8"))
    nodes = {
        key: node
        for key, node in (manifest["nodes"] | manifest["sources"]).items()
        if node["resource_type"] in ("model", "snapshot", "seed", "source")
        and node["config"].get("materialized") != "ephemeral"
    }
    read_by = {**manifest["nodes"], **manifest["sources"]}
    columns: dict[Relation, tuple[str, ...]] = {}
    with duckdb.connect() as connection:
        for database in ("landing", "building"):
            path = compiled.parent / f"{database}.duckdb"
            connection.execute(f"attach ? as {database} (read_only)", [str(path)])
        for *relation_name, names in connection.execute(
            "select table_catalog, table_schema, table_name, "
            "list(column_name order by ordinal_position) "
            "from information_schema.columns group by all"
        ).fetchall():
            columns[tuple(relation_name)] = tuple(names)
    fed_by = {}
    for key, node in nodes.items():
        if node["resource_type"] in ("model", "snapshot") and node["name"] != HOLDS_ANY_VALUE:
            read = {relation(nodes[other]) for other in [key, *stored_parents(read_by, key)]}
            known = {read_from: columns[read_from] for read_from in read}
            for name, sources in feeds(node["compiled_code"], known).items():
                fed_by[relation(node), name] = sources
    return Catalogue(nodes, columns, fed_by)


def stored_parents(nodes: dict[str, Any], key: str) -> set[str]:
    """What a query reads: its parents, and of an ephemeral one, whose SQL it holds, theirs."""
    found: set[str] = set()
    for parent in nodes[key]["depends_on"]["nodes"]:
        is_ephemeral = nodes[parent]["config"].get("materialized") == "ephemeral"
        found |= stored_parents(nodes, parent) if is_ephemeral else {parent}
    return found


def raw_classes() -> dict[tuple[str, str], str]:
    """The highest class that any layout gives to a column of a raw table."""
    landed = {
        (layout.feed, layout.version, position): (layout.raw_table, name.lower())
        for layout in Contracts.load(CONTRACTS).layouts
        for position, name in enumerate(layout.raw_columns, 1)
    }
    found: dict[tuple[str, str], str] = {}
    with (CONTRACTS / "layouts.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            key = landed[row["feed"], row["layout_version"], int(row["position"])]
            found[key] = max(found.get(key, "none"), row["personal_data"], key=CLASSES.index)
    return found


def declared(nodes: dict[str, Any]) -> dict[Column, dict[str, str]]:
    """What each relation declares of its columns."""
    return {
        (relation(node), name.lower()): column["config"]["meta"]
        for node in nodes.values()
        for name, column in node["columns"].items()
    }


def understated(catalogue: Catalogue, nodes: dict[str, Any]) -> Iterator[str]:
    """Yield every column that claims less than a column which feeds it, and gives no reason."""
    raw, meta = raw_classes(), declared(nodes)

    def class_of(column: Column) -> str:
        (_, schema, table), name = column
        if schema.startswith("raw_") and name.lower() not in ADDED_BY_LOADER:
            return raw[f"{schema}.{table}", name.lower()]
        return meta.get((column[0], name.lower()), {}).get("personal_data", "none")

    for column, sources in sorted(catalogue.fed_by.items()):
        mine = class_of(column)
        if "personal_data_why" in meta.get((column[0], column[1].lower()), {}):
            continue
        for source in sorted(sources):
            if CLASSES.index(class_of(source)) > CLASSES.index(mine):
                yield (
                    f"{column[0][2]}.{column[1]} claims {mine}; "
                    f"{source[0][2]}.{source[1]} is {class_of(source)}"
                )


def test_no_column_claims_less_than_what_feeds_it(catalogue: Catalogue) -> None:
    assert list(understated(catalogue, catalogue.nodes)) == []


def test_values_of_any_column_are_classed_as_the_highest_that_staging_holds(
    catalogue: Catalogue,
) -> None:
    columns = catalogue.nodes[f"model.rollcall.{HOLDS_ANY_VALUE}"]["columns"]
    for name in ("source_value", "processed_value"):
        assert columns[name]["config"]["meta"]["personal_data"] == "direct"


def test_every_column_is_described_and_classed(catalogue: Catalogue) -> None:
    meta = declared(catalogue.nodes)
    for node in catalogue.nodes.values():
        if node["resource_type"] == "source":
            continue
        assert node["description"].startswith("One row per "), node["name"]
        assert node["group"], node["name"]
        described = {name.lower(): column for name, column in node["columns"].items()}
        there = {name.lower() for name in catalogue.columns[relation(node)]}
        left = {name for name in there ^ set(described) if not name.startswith(ADDED_BY_DBT)}
        assert left == set(), node["name"]
        for name, column in described.items():
            assert column["description"], f"{node['name']}.{name}"
            assert meta[relation(node), name]["personal_data"] in CLASSES, f"{node['name']}.{name}"


@pytest.mark.parametrize(
    ("model", "column", "source"),
    [
        ("dim_user", "family_name", "stg_oneroster__users.family_name is direct"),
        ("stg_oneroster__users", "email", "base_oneroster__users.email is direct"),
        ("base_oneroster__users", "given_name", "users.givenname is direct"),
        ("fct_mastery", "student_id", "int_mastery_status.student_id is indirect"),
        ("audit_ingestion_log", "decided_by", "stg_landing__files.decided_by is direct"),
    ],
)
def test_a_lowered_class_is_found(
    catalogue: Catalogue, model: str, column: str, source: str
) -> None:
    nodes = deepcopy(catalogue.nodes)
    nodes[f"model.rollcall.{model}"]["columns"][column]["config"]["meta"]["personal_data"] = "none"
    assert f"{model}.{column} claims none; {source}" in list(understated(catalogue, nodes))


T: Relation = ("d", "s", "t")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a", {"a"}),
        ("upper(a) || coalesce(b, '-')", {"a", "b"}),
        ("case when a = 'x' then b end", {"b"}),
        ("a is null or a in ('x')", set()),
        ("count(a)", set()),
        ("sha256(a)", set()),
        ("hash(a, b)", set()),
        ("max_by(a, b)", {"a"}),
        ("list(a order by b)", {"a"}),
        ("first_value(a) over (partition by b order by c)", {"a"}),
        ("row_number() over (order by a)", set()),
        ("max(a) filter (where b > 1)", {"a"}),
        ("list_transform(a, lambda item: trim(item))", {"a"}),
    ],
)
def test_what_counts_as_fed_by_value(expression: str, expected: set[str]) -> None:
    sql = f'with t as (select * from "d"."s"."t") select {expression} as x from t'
    assert feeds(sql, {T: ("a", "b", "c")}) == {"x": {(T, name) for name in expected}}
