"""No personal value in what is printed, logged or noted; every command is checked in conftest."""

from conftest import MANIFEST, SAMPLE, District, personal_values
from stories import Scene, Telling, nothing_is_due, told_together

USERS = (
    "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,"
    "familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password\n"
)


def texts_of(district: District) -> str:
    """All that a home says in words: logs, and every text of the ledger but the keys of records."""
    parts = [path.read_text(encoding="utf-8") for path in (district.home / "logs").iterdir()]
    for table in ("deliveries", "files", "findings", "decisions", "events", "cycles"):
        parts.append(repr(district.ledger(f"from landing.{table}")))
    return "\n".join(parts)


def test_a_personal_value_would_be_noticed() -> None:
    text = (SAMPLE / "README.md").read_text(encoding="utf-8")
    assert personal_values(text) == []
    assert personal_values("line 3: Lewis is no date; lin.lewis.1@staff.example.org") == [
        "Lewis",
        "lin.lewis.1",
    ]


def test_nine_nights_of_faults_leave_no_personal_value_in_logs_or_ledger(
    sample_run: tuple[District, list[int]],
) -> None:
    district, _ = sample_run
    text = texts_of(district)
    assert len(text) > 50_000
    assert personal_values(text) == []


def test_the_audit_of_rejected_records_names_columns_and_codes_not_values(
    sample_run: tuple[District, list[int]],
) -> None:
    district, _ = sample_run
    for table in ("audit_ingestion_log", "audit_rejected_record", "audit_record_warning"):
        assert personal_values(repr(district.warehouse(f"from audit.{table}"))) == []


@told_together(nothing_is_due)
def test_names_in_the_wrong_places_are_not_repeated(story: Scene) -> Telling:
    """A missing header, names where dates and roles belong, broken quotes around a name."""
    person = "u{0},,,{1},s1,{2},login.{0},,Ada,Lovelace,,,ada@example.org,,,,05,{3}"
    rows = [
        person.format(1, "Lovelace", "student", ""),
        person.format(2, "true", "Lovelace", ""),
        person.format(3, "true", "student", '"Lovelace'),
        person.format(4, "true", "student", 'Love"lace Lovelace'),
        person.format(5, "true", "student", "Lovelace,Lovelace"),
        person.format(6, "true", "student", ""),
        person.format(6, "true", "student", "x"),
        *(person.format(number, "true", "student", "") for number in range(10, 90)),
    ]
    manifest = MANIFEST + "file.users,bulk\n"
    without_header = "\n".join(rows) + "\n"
    district, source = story.district, story.roster_source
    for night, users in ((1, without_header), (2, USERS + without_header)):
        files = {"users.csv": users, "manifest.csv": manifest}
        district.deliver(f"2026-09-0{night}T010000Z", files, source)
    yield 1
    assert story.alarms()
    yield 2
    rejects = ("rejects", f"{source}/2026-09-02T010000Z/users.csv")
    for command in (("status",), ("verify",), rejects):
        district.run(*command)
    assert personal_values(texts_of(district)) == []
    rejected = repr(
        district.warehouse(f"from audit.audit_rejected_record where source_id = '{source}'")
    )
    assert "VALUE_NOT_ALLOWED" in rejected
    assert personal_values(rejected) == []
