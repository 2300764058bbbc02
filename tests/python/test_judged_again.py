"""Judged again: a rejected file after its layout was added, and a delivery that replaces another.

Contracts belong to the project, so these tests run the real command from a copy of it.
"""

import shutil
from dataclasses import dataclass
from typing import Any

import pytest
from conftest import MANIFEST, ORG_ROWS, ORGS, District, Project
from stories import Scene, Telling, told_together

from rollcall.landing import verdicts

NIGHT = "2026-09-01T010000Z"
BULK = MANIFEST + "file.orgs,bulk\n"
RENAMED = ORGS.replace("name", "title").replace("parentSourcedId", "parentSourcedId,phone")
RENAMED_ROWS = "d1,,,Plainfield Schools,district,100,,555\ns1,,,North School,school,101,d1,556\n"
MORE_ROWS = (
    "s2,,,South School,school,102,d1,557\n"
    "s3,,,West School,,103,d1,558\n"  # without a type, which the new layout makes optional
    "s4,,,,school,104,d1,559\n"  # without the name, which the file calls title
)


@dataclass(frozen=True)
class Story:
    """A story of one source: `project` has its inbox, which no other source is in."""

    scene: Scene
    project: Project
    source: str

    def orgs(self, columns: str = "org_id, name") -> list[tuple[Any, ...]]:
        """Ask for its organisations."""
        return self.project.warehouse(
            f"select {columns} from core.dim_org where source_id = '{self.source}' order by org_id"
        )

    def file(self, delivery: str = NIGHT) -> str:
        """Name its organisations' file."""
        return f"{self.source}/{delivery}/orgs.csv"

    def verdicts(self) -> set[str]:
        """Ask what became of its organisations' files."""
        found = self.project.ledger(
            f"select verdict from landing.files where source_id = '{self.source}' "
            "and feed = 'oneroster/orgs'"
        )
        return {verdict for (verdict,) in found}


def one_source(scene: Scene) -> Story:
    """Begin with a source of which nothing is due."""
    scene.declare(due_feeds="")
    return Story(scene, scene.district, scene.roster_source)


@told_together(one_source)
def test_a_rejected_file_is_taken_once_its_drafted_layout_is_saved(story: Story) -> Telling:
    """One file of a folder, and one of a zip that was exported an hour later."""
    project, source = story.project, story.source
    zipped = "2026-09-01T020000Z"
    files = {"orgs.csv": RENAMED + RENAMED_ROWS, "manifest.csv": BULK}
    project.deliver(NIGHT, files, source)
    folder = project.deliver(zipped, files | {"orgs.csv": files["orgs.csv"] + MORE_ROWS}, source)
    shutil.make_archive(str(folder), "zip", folder)
    shutil.rmtree(folder)
    yield 1
    assert story.scene.alarms() == ["COLUMN_RENAMED"] * 2
    assert story.verdicts() == {"rejected"}
    assert story.orgs() == []

    both = (story.file(), story.file(f"{zipped}.zip"))
    for file in both:
        change = project.run("layouts", "diff", file, "--json").json
        assert change["code"] == "COLUMN_RENAMED"
        assert {item["code"] for item in change["differences"]} == {
            "COLUMN_RENAMED",
            "COLUMN_ADDED",
        }
        still = project.run("reprocess", file, "--json")
        assert (still.code, still.json["verdict"]) == (3, "rejected"), "nothing has changed yet"

    optional = {"type": {"is_required": "no"}}
    rows = [row | optional.get(row["column_name"], {}) for row in change["draft_rows"]]
    project.add_layout(rows)
    shutil.rmtree(project.inbox / source)  # the archive is enough
    (project.inbox / source).mkdir()
    for file in both:
        again = project.run("reprocess", file, "--json", now="2026-09-01T19:00:00Z")
        assert (again.code, again.json["verdict"]) == (0, "accepted"), again.out + again.err
    yield 2
    assert story.scene.alarms() == []
    assert story.orgs("org_id, name, is_active") == [
        ("d1", "Plainfield Schools", True),
        ("s1", "North School", True),
        ("s2", "South School", True),
        ("s3", "West School", True),
    ]
    assert project.warehouse(
        "select line_number, column_name, code from audit.audit_rejected_record "
        f"where source_id = '{source}'"
    ) == [(6, "title", "REQUIRED_MISSING")], "named as the file names it"
    assert project.ledger(
        'select "sourcedId", phone from raw_oneroster.orgs '
        f"inner join landing.files using (file_id) where source_id = '{source}' order by all"
    ) == [
        ("d1", "555"),
        ("d1", "555"),
        ("s1", "556"),
        ("s1", "556"),
        ("s2", "557"),
        ("s3", "558"),
        ("s4", "559"),
    ]
    assert project.warehouse(
        "select log.verdict, log.decision, log.landed_at::varchar, log.accepted_count, is_balanced "
        "from audit.audit_ingestion_log as log "
        "inner join reconciliation.recon_file_balance using (file_id) "
        f"where log.feed = 'oneroster/orgs' and log.source_id = '{source}' order by all"
    ) == [("accepted", "reprocess", "2026-09-01 18:00:00", count, True) for count in (2, 4)]
    assert project.run("verify").code == 0
    assert not list((project.home / "spool").iterdir())


