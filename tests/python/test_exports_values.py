"""Ids, references and values as real systems write them: what is read, what is said, what is held.

Stories told night by night through the real command, and pure functions by themselves.
"""

import itertools
from collections.abc import Callable, Iterable
from typing import Any

import duckdb
import pytest
from conftest import MANIFEST, ORGS
from mastery_district import ENROLLMENTS, LINE_ITEMS, OVERRIDES, RESULTS, ROSTER, USERS
from stories import Scene, Telling, nothing_is_due, told_together

from rollcall.csvfile.blanks import hides, trimmed, visible
from rollcall.ledger import sql
from rollcall.project import PROJECT_DIR

NIGHT = "2026-09-01T010000Z"
BULKS = "".join(
    f"file.{name},bulk\n"
    for name in ("orgs", "academicSessions", "courses", "classes", "users", "enrollments")
)


def rows(scene: Scene, sql: str) -> list[tuple[Any, ...]]:
    """Ask the warehouse; `{sis}` and `{lms}` stand for the sources of the story."""
    return scene.district.warehouse(sql.format(sis=scene.roster_source, lms=scene.gradebook))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\te1", "e1"),
        ("e1\u00a0", "e1"),
        ("\ufeff e1\u200b\r\n", "e1"),
        ("\v\u2003e 1\x85", "e 1"),
        ("\u3000", ""),
        ("é", "é"),
    ],
)
def test_white_space_around_a_text_never_counts(text: str, shown: str) -> None:
    assert trimmed(text) == shown
    with duckdb.connect() as connection:
        found = connection.execute(
            f"select {sql.trimmed('field')} from (select ? as field)", [text]
        )
        assert found.fetchall() == [(shown or None,)]


def test_loader_and_staging_and_reconciliation_agree_on_what_white_space_is() -> None:
    around = sql.trimmed("chr(code::integer)")
    with duckdb.connect() as connection:
        [(codes,)] = connection.execute(
            f"select list(code order by code) filter ({around} is null) from range(1, 65536) "
            "as codes (code) where not code between 55296 and 57343"
        ).fetchall()
    everything = (code for code in range(1, 65536) if not 0xD800 <= code < 0xE000)
    assert codes == [code for code in everything if not trimmed(chr(code))]
    macros = (PROJECT_DIR / "macros" / "parsing" / "parsing.sql").read_text(encoding="utf-8")
    assert f"    '{sql.BLANKS_AROUND}'\n" in macros


@pytest.mark.parametrize("text", ["e1\0", "e\t1", "e\u200b1", "\x01", "a\nb", "soft\u00adhyphen"])
def test_a_character_that_cannot_be_seen_is_found_and_left_out_of_what_is_shown(text: str) -> None:
    assert hides(text)
    assert not hides(visible(text))
    assert not hides(f" {visible(text)}\u00a0")


@told_together(nothing_is_due)
def test_white_space_around_ids_is_no_other_id_and_what_cannot_be_seen_makes_a_record_malformed(
    scene: Scene,
) -> Telling:
    """A tab, a byte order mark or a no-break space is neither a new record nor a lost reference."""
    students = "".join(f"{key},,,true,s1,student,{key},,A,B,,,,,,,09,\n" for key in ("ann", "bob"))
    files = ROSTER | {
        "users.csv": USERS + students,
        "enrollments.csv": ENROLLMENTS + "e1,,,c1,s1,ann,student,,,\ne2,,,c1,s1,bob,student,,,\n",
        "manifest.csv": MANIFEST + BULKS,
    }
    scene.district.deliver(NIGHT, files, scene.roster_source)
    yield 1
    odd = (
        "\te1,,,c1\u00a0,\tS1,ann\ufeff,student\t,,,\n".replace("S1", "s1")
        + '"\u3000e1\n",,,c1,s1,ann,student,,,\n'
        + "e2\0,,,c1,s1,bob,student,,,\n"
        + "e3,,,c\u200b1,s1,ann,student,,,\n"
    )
    files["enrollments.csv"] = ENROLLMENTS + odd
    scene.district.deliver("2026-09-02T010000Z", files, scene.roster_source)
    yield 2
    assert scene.alarms() == []
    assert rows(
        scene,
        "select enrollment_id, class_id, org_id, user_id, role, is_active, unresolved "
        "from core.fct_enrollment where source_id = '{sis}' order by all",
    ) == [
        ("e1", "c1", "s1", "ann", "student", True, []),
        ("e2", "c1", "s1", "bob", "student", True, []),
    ], "a malformed record names its key, so nothing is taken to be gone"
    assert rows(
        scene,
        "select record_key, verdict, code from audit.audit_rejected_record "
        "where source_id = '{sis}' order by all",
    ) == [
        ("e1", "duplicate", "DUPLICATE_RECORD"),
        ("e2", "malformed", "UNSEEN_CHARACTER"),
        ("e3", "malformed", "UNSEEN_CHARACTER"),
    ]
    assert rows(
        scene,
        "select count(*) from reconciliation.recon_diverging_value where source_id = '{sis}' "
        "and feed = 'oneroster/enrollments'",
    ) == [(0,)]


