"""Judged again: a rejected file after its layout was added, and a delivery that replaces another.

Contracts belong to the project, so these tests run the real command from a copy of it.
"""

import shutil

import pytest
from conftest import MANIFEST, ORG_ROWS, ORGS, District, Project

NIGHT = "2026-09-01T010000Z"
BULK = MANIFEST + "file.orgs,bulk\n"
RENAMED = ORGS.replace("name", "title").replace("parentSourcedId", "parentSourcedId,phone")
RENAMED_ROWS = "d1,,,Plainfield Schools,district,100,,555\ns1,,,North School,school,101,d1,556\n"


@pytest.fixture(params=["folder", "zip"])
def container(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def deliver(project: Project, files: dict[str, str], container: str, name: str = NIGHT) -> None:
    folder = project.deliver(name, files)
    if container == "zip":
        shutil.make_archive(str(folder), "zip", folder)
        shutil.rmtree(folder)


def test_a_rejected_file_is_taken_once_its_drafted_layout_is_saved(
    project: Project, container: str
) -> None:
    deliver(project, {"orgs.csv": RENAMED + RENAMED_ROWS, "manifest.csv": BULK}, container)
    assert project.cycle("2026-09-01T18:00:00Z").code == 3
    assert project.warehouse("select count(*) from core.dim_org") == [(0,)]

    change = project.run("layouts", "diff", "orgs.csv", "--json").json
    assert change["code"] == "COLUMN_RENAMED"
    assert {item["code"] for item in change["differences"]} == {"COLUMN_RENAMED", "COLUMN_ADDED"}
    still = project.run("reprocess", "orgs.csv", "--json")
    assert (still.code, still.json["verdict"]) == (3, "rejected"), "nothing has changed yet"

    project.add_layout(change["draft_rows"])
    shutil.rmtree(project.inbox / "sis")  # the archive is enough
    (project.inbox / "sis").mkdir()
    again = project.run("reprocess", "orgs.csv", "--json", now="2026-09-01T19:00:00Z")
    assert (again.code, again.json["verdict"]) == (0, "accepted"), again.out + again.err
    done = project.cycle("2026-09-01T20:00:00Z")
    assert done.code == 0, done.out + done.err
    assert project.warehouse("select org_id, name, is_active from core.dim_org order by 1") == [
        ("d1", "Plainfield Schools", True),
        ("s1", "North School", True),
    ]
    assert project.ledger('select "sourcedId", name, phone from raw_oneroster.orgs order by 1') == [
        ("d1", "Plainfield Schools", "555"),
        ("s1", "North School", "556"),
    ]
    assert project.warehouse(
        "select log.verdict, log.decision, log.landed_at::varchar, log.accepted_count, is_balanced "
        "from audit.audit_ingestion_log as log "
        "inner join reconciliation.recon_file_balance using (file_id) "
        "where log.feed = 'oneroster/orgs'"
    ) == [("accepted", "reprocess", "2026-09-01 18:00:00", 2, True)]
    assert project.run("verify").code == 0
    assert not list((project.home / "spool").iterdir())


def test_mended_records_return_when_their_file_is_judged_again(project: Project) -> None:
    """A source that wrote another encoding than it declared; the file was in use meanwhile."""
    rows = "d1,,,Plainfield,district,,\ns1,,,École,school,,d1\n".encode("cp1252")
    project.deliver(NIGHT, {"orgs.csv": ORGS.encode() + rows, "manifest.csv": BULK})
    assert project.cycle("2026-09-01T18:00:00Z").code == 0
    assert project.warehouse("select org_id from core.dim_org") == [("d1",)]
    [(file_id,)] = project.ledger("select file_id from landing.files where file_name = 'orgs.csv'")

    project.declare("utf-8", "cp1252")
    again = project.run("reprocess", "orgs.csv", "--json", now="2026-09-01T19:00:00Z")
    assert (again.code, again.json["file_id"]) == (0, file_id)
    assert (again.json["record_count"], again.json["malformed_count"]) == (2, 0)
    assert project.cycle("2026-09-01T20:00:00Z").code == 0
    assert project.warehouse("select org_id, name, record_number from core.dim_org order by 1") == [
        ("d1", "Plainfield", 1),
        ("s1", "École", 2),
    ]
    assert project.warehouse("select count(*) from audit.audit_rejected_record") == [(0,)]


def test_reprocessing_never_takes_a_boundary_that_another_file_holds(project: Project) -> None:
    project.deliver(NIGHT, {"orgs.csv": RENAMED + RENAMED_ROWS, "manifest.csv": BULK})
    project.land()
    project.deliver(NIGHT + "_again", {"orgs.csv": ORGS + ORG_ROWS, "manifest.csv": BULK})
    assert project.land().code == 0
    done = project.run("reprocess", f"sis/{NIGHT}/orgs.csv")
    assert done.code == 2
    assert f"'{NIGHT}_again' stands for oneroster/orgs at this boundary" in done.err


def test_a_file_rejected_with_its_delivery_is_landed_again_not_judged_again(
    project: Project,
) -> None:
    (project.inbox / "sis" / f"{NIGHT}.zip").write_bytes(b"PK half a zip")
    assert project.land().code == 3
    done = project.run("reprocess", f"{NIGHT}.zip")
    assert done.code == 2
    assert "was rejected with its whole delivery (ARCHIVE_UNREADABLE)" in done.err


@pytest.mark.parametrize("was_used", [False, True])
def test_a_delivery_may_replace_what_stands_at_its_boundary(
    district: District, was_used: bool
) -> None:
    district.deliver(NIGHT, {"orgs.csv": ORGS + ORG_ROWS, "manifest.csv": BULK})
    arguments = ("cycle", "--inbox", str(district.inbox), "--json")
    if was_used:
        assert district.run(*arguments).code == 0
    else:
        assert district.land().code == 0
    right = ORGS + "d1,,,Plainfield Unified,district,100,\n"
    district.deliver(NIGHT + "_right", {"orgs.csv": right, "manifest.csv": BULK})
    assert district.land().json["files"][0]["code"] == "DELIVERY_CONFLICT"

    replaced = district.land(
        *("--supersede", f"sis/{NIGHT}_right", "--reason", "vendor confirmed"),
        now="2026-09-01T19:00:00Z",
    )
    assert (replaced.code, replaced.json["deliveries_landed"]) == (0, 1), replaced.err
    [said] = [line for line in replaced.json["findings"] if "takes the place" in line]
    assert ("rebuilds" in said) == was_used
    done = district.run(*arguments, now="2026-09-01T20:00:00Z")
    assert done.code == 0, done.out
    assert district.warehouse("select org_id, name from core.dim_org") == [
        ("d1", "Plainfield Unified")
    ]
    assert district.ledger(
        "select decision, reason, file_name from landing.decisions "
        "inner join landing.files using (file_id)"
    ) == [("supersede", "vendor confirmed", "orgs.csv")]
    assert district.run("status", "--json").json["rejected_files"] == []
    assert district.run("verify", "--json").json["problems"] == []
    again = district.land("--supersede", f"sis/{NIGHT}_right", "--reason", "once more")
    assert again.json["deliveries_again"] == 2, "the same again changes nothing"


def test_superseding_needs_a_delivery_that_is_there_and_a_reason(district: District) -> None:
    done = district.land("--supersede", "sis/nothing", "--reason", "typo")
    assert done.code == 2
    assert "no delivery 'sis/nothing' in the inbox" in done.err
    done = district.land("--supersede", "sis/nothing")
    assert done.code == 2
    assert "--supersede and --reason go together" in done.err


def test_the_source_went_back_to_a(district: District) -> None:
    """A, then B, then the bytes of A under a later boundary: undated rows mean that A holds."""
    arguments = ("cycle", "--inbox", str(district.inbox), "--json")
    first = ORGS + "d1,,,Name A,district,100,\n"
    second = ORGS + "d1,,,Name B,district,100,\n"
    for night, content in enumerate((first, second, first), 1):
        district.deliver(f"2026-09-0{night}T010000Z", {"orgs.csv": content, "manifest.csv": BULK})
        done = district.run(*arguments, now=f"2026-09-0{night}T18:00:00Z")
        assert done.code == 0, done.out
    assert district.warehouse("select name from core.dim_org") == [("Name A",)]
    [repeated] = [line for line in done.json["landed"]["findings"] if "same bytes" in line]
    assert "export of 2026-09-01T01:00:00Z" in repeated


def test_dated_rows_sent_again_later_are_stale_and_an_old_export_changes_only_what_it_is_newest_for(
    district: District,
) -> None:
    arguments = ("cycle", "--inbox", str(district.inbox), "--json")
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
        district.deliver(
            f"2026-09-0{night}T120000Z", {"orgs.csv": content, "manifest.csv": delta}, source="lms"
        )
        done = district.run(*arguments, now=f"2026-09-0{4 if night == 1 else night}T18:00:00Z")
        assert done.code == 0, done.out
    assert district.warehouse("select org_id, name from core.dim_org order by 1") == [
        ("s1", "Newer"),
        ("s2", "Only here"),
    ]
    assert district.warehouse(
        "select code from audit.audit_ingestion_log where exported_at < '2026-09-02' "
        "and feed = 'oneroster/orgs'"
    ) == [("ARRIVED_LATE",)]