@told_together(one_source)
def test_corrected_records_return_when_their_file_is_judged_again(story: Story) -> Telling:
    """A source that wrote another encoding than it declared; the file was in use meanwhile."""
    project, source = story.project, story.source
    rows = "d1,,,Plainfield,district,,\ns1,,,École,school,,d1\n".encode("cp1252")
    files: dict[str, str | bytes] = {"orgs.csv": ORGS.encode() + rows, "manifest.csv": BULK}
    project.deliver(NIGHT, files, source)
    yield 1
    assert story.verdicts() == {"accepted"}
    assert story.orgs("org_id") == [("d1",)]
    [(file_id,)] = project.ledger(
        f"select file_id from landing.files where file_name = 'orgs.csv' and source_id = '{source}'"
    )

    project.redeclare(source, "utf-8", "cp1252")
    again = project.run("reprocess", story.file(), "--json", now="2026-09-01T19:00:00Z")
    assert (again.code, again.json["file_id"]) == (0, file_id)
    assert (again.json["record_count"], again.json["malformed_count"]) == (2, 0)
    yield 2
    assert story.scene.alarms() == []
    assert story.orgs("org_id, name, record_number") == [
        ("d1", "Plainfield", 1),
        ("s1", "École", 2),
    ]
    assert project.warehouse(
        f"select count(*) from audit.audit_rejected_record where source_id = '{source}'"
    ) == [(0,)]


def test_a_reprocess_never_takes_a_boundary_that_another_file_holds(project: Project) -> None:
    project.deliver(NIGHT, {"orgs.csv": RENAMED + RENAMED_ROWS, "manifest.csv": BULK})
    project.land()
    project.deliver(NIGHT + "_again", {"orgs.csv": ORGS + ORG_ROWS, "manifest.csv": BULK})
    assert project.land().code == 0
    done = project.run("reprocess", f"sis/{NIGHT}/orgs.csv")
    assert done.code == 2
    assert f"'{NIGHT}_again' has brought oneroster/orgs for this export time" in done.err