@told_together(nothing_is_due)
def test_enumerations_are_read_without_case_and_wrong_values_are_named(scene: Scene) -> Telling:
    files = {
        "orgs.csv": ORGS + "d1,,,Plainfield,District,,\ns1,Active,,North,SCHOOL,,d1\n",
        "academicSessions.csv": ROSTER["academicSessions.csv"]
        .replace("schoolYear,2026", "SchoolYear,2026")
        .replace(",2027\n", ",2026-2027\n"),
        "classes.csv": ROSTER["classes.csv"].replace("scheduled", "Scheduled"),
        "users.csv": USERS + "ann,,,TRUE,s1,Student,ann,,A,B,,,,,,,09,\n"
        "tea,,,true,s1,TEACHER,tea,,A,B,,,,,,,,\nodd,,,true,s1,pupil,odd,,A,B,,,,,,,,\n",
        "enrollments.csv": ENROLLMENTS + "e1,,,c1,s1,ann,Student,,,\ne2,,,c1,s1,tea,Teacher,,,\n",
    }
    manifest = MANIFEST + BULKS.replace("file.courses,bulk\n", "")
    at = "2026-09-01T15:00:00Z"
    scene.district.deliver(NIGHT, files | {"manifest.csv": manifest}, scene.roster_source)
    overrides = OVERRIDES + (
        f"o1,Active,{at},ann,MATH,Set,Mastered,{at},tea,Shown\n"
        f"o2,ToBeDeleted,{at},ann,MATH,CLEAR,,{at},tea,Not so\n"
    )
    scene.district.deliver(
        "2026-09-01T150000Z", {"mastery_overrides.csv": overrides}, scene.gradebook
    )
    yield 1
    assert scene.alarms() == []
    [(role, types, term, kind)] = rows(
        scene,
        "select (select list(role order by user_id) from core.dim_user where source_id = '{sis}'), "
        "(select list(org_type order by org_id) from core.dim_org where source_id = '{sis}'), "
        "(select term_type || ' ' || school_year from core.dim_term where source_id = '{sis}'), "
        "(select any_value(class_type) from core.dim_class where source_id = '{sis}')",
    )
    assert (role, types) == (["student", "teacher"], ["district", "school"])
    assert (term, kind) == ("schoolYear 2027", "scheduled")
    assert rows(
        scene,
        "select column_name from audit.audit_record_warning "
        "where source_id = '{sis}' and code = 'YEAR_SPAN'",
    ) == [("schoolYear",)]
    assert rows(
        scene,
        "select student_id from core.fct_enrollment where source_id = '{sis}' order by all",
    ) == [("ann",), (None,)]
    assert rows(
        scene,
        "select override_id, action, state, is_active from core.fct_override "
        "where source_id = '{lms}' order by all",
    ) == [("o1", "set", "mastered", True), ("o2", "clear", None, False)]
    [(column, message)] = rows(
        scene,
        "select column_name, message from audit.audit_rejected_record where source_id = '{sis}'",
    )
    assert column == "role"
    assert "administrator, aide, guardian" in str(message)
    warned = rows(
        scene,
        "select feed, column_name, code, count(*)::integer from audit.audit_record_warning "
        "where source_id in ('{sis}', '{lms}') and code = 'WRONG_CASE' group by all order by all",
    )
    assert [(feed.split("/")[1], column, count) for feed, column, _, count in warned] == [
        ("academic_sessions", "type", 1),
        ("classes", "classType", 2),
        ("enrollments", "role", 2),
        ("orgs", "status", 1),
        ("orgs", "type", 2),
        ("users", "enabledUser", 1),
        ("users", "role", 2),
        ("mastery_overrides", "action", 1),
        ("mastery_overrides", "state", 1),
        ("mastery_overrides", "status", 2),
    ]
    assert rows(
        scene,
        "select count(*) from reconciliation.recon_diverging_value "
        "where source_id in ('{sis}', '{lms}') and reason <> 'unresolved'",
    ) == [(0,)]


