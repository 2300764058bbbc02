"""Pilots: a source that builds alone, is promoted and demoted, and touches no live table."""

import re
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from conftest import MANIFEST, Done, Project, copy_of_the_project, state
from odd_values import files as files_of_roster
from random_pilots import KINDS, random_export
from stories import approve_mapping_of
from test_assessments import CONTRACTS, NEW, RESULTS, as_csv, declare
from test_identity import ROSTER

from rollcall.cycle.dbt_run import DbtRun
from rollcall.cycle.pilot_nodes import pilot_nodes, place
from rollcall.cycle.pilots import PilotBuilder
from rollcall.home import Home
from rollcall.ledger.stages import schema_of
from rollcall.project import PROJECT_DIR
from rollcall.project import Project as RollcallProject
from rollcall.promotion.gate import CRITERIA

PEOPLE = ("ann", "bob", "cat", "dan")
LEVELS = (("HiAvg", "mastered"), ("Low", "not_mastered"))
RULES = "levels,1,objective,SCI,asserted,,,70,1,,2,true,2000-01-01,,What the vendor says.\n"
GUIDE, _ = (PROJECT_DIR / "docs" / "pilot.md").read_text("utf-8").split("## The sample district")
LIVE, PILOT = "near", "map-2"
OTHERS = {"odd-1": "nwea", "odd-2": "oneroster|overrides"}
"""Further pilots with their families; what they send is random."""
SCHEMA = "pilot_map_2d_2"
NOW = "2026-09-01T18:00:00Z"


def levels_of(levels: Mapping[str, str], day: str = "09/06/2021") -> dict[str, bytes]:
    """Write tests of students: number to level."""
    rows = [
        NEW | {"StudentID": number, "AchievementQuintile": level, "TestStartDate": day}
        for number, level in levels.items()
    ]
    return {"AssessmentResults.csv": as_csv(RESULTS, "143", rows)}


def roster() -> dict[str, bytes]:
    """Write a roster of four students, whose number is their place."""
    users = [
        {
            "sourcedId": name,
            "enabledUser": "true",
            "orgSourcedIds": "north",
            "role": "student",
            "username": name,
            "givenName": name.title(),
            "familyName": "Lee",
            "identifier": str(number),
        }
        for number, name in enumerate(PEOPLE, 1)
    ]
    files = {
        "orgs.csv": as_csv("oneroster/orgs", *ROSTER["orgs"]),
        "academicSessions.csv": as_csv("oneroster/academic_sessions", *ROSTER["academicSessions"]),
        "users.csv": as_csv("oneroster/users", "1.1", users),
    }
    manifest = ["propertyName,value", "manifest.version,1.0", "oneroster.version,1.1"]
    manifest += [f"file.{name.removesuffix('.csv')},bulk" for name in files]
    return files | {"manifest.csv": "\n".join(manifest).encode() + b"\n"}


def district_of(
    folder: Path, stages: Mapping[str, str], others: Mapping[str, str] | None = None
) -> Project:
    """Make a district with a roster, a live vendor, and a pilot that sends the same files.

    Args:
        folder: where to.
        stages: the stages of sources that are not live.
        others: further sources with their families.
    """
    project = copy_of_the_project(folder)
    families = dict.fromkeys((LIVE, PILOT), "nwea") | dict(others or {})
    declare(project, {source: (family, "delta") for source, family in families.items()})
    for source_id, stage in stages.items():
        project.redeclare(source_id, ",live,", f",{stage},")
    with (project.project / "seeds" / "contracts" / "needed_fields.csv").open("a") as stream:
        for source, feed, name in sorted(all_staged(families)):
            stream.write(f'{source},{feed},"{name}",page:pilots,All of it is tried out.\n')
    limits = project.project / "seeds" / "contracts" / "district_limits.csv"
    with limits.open("a") as stream:
        stream.write(f"{PILOT},min_boundaries_on_time,0,Nothing is due.\n")
    rules = project.project / "seeds" / "rules"
    with (rules / "mastery_rules.csv").open("a") as stream:
        stream.write(RULES)
    of_tests = sorted(source for source, family in families.items() if family == "nwea")
    written = {
        "identity_columns": [
            "source_id,feed,column_name,assigner,id_kind,priority,normalise,is_trusted_alone,note",
            "sis,oneroster/users,identifier,district,district,1,trim,,",
            *(f"{source},{RESULTS},StudentID,district,district,1,,true," for source in of_tests),
        ],
        "level_states": [
            "rule_id,source_id,feed,scale,level,state,note",
            *(
                f",{source},{RESULTS},quintile,{level},{state},"
                for source in of_tests
                for level, state in LEVELS
            ),
        ],
        "objective_alignment": [
            "source_id,aligned_kind,aligned_id,objective_id,note",
            *(f"{source},assessment,MAP Growth/Science,SCI," for source in of_tests),
        ],
    }
    for name, lines in written.items():
        (rules / f"{name}.csv").write_text("\n".join(lines) + "\n")
    return project


