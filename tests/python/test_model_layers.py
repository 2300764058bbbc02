"""The graph of the models: every feed goes its own way, and what is compiled is what is written."""

import csv
import json
import re
import statistics
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from rollcall.cycle.dbt_run import DbtRun
from rollcall.home import Home
from rollcall.project import PROJECT_DIR

LOOKS_FROM_THE_SIDE = ("progression", "audit", "reconciliation")


def parsed(home: Home, families: list[str]) -> tuple[DbtRun, dict[str, Any]]:
    """Parse the project without data; gives dbt and the manifest."""
    home.prepare()
    run = DbtRun(home, families, "lint")
    text = (home.dbt_target / "lint" / "manifest.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return run, found


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("compiled"))


@pytest.fixture(scope="module")
def manifest(home: Home) -> dict[str, Any]:
    """Compile the project without data; gives the manifest."""
    run, found = parsed(home, ["oneroster", "overrides"])
    run.invoke(["compile", "--no-introspect"])
    return found


def name_of(node_id: str) -> str:
    return node_id.split(".")[2]


def models(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        node["name"]: node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
    }


def is_generated(model: dict[str, Any]) -> bool:
    return "compared" in Path(model["path"]).parts


def test_nothing_of_another_feed_is_upstream_of_a_staging_model(manifest: dict[str, Any]) -> None:
    parents = manifest["parent_map"]

    @cache
    def upstream(node_id: str) -> frozenset[str]:
        direct = parents.get(node_id, [])
        return frozenset(direct).union(*(upstream(parent) for parent in direct))

    for node_id in parents:
        name = name_of(node_id)
        if node_id.startswith("model.") and name.startswith("stg_") and "landing" not in name:
            bases = {name_of(other) for other in upstream(node_id)}
            bases = {other for other in bases if other.startswith("base_")}
            assert bases == {name.replace("stg_", "base_", 1)}


def test_mastery_is_at_most_sixteen_models_deep(manifest: dict[str, Any]) -> None:
    parents = manifest["parent_map"]

    @cache
    def depth(node_id: str) -> int:
        built = [node for node in parents[node_id] if node.startswith(("model.", "snapshot."))]
        return 1 + max(map(depth, built), default=0)

    assert depth("model.rollcall.fct_mastery") <= 14


def test_marts_that_look_from_the_side_feed_nothing_but_each_other(
    manifest: dict[str, Any],
) -> None:
    """Snapshots record what intermediate models decide; evidence is public and goes on."""
    of_mart = {name: node["schema"] for name, node in models(manifest).items() if node["schema"]}
    for node_id, children in manifest["child_map"].items():
        name = name_of(node_id)
        if of_mart.get(name) not in LOOKS_FROM_THE_SIDE or name == "fct_evidence":
            continue
        fed = {name_of(child) for child in children if child.startswith("model.")}
        assert {of_mart[child] for child in fed} <= set(LOOKS_FROM_THE_SIDE), name


def test_models_are_short_and_compile_to_little_more(manifest: dict[str, Any], home: Home) -> None:
    compiled = {path.stem: path for path in (home.dbt_target / "lint/compiled").rglob("*.sql")}
    written, ratios = {}, {}
    for name, model in models(manifest).items():
        if not is_generated(model):
            written[name] = len(model["raw_code"].splitlines())
            ratios[name] = len(compiled[name].read_text("utf-8").splitlines()) / written[name]
    assert min(ratios.values()) > 0.5
    assert {name: lines for name, lines in written.items() if lines > 100} == {}
    assert {name: ratio for name, ratio in ratios.items() if ratio > 3} == {}
    shown = [lines for name, lines in written.items() if not name.startswith(("int_", "snap_"))]
    assert statistics.median(shown) <= 40


def test_no_sql_depends_on_what_dbt_finds_while_it_runs() -> None:
    """The guard of the snapshots asks whether its table exists, as every incremental model does.

    A materialization says how a query is stored, not what it says. `feeds.sql` tells a test which
    models there are: that changes with the project alone.
    """
    for folder in ("models", "macros", "snapshots"):
        for path in (PROJECT_DIR / folder).rglob("*.sql"):
            text = path.read_text(encoding="utf-8")
            if "{% materialization " in text or path.name == "feeds.sql":
                continue
            for word in ("run_query", "graph.", "load_relation", "statement("):
                assert word not in text, f"{path.name}: {word}"


@pytest.mark.more
def test_a_family_that_no_source_declares_costs_no_node(tmp_path: Path) -> None:
    _, manifest = parsed(Home(tmp_path), ["oneroster"])
    names = set(models(manifest))
    assert "base_oneroster__users" in names
    assert {name for name in names if "override" in name} == {"int_current_overrides"}
    of_families = re.compile(
        "_(nwea|iready|star|canvas|state)_|assessment|identity|student_(id|link)"
    )
    assert {name for name in names if of_families.search(f"{name}_")} == set()
    _, manifest = parsed(Home(tmp_path / "used"), ["oneroster", "nwea"])
    assert len({name for name in models(manifest) if of_families.search(f"{name}_")}) > 10
    assert "audit_restated_result" in models(manifest)
    _, manifest = parsed(Home(tmp_path / "canvas"), ["oneroster", "canvas"])
    names = set(models(manifest))
    assert {"fct_assessment_result", "audit_record_warning"} <= names
    assert {name for name in names if "restated" in name or "versions" in name} == set(), (
        "work is graded again, which restates nothing"
    )