MANY = [f"{number:05d}" for number in range(101, 141)]
"""Students of whose ids a spreadsheet drops the zeros."""


def class_of(
    scene: Scene,
    night: int,
    students: Iterable[str],
    named: Callable[[str], str] = str,
    **changes: str,
) -> None:
    """Deliver a whole roster with a class of students; `named` is how enrollments name them.

    `changes` gives other texts to feeds.
    """
    students = list(students)
    files = ROSTER | {
        "users.csv": USERS
        + "".join(f"{key},,,true,s1,student,u{key},,A,B,,,,,,,09,\n" for key in students),
        "enrollments.csv": ENROLLMENTS
        + "".join(f"e{key},,,c1,s1,{named(key)},student,,,\n" for key in students),
    }
    files |= {f"{name}.csv": text for name, text in changes.items()}
    manifest = MANIFEST + "".join(f"file.{name[:-4]},bulk\n" for name in files)
    scene.district.deliver(
        f"2026-09-{night:02d}T010000Z", files | {"manifest.csv": manifest}, scene.roster_source
    )


def graded(
    scene: Scene, night: int, results: Iterable[str], mode: str = "bulk", **changes: str
) -> None:
    """Deliver a line item `li` and results: what stands right of the record's date."""
    at = "" if mode == "bulk" else f"2026-09-{night:02d}T15:00:00Z"
    status = "" if mode == "bulk" else "active"
    rows_of_results = "".join(row.replace("|", f",{status},{at},", 1) + "\n" for row in results)
    item = f"li,{status},{at},Quiz,,2026-09-01,2026-09-01,c1,k,t1,0,100\n"
    files = {"lineItems.csv": LINE_ITEMS + item, "results.csv": RESULTS + rows_of_results}
    files |= {f"{name}.csv": text for name, text in changes.items()}
    manifest = MANIFEST + "".join(f"file.{name[:-4]},{mode}\n" for name in files)
    scene.district.deliver(
        f"2026-09-{night:02d}T160000Z", files | {"manifest.csv": manifest}, scene.gradebook
    )


def with_rule(*rules: str, paths: str = "") -> Callable[[Scene], Scene]:
    """Begin with rules of a course of the story's own."""

    def begin(scene: Scene) -> Scene:
        nothing_is_due(scene)
        for rule in rules:
            scene.add("rules/mastery_rules.csv", rule.format(sis=scene.roster_source))
        scene.add("rules/learning_paths.csv", paths.format(sis=scene.roster_source))
        return scene

    return begin


def of_course(scene: Scene) -> dict[str, str]:
    """Return the courses and classes of a roster whose course is the story's own."""
    own = f"course_{scene.roster_source}"
    return {
        name[:-4]: ROSTER[name].replace("algebra", own) for name in ("courses.csv", "classes.csv")
    }


LATEST = "latest_{sis},1,course,course_{sis},latest,,,70,1,,2,true,2000-01-01,,\n"
PATH = "path_{sis},1,course_{sis},1,course_{sis},false,,,2000-01-01,,\n"


def gates(scene: Scene) -> dict[str, int]:
    """Count the steps of the story's path by gate."""
    return dict(
        rows(
            scene,
            "select gate, count(*)::integer from progression.fct_progression "
            "where path_id = 'path_{sis}' group by all",
        )
    )


def codes(scene: Scene) -> list[tuple[str, str]]:
    """Return feed and code of the files that the last cycle did not simply accept."""
    return sorted(
        (file["feed"].split("/")[1], file["code"])
        for file in scene.said["landed"]["files"]
        if file["source_id"] in (scene.roster_source, scene.gradebook)
        and (file["verdict"] != "accepted" or file["are_removals_held"])
    )


