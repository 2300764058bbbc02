"""Faults that the sample does not hold: each planted here, with good records around it.

Together with the sample and the tests of deliveries, limits and values, every code is planted.
"""

from collections import Counter

import pytest
from conftest import MANIFEST, ORG_ROWS, ORGS, District, Project
from stories import Scene, Telling, nothing_is_due, told_together

CATEGORIES = "sourcedId,status,dateLastModified,title\nc1,,,Tests\n"
LINE_ITEMS = (
    "sourcedId,status,dateLastModified,title,description,assignDate,dueDate,classSourcedId,"
    "categorySourcedId,gradingPeriodSourcedId,resultValueMin,resultValueMax\n"
)
USERS = (
    "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,"
    "familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password\n"
)
RESULTS = (
    "sourcedId,status,dateLastModified,lineItemSourcedId,studentSourcedId,scoreStatus,score,"
    "scoreDate,comment\n"
)
NIGHT = "2026-09-01T010000Z"


@pytest.mark.parametrize(
    ("files", "code", "verdict"),
    [
        ({"orgs.csv": ORGS + ORG_ROWS, "notes.csv": "a,b\n1,2\n"}, "UNKNOWN_FILE", "rejected"),
        (
            {"orgs.csv": ORGS + ORG_ROWS, "zz more.csv": ORGS + ORG_ROWS},
            "FILE_REPEATED",
            "rejected",
        ),
        ({"orgs.csv": ORGS + ORG_ROWS + "s2,,,Sou"}, "CUT_SHORT", "accepted"),
        ({"orgs.csv": ORGS[:-17] + "parent\n" + ORG_ROWS}, "COLUMN_RENAMED", "rejected"),
    ],
)
def test_a_file_that_is_not_quite_right(
    district: District, files: dict[str, str], code: str, verdict: str
) -> None:
    manifest = MANIFEST + "file.orgs,bulk\nfile.categories,bulk\n"
    district.deliver(NIGHT, {**files, "categories.csv": CATEGORIES, "manifest.csv": manifest})
    report = district.land().json
    assert (code, verdict) in {(file["code"], file["verdict"]) for file in report["files"]}
    assert district.ledger("select count(*) from raw_oneroster.categories") == [(1,)]
    if code == "CUT_SHORT":
        assert district.ledger(
            "select are_removals_held from landing.files where file_name = 'orgs.csv'"
        ) == [(True,)], "what may be missing removes nothing"


def found(district: District) -> Counter[str]:
    return Counter(code for (code,) in district.ledger("select code from landing.findings"))


def test_what_a_manifest_gets_wrong_is_noted(district: District) -> None:
    manifest = (MANIFEST + "file.courses,bulk\n").replace("1.1", "1.2")
    district.deliver(NIGHT, {"orgs.csv": ORGS + ORG_ROWS, "manifest.csv": manifest})
    lone = {"orgs.csv": ORGS + ORG_ROWS}
    district.deliver("2026-09-02T010000Z", lone)
    district.deliver("2026-09-03T010000Z", lone)
    users = USERS + "u1,,,true,s1,student,one,,A,B,,,,,,,,\n"
    only_1_1 = {"users.csv": users, "manifest.csv": manifest.replace("courses", "users")}
    district.deliver("2026-09-04T010000Z", only_1_1)
    assert district.land(now="2026-09-04T18:00:00Z").code == 3
    assert found(district) == {
        "FILE_NOT_DELIVERED": 1,
        "MANIFEST_MISMATCH": 1,
        "MANIFEST_MISSING": 2,
        "CONTENT_REPEATED": 1,
        "VERSION_MISMATCH": 1,
    }


def asked(district: District, now: str = "2026-09-01T18:00:00Z") -> list[tuple[str, str]]:
    """Land, hold the exit code to what is asked, and give it by feed and code."""
    done = district.land(now=now)
    files = done.json["files"]
    asking = [file["code"] for file in files if file["verdict"] != "accepted"]
    assert done.code == (3 if done.json["questions"] or asking else 0)
    return [(row["feed"], row["code"]) for row in done.json["questions"]]


