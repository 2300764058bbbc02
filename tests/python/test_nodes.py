"""A cycle builds what news can reach; what it leaves out is what a build of everything gives."""

import csv
import io
import zipfile
from pathlib import Path
from random import Random
from unittest.mock import patch

import pytest
from conftest import MANIFEST, SAMPLE, District, state
from dbt.contracts.graph.manifest import Manifest

from rollcall.cycle import warehouse
from rollcall.cycle.dbt_run import DbtRun
from rollcall.cycle.nodes import nodes_of_cycle
from rollcall.home import Home
from rollcall.project import Project

SampleRun = tuple[District, list[int]]
BULK = ("academicSessions", "classes", "courses", "enrollments", "orgs", "users")
DELTA = ("lineItems", "results")


@pytest.fixture(scope="module")
def manifest(sample_run: SampleRun) -> Manifest:
    """Read the project of the sample as its cycles parsed it."""
    filled_by = Home(sample_run[0].home).filled_by
    assert filled_by is not None
    home = Home(sample_run[0].home, Project(filled_by))
    return DbtRun(home, home.project.contracts().families).manifest


def names(manifest: Manifest, *feeds: str) -> set[str]:
    found = nodes_of_cycle(manifest, feeds, is_code_new=False)
    return {manifest.nodes[unique_id].name for unique_id in found}


def test_a_night_of_results_leaves_the_roster_alone(manifest: Manifest) -> None:
    every = {manifest.nodes[key].name for key in nodes_of_cycle(manifest, None, is_code_new=False)}
    reached = names(manifest, "oneroster/results")
    assert {"stg_oneroster__results", "fct_result", "fct_result_has_one_row_per_key"} <= reached
    assert {"int_mastery_scored", "snap_mastery", "audit_ingestion_log"} <= reached
    assert {"stg_oneroster__users", "dim_class", "dim_org_has_one_row_per_key"} <= every - reached
    of_seeds = {"int_assessment_results", "int_student_ids", "int_line_item_objectives"}
    assert of_seeds <= every - reached, "seeds of the district's own are no news"
    assert "dim_user" in reached, "roles begin and end with the day"
    assert "gates_by_school" in reached, "what a district's own model reads, nobody knows"
    assert len(reached) < 0.8 * len(every)
    everything = names(manifest, *{f"oneroster/{name}" for name in feeds_of(manifest)})
    assert names(manifest) < reached < everything


def feeds_of(manifest: Manifest) -> set[str]:
    raw = (source for source in manifest.sources.values() if source.schema == "raw_oneroster")
    return {source.identifier for source in raw}


def test_what_only_warns_says_so_each_night(manifest: Manifest) -> None:
    assert {"rules_name_what_exists", "overrides_are_beyond_doubt"} <= names(manifest)


@pytest.mark.more
@pytest.mark.parametrize(
    ("seed", "nights"), [(1, 4), *(pytest.param(n, 12, marks=pytest.mark.long) for n in range(4))]
)
def test_nights_of_some_feeds_equal_those_that_build_everything(
    sample_run: SampleRun, tmp_path: Path, seed: int, nights: int
) -> None:
    """Random feeds come each night, with some of their records; at times none at all."""
    chance = Random(seed)  # noqa: S311  (what comes, not a secret)
    some, every = (sample_run[0].copy(tmp_path / name) for name in ("some", "every"))
    everything = patch.object(
        warehouse,
        "nodes_of_cycle",
        lambda manifest, _, is_code_new: nodes_of_cycle(manifest, None, is_code_new=is_code_new),
    )
    for number in range(10, 10 + nights):
        inbox = tmp_path / f"night_{number}"
        deliver(chance, District(some.home, inbox), number)
        arguments = ("cycle", "--inbox", str(inbox), "--no-report")
        now = f"2026-09-{number}T18:00:00Z"
        said = some.run(*arguments, now=now)
        with everything:
            said_of_all = every.run(*arguments, now=now)
        assert (said.code, said.out) == (said_of_all.code, said_of_all.out)
        assert state(some.home) == state(every.home), number
    assert "Nothing new reaches" in (some.home / "logs" / "rollcall.log").read_text("utf-8")


def deliver(chance: Random, district: District, number: int) -> None:
    """Deliver some files of the ninth night of the sample once more, without some records."""
    roster = next((SAMPLE / "night_9" / "sis").glob("*.zip"))
    with zipfile.ZipFile(roster) as archive:
        bulk = {name: archive.read(f"{name}.csv").decode() for name in BULK}
    gradebook = SAMPLE / "night_9" / "lms" / "2026-09-09T160000Z"
    delta = {name: (gradebook / f"{name}.csv").read_text("utf-8") for name in DELTA}
    for source, texts, mode in (("sis", bulk, "bulk"), ("lms", delta, "delta")):
        (district.inbox / source).mkdir(parents=True)
        chosen = [name for name in texts if chance.random() < 0.4]
        if not chosen:
            continue
        files = {f"{name}.csv": without_some(chance, texts[name]) for name in chosen}
        rows = "".join(f"file.{name},{mode}\n" for name in chosen)
        files["manifest.csv"] = MANIFEST + rows
        district.deliver(f"2026-09-{number}T160000Z", files, source)


def without_some(chance: Random, text: str) -> str:
    header, *rows = csv.reader(io.StringIO(text))
    kept = [row for row in rows if chance.random() < 0.97]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([header, *kept])
    return out.getvalue()