def test_files_are_judged_again_with_the_manifest_that_says_which_are_complete(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An earlier version took no manifest by its names; the records alone looked like a delta.

    What is held of those files is said at once.
    """
    row = "d1,active,2026-08-20T10:00:00.000Z,Plainfield Schools,district,100,\ns1,act"
    manifest = MANIFEST.replace("propertyName,value", "value,propertyName") + "bulk,file.orgs\n"
    manifest = manifest.replace("manifest.version,1.0", "1.0,manifest.version")
    manifest = manifest.replace("oneroster.version,1.1", "1.1,oneroster.version")
    project.deliver("2026-09-01T010000Z", {"orgs.csv": ORGS + row, "manifest.csv": manifest})
    modes = "select file_name, verdict, mode from landing.files order by all"
    with monkeypatch.context() as patch:
        patch.setattr(verdicts, "MANIFEST", "oneroster/none")
        assert project.land().code == 3
    assert project.ledger(modes) == [
        ("manifest.csv", "rejected", None),
        ("orgs.csv", "accepted", "delta"),
    ]
    done = project.run("reprocess", "sis/2026-09-01T010000Z/manifest.csv")
    assert done.code == 3, done.out + done.err
    assert "REMOVALS HELD sis/2026-09-01T010000Z: orgs.csv" in done.out
    assert "decide: rollcall release" in done.out
    [manifest_now, orgs_now] = project.ledger(modes)
    assert manifest_now[1] == "accepted"
    assert orgs_now == ("orgs.csv", "accepted", "bulk")
    decided = "select count(*) from landing.decisions where decision = 'reprocess'"
    assert project.ledger(decided) == [(2,)]
    again = project.run("reprocess", "sis/2026-09-01T010000Z/manifest.csv", "--json")
    assert (again.code, again.json["are_removals_held"]) == (3, False)
    assert [file["code"] for file in again.json["files_beside"]] == ["CUT_SHORT"]
    assert project.run("verify").code == 0


def test_a_file_rejected_with_its_delivery_is_landed_again_not_judged_again(
    project: Project,
) -> None:
    (project.inbox / "sis" / f"{NIGHT}.zip").write_bytes(b"PK half a zip")
    assert project.land().code == 3
    done = project.run("reprocess", f"{NIGHT}.zip")
    assert done.code == 2
    assert "was rejected with its whole delivery (ARCHIVE_UNREADABLE)" in done.err


def replaced(story: Story, *, was_used: bool) -> Telling:
    """Deliver at a boundary that another delivery has, in use or not, and take its place."""
    project, source, night = story.project, story.source, 1 + was_used
    project.deliver(NIGHT, {"orgs.csv": ORGS + ORG_ROWS, "manifest.csv": BULK}, source)
    if was_used:
        yield 1
        assert story.verdicts() == {"accepted"}
    else:
        assert project.land(now="2026-09-01T12:00:00Z").code == 0
    right = ORGS + "d1,,,Plainfield Unified,district,100,\n"
    project.deliver(NIGHT + "_right", {"orgs.csv": right, "manifest.csv": BULK}, source)
    hour = 12 + 6 * was_used
    conflict = project.land(now=f"2026-09-01T{hour}:10:00Z")
    assert conflict.json["files"][0]["code"] == "DELIVERY_CONFLICT"

    replaced = project.land(
        *("--supersede", f"{source}/{NIGHT}_right", "--reason", "vendor confirmed"),
        now=f"2026-09-01T{hour}:20:00Z",
    )
    assert (replaced.code, replaced.json["deliveries_landed"]) == (0, 1), replaced.err
    [said] = [line for line in replaced.json["findings"] if ": replaces " in line]
    assert ("rebuilds" in said) == was_used
    yield night
    assert story.orgs() == [("d1", "Plainfield Unified")]
    assert project.ledger(
        "select decision, reason, file_name from landing.decisions "
        f"inner join landing.files using (file_id) where source_id = '{source}'"
    ) == [("supersede", "vendor confirmed", "orgs.csv")]
    rejected = project.run("status", "--json").json["rejected_files"]
    assert [row for row in rejected if row["source_id"] == source] == []
    assert project.run("verify", "--json").json["problems"] == []
    again = project.land("--supersede", f"{source}/{NIGHT}_right", "--reason", "once more")
    assert again.json["deliveries_again"] == 2, "the same again changes nothing"


@told_together(one_source)
def test_a_delivery_may_replace_what_stands_at_its_boundary(story: Story) -> Telling:
    yield from replaced(story, was_used=False)


@told_together(one_source)
def test_a_delivery_may_replace_what_was_used(story: Story) -> Telling:
    yield from replaced(story, was_used=True)


def test_superseding_needs_a_delivery_that_is_there_and_a_reason(district: District) -> None:
    done = district.land("--supersede", "sis/nothing", "--reason", "typo")
    assert done.code == 2
    assert "no delivery 'sis/nothing' in the inbox" in done.err
    done = district.land("--supersede", "sis/nothing")
    assert done.code == 2
    assert "--supersede and --reason go together" in done.err


@told_together(one_source)
def test_the_source_went_back_to_a(story: Story) -> Telling:
    """A, then B, then the bytes of A under a later boundary: undated rows mean that A holds."""
    first = ORGS + "d1,,,Name A,district,100,\n"
    second = ORGS + "d1,,,Name B,district,100,\n"
    for night, content in enumerate((first, second, first), 1):
        files = {"orgs.csv": content, "manifest.csv": BULK}
        story.project.deliver(f"2026-09-0{night}T010000Z", files, story.source)
        yield night
        assert story.verdicts() == {"accepted"}
    assert story.scene.alarms() == []
    assert story.orgs("name") == [("Name A",)]
    [repeated] = [
        line
        for line in story.scene.said["landed"]["findings"]
        if "same bytes" in line and story.source in line
    ]
    assert "export of 2026-09-01T01:00:00Z" in repeated


@told_together(one_source)
def test_dated_rows_sent_again_later_are_stale_and_an_old_export_changes_only_what_it_is_newest_for(
    story: Story,
) -> Telling:
    delta = MANIFEST + "file.orgs,delta\n"

    def rows(*pairs: tuple[str, str, int]) -> str:
        return ORGS + "".join(
            f"{key},active,2026-09-0{day}T10:00:00.000Z,{name},school,,\n"
            for key, name, day in pairs
        )

    stale = rows(("s1", "Older", 1))
    for night, content in (
        (2, rows(("s1", "Newer", 2))),
        (3, stale),
        (1, rows(("s1", "Late", 1), ("s2", "Only here", 1))),
    ):
        files = {"orgs.csv": content, "manifest.csv": delta}
        story.project.deliver(f"2026-09-0{night}T120000Z", files, story.source)
        yield 4 if night == 1 else night
        assert story.scene.alarms() == []
    assert story.orgs() == [("s1", "Newer"), ("s2", "Only here")]
    assert story.project.warehouse(
        "select code from audit.audit_ingestion_log where exported_at < '2026-09-02' "
        f"and feed = 'oneroster/orgs' and source_id = '{story.source}'"
    ) == [("ARRIVED_LATE",)]
