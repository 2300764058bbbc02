"""Whose a result is: ids of several kinds, witnesses, decisions by hand, and what is evidence.

One district tells all in three nights; NWEA's files stand for any vendor's.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from conftest import Project, copy_of_the_project
from test_assessments import NEW, RESULTS, STUDENTS, as_csv, declare

pytestmark = pytest.mark.more

ROSTER = {
    "orgs": ("1.1", [{"sourcedId": "north", "name": "North", "type": "school"}]),
    "academicSessions": (
        "1.1",
        [
            {
                "sourcedId": "y",
                "title": "2021-2022",
                "type": "schoolYear",
                "startDate": "2021-08-01",
                "endDate": "2022-06-30",
                "schoolYear": "2022",
            }
        ],
    ),
}
PEOPLE = (
    # student, number, login, given name, family name, birth date
    ("ann", "0123", "900", "Ann", "Lee", "2010-05-01"),
    ("bob", "123", "901", "Bob", "Fox", "2010-05-02"),
    ("tia", "200", "902", "Tia", "Roe", "2010-05-03"),
    ("tim", "201", "903", "Tim", "Roe", "2010-05-03"),
    ("cat", "300", "904", "Cat", "Ray", "2010-05-04"),
    ("dan", "301", "905", "Dán", "O'Neil-Poe", "2010-05-05"),
    ("eve", "400", "906", "Eve", "Day", "2010-05-06"),
    ("eva", "400", "907", "Eva", "May", "2010-05-07"),
    ("fay", "500", "908", "Fay", "Low", "2010-05-08"),
    ("hal", "600", "909", "Hal", "Orr", ""),
    ("ivy", "601", "910", "Ivy", "Ash", "2010-05-10"),
    ("jon", "NULL", "911", "Jon", "Kay", "2010-05-11"),
)
TESTS = (
    # id, state id, quintile
    ("0123", "", "HiAvg"),
    ("123", "", "Low"),
    ("200", "", "High"),
    ("300", "", "HiAvg"),
    ("d-1", "", "HiAvg"),
    ("400", "", "HiAvg"),
    ("500", "", "HiAvg"),
    ("600", "", "Odd"),
    ("999", "", "HiAvg"),
    ("i-1", "910", "HiAvg"),
    ("601", "900", "HiAvg"),
)
LISTED = (
    # id, given name, family name, birth date
    ("0123", "ANN", "LEE", "5/1/2010"),
    ("123", "Bob", "Fox", ""),
    ("200", "T", "Roe", "5/3/2010"),
    ("300", "Caleb", "Ray", "5/5/2010"),
    ("d-1", "Dan", "ONeil Poe", "05/05/2010"),
    ("400", "Eve", "Day", "5/6/2010"),
    ("600", "Hal", "Orr", "1/1/2011"),
)
OF_A_SPREADSHEET = ("0123.0", "123.0", "123.50", "NULL", "n/a", "#N/A", "(null)", "nan", "600.00")
"""Ids that a program wrote as numbers, or in place of none; no name is said beside them."""
IDENTITY = """source_id,feed,column_name,assigner,id_kind,priority,normalise,is_trusted_alone,note
sis,oneroster/users,identifier,district,district,1,trim,,
sis,oneroster/users,username,state,state,2,trim,,
map,nwea/assessment_results,StudentID,district,district,1,,,
map,nwea/assessment_results,Student_StateID,state,state,2,,true,
map,nwea/students,StudentID,district,district,1,,,
other,nwea/students,StudentID,district,district,1,,true,The vendor's own numbers by mistake
sheet,nwea/assessment_results,StudentID,district,district,1,strip_dot_zero,true,
typed,nwea/assessment_results,StudentID,district,district,1,,true,Numbers are compared as they stand
far,nwea/assessment_results,StudentID,district,district,1,,,
near,nwea/assessment_results,StudentID,district,district,1,,,
let_in,nwea/assessment_results,StudentID,district,district,1,,,
"""
STRANGERS = ("far", "near", "let_in")
"""Sources that write numbers of their own where those of the district should be."""
HIERARCHY = """field_name,rank,source_id,note
given_name,1,map,The vendor is told of changed names first
school_name,1,sis,Schools are compared
"""
LEVELS = """rule_id,source_id,feed,scale,level,state,note
,map,nwea/assessment_results,quintile,High,mastered,
,map,nwea/assessment_results,quintile,HiAvg,mastered,
,map,nwea/assessment_results,quintile,Avg,not_mastered,
,map,nwea/assessment_results,quintile,Low,not_mastered,
"""
RULES = (
    "levels,1,objective,SCI,asserted,,,70,1,,2,true,2000-01-01,,What the vendor says.\n"
    "scores,1,objective,EARTH,highest,,,70,1,,2,true,2000-01-01,,A score.\n"
)
ALIGNED = """source_id,aligned_kind,aligned_id,objective_id,note
map,assessment,MAP Growth/Science,SCI,
map,assessment,MAP Growth/Science/Earth and Space,EARTH,
"""


CROWD = 10_000
FIRST_NUMBER, FIRST_OF_VENDOR = 10_000, 15_000
"""Both give out as many numbers as there are students, and half of them are the same."""


def crowd() -> list[tuple[str, str, str, str, str, str]]:
    """Make students some of whom share a name or a birth date."""
    chance = Random(17)  # noqa: S311  (names, not a secret)
    return [
        (
            f"s{number}",
            str(FIRST_NUMBER + number),
            f"login{number}",
            f"{chance.choice('ABCDEFGHIJ')}{chance.choice('aeiou')}n",
            f"{chance.choice('BDFGKLMNPRSTVW')}{chance.choice('aeiou')}rr",
            str(date(2008, 1, 1) + timedelta(days=chance.randrange(1500))),
        )
        for number in range(CROWD)
    ]


def listed_by_another() -> bytes:
    """List the same students by the numbers that a vendor gave them."""
    numbers = list(range(FIRST_OF_VENDOR, FIRST_OF_VENDOR + CROWD))
    Random(18).shuffle(numbers)  # noqa: S311
    return as_csv(
        STUDENTS,
        "11",
        [
            {
                "TermName": "Fall 2021-2022",
                "SchoolName": student,
                "StudentID": str(number),
                "StudentFirstName": given,
                "StudentLastName": family,
                "StudentDateOfBirth": date.fromisoformat(day).strftime("%m/%d/%Y"),
            }
            for number, (student, _, _, given, family, day) in zip(numbers, crowd(), strict=True)
        ],
    )


def roster() -> dict[str, bytes]:
    """Write the roster with the birth dates of most."""
    people = [*PEOPLE, *crowd()]
    users = [
        {
            "sourcedId": student,
            "enabledUser": "true",
            "orgSourcedIds": "north",
            "role": "student",
            "username": login,
            "givenName": given,
            "familyName": family,
            "identifier": number,
        }
        for student, number, login, given, family, _ in people
    ]
    born = [{"sourcedId": student, "birthDate": day} for student, *_, day in people if day]
    files = {
        f"{name}.csv": as_csv(f"oneroster/{feed}", version, rows)
        for name, feed, (version, rows) in (
            ("orgs", "orgs", ROSTER["orgs"]),
            ("academicSessions", "academic_sessions", ROSTER["academicSessions"]),
            ("users", "users", ("1.1", users)),
            ("demographics", "demographics", ("1.1", born)),
        )
    }
    manifest = ["manifest.version,1.0", "oneroster.version,1.1"]
    manifest += [f"file.{name.removesuffix('.csv')},bulk" for name in files]
    return files | {"manifest.csv": "\n".join(["propertyName,value", *manifest]).encode() + b"\n"}


def exported() -> dict[str, bytes]:
    """Write what the vendor exports: tests, and a list of some students."""
    tests = [
        NEW | {"StudentID": student, "Student_StateID": state, "AchievementQuintile": quintile}
        for student, state, quintile in TESTS
    ]
    listed = [
        {
            "TermName": "Fall 2021-2022",
            "SchoolName": "North",
            "StudentID": student,
            "StudentFirstName": given,
            "StudentLastName": family,
            "StudentDateOfBirth": day,
        }
        for student, given, family, day in LISTED
    ]
    return {
        "AssessmentResults.csv": as_csv(RESULTS, "143", tests),
        "StudentBySchool.csv": as_csv(STUDENTS, "11", listed),
    }


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, ...]:
    """Tell five nights; gives the district after each."""
    folder = tmp_path_factory.mktemp("identity")
    project = copy_of_the_project(folder)
    sources = ("map", "other", "sheet", "typed", *STRANGERS)
    declare(project, dict.fromkeys(sources, ("nwea", "bulk")))
    limits = project.project / "seeds" / "contracts" / "limits.csv"
    with limits.open("a") as stream:
        for source in ("map", "sheet", "typed"):
            stream.write(f"{source},max_unlinked_percent,100,All of them may wait\n")
    rules = project.project / "seeds" / "rules"
    with (rules / "mastery_rules.csv").open("a") as stream:
        stream.write(RULES)
    for name, text in {
        "identity_columns": IDENTITY,
        "level_states": LEVELS,
        "objective_alignment": ALIGNED,
    }.items():
        (rules / f"{name}.csv").write_text(text)
    # the results come before the students whose they are
    project.deliver("2021-09-10T010000Z", exported(), source="map")
    after = [night(project, folder, 1)]
    project.deliver("2021-09-11T010000Z", roster(), source="sis")
    others = {"StudentBySchool.csv": listed_by_another()}
    project.deliver("2021-09-11T010000Z", others, source="other")
    for source in ("sheet", "typed"):
        tests = [NEW | {"StudentID": student} for student in OF_A_SPREADSHEET]
        of_a_sheet = {"AssessmentResults.csv": as_csv(RESULTS, "143", tests)}
        project.deliver("2021-09-11T010000Z", of_a_sheet, source=source)
    after.append(night(project, folder, 2))
    for decision in (("link", "map", "999", "hal"), ("unlink", "map", "0123")):
        decide(project, decision, "2021-09-12T12:00:00Z")
    after.append(night(project, folder, 3))
    for source in STRANGERS:
        project.deliver("2021-09-13T010000Z", numbered_by_a_stranger(), source=source)
    renamed = {"Assessment Results (1).csv": exported()["AssessmentResults.csv"]}
    project.deliver("2021-09-13T010000Z", renamed, source="map")
    decide(project, ("link", "sis", "eva", "eve"), "2021-09-12T20:00:00Z")
    decide(project, ("link", "map", "300", "cat"), "2021-09-12T20:00:00Z")
    after.append(night(project, folder, 4))
    for number, student in enumerate(("ann", "bob", "tia", "tim")):
        decide(project, ("link", "far", f"v-{number}", student), "2021-09-13T20:00:00Z")
    with limits.open("a") as stream:
        stream.write("near,max_unlinked_percent,100,All of them may wait\n")
    [[held]] = project.ledger("select file_id from landing.files where source_id = 'let_in'")
    decide(project, ("release", held), "2021-09-13T20:00:00Z")
    (rules / "source_hierarchy.csv").write_text(HIERARCHY)
    after.append(night(project, folder, 5))
    return (*after[:-1], project)


def decide(project: Project, decision: tuple[str, ...], at: str) -> None:
    """Record a decision of a person."""
    done = project.run(*decision, "--reason", "seen in the office", now=at)
    assert done.code == 0, done.err


def numbered_by_a_stranger() -> dict[str, bytes]:
    """Write tests of eight students of the roster, whose logins stand in the second column."""
    tests = [
        NEW | {"StudentID": f"v-{number}", "Student_StateID": login}
        for number, (_, _, login, *_) in enumerate(PEOPLE[:8])
    ]
    return {"AssessmentResults.csv": as_csv(RESULTS, "143", tests)}


def warned(project: Project) -> list[str]:
    """Return what the singular test of levels says of the last cycle."""
    return [
        sentence
        for (sentence,) in project.ledger(
            "select detail from landing.findings where code = 'TEST_WARNED' order by all"
        )
        if "levels_have_a_meaning" in sentence
    ]


def night(project: Project, folder: Path, number: int) -> Project:
    """Run a cycle and copy what it leaves."""
    done = project.cycle(f"2021-09-{9 + number}T18:00:00Z")
    assert done.code in (0, 3), done.out + done.err
    after = project.copy(folder / f"night_{number}")
    after.project.symlink_to(project.project)
    return after


def outcomes(project: Project) -> Mapping[str, tuple[str, str | None]]:
    """Return how each student of the source is known, by the first id of its records."""
    rows = project.warehouse(
        "select split_part(source_student_key, ':', 4), outcome, min(student_key) "
        "from core.dim_student_id where source_id = 'map' group by all order by all"
    )
    assert len({row[0] for row in rows}) == len(rows)
    return {student: (outcome, key) for student, outcome, key in rows}


FOUND = {
    "0123": ("linked", "sis:ann"),
    "123": ("linked", "sis:bob"),
    "200": ("ambiguous", None),
    "300": ("conflict", None),
    "d-1": ("proposed", None),
    "400": ("ambiguous", None),
    "500": ("linked_unwitnessed", "sis:fay"),
    "600": ("linked", "sis:hal"),
    "999": ("none", None),
    "i-1": ("linked_unwitnessed", "sis:ivy"),
    "601": ("conflict", None),
}


def test_nobody_is_linked_before_the_roster_comes(told: tuple[Project, ...]) -> None:
    assert set(outcomes(told[0]).values()) == {("none", None)}
    assert told[0].warehouse("select count(*) from progression.fct_mastery") == [(0,)]


def test_an_id_links_where_no_witness_contradicts(told: tuple[Project, ...]) -> None:
    assert outcomes(told[1]) == FOUND


def test_overlapping_ranges_of_numbers_link_nobody_to_another_child(
    told: tuple[Project, ...],
) -> None:
    """A join of the numbers finds thousands; each is another child."""
    joined, wrong = told[1].warehouse(
        "select count(*), count(*) filter (listed.school_name <> users.user_id) "
        "from core.dim_nwea_student as listed inner join core.dim_user as users "
        "on listed.student_id = users.identifier where listed.source_id = 'other'"
    )[0]
    assert joined == CROWD // 2
    assert wrong > joined * 0.99
    linked_wrongly = told[1].warehouse(
        "select count(*) from core.dim_student_id as ids "
        "inner join core.dim_nwea_student as listed using (source_id) "
        "where source_id = 'other' and ids.id_value = listed.student_id "
        "and ids.student_key <> 'sis:' || listed.school_name"
    )
    assert linked_wrongly == [(0,)]
    counted = dict(
        told[1].warehouse(
            "select outcome, count(*) from core.dim_student_id where source_id = 'other' "
            "group by all"
        )
    )
    assert sum(counted.values()) == CROWD
    assert counted["conflict"] > joined * 0.99
    assert counted["proposed"] > joined * 0.9


def test_an_id_that_a_spreadsheet_wrote_is_the_number_it_was_where_the_seed_says_so(
    told: tuple[Project, ...],
) -> None:
    """A zero in front counts, and so does what is behind the point, unless it is zero."""
    found = "select id_value, outcome, student_key from core.dim_student_id where source_id = '{}'"
    assert sorted(told[1].warehouse(found.format("sheet"))) == [
        ("0123", "linked_unwitnessed", "sis:ann"),
        ("123", "linked_unwitnessed", "sis:bob"),
        ("123.50", "none", None),
        ("600", "linked_unwitnessed", "sis:hal"),
    ]
    as_they_stand = ("0123.0", "123.0", "123.50", "600.00")
    assert sorted(told[1].warehouse(found.format("typed"))) == [
        (id_value, "none", None) for id_value in as_they_stand
    ]


def test_a_word_in_place_of_an_id_is_nobodys_though_a_student_has_it(
    told: tuple[Project, ...],
) -> None:
    """A join of the ids finds a child; each such result is counted as one of nobody."""
    words = ("NULL", "n/a", "#N/A", "(null)", "nan")
    assert told[1].warehouse(
        "select results.source_id, count(*) from core.fct_nwea_assessment_result as results "
        "inner join core.dim_user as users on results.student_id = users.identifier "
        "where users.user_id = 'jon' group by all order by all"
    ) == [("sheet", 1), ("typed", 1)]
    assert told[1].warehouse(
        "select source_id, identity, student_key, count(distinct result_id) "
        "from core.fct_assessment_result "
        f"where split_part(result_id, ' | ', 2) in {words} group by all order by all"
    ) == [("sheet", "none", None, len(words)), ("typed", "none", None, len(words))]
    assert told[1].warehouse(
        "select source_id, sum(lost_count)::int from reconciliation.recon_coverage "
        "where source_id in ('sheet', 'typed') and step = 'linked' and reason = 'none' "
        "group by all order by all"
    ) == [("sheet", len(words) + 1), ("typed", len(words) + 4)]
    assert told[1].warehouse(
        "select count(*) from core.dim_student_id where student_key = 'sis:jon'"
    ) == [(0,)]


def test_the_same_bytes_under_a_new_name_change_nobody_and_no_result(
    told: tuple[Project, ...],
) -> None:
    """All of its records are the newest of their keys, and say what was said before."""
    [[name, accepted]] = told[3].ledger(
        "select file_name, verdict from landing.files where source_id = 'map' "
        "and file_name like '%(1)%'"
    )
    assert (name, accepted) == ("Assessment Results (1).csv", "accepted")
    results = (
        "select result_key, student_key, identity, score, level, is_active, result_hash "
        "from core.fct_assessment_result where source_id = 'map' "
        "and split_part(result_id, ' | ', 2) not in ('300', '400') order by all"
    )
    assert told[2].warehouse(results) == told[3].warehouse(results)
    assert told[3].warehouse("select * from audit.audit_restated_result") == []
    seen = "select distinct first_seen_at from core.dim_student_id where source_id = 'map'"
    assert told[3].warehouse(seen) == told[2].warehouse(seen)
    balanced = "select distinct is_balanced from reconciliation.recon_file_balance"
    assert told[3].warehouse(balanced) == [(True,)]


def test_decisions_outrank_ids_from_the_next_cycle_on(told: tuple[Project, ...]) -> None:
    decided = {"999": ("linked", "sis:hal"), "0123": ("none", None)}
    assert outcomes(told[2]) == FOUND | decided


def test_a_late_link_gives_waiting_results_to_the_student(told: tuple[Project, ...]) -> None:
    """The level stands for a state as the seed says; one it does not name is no state."""
    states = "select student_id, state from progression.fct_mastery where objective_id = 'SCI'"
    assert sorted(told[1].warehouse(states)) == [
        ("ann", "mastered"),
        ("bob", "not_mastered"),
        ("hal", "insufficient_evidence"),
        ("ivy", "mastered"),
    ]
    assert ("hal", "mastered") in told[2].warehouse(states)


def test_what_is_not_linked_is_no_evidence_and_says_so(told: tuple[Project, ...]) -> None:
    found = told[1].warehouse(
        "select evidence_id, identity, disposition, kind from progression.fct_evidence "
        "where objective_id = 'SCI' order by all"
    )
    said = {evidence_id.split(" | ")[1]: tuple(rest) for evidence_id, *rest in found}
    usable = {"0123", "123", "600", "i-1"}
    assert said == {
        student: (outcome, "usable" if student in usable else "unlinked", "asserted_level")
        for student, (outcome, _) in FOUND.items()
    }


def test_a_level_that_the_seed_does_not_name_is_said(told: tuple[Project, ...]) -> None:
    """Without the level, which may be anything that a file holds."""
    [sentence] = warned(told[1])
    assert "1 levels of map nwea/assessment_results on the scale quintile" in sentence
    assert "line 9 of file" in sentence
    assert "Odd" not in sentence


def test_a_level_is_no_score(told: tuple[Project, ...]) -> None:
    """A rule that takes scores finds none among levels."""
    found = told[1].warehouse(
        "select distinct state, score_percent, evidence_count from progression.fct_mastery "
        "where objective_id = 'EARTH'"
    )
    assert found == [("not_evaluated", None, 0)]


def test_the_command_counts_and_lists_who_waits(told: tuple[Project, ...], tmp_path: Path) -> None:
    project = told[2]
    said = project.run("identities", "--source", "map", "--json").json
    assert said["outcomes"]["map"] == {
        "ambiguous": 2,
        "conflict": 2,
        "linked": 3,
        "linked_unwitnessed": 2,
        "none": 1,
        "proposed": 1,
    }
    worklist = tmp_path / "waiting.csv"
    worklist.touch(mode=0o644)
    shown = project.run("identities", "--source", "map", "--worklist", str(worklist))
    assert "map:district:district:300: conflict, 2 results; found: sis:cat" in shown.out
    assert worklist.stat().st_mode & 0o077 == 0
    assert len(worklist.read_text().splitlines()) == 1 + len(said["waiting"]) == 7


def test_a_file_whose_students_are_nobodys_waits_whole(told: tuple[Project, ...]) -> None:
    """Its students are listed all the same, and the column that would find them is named."""
    project = told[3]
    files = project.ledger(
        "select source_id, verdict, code, detail from landing.files "
        f"where source_id in {STRANGERS} order by all"
    )
    assert [file[:3] for file in files] == [
        (source, "held", "STUDENTS_UNLINKED") for source in sorted(STRANGERS)
    ]
    assert files[0][3] == (
        "8 of 8 students are nobody's on the roster of sis, or not for certain (100.0 %, limit "
        "50 %). 'Student_StateID' finds 8 of 8 students by 'username' of the roster and no name or "
        "birth date contradicts; identity_columns.csv declares 'StudentID', by which 0 are found."
    )
    assert project.run("status", "--json").json["held_files"][0]["code"] == "STUDENTS_UNLINKED"
    waiting = project.run("identities", "--source", "far", "--json").json["waiting"]
    assert [row["source_student_key"] for row in waiting] == [
        f"far:district:district:v-{number}" for number in range(8)
    ]
    assert {row["file_id"] for row in waiting} == {
        row["file_id"]
        for row in project.run("status", "--json").json["held_files"]
        if row["source_id"] == "far"
    }
    count = f"select count(*) from core.fct_assessment_result where source_id in {STRANGERS}"
    assert project.warehouse(count) == [(0,)]


def test_links_a_higher_limit_or_a_release_let_it_in(told: tuple[Project, ...]) -> None:
    project = told[4]
    assert project.ledger(
        "select source_id, verdict, code from landing.files "
        f"where source_id in {STRANGERS} order by all"
    ) == [
        ("far", "accepted", None),
        ("let_in", "held", "STUDENTS_UNLINKED"),
        ("near", "accepted", None),
    ]
    assert project.warehouse(
        "select source_id, outcome, count(*) from audit.audit_identity_match "
        f"where source_id in {STRANGERS} group by all order by all"
    ) == [
        ("far", "linked", 4),
        ("far", "none", 4),
        ("let_in", "none", 8),
        ("near", "none", 8),
    ]
    noted = project.ledger(
        "select source_id from landing.findings inner join landing.files using (file_id) "
        "where findings.code = 'IDENTITY_COLUMN_SUSPECT' order by all"
    )
    assert noted == [("near",)]  # of far fewer are left than a limit counts
    assert project.ledger(
        "select count(*) from landing.unlinked_students where file_id in "
        "(select file_id from landing.files where verdict = 'accepted')"
    ) == [(0,)]


def test_of_two_students_who_are_one_each_id_finds_the_one(told: tuple[Project, ...]) -> None:
    """From the decision on; until then the id that both have is nobody's."""
    assert outcomes(told[2])["400"] == ("ambiguous", None)
    assert outcomes(told[3])["400"] == ("linked", "sis:eve")
    history = told[4].warehouse(
        "select outcome, dbt_valid_to is null from snapshots.snap_student_link "
        "where source_student_key = 'map:district:district:400' order by dbt_valid_from"
    )
    assert history == [("none", False), ("ambiguous", False), ("linked", True)]