@told_together(with_rule(LATEST, paths=PATH))
def test_ids_without_their_zeros_are_held_and_nobody_leaves_a_path(scene: Scene) -> Telling:
    class_of(scene, 1, MANY, str, **of_course(scene))
    graded(scene, 1, [f"r{key}|li,{key},fully graded,90,2026-09-01," for key in MANY])
    yield 1
    assert codes(scene) == []
    assert gates(scene) == {"completed": 40}
    odd = set(MANY[:12])
    class_of(
        scene,
        2,
        MANY,
        lambda key: key.lstrip("0") if key in odd else key,
        **of_course(scene),
    )
    yield 2
    assert codes(scene) == [("enrollments", "REFERENCES_LOST")]
    [file] = [
        file
        for file in scene.said["landed"]["files"]
        if file["code"] == "REFERENCES_LOST" and file["source_id"] == scene.roster_source
    ]
    assert file["detail"].startswith(
        "12 of 40 records name in 'userSourcedId' what oneroster/users does not have "
        "(30.0 %, limit 10 %); org 's1' 12 of 40."
    )
    assert gates(scene) == {"completed": 40}
    done = scene.district.run(
        *("release", file["file_id"], "--reason", "it is meant"), now="2026-09-02T19:00:00Z"
    )
    assert done.code == 0, done.err
    yield 3
    assert gates(scene) == {"completed": 28}, "who is not on the roster is on no path"


@told_together(nothing_is_due)
def test_ids_in_capitals_are_held_in_a_delta_and_on_a_first_night(scene: Scene) -> Telling:
    students = [f"st{number:02d}" for number in range(20)]
    class_of(scene, 1, students, str.upper)
    graded(scene, 1, [f"a{key}|li,{key},fully graded,90,2026-09-01," for key in students], "delta")
    yield 1
    assert codes(scene) == [("enrollments", "REFERENCES_LOST")]
    graded(
        scene,
        2,
        [
            f"b{key}|li,{key.upper() if key < 'st06' else key},fully graded,10,2026-09-02,"
            for key in students
        ],
        "delta",
    )
    yield 2
    assert codes(scene) == [("results", "REFERENCES_LOST")]
    assert rows(
        scene, "select max(score)::integer, count(*) from core.fct_result where source_id = '{lms}'"
    ) == [(90, 20)]


def asked(scene: Scene) -> list[tuple[str, str]]:
    """Give what the last cycle asks of these sources, by feed and code."""
    return [
        (row["feed"].split("/")[1], row["code"])
        for row in scene.said["landed"]["questions"]
        if row["source_id"] in (scene.roster_source, scene.gradebook)
    ]


@told_together(nothing_is_due)
def test_a_loss_of_all_references_is_said_however_few_they_are(scene: Scene) -> Telling:
    """They are below the floor, so no file waits; a complete file is asked about until the next."""
    class_of(scene, 1, ["k1", "k2"], str.upper)
    yield 1
    assert (codes(scene), asked(scene)) == ([], [("enrollments", "REFERENCES_UNKNOWN")])
    [detail] = [
        row["detail"]
        for row in scene.said["landed"]["questions"]
        if row["source_id"] == scene.roster_source
    ]
    assert detail == (
        "2 of 2 records name in 'userSourcedId' what oneroster/users does not have; fewer than 5 "
        "hold no file; org 's1' 2 of 2."
    )
    result = "r1|li,K9,fully graded,90,2026-09-01,"
    graded(scene, 1, [result], "delta")
    class_of(scene, 2, ["k1", "k2"], str)
    yield 2
    assert (codes(scene), asked(scene)) == ([], []), "a delta may come before what it names"
    [said] = [
        line for line in scene.said["landed"]["findings"] if line.startswith(f"{scene.gradebook}/")
    ]
    assert "1 of 1 records name in 'studentSourcedId' what oneroster/users does not have" in said
    assert rows(
        scene,
        "select code, count(*) from audit.audit_finding where source_id in ('{sis}', '{lms}') "
        "and code = 'REFERENCES_UNKNOWN' group by all",
    ) == [("REFERENCES_UNKNOWN", 2)]


@told_together(nothing_is_due)
def test_what_comes_before_the_records_it_refers_to_is_no_loss(scene: Scene) -> Telling:
    """Results before any roster, and a few students who are new to it, wait for it as before."""
    graded(scene, 1, [f"r{key}|li,{key},fully graded,90,2026-09-01," for key in MANY], "delta")
    yield 1
    assert codes(scene) == []
    class_of(scene, 2, MANY[:30])
    yield 2
    assert codes(scene) == []
    graded(scene, 3, [f"r{key}|li,{key},fully graded,95,2026-09-03," for key in MANY], "delta")
    yield 3
    assert codes(scene) == [], "the same references led nowhere before"