def all_staged(families: Mapping[str, str]) -> set[tuple[str, str, str]]:
    """Return source, feed and name of each column that sources of families may stage."""
    return {
        (source, feed.feed, column.name)
        for source, family in families.items()
        for feed in CONTRACTS.feeds
        if feed.family in family.split("|")
        for layout in CONTRACTS.versions(feed.feed)
        for column in layout.columns
        if column.staged_as
    }


def night(project: Project, day: int, exports: Mapping[str, Mapping[str, str | bytes]]) -> Done:
    """Deliver what sources export in a night, and run its cycle."""
    for source_id, files in exports.items():
        project.deliver(f"2026-09-{day:02d}T010000Z", files, source_id)
    return project.cycle(f"2026-09-{day:02d}T18:00:00Z")


def live_tables(project: Project) -> dict[str, str]:
    """Return the fingerprint of every live table; contract seeds may name the pilot."""
    return {
        name: digest
        for name, digest in state(project.home).items()
        if not name.startswith(("pilot_", "source_contracts."))
    }


def go_on(project: Project, source: Project, folder: Path) -> Project:
    """Copy a district and the project that fills it into a folder, where it goes on another way."""
    copied = project.copy(folder)
    shutil.copytree(source.project, folder / "project")
    assert copied.run("init").code == 0
    return copied