@pytest.mark.parametrize("mode", ["bulk", "delta", "full"])
def test_a_file_that_is_announced_and_not_there_is_asked_for_until_it_comes(
    project: Project, mode: str
) -> None:
    """A feed that no table has is noted; so is nothing of what the source says it never sends."""
    manifest = (
        MANIFEST
        + f"file.orgs,bulk\nfile.users,bulk\nfile.results,{mode}\nfile.demographics,bulk\n"
        + "file.courses,absent\nfile.classes,\n"
    )
    users = USERS + "u1,,,true,s1,student,one,,A,B,,,,,,,,\n"
    whole = {"orgs.csv": ORGS + ORG_ROWS, "People.csv": users, "manifest.csv": manifest}
    project.deliver(NIGHT, whole)
    asks = [("oneroster/results", "FILE_NOT_DELIVERED")]
    assert asked(project) == asks, "users are there under another name"
    assert found(project) == {"FILE_NOT_DELIVERED": 1, "MANIFEST_MISMATCH": 1}
    [question] = project.run("status", "--json").json["questions"]
    assert question["detail"].startswith(
        f"oneroster/results: the manifest says {mode} of results.csv, which is not in the delivery"
    )
    assert "QUESTION sis/2026-09-01T010000Z: manifest.csv" in project.run("status").out
    assert asked(project) == [], "a landing tells of what it landed"
    announced = MANIFEST + f"file.results,{mode}\n"
    project.deliver("2026-09-02T010000Z", {"manifest.csv": announced})
    assert asked(project, "2026-09-02T18:00:00Z") == asks, "every night, and once a feed"
    assert len(project.run("status", "--json").json["questions"]) == 1
    if mode == "bulk":
        project.redeclare("sis", ",comma,,", ",comma,results.*,")
        project.deliver("2026-09-03T010000Z", {"manifest.csv": announced + "file.orgs,absent\n"})
        assert asked(project, "2026-09-03T18:00:00Z") == []
    else:
        project.deliver("2026-09-02T010000Z_results.csv", {"results.csv": RESULTS})
        assert asked(project, "2026-09-03T18:00:00Z") == []
    assert project.run("status", "--json").json["questions"] == []


@pytest.mark.parametrize(("said", "mode"), [("absent", "absent"), ("", "nothing"), ("Absent", "")])
def test_a_file_that_is_there_though_the_manifest_denies_it_is_asked_about(
    project: Project, said: str, mode: str
) -> None:
    """Nothing says whether it is complete, so nobody leaves; default_mode or a manifest answers."""
    files = {"orgs.csv": ORGS + ORG_ROWS, "manifest.csv": MANIFEST + f"file.orgs,{said}\n"}
    project.deliver(NIGHT, files)
    assert asked(project) == [("oneroster/orgs", "FILE_NOT_ANNOUNCED")]
    [question] = project.run("status", "--json").json["questions"]
    assert question["detail"].startswith(
        f"The manifest says {mode or 'absent'} of the file, and it is in the delivery; "
        "it is read as a delta, so who is missing from it stays."
    )
    assert found(project) == {"FILE_NOT_ANNOUNCED": 1}
    if mode == "nothing":
        project.redeclare("sis", ",comma,,", ",comma,,bulk")
        for night in (2, 3):
            project.deliver(f"2026-09-0{night}T010000Z", files | {"x.txt": f"{night}"})
            assert asked(project, f"2026-09-0{night}T18:00:00Z") == []
        assert found(project)["MANIFEST_MISMATCH"] == 1, "said once"
        assert project.ledger("select mode from landing.files where feed like '%/orgs'") == [
            ("delta",),
            ("bulk",),
            ("bulk",),
        ]
    else:
        answer = {"orgs.csv": ORGS + ORG_ROWS, "manifest.csv": MANIFEST + "file.orgs,bulk\n"}
        project.deliver("2026-09-02T010000Z", answer)
        assert asked(project, "2026-09-02T18:00:00Z") == []
    assert project.run("status", "--json").json["questions"] == []


def test_a_header_may_be_read_by_name_where_the_source_allows_it(by_name: District) -> None:
    header = "parentSourcedId,TYPE,Name,sourcedId,status,dateLastModified,phone\n"
    rows = "d1,school,North,s1,,,555\n,district,Plainfield,d1,,,\n"
    by_name.deliver(
        NIGHT, {"orgs.csv": header + rows, "manifest.csv": MANIFEST + "file.orgs,bulk\n"}
    )
    report = by_name.land().json
    assert [file["code"] for file in report["files"] if file["feed"] == "oneroster/orgs"] == [
        "HEADER_BY_NAME"
    ]
    assert by_name.ledger(
        'select "sourcedId", "name", "type", "identifier", "parentSourcedId", metadata '
        "from raw_oneroster.orgs order by record_number"
    ) == [
        ("s1", "North", "school", None, "d1", {"phone": "555"}),
        ("d1", "Plainfield", "district", None, None, {"phone": None}),
    ]