def test_what_sources_say_differently_of_a_student_is_contested(told: tuple[Project, ...]) -> None:
    """By a rule, since the cycle that linked the two; no table takes its value from there."""
    contests = "from reconciliation.recon_contest where student_key = 'sis:cat' order by all"
    assert told[2].warehouse(contests) == []
    at_first, a_day_later = ((4, datetime(2021, 9, 13, 18), days) for days in (0, 1))
    born = ("sis:cat", "birth_date", "sis", "2010-05-04", "roster", "map", "2010-05-05")
    assert told[3].warehouse(contests) == [
        (*born, *at_first),
        ("sis:cat", "given_name", "sis", "cat", "roster", "map", "caleb", *at_first),
    ]
    assert told[4].warehouse(contests) == [
        (*born, *a_day_later),
        ("sis:cat", "given_name", "map", "caleb", "source_hierarchy", "sis", "cat", *a_day_later),
    ]
    published = "select * exclude (visible_at) from core.dim_user order by all"
    assert told[2].warehouse(published) == told[4].warehouse(published)


def test_contests_are_listed_with_their_age_and_without_values(told: tuple[Project, ...]) -> None:
    said = told[4].run("contests", "--source", "map", "--json").json["contests"]
    assert [(row["field_name"], row["student_keys"], row["age_days"]) for row in said] == [
        ("birth_date", ["sis:cat"], 1),
        ("given_name", ["sis:cat"], 1),
    ]
    shown = told[4].run("contests").out
    assert "birth_date: map says something else than sis of 1 students; sis stands" in shown
    assert "since 2021-09-13 18:00 UTC, 1 days" in shown
    assert told[4].run("report").code == 0
    report = told[4].home / "report"
    listed = (report / "contested_values.csv").read_text(encoding="utf-8-sig")
    assert "\ncat,birth_date,sis,map,roster,2021-09-13 18:00:00,4,1,sis\n" in listed
    page = (report / "contests.html").read_text(encoding="utf-8")
    assert "given_name" in page
    assert "caleb" not in shown + listed + page