@told_together(with_rule("n_{sis},1,course,course_{sis},n_mastery,,2,70,1,,2,true,2000-01-01,,\n"))
def test_result_ids_that_are_renamed_hold_the_file_and_the_state_stands(scene: Scene) -> Telling:
    """Were both counted, one piece of work would be two."""
    few = MANY[:10]
    class_of(scene, 1, few, str, **of_course(scene))
    graded(scene, 1, [f"r{key}|li,{key},fully graded,90,2026-09-01," for key in few])
    yield 1
    states = (
        "select state, count(*)::integer from progression.fct_mastery "
        "where roster_source_id = '{sis}' group by all"
    )
    assert rows(scene, states) == [("insufficient_evidence", 10)]
    graded(scene, 2, [f"new-{key}|li,{key},fully graded,90,2026-09-01," for key in few])
    yield 2
    assert codes(scene) == [("results", "ID_CHURN")]
    assert rows(scene, states) == [("insufficient_evidence", 10)]
    twice = [f"r{key}|li,{key},fully graded,90,2026-09-01," for key in few]
    twice += [f"twin-{key}|li,{key},fully graded,95,2026-09-02," for key in few]
    graded(scene, 3, twice)
    yield 3
    assert codes(scene) == []
    assert rows(scene, states) == [("insufficient_evidence", 10)], "the same work counts once"
    assert rows(
        scene,
        "select disposition, count(*)::integer from progression.fct_evidence "
        "where source_id = '{lms}' group by all order by all",
    ) == [("duplicate", 10), ("usable", 10)]


@told_together(nothing_is_due)
def test_sections_get_new_ids_each_term_and_nothing_waits(scene: Scene) -> Telling:
    """Ten sections of the autumn are gone in spring, each with a section of its name instead."""
    header = ROSTER["classes.csv"].split("\n")[0] + "\n"
    terms = ROSTER["academicSessions.csv"] + "t2,,,Spring,term,2027-01-10,2027-06-30,t1,2027\n"

    def sections(prefix: str, term: str) -> str:
        return header + "".join(
            f"{prefix}{number},,,Algebra {number},09,algebra,A{number},scheduled,,s1,{term},,,\n"
            for number in range(10)
        )

    def places(prefix: str) -> str:
        return ENROLLMENTS + "".join(
            f"{prefix}{number},,,{prefix}{number % 10},s1,{MANY[number]},student,,,\n"
            for number in range(40)
        )

    class_of(
        scene, 1, MANY, classes=sections("f", "t1"), academicSessions=terms, enrollments=places("f")
    )
    yield 1
    assert codes(scene) == []
    class_of(
        scene, 2, MANY, classes=sections("s", "t2"), academicSessions=terms, enrollments=places("s")
    )
    yield 2
    assert codes(scene) == []
    active = "select count(*) from core.{0} where is_active and source_id = '{{sis}}'"
    assert rows(scene, active.format("dim_class")) == [(10,)]
    assert rows(scene, active.format("fct_enrollment")) == [(40,)]
    class_of(
        scene, 3, MANY, classes=sections("x", "t2"), academicSessions=terms, enrollments=places("s")
    )
    yield 3
    assert codes(scene) == [("classes", "ID_CHURN")], "the same term is no other term"


SUMMER = "f,,,Summer,term,2026-06-10,2026-08-31,t1,2026\n"


