"""Ids, references and values as real systems write them: what is read, what is said, what is held.

Stories told night by night through the real command, and pure functions by themselves.
"""

from typing import Any

import duckdb
import pytest
from conftest import MANIFEST, ORGS
from mastery_district import ENROLLMENTS, OVERRIDES, ROSTER, USERS
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
    assert f"    {sql.BLANKS_AROUND}\n" in macros


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
        "academicSessions.csv": ROSTER["academicSessions.csv"].replace(
            "schoolYear,2026", "SchoolYear,2026"
        ),
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
        "(select term_type from core.dim_term where source_id = '{sis}'), "
        "(select any_value(class_type) from core.dim_class where source_id = '{sis}')",
    )
    assert (role, types) == (["student", "teacher"], ["district", "school"])
    assert (term, kind) == ("schoolYear", "scheduled")
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
        ("mastery_overrides", "action", 2),
        ("mastery_overrides", "state", 1),
        ("mastery_overrides", "status", 2),
    ]
    assert rows(
        scene,
        "select count(*) from reconciliation.recon_diverging_value "
        "where source_id in ('{sis}', '{lms}') and reason <> 'unresolved'",
    ) == [(0,)]