def test_every_link_says_what_was_tried_and_since_when(told: tuple[Project, ...]) -> None:
    found = {
        key.split(":")[-1]: tuple(rest)
        for key, *rest in told[2].warehouse(
            "select source_student_key, witnesses, decision, decided_cycle_id, since_cycle_id "
            "from audit.audit_identity_match where source_id = 'map'"
        )
    }
    agree = ["birth_date_agrees", "family_name_agrees", "initial_agrees"]
    assert found["0123"] == (agree, "unlink", 3, 3)
    assert found["123"] == (["family_name_agrees", "initial_agrees"], None, None, 2)
    assert found["200"] == ([*agree, "not_told_from_another"], None, None, 2)
    assert found["300"] == (
        ["birth_date_differs", "family_name_agrees", "initial_agrees"],
        None,
        None,
        2,
    )
    assert found["601"] == (["ids_of_different_students"], None, None, 2)
    assert found["999"] == ([], "link", 3, 3)
    [[columns]] = told[2].warehouse(
        "select id_columns from audit.audit_identity_match "
        "where source_student_key = 'map:district:district:601'"
    )
    assert columns == [
        "nwea/assessment_results StudentID",
        "nwea/assessment_results Student_StateID",
        "nwea/students StudentID",
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("link", "map", "nobody", "hal", "--reason", "r"), "no student with that id"),
        (("link", "map", "999", "nobody", "--reason", "r"), "has no student with that id"),
        (("link", "map", "999", "hal", "--reason", " "), "needs a reason"),
        (("unlink", "sis", "999", "--reason", "r"), "no student with that id"),
        (("unlink", "sis", "ann", "--reason", "r"), "merged into nobody"),
        (("link", "sis", "ann", "ann", "--reason", "r"), "into itself"),
        (("link", "sis", "ann", "eva", "--reason", "r"), "is sis:eve now"),
    ],
)
def test_what_cannot_be_decided_is_refused(
    told: tuple[Project, ...], arguments: tuple[str, ...], sentence: str
) -> None:
    done = told[4].run(*arguments)
    assert done.code == 2
    assert sentence in done.err


def test_links_are_replayed_and_held_by_the_chain(told: tuple[Project, ...]) -> None:
    done = told[4].run("verify", "--replay", "--json", now="2021-09-15T20:00:00Z")
    assert done.json["problems"] == []
    assert done.code == 0, done.out