@told_together(nothing_is_due)
def test_a_term_that_is_over_goes_whole_or_what_is_missing_of_it_waits(scene: Scene) -> Telling:
    """Of the sections of a term that ended some are lost, then all are gone, then their scores."""
    header = ROSTER["classes.csv"].split("\n")[0] + "\n"
    terms = ROSTER["academicSessions.csv"] + SUMMER
    students = MANY[:20]

    def deliver(night: int, summer: int, scores: int) -> None:
        there = [("a", number, "t1") for number in range(20)]
        there += [("f", number, "f") for number in range(summer)]
        class_of(
            scene,
            night,
            students,
            academicSessions=terms,
            classes=header
            + "".join(
                f"{term}{number},,,{term} {number},09,algebra,{term}{number},scheduled,,s1,"
                f"{session},,,\n"
                for term, number, session in there
            ),
            enrollments=ENROLLMENTS
            + "".join(
                f"{term}{number},,,{term}{number},s1,{students[number]},student,,,\n"
                for term, number, _ in there
            ),
        )
        item = "li,,,Quiz,,2026-08-01,2026-08-01,f1,k,f,0,100\n"
        results = [f"r{key}|li,{key},fully graded,90,2026-08-01," for key in students[:scores]]
        graded(scene, night, results, lineItems=LINE_ITEMS + item)

    active = "select count(*) from core.{0} where is_active and source_id in ('{{sis}}', '{{lms}}')"
    counts = ("dim_class", "fct_enrollment", "fct_result")

    def count() -> list[int]:
        return [rows(scene, active.format(table))[0][0] for table in counts]

    deliver(1, 20, 20)
    yield 1
    assert (codes(scene), count()) == ([], [40, 40, 20])
    deliver(2, 10, 20)
    yield 2
    assert codes(scene) == [("classes", "MASS_DELETION"), ("enrollments", "MASS_DELETION")]
    assert count() == [40, 40, 20]
    deliver(3, 0, 0)
    yield 3
    assert codes(scene) == [("results", "NO_RECORDS")], "what was learned still counts"
    assert count() == [20, 20, 20]


@told_together(nothing_is_due)
def test_when_every_term_is_over_and_none_follows_a_lost_roster_waits(scene: Scene) -> Telling:
    """In the holidays no term tells what is over from what is lost."""
    terms = ROSTER["academicSessions.csv"].replace("2027-06-30", "2026-08-31")
    header = ROSTER["classes.csv"].split("\n")[0] + "\n"
    students = MANY[:10]
    sections = "".join(
        f"k{number},,,Algebra {number},09,algebra,A{number},scheduled,,s1,t1,,,\n"
        for number in range(10)
    )
    places = "".join(
        f"e{number},,,k{number},s1,{key},student,,,\n" for number, key in enumerate(students)
    )
    for night, is_lost in ((1, False), (2, True)):
        class_of(
            scene,
            night,
            students,
            academicSessions=terms,
            classes=header + ("" if is_lost else sections),
            enrollments=ENROLLMENTS + (places[: places.index("\n") + 1] if is_lost else places),
        )
        yield night
    assert codes(scene) == [("classes", "NO_RECORDS"), ("enrollments", "MASS_DELETION")]


ASSERTED = "asserted_{sis},1,objective,none_{sis},asserted,,,70,1,,2,true,2000-01-01,,\n"


@told_together(with_rule(LATEST, ASSERTED))
def test_a_field_is_read_only_with_the_field_that_says_whether_it_applies(scene: Scene) -> Telling:
    """A decision that clears carries the old state; its ids begin anew; some grades mean none."""
    course = f"course_{scene.roster_source}"
    class_of(scene, 1, ["ann", "bob"], str, **of_course(scene))
    graded(
        scene,
        1,
        [
            "r1|li,ann,fully graded,10,2026-09-01,",
            "r2|li,bob,fully graded,90,2026-09-01,",
        ],
        "delta",
    )
    at = "2026-09-0{0}T15:00:00Z"

    def decide(night: int, *decisions: str) -> None:
        when = at.format(night)
        lines = [row.replace("|", f",active,{when},").replace("@", when) for row in decisions]
        scene.district.deliver(
            f"2026-09-0{night}T150000Z",
            {"mastery_overrides.csv": OVERRIDES + "".join(f"{line}\n" for line in lines)},
            scene.gradebook,
        )

    decide(1, f"1|ann,{course},set,mastered,@,ann,On paper")
    yield 1
    decide(
        2,
        f"2|ann,{course},clear,mastered,@,ann,Not so",
        f"3|bob,{course},Clear,n/a,@,ann,Nothing",
    )
    graded(
        scene,
        2,
        ["r2|li,bob,Exempt,EX,2026-09-02,", "r1|li,ann,fully graded,1O,2026-09-02,"],
        "delta",
    )
    yield 2
    assert rows(
        scene,
        "select student_id, state, is_override from progression.fct_mastery "
        "where roster_source_id = '{sis}' order by all",
    ) == [("ann", "not_mastered", False), ("bob", "not_evaluated", False)]
    assert rows(
        scene,
        "select record_key, column_name, code from audit.audit_rejected_record "
        "where source_id = '{lms}'",
    ) == [("r1", "score", "INVALID_NUMBER")]
    decide(3, f"1|bob,{course},set,mastered,@,ann,Another subject")
    yield 3
    [sentence] = notes(scene, "mastery_overrides.csv")
    assert sentence.startswith("1 of 1 known records differ in 'studentSourcedId' or 'learningObj")
    assert f"asserted_{scene.roster_source}: no level means a state" in str(scene.said["warnings"])
    decide(4, f"4|bob,{course},set,mastered,@,ann,On paper")
    yield 4
    assert notes(scene, "mastery_overrides.csv") == [], "what cannot be settled is said once"
    assert rows(
        scene,
        "select feed, cycle_id from audit.audit_finding "
        "where source_id = '{lms}' and code = 'ID_REUSED'",
    ) == [("overrides/mastery_overrides", 3)]


