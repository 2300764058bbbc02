"""Many districts: their cycles run side by side, and their marts make one database."""

import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import MANIFEST, ORG_ROWS, ORGS, PUBLIC_SCHEMAS, District

pytestmark = pytest.mark.more

HELD = ("one_row_per", "references_resolve")
"""What is held of public tables in a district, and of those of all districts together."""
NEXT_NIGHT = "2026-09-02T18:00:00Z"


def published_once(folder: Path, name: str, like: District) -> Path:
    """Give a district of a folder the home of another; returns its folder."""
    district = folder / name
    (district / "inbox" / "sis").mkdir(parents=True)
    shutil.copytree(like.home, district / "warehouse")
    return district


def deliver(district: Path, rows: str) -> None:
    """Deliver organisations to a district on its second night."""
    manifest = MANIFEST + "file.orgs,bulk\n"
    delivery = District(district / "warehouse", district / "inbox")
    delivery.deliver("2026-09-02T020000Z", {"orgs.csv": ORGS + rows, "manifest.csv": manifest})


def test_one_bad_district_stops_no_other(
    district: District, one_night: District, tmp_path: Path
) -> None:
    fleet = tmp_path / "districts of a state"
    north, south, east = (published_once(fleet, name, one_night) for name in ("n", "s", "e"))
    deliver(north, ORG_ROWS)
    deliver(south, "d1,,,Plainfield Unified,district\n")  # a field is missing
    (east / "warehouse" / "landing.duckdb").write_bytes(b"no database")
    (fleet / "w" / "inbox").mkdir(parents=True)
    (fleet / "w" / "warehouse").touch()  # no folder
    (fleet / "notes").mkdir()

    arguments = ("fleet", "cycle", "--homes", str(fleet), "--jobs", "2", "--no-report")
    done = district.run(*arguments, "--json", now=NEXT_NIGHT)
    assert done.code == done.json["exit_code"] == 4, done.out + done.err
    codes = {cycle["district"]: cycle["exit_code"] for cycle in done.json["cycles"]}
    assert codes == {"e": 2, "n": 0, "s": 3, "w": 2}
    states = {state["district"]: state for state in done.json["districts"]}
    assert [states[name]["last_cycle_id"] for name in "ensw"] == [None, 2, 2, None]
    assert "doctor" in states["e"]["problem"]
    assert "warehouse" in states["w"]["problem"]
    said = (north / "warehouse" / "logs" / "fleet_cycle.txt").read_text(encoding="utf-8")
    assert "Cycle 2 published" in said

    shutil.rmtree(fleet / "w")
    shutil.rmtree(east)
    done = district.run(*arguments, now=NEXT_NIGHT)
    assert done.code == 3, done.out
    assert "n: done\n" in done.out
    assert "s: done; somebody has to look" in done.out


def state_of(fleet: Path, district: District, code: int) -> Any:
    """Publish the state of a folder of districts; gives what the command says of it."""
    done = district.run("fleet", "publish", "--homes", str(fleet), "--json", now=NEXT_NIGHT)
    assert done.code == code, done.out + done.err
    return done.json


def test_one_column_joins_the_tables_of_all_districts(
    district: District, sample_run: tuple[District, list[int]], tmp_path: Path
) -> None:
    fleet = tmp_path / "districts"
    for name in ("north", "south"):
        published_once(fleet, name, sample_run[0])
    (fleet / "east" / "inbox").mkdir(parents=True)
    said = state_of(fleet, district, 3)
    assert [state["district"] for state in said["districts"]] == ["east", "north", "south"]
    manifest = json.loads((sample_run[0].home / "target" / "manifest.json").read_text())
    nodes = manifest["nodes"]
    tests = [
        (nodes[node["attached_node"]], node["test_metadata"])
        for node in nodes.values()
        if node["resource_type"] == "test" and node.get("attached_node") in nodes
        if node["test_metadata"]["name"] in HELD
        if nodes[node["attached_node"]]["schema"] in PUBLIC_SCHEMAS
    ]
    with duckdb.connect(str(fleet / "state.duckdb"), read_only=True) as state:
        one = str(sample_run[0].home / "warehouse.duckdb")
        state.execute(f"attach '{one}' as one (read_only)")
        counted = state.execute(
            "select table_name, schema_name from duckdb_tables() "
            "where database_name = 'one' and list_contains(?, schema_name) order by all",
            [list(PUBLIC_SCHEMAS)],
        ).fetchall()
        assert len(counted) > 30
        for table, schema in counted:
            sql = "select count(*) from {}." + f"{schema}.{table}"
            [(rows,)] = state.execute(sql.format("one")).fetchall()
            assert state.execute(sql.format("state")).fetchall() == [(2 * rows,)], table
        references = 0
        for model, test in tests:
            table = f"{model['schema']}.{model['alias']}"
            if test["name"] == "one_row_per":
                columns = test["kwargs"]["columns"]
                is_key = len(columns) == 1 and columns[0].endswith("_key")
                grain = ", ".join(columns if is_key else ["district", *columns])
                twice = f"select {grain} from {table} group by all having count(*) > 1"
                assert state.execute(twice).fetchall() == [], table
                continue
            for reference in test["kwargs"]["references"]:
                to = next(
                    f"{node['schema']}.{node['alias']}"
                    for node in nodes.values()
                    if node["resource_type"] == "model" and node["name"] == reference["to"]
                )
                column = reference["column"]
                key = f"unnest({column})" if reference.get("is_list") else column
                joined = (
                    "select count(*) from (select {key} as key from {place}{table}) as one "
                    "inner join {place}{to} as other on one.key = other.{field}"
                )
                named = {"key": key, "table": table, "to": to, "field": reference["field"]}
                [(rows,)] = state.execute(joined.format(place="one.", **named)).fetchall()
                both = state.execute(joined.format(place="", **named)).fetchall()
                assert both == [(2 * rows,)], (table, reference)
                references += rows > 0
        assert references > 10
    page = (fleet / "state.html").read_text(encoding="utf-8")
    assert page.index("<td>east</td>") < page.index("<td>north</td>")
    assert (fleet / "state.duckdb").stat().st_mode & 0o777 == 0o400