def test_a_cycle_has_at_most_170_nodes(manifest: dict[str, Any]) -> None:
    def is_run(node: dict[str, Any]) -> bool:
        is_test = node["resource_type"] == "test"
        name = node["test_metadata"]["name"] if is_test and node.get("test_metadata") else ""
        left_out = name == "references_resolve" or "not_in_cycle" in node["tags"]
        is_enabled = node["config"]["enabled"]  # dbt keeps tests of what is disabled
        return is_enabled and not left_out and node["config"]["materialized"] != "ephemeral"

    assert sum(map(is_run, manifest["nodes"].values())) <= 170


def test_every_feed_of_results_is_counted_on_its_way_to_evidence() -> None:
    with (PROJECT_DIR / "seeds/contracts/feeds.csv").open(encoding="utf-8", newline="") as stream:
        feeds = [row for row in csv.DictReader(stream) if row["mart"].startswith("core.fct_")]
    text = (PROJECT_DIR / "macros/mastery/evidence.sql").read_text(encoding="utf-8")
    others = [feed for feed in feeds if feed["family"] not in ("oneroster", "overrides")]
    others = [feed for feed in others if feed["feed"] != "canvas/enrollments"]  # no results
    assert len(others) >= 7
    for feed in others:
        assert f"'{feed['feed']}': '{feed['mart'].removeprefix('core.')}'" in text, feed["feed"]


def test_models_that_only_a_pilot_has_are_linted() -> None:
    """What is disabled is passed over by sqlfluff, so it compiles the project for a pilot."""
    settings = (PROJECT_DIR / ".sqlfluff").read_text(encoding="utf-8")
    _, _, context = settings.partition("[sqlfluff:templater:dbt:context]")
    assert "\npilot = " in context.partition("\n[")[0]
    models = [path.read_text(encoding="utf-8") for path in (PROJECT_DIR / "models").rglob("*.sql")]
    assert any("enabled=pilot()" in model for model in models)
    assert not any("enabled=not pilot()" in model for model in models)


def test_the_families_of_the_project_are_those_of_its_sources() -> None:
    with (PROJECT_DIR / "seeds/contracts/sources.csv").open(encoding="utf-8") as stream:
        declared = {name for row in csv.DictReader(stream) for name in row["families"].split("|")}
    text = (PROJECT_DIR / "dbt_project.yml").read_text(encoding="utf-8")
    assert f"families: [{', '.join(sorted(declared))}]" in text


NEVER_BY_A_VENDOR = {
    "one_row_per": "keys are made one by staging, whatever comes",
    "clean_intervals": "intervals are made by the snapshots",
    "references_resolve": "what does not resolve is named in `unresolved`",
    "accepted_values": "of columns that Rollcall fills by its own words",
    "not_null": "of columns that Rollcall fills by its own words",
}
"""Generic tests that fail the build, and why no export can make one fail."""


def test_what_a_vendor_can_break_only_warns_and_keeps_its_rows(manifest: dict[str, Any]) -> None:
    tests = [node for node in manifest["nodes"].values() if node["resource_type"] == "test"]
    for test in tests:
        config = test["config"]
        if config["severity"].lower() == "warn":
            assert config["store_failures"], test["name"]
            assert test["schema"] == "test_failures"
        elif test.get("test_metadata"):
            assert test["test_metadata"]["name"] in NEVER_BY_A_VENDOR, test["name"]
        else:
            assert Path(test["path"]).parts[1] in ("config", "integrity"), test["name"]
    column_tests = {test["column_name"] for test in tests if test.get("column_name")}
    own_words = {"gate", "kind", "mode", "run_status", "state", "status", "step", "verdict"}
    assert column_tests == own_words


def test_the_links_of_the_catalogue_show_models_that_are_there(manifest: dict[str, Any]) -> None:
    text = (PROJECT_DIR / "models" / "_overview.md").read_text(encoding="utf-8")
    known = {node["name"] for node in manifest["nodes"].values()}
    links = re.findall(r"\]\(#!/overview\?g_v=1(?:&g_i=([^)]+))?\)", text)
    assert len(links) == 4
    for link in filter(None, links):
        assert {name.lstrip("+") for name in unquote(link).split()} <= known
    selectors = (PROJECT_DIR / "selectors.yml").read_text(encoding="utf-8")
    named = set(re.findall(r"- name: (\w+)", selectors))
    assert named == {"nightly", "public", "roster", "mastery"}
    assert all(f"`{name}`" in text or f"--selector {name}`" in text for name in named)


def test_macros_call_each_other_by_their_package() -> None:
    """A district's project may call each of them, where an unqualified name would be unknown."""
    texts = {path: path.read_text("utf-8") for path in (PROJECT_DIR / "macros").rglob("*.sql")}
    names = {name for text in texts.values() for name in re.findall(r"{%-? macro (\w+)\(", text)}
    call = re.compile(rf"(?<![\w.'\"])({'|'.join(sorted(names))})\(")
    blocks = re.compile(r"{{.*?}}|{%-? (?!macro ).*?%}", re.DOTALL)
    for path, text in texts.items():
        for block in blocks.findall(re.sub(r"{#.*?#}", "", text, flags=re.DOTALL)):
            assert not call.search(block), f"{path.name}: {block}"