EXTREMES = ("-999999999999.999999", "-1", "0", "0.000001", "500000000000", "999999999999.999999")


@told_together(with_rule(LATEST))
def test_no_number_that_can_be_read_stops_a_night(scene: Scene) -> Telling:
    """No maximum is written as a large one; what is doubled or multiplied must not overflow."""
    class_of(scene, 1, ["ann"], str, **of_course(scene))
    ranges = list(itertools.product(EXTREMES, repeat=2))
    items = (
        f"l{number},,,Quiz,,2026-09-01,2026-09-01,c1,k,t1,{least},{most}\n"
        for number, (least, most) in enumerate(ranges)
    )
    results = (
        f"r{number}-{place}|l{number},ann,fully graded,{score},2026-09-01,"
        for number in range(len(ranges))
        for place, score in enumerate(EXTREMES)
    )
    graded(scene, 1, results, lineItems=LINE_ITEMS + "".join(items))
    yield 1
    found = rows(
        scene,
        "select disposition, count(*), bool_and(percent between 0 and 200) "
        "from progression.fct_evidence where source_id = '{lms}' group by all order by all",
    )
    assert [row[0] for row in found] == ["duplicate", "no_range", "out_of_range", "usable"]
    assert sum(count for _, count, _ in found) == len(ranges) * len(EXTREMES)
    assert found[-1][2]


def notes(scene: Scene, file_name: str) -> list[str]:
    """Return what the last cycle noted of a file of this story, by its name."""
    found = [line.split(": ", 1) for line in scene.said["landed"]["findings"]]
    own = (f"{scene.roster_source}/", f"{scene.gradebook}/")
    return [text for path, text in found if path.startswith(own) and path.endswith(file_name)]


@told_together(nothing_is_due)
def test_ids_that_stand_for_other_work_or_people_are_noted_and_many_are_held(
    scene: Scene,
) -> Telling:
    """One score is another student's, one place another's; then every id begins anew."""
    few = MANY[:10]

    def scores(shift: int, night: int, work: str = "li") -> None:
        item = f"{work},,,{work},,2026-09-01,2026-09-01,c1,k,t1,0,100\n"
        graded(
            scene,
            night,
            [
                f"{number}|{work},{few[(number + shift) % 10]},fully graded,90,2026-09-01,"
                for number in range(10)
            ],
            "delta",
            lineItems=LINE_ITEMS + item,
        )

    class_of(scene, 1, few)
    scores(0, 1)
    yield 1
    swapped = {few[0]: few[1], few[1]: few[0]}
    class_of(scene, 2, few, lambda key: swapped.get(key, key))
    wrong = [f"0|li,{few[5]},fully graded,90,2026-09-01,", "9|li,x,exempt,,2026-09-01,"]
    graded(scene, 2, wrong, "delta")
    yield 2
    assert codes(scene) == []
    assert notes(scene, "enrollments.csv") == [
        "2 of 10 known records differ in 'userSourcedId' from what their ids stood for before, the "
        "first in line 2; they take its place."
    ]
    assert notes(scene, "results.csv")[0].startswith(
        "2 of 2 known records differ in 'studentSourcedId' or 'lineItemSourcedId' from"
    )
    scores(3, 3)
    yield 3
    assert codes(scene) == [("results", "ID_REUSED")]
    before = "select student_id from core.fct_result where source_id = '{lms}' and result_id = '1'"
    assert rows(scene, before) == [(few[1],)]
    scores(0, 4)
    yield 4
    assert codes(scene) == []
    assert notes(scene, "results.csv")[0].startswith("1 of 9 known"), "nobody knew student x"
    scores(0, 5, "other")
    yield 5
    assert codes(scene) == [("results", "ID_REUSED")], "other work under the same ids"