def test_what_was_published_stays_until_the_next_is_whole(
    district: District, one_night: District, tmp_path: Path
) -> None:
    fleet = tmp_path / "districts"
    north = published_once(fleet, "north", one_night)
    assert state_of(fleet, district, 3)["districts"][0]["problem"] == ""
    reader = duckdb.connect(str(fleet / "state.duckdb"), read_only=True)
    south = published_once(fleet, "south", one_night)
    (south / "warehouse" / "warehouse.duckdb").unlink()
    (south / "warehouse" / "warehouse.duckdb").write_bytes(b"no database")
    [first, second] = state_of(fleet, district, 3)["districts"]
    assert first["problem"] == ""
    assert "cannot be read" in second["problem"]
    asked = "select district, problem <> '' from main.district order by all"
    assert reader.execute(asked).fetchall() == [("north", False)]
    reader.close()  # in one process, DuckDB opens a file once
    with duckdb.connect(str(fleet / "state.duckdb"), read_only=True) as connection:
        assert connection.execute(asked).fetchall() == [("north", False), ("south", True)]
        held = "select distinct district from core.dim_org"
        assert connection.execute(held).fetchall() == [("north",)]

    north.rename(fleet / "north:1")
    refused = district.run("fleet", "publish", "--homes", str(fleet))
    assert refused.code == 2
    assert "north:1" in refused.err
    other = tmp_path / "notes.txt"
    other.write_text("mine", encoding="utf-8")
    (fleet / "north:1").rename(north)
    refused = district.run("fleet", "publish", "--homes", str(fleet), "--out", str(other))
    assert refused.code == 2
    assert other.read_text(encoding="utf-8") == "mine"
    assert district.run("fleet", "cycle", "--homes", str(tmp_path / "district")).code == 2


@pytest.mark.long
def test_fifty_districts_of_which_one_fails(
    district: District, one_night: District, tmp_path: Path
) -> None:
    fleet = tmp_path / "districts"
    names = [f"d{number:02d}" for number in range(50)]
    for name in names:
        deliver(published_once(fleet, name, one_night), ORG_ROWS)
    (fleet / "d17" / "warehouse" / "landing.duckdb").write_bytes(b"no database")
    arguments = ("--homes", str(fleet), "--json")
    cycles = district.run("fleet", "cycle", "--no-report", *arguments, now=NEXT_NIGHT)
    assert cycles.code == 4
    codes = {cycle["district"]: cycle["exit_code"] for cycle in cycles.json["cycles"]}
    assert codes == dict.fromkeys(names, 0) | {"d17": 2}
    published = district.run("fleet", "publish", *arguments, now=NEXT_NIGHT)
    assert published.code == 3
    with duckdb.connect(str(fleet / "state.duckdb"), read_only=True) as state:
        held = (
            "select count(distinct district), count(*), count(distinct org_key) from core.dim_org"
        )
        [(districts, rows, keys)] = state.execute(held).fetchall()
        assert (districts, rows) == (49, keys)
        why = "select district from main.district where last_cycle_id is null"
        assert state.execute(why).fetchall() == [("d17",)]