Exports = dict[str, Mapping[str, str | bytes]]
"""What sources send in a night: source to its files."""
FIRST_NIGHT: Exports = {
    "sis": roster(),
    LIVE: levels_of({"1": "Low", "2": "Low"}),
}
OF_PILOT = levels_of({"1": "HiAvg", "2": "Low", "3": "HiAvg", "9": "Low", "4": "Odd"}, "09/07/2021")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Tell the first night of a district with three pilots, and of the same without one."""
    folder = tmp_path_factory.mktemp("pilots")
    project = district_of(folder / "with", dict.fromkeys((PILOT, *OTHERS), "pilot"), OTHERS)
    random = Random(1)  # noqa: S311  (what pilots send, not a secret)
    exports: Exports = {source: random_export(random, kind) for source, kind in OTHERS.items()}
    nights: dict[str, Any] = {"alone": night(project, 1, FIRST_NIGHT | {PILOT: OF_PILOT} | exports)}
    after = {"alone": project.copy(folder / "alone")}

    without = district_of(folder / "without", dict.fromkeys((PILOT, *OTHERS), "draft"), OTHERS)
    without.home.mkdir(mode=0o700)
    shutil.copytree(project.home / "target", without.home / "target")
    nights["without"] = night(without, 1, FIRST_NIGHT)
    after["without"] = without
    return SimpleNamespace(nights=nights, after=after, project=project, folder=folder)


@pytest.fixture(scope="module")
def told(first: SimpleNamespace) -> SimpleNamespace:
    """Go on with three nights: the pilot is promoted, demoted, and cannot be built."""
    nights, after, project, folder = first.nights, first.after, first.project, first.folder
    for source in OTHERS:
        assert project.run("retire", source, "--reason", "it is not what we need").code == 0
    approve_mapping_of(project, PILOT, NOW)
    assert project.run("promote", PILOT, "--seen-by", "Ada Lee").code == 0
    reason = ("--reason", "its effect was seen", "--json")
    nights["promote"] = project.run("promote", PILOT, *reason)
    nights["live"] = night(project, 2, {LIVE: levels_of({"2": "HiAvg"}, "09/08/2021")})
    after["live"] = project.copy(folder / "live")

    nights["demote"] = project.run("demote", PILOT, *reason)
    later = {PILOT: levels_of({"3": "Low", "2": "Low"}, "09/09/2021")}
    nights["demoted"] = night(project, 3, later | {LIVE: levels_of({"4": "Low"}, "09/09/2021")})
    after["demoted"] = project.copy(folder / "demoted")
    nights["check"] = project.run("promote", PILOT, "--check", "--json")
    for day in (1, 3):
        file = f"{PILOT}/2026-09-{day:02d}T010000Z/AssessmentResults.csv"
        nights[f"reprocess {day}"] = project.run("reprocess", file, "--json")

    with patch.object(PilotBuilder, "_build_rest", side_effect=RuntimeError("no such table")):
        nights["failed"] = night(project, 4, {PILOT: levels_of({"1": "Low"}, "09/10/2021")})
    after["failed"] = project
    return SimpleNamespace(nights=nights, after=after)


def ask(told: SimpleNamespace, night_name: str, sql: str) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = told.after[night_name].warehouse(sql)
    return found


STATES = "select student_key, state from {}.fct_mastery where objective_id = 'SCI' order by all"


def test_live_tables_are_the_same_with_and_without_a_pilot(first: SimpleNamespace) -> None:
    assert not first.nights["alone"].json["failed_pilots"]
    assert live_tables(first.after["alone"]) == live_tables(first.after["without"])
    states = [("sis:ann", "not_mastered"), ("sis:bob", "not_mastered")]
    assert ask(first, "alone", STATES.format("progression")) == states


@pytest.mark.more
def test_a_pilot_has_mastery_of_its_own_evidence_alone(told: SimpleNamespace) -> None:
    assert ask(told, "alone", STATES.format(SCHEMA)) == [
        ("sis:ann", "mastered"),
        ("sis:bob", "not_mastered"),
        ("sis:cat", "mastered"),
        ("sis:dan", "insufficient_evidence"),
    ]
    steps = f"select step, record_count from {SCHEMA}.recon_coverage where reason is null"
    reached = dict(ask(told, "alone", f"{steps} and subject = 'Science'"))
    assert (reached["in_file"], reached["linked"], reached["evidence"]) == (5, 4, 4)


@pytest.mark.more
def test_the_effect_of_a_pilot_is_counted_and_names_nobody(told: SimpleNamespace) -> None:
    effect = (
        f"select outcome, objective_id, value_now, value_with_pilot, student_count from {SCHEMA}"
    )
    assert sorted(ask(told, "alone", f"{effect}.audit_pilot_effect")) == [
        ("mastery", "SCI", "none", "insufficient_evidence", 1),
        ("mastery", "SCI", "none", "mastered", 1),
        ("mastery", "SCI", "not_mastered", "mastered", 1),
    ]
    columns = ask(told, "alone", f"describe {SCHEMA}.audit_pilot_effect")
    assert not [name for name, *_ in columns if "student" in name and name != "student_count"]


@pytest.mark.more
def test_three_kinds_of_problem_are_told_apart(told: SimpleNamespace) -> None:
    found = ask(
        told,
        "alone",
        f"select problem, code, count(*) from {SCHEMA}.audit_pilot_difference group by all "
        "order by all",
    )
    assert ("transformation", "identity_none", 1) in found
    assert ("logic", "nothing_asserted", 1) in found
    assert ("logic", "not_mastered_to_mastered", 1) in found
    assert ("transformation", "VALUE_UNKNOWN", 1) in found
    assert {problem for problem, *_ in found} == {"transformation", "logic"}


@pytest.mark.more
def test_a_promoted_source_is_seen_whole_by_live_tables(told: SimpleNamespace) -> None:
    assert told.nights["promote"].json["stage"] == "live"
    files = "select first_cycle_id, count(*) from staging.stg_landing__files"
    assert ask(told, "live", f"{files} where source_id = '{PILOT}' group by all") == [(2, 1)]
    assert ask(told, "live", STATES.format("progression")) == [
        ("sis:ann", "mastered"),
        ("sis:bob", "mastered"),
        ("sis:cat", "mastered"),
        ("sis:dan", "insufficient_evidence"),
    ]
    schemas = "select count(*) from duckdb_tables() where schema_name = '{}'"
    assert ask(told, "live", schemas.format(SCHEMA)) == [(0,)]
    history = "select valid_from, state from progression.fct_mastery_history"
    [(_, before), (_, since)] = ask(
        told, "live", f"{history} where student_key = 'sis:ann' order by valid_from"
    )
    assert (before, since) == ("not_mastered", "mastered")


@pytest.mark.more
def test_what_was_checked_before_a_promotion_is_kept(told: SimpleNamespace) -> None:
    kept = "select criterion, has_passed, detail from audit.audit_promotion_check"
    found = ask(told, "live", f"{kept} where source_id = '{PILOT}' order by all")
    assert [criterion for criterion, *_ in found] == sorted(c.name for c in CRITERIA)
    assert all(has_passed for _, has_passed, _ in found)
    assert ("effect_seen_by", True, "Seen as it is now by Ada Lee.") in found


@pytest.mark.more
def test_a_changed_effect_is_to_be_seen_again(told: SimpleNamespace) -> None:
    checked = told.nights["check"]
    assert checked.code == 3
    failing = [one for one in checked.json["criteria"] if not one["has_passed"]]
    assert [one["criterion"] for one in failing] == ["latency_p95_hours", "effect_seen_by"]
    latency, effect = failing
    assert latency["value"] == pytest.approx(38.6), "17, 41 and 17 hours"
    assert effect["detail"] == "Seen as it is now by nobody."


@pytest.mark.more
def test_what_rests_on_a_demoted_source_is_frozen_and_says_so(told: SimpleNamespace) -> None:
    assert not told.nights["demoted"].json["failed_pilots"]
    provisional = "select student_key, state, is_provisional, missing_feeds from progression"
    assert ask(told, "demoted", f"{provisional}.fct_mastery order by all") == [
        ("sis:ann", "mastered", True, [f"{PILOT} (demoted)"]),
        ("sis:bob", "mastered", True, [f"{PILOT} (demoted)"]),
        ("sis:cat", "mastered", True, [f"{PILOT} (demoted)"]),
        ("sis:dan", "not_mastered", True, [f"{PILOT} (demoted)"]),
    ]
    assert (f"{SCHEMA}", "sis:cat", "not_mastered") in [
        (SCHEMA, *row) for row in ask(told, "demoted", STATES.format(SCHEMA))
    ]


@pytest.mark.more
def test_what_live_tables_have_of_a_demoted_source_is_not_judged_again(
    told: SimpleNamespace,
) -> None:
    """Its later files are; then every table is built whole, and frozen evidence is the same."""
    refused = told.nights["reprocess 1"]
    assert refused.code == 2
    assert " ".join(refused.err.split()) == (
        f"rollcall: {PILOT}/2026-09-01T010000Z/AssessmentResults.csv stays as it is: {PILOT} is "
        "live no longer, and what live tables have of it is frozen with this file. It can be "
        "judged again when the source is live."
    )
    assert told.nights["reprocess 3"].json["verdict"] == "accepted"
    evidence = f"from progression.fct_evidence where source_id = '{PILOT}' order by all"
    frozen = ask(told, "demoted", f"select * {evidence}")
    assert frozen
    assert ask(told, "failed", f"select * {evidence}") == frozen


@pytest.mark.more
def test_a_pilot_that_fails_stops_nothing_and_keeps_its_last_good_state(
    told: SimpleNamespace,
) -> None:
    failed = told.nights["failed"]
    assert failed.code == 3
    assert list(failed.json["failed_pilots"]) == [PILOT]
    assert ask(told, "failed", "select max(cycle_id) from audit.audit_cycle_log") == [(4,)]
    assert ask(told, "failed", STATES.format(SCHEMA)) == ask(told, "demoted", STATES.format(SCHEMA))
    assert ask(told, "failed", f"select cycle_id from {SCHEMA}.built_in_cycle") == [(3,)]
    findings = "select count(*) from audit.audit_finding where code = 'PILOT_NOT_BUILT'"
    assert ask(told, "failed", findings) == [(0,)]


@pytest.mark.long
def test_a_replay_gives_every_table_of_the_pilot_again(
    told: SimpleNamespace, tmp_path: Path
) -> None:
    project = go_on(told.after["failed"], told.after["failed"], tmp_path)
    assert project.run("retire", PILOT, "--reason", "the contract has ended").code == 0
    assert night(project, 5, {PILOT: levels_of({"1": "Low"}, "09/11/2021")}).code in (0, 3)
    stages = {
        source["source_id"]: source["stage"]
        for source in project.run("status", "--json", now="2026-09-05T19:00:00Z").json["sources"]
    }
    assert stages[PILOT] == "retired"
    assert project.warehouse(
        f"select count(*) from duckdb_tables() where schema_name = '{SCHEMA}'"
    ) == [(0,)]
    replayed = project.run("verify", "--replay", "--json", now="2026-09-05T19:00:00Z")
    assert replayed.code == 0, replayed.out + replayed.err


@pytest.mark.more
def test_what_the_guide_shows_is_run(told: SimpleNamespace, tmp_path: Path) -> None:
    queries = re.findall(r"^```sql\n(.*?)^```", GUIDE, re.M | re.S)
    assert len(queries) == 4
    for query in queries:
        of_pilot = query.replace("pilot_map", SCHEMA).replace("'map'", f"'{PILOT}'")
        assert ask(told, "live" if "promotion" in query else "alone", of_pilot), query
    project = go_on(told.after["alone"], told.after["failed"], tmp_path)
    approve_mapping_of(project, PILOT, NOW)
    commands = re.findall(r"^rollcall (.+)$", GUIDE, re.M)
    codes, stages = [], []
    for command in commands:
        words = [PILOT if word == "map" else word for word in shlex.split(command)]
        done = project.run(*words, "--json")
        codes.append(done.code)
        stages.append(done.json.get("stage"))
    assert codes == [3, 0, 0, 0, 0]
    assert stages == [None, None, "live", "pilot", "retired"]


def test_no_node_of_live_tables_reaches_one_of_a_pilot_and_none_of_these_another(
    first: SimpleNamespace,
) -> None:
    """Also where pilots send the same families, or some that live sources do not send."""
    home = Home(first.after["alone"].home, RollcallProject(first.project.project))
    live = DbtRun(home, ("nwea", "oneroster")).manifest
    schemas = {node.schema for node in live.nodes.values()}
    built = {}
    for source, family in {PILOT: "nwea", **OTHERS}.items():
        families = tuple(family.split("|"))
        pilot = DbtRun(home, families, pilot=source).manifest
        alone = pilot_nodes(pilot.nodes, pilot.child_map, families, (), set(live.nodes))
        place(pilot.nodes, alone, schema_of(source))
        built[source] = {pilot.nodes[key].name for key in alone}
        for key, node in pilot.nodes.items():
            expected = {schema_of(source)} if key in alone else schemas
            if key in live.nodes and key not in alone:
                expected = {live.nodes[key].schema}
            if key in alone or key in live.nodes:
                assert node.schema in expected, (source, node.name)
        for key in alone:
            read = {parent for parent in pilot.parent_map[key] if parent in pilot.nodes}
            assert {pilot.nodes[parent].schema for parent in read} <= {schema_of(source), *schemas}
    assert schemas.isdisjoint({*map(schema_of, built), None})
    for names in built.values():
        assert {"fct_evidence", "fct_mastery", "recon_coverage", "stg_landing__files"} <= names
        assert "int_current_rules" not in names
    assert {"dim_user", "int_roster_students", "fct_result"}.isdisjoint(built[PILOT])
    assert built[PILOT] == built["odd-1"]
    for key in live.nodes:
        assert live.nodes.keys() >= {
            parent for parent in live.parent_map[key] if "source." not in parent
        }


def test_no_two_sources_share_a_schema() -> None:
    names = ("map", "map_2", "map-2", "map__2", "map2", "é", "_e9_", "a_b", "a__b", "a-b", "a 2d b")
    assert len({schema_of(name) for name in names}) == len(names)
    assert schema_of("map") == "pilot_map"
    assert schema_of("map-2") == SCHEMA


def test_no_pilot_has_anything_of_another(first: SimpleNamespace) -> None:
    for source in (PILOT, *OTHERS):
        schema = schema_of(source)
        exporters = f"select distinct source_id from {schema}.audit_ingestion_log"
        assert ask(first, "alone", exporters) == [(source,)]
        evidence = f"select distinct source_id from {schema}.fct_evidence"
        assert {*ask(first, "alone", evidence)} <= {(source,)}


@pytest.mark.more
def test_a_second_roster_is_tried_out_alone(told: SimpleNamespace, tmp_path: Path) -> None:
    """Its students are its own; those of live tables, and their outcomes, are as before."""
    told_before = told.after["without"]
    project = go_on(told_before, told_before, tmp_path)
    source, families = "odd-2", ("oneroster", "overrides")
    project.redeclare(source, f",{'|'.join(families)},sis,", f",{'|'.join(families)},{source},")
    assert project.run("promote", source, "--reason", "a school has another").code == 0
    files, _ = files_of_roster(CONTRACTS, "1.1", "bulk", is_odd=False)
    modes = "".join(f"file.{name.removesuffix('.csv')},bulk\n" for name in files)
    export = {name: text.encode() for name, text in files.items()}
    done = night(project, 2, {source: export | {"manifest.csv": (MANIFEST + modes).encode()}})
    assert not done.json["failed_pilots"], done.out
    schema = schema_of(source)
    students = "select source_id, count(*) from {}.dim_user where role = 'student' group by all"
    assert project.warehouse(students.format("core")) == [("sis", len(PEOPLE))]
    [(exporter, count)] = project.warehouse(students.format(schema))
    assert (exporter, count > 40) == (source, True)
    outcomes = f"select distinct roster_source_id from {schema}.fct_mastery"
    assert project.warehouse(outcomes) == [(source,)]
    assert project.warehouse(STATES.format("progression")) == ask(
        told, "without", STATES.format("progression")
    )


PILOTS = {f"pilot-{number}": KINDS[number % len(KINDS)] for number in range(20)}


@pytest.mark.long
@pytest.mark.parametrize("seeds", [range(5), range(5, 10)])
def test_no_random_pilot_touches_live_tables(tmp_path: Path, seeds: range) -> None:
    """Five nights of twenty pilots each, of which none has sent anything before."""
    begun = {}
    for name, stage in (("with", "pilot"), ("without", "draft")):
        stages = dict.fromkeys((PILOT, *PILOTS), stage) | {PILOT: "draft"}
        begun[name] = district_of(tmp_path / "begun" / name, stages, PILOTS)
        for source in (source for source, kind in PILOTS.items() if kind == "oneroster"):
            begun[name].redeclare(source, ",oneroster,sis,", f",oneroster,{source},")
        assert night(begun[name], 1, FIRST_NIGHT).code in (0, 3)
    failed: dict[int, Any] = {}
    taken = 0
    for seed in seeds:
        random = Random(seed)  # noqa: S311  (what sources send, not a secret)
        levels = {number: random.choice(("HiAvg", "Low", "Odd")) for number in ("1", "3", "4")}
        live: Exports = {"sis": roster(), LIVE: levels_of(levels, "09/08/2021")}
        pilots: Exports = {source: random_export(random, kind) for source, kind in PILOTS.items()}
        folder = tmp_path / str(seed)
        project = go_on(begun["with"], begun["with"], folder / "with")
        done = night(project, 2, live | pilots)
        if done.json["failed_pilots"]:
            failed[seed] = done.json["failed_pilots"]
        without = go_on(begun["without"], begun["without"], folder / "without")
        assert night(without, 2, live).code in (0, 3)
        assert live_tables(project) == live_tables(without), f"seed {seed}"
        for parsed in (project.home / "target").glob("pilots_of_*.kept"):
            shutil.copy2(parsed, begun["with"].home / "target")
        for source in PILOTS:
            files = f"select 1 from {schema_of(source)}.recon_file_balance"
            taken += bool(project.warehouse(f"{files} where accepted_count > 0"))
        shutil.rmtree(folder)
    assert not failed
    assert taken > 50, "of most pilots something is taken"