@told_together(nothing_is_due)
def test_what_waits_is_said_each_night_until_somebody_decides(story: Scene) -> Telling:
    """A hold is an open question; what is decided, or pointless since a newer bulk, is none."""
    source, district = story.roster_source, story.district
    bulk = MANIFEST + "file.orgs,bulk\n"

    def orgs(count: int, kind: str = "school") -> str:
        return ORGS + "".join(f"s{n},,,School {n},{kind},{n},\n" for n in range(count))

    def waiting() -> list[tuple[str, str]]:
        rows = [row for row in story.said["waiting"] if row["source_id"] == source]
        return [(row["file_name"], row["code"]) for row in rows]

    district.deliver(NIGHT, {"orgs.csv": orgs(60), "manifest.csv": bulk}, source)
    yield 1
    assert (story.alarms(), waiting()) == ([], [])
    lost = {"orgs.csv": orgs(20), "manifest.csv": bulk}
    district.deliver("2026-09-02T010000Z", lost, source)
    yield 2
    assert (story.alarms(), waiting()) == (["MASS_DELETION"], []), "it is told of the night"
    user = USERS + "u1,active,2026-09-02T10:00:00Z,true,s1,student,one,,A,B,,,,,,,,\n"
    users = {"users.csv": user, "manifest.csv": MANIFEST + "file.users,delta\n"}
    district.deliver("2026-09-03T010000Z", users, source)
    yield 3
    assert (story.alarms(), waiting()) == ([], [("orgs.csv", "MASS_DELETION")])
    unknown = {"orgs.csv": orgs(60, "place"), "manifest.csv": MANIFEST + "file.orgs,delta\n"}
    district.deliver("2026-09-04T010000Z", unknown, source)
    yield 4
    assert story.alarms() == ["MASS_REJECTION"]
    assert waiting() == [("orgs.csv", "MASS_DELETION")]
    [held] = [row for row in story.said["waiting"] if row["source_id"] == source]
    done = district.run("refuse", held["file_id"], "--reason", "an export without the schools")
    assert done.code == 0, done.err
    yield 5
    assert (story.alarms(), waiting()) == ([], [("orgs.csv", "MASS_REJECTION")])


@told_together(nothing_is_due)
def test_records_that_break_a_rule_leave_the_good_ones_around_them(story: Scene) -> Telling:
    source, district = story.roster_source, story.district
    at = "2026-08-31T10:00:00.000Z"
    item = "{0},active,{1},Quiz,,2026-08-01,2026-08-02,c,k,g,{2},10\n"
    user = "{0},{1},{2},{3},s1,student,{0},,A,B,,,,,,,05,\n"
    good = [f"g{number:02d}" for number in range(60)]
    delta = MANIFEST + "file.users,delta\nfile.lineItems,delta\n"
    users = [
        *(user.format(key, "active", at, "true") for key in good),
        user.format("no status", "", at, "true"),
        user.format("no date", "active", "", "true"),
        user.format("old status", "inactive", at, "true"),
        user.format("bad date", "active", "yesterday", "true"),
        user.format("bad boolean", "active", at, "perhaps"),
    ]
    line_items = [
        *(item.format(key, at, "0") for key in good),
        item.format("bad number", at, "none"),
    ]
    files = {"users.csv": USERS + "".join(users), "lineItems.csv": LINE_ITEMS + "".join(line_items)}
    district.deliver(NIGHT, files | {"manifest.csv": delta}, source)
    yield 1
    assert story.alarms() == []
    assert district.warehouse(
        "select record_key, code from (from audit.audit_rejected_record "
        "union all by name from audit.audit_record_warning) "
        f"where source_id = '{source}' order by all"
    ) == [
        ("bad boolean", "INVALID_BOOLEAN"),
        ("bad date", "INVALID_DATETIME"),
        ("bad number", "INVALID_NUMBER"),
        ("no date", "MODIFIED_MISSING"),
        ("no status", "STATUS_MISSING"),
        ("old status", "LEGACY_STATUS"),
    ]
    assert district.warehouse(
        "select count(*) from core.dim_user where is_active and user_id like 'g%' "
        f"and source_id = '{source}'"
    ) == [(60,)]
    assert district.warehouse(
        "select bool_and(is_balanced) from reconciliation.recon_file_balance "
        f"where source_id = '{source}'"
    ) == [(True,)]
