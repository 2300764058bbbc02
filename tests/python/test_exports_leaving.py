"""When a file is complete and who leaves, told with exports as real systems write them.

The manifest says which file is complete; who is missing from it leaves, and no record stays or
leaves for how it is written.
"""

from dataclasses import dataclass
from typing import Any

from conftest import MANIFEST
from stories import Scene, Telling, told_together

from rollcall.contracts.project import Contracts
from rollcall.project import PROJECT_DIR

CONTRACTS = Contracts.load(PROJECT_DIR / "seeds" / "contracts")
NAMES = {feed.feed: feed.file_name for feed in CONTRACTS.feeds}
DATED = {"status": "active", "dateLastModified": "2026-08-20T10:00:00.000Z"}
GONE = {"status": "tobedeleted", "dateLastModified": "2026-09-01T20:00:00.000Z"}
RECORDS: dict[str, dict[str, str]] = {
    "orgs": {"name": "North", "type": "school"},
    "academicSessions": {
        **{"title": "Year", "type": "schoolYear", "startDate": "2026-08-01"},
        **{"endDate": "2027-06-30", "schoolYear": "2027"},
    },
    "courses": {"title": "Algebra", "orgSourcedId": "k1"},
    "classes": {
        **{"title": "Algebra 1", "courseSourcedId": "k1", "classType": "scheduled"},
        **{"schoolSourcedId": "k1", "termSourcedIds": "k1"},
    },
    "users": {
        **{"enabledUser": "true", "orgSourcedIds": "k1", "role": "student", "username": "login"},
        **{"givenName": "A", "familyName": "B"},
    },
    "roles": {
        **{"userSourcedId": "k1", "roleType": "primary", "role": "student"},
        **{"orgSourcedId": "k1"},
    },
    "enrollments": {
        **{"classSourcedId": "k1", "schoolSourcedId": "k1", "userSourcedId": "k1"},
        **{"role": "student"},
    },
    "categories": {"title": "Tests"},
    "lineItems": {
        **{"title": "Quiz", "assignDate": "2026-09-01", "dueDate": "2026-09-01"},
        **{"classSourcedId": "k1", "categorySourcedId": "k1", "gradingPeriodSourcedId": "k1"},
        **{"academicSessionSourcedId": "k1"},
        **{"resultValueMin": "0", "resultValueMax": "10", "schoolSourcedId": "k1"},
    },
    "results": {
        **{"lineItemSourcedId": "k1", "studentSourcedId": "k1", "scoreStatus": "fully graded"},
        **{"score": "9", "scoreDate": "2026-09-01"},
    },
    "lineItemLearningObjectiveIds": {
        **{"lineItemSourcedId": "k1", "source": "case", "learningObjectiveId": "o"},
    },
    "resultLearningObjectiveIds": {
        **{"resultSourcedId": "k1", "source": "case", "learningObjectiveId": "o", "score": "9"},
    },
    "mastery_overrides": {
        **{"studentSourcedId": "k1", "learningObjectiveId": "o", "action": "set"},
        **{"state": "mastered", "effectiveAt": "2026-08-20T10:00:00Z", "teacherSourcedId": "k1"},
        **{"reason": "seen"},
    },
}
"""What a living record of each file says at least; ids aside."""


def csv_of(name: str, *records: dict[str, str], version: str = "1.1") -> str:
    """Write a file of a layout; what a record does not say is blank."""
    feed = next(feed for feed, file_name in NAMES.items() if file_name == f"{name}.csv")
    layouts = {layout.version: layout for layout in CONTRACTS.versions(feed)}
    names = layouts.get(version, next(iter(layouts.values()))).names
    lines = [names, *([record.get(column, "") for column in names] for record in records)]
    return "".join(",".join(line) + "\n" for line in lines)


def living(name: str, *keys: str, **fields: str) -> list[dict[str, str]]:
    """Make a living record of each key."""
    return [{"sourcedId": key, **RECORDS[name], **fields} for key in keys]


def deleted(*keys: str) -> list[dict[str, str]]:
    """Make records of key, status and date alone."""
    return [{"sourcedId": key, **GONE} for key in keys]


@dataclass(frozen=True)
class Story:
    """A story of one roster and its gradebook."""

    scene: Scene

    @property
    def sources(self) -> str:
        """Name both in SQL."""
        return f"('{self.scene.roster_source}', '{self.scene.gradebook}')"

    def deliver(
        self, night: int, files: dict[str, str], manifest: str | None = "", **options: str
    ) -> None:
        """Deliver files by their names; `manifest` are its lines about files."""
        source = options.get("source", self.scene.roster_source)
        found = {f"{name}.csv": text for name, text in files.items()}
        if manifest is not None:
            version = MANIFEST.replace("1.1", options.get("version", "1.1"))
            found["manifest.csv"] = version + manifest
        self.scene.district.deliver(
            f"2026-09-0{night}T{options.get('time', '010000')}Z", found, source
        )

    def active(self, table: str, key: str) -> set[str]:
        """Ask which records are active."""
        found = self.scene.district.warehouse(
            f"select {key} from core.{table} where is_active and source_id in {self.sources}"
        )
        return {row[0] for row in found}

    def findings(self, *codes: str) -> list[tuple[Any, ...]]:
        """Ask what was found so far: feed and code."""
        return self.scene.district.warehouse(
            "select feed, code from audit.audit_finding "
            f"where source_id in {self.sources} and code in ({', '.join(map(repr, codes))}, '') "
            "order by all"
        )

    def modes(self, night: int) -> dict[str, str]:
        """Ask as what the files of a night were read."""
        found = self.scene.district.ledger(
            "select file_name, mode from landing.files where feed <> 'oneroster/manifest' "
            f"and source_id in {self.sources} and delivery_name like '2026-09-0{night}T%'"
        )
        return {name.removesuffix(".csv"): mode for name, mode in found}

    def notes(self) -> list[str]:
        """Return what the last cycle noted of these sources."""
        own = (f"{self.scene.roster_source}/", f"{self.scene.gradebook}/")
        return [line for line in self.scene.said["landed"]["findings"] if line.startswith(own)]


def undue(scene: Scene) -> Story:
    """Begin with sources of which nothing is due."""
    scene.declare(due_feeds="")
    return Story(scene)


def with_default(mode: str) -> Any:
    """Begin with sources that declare what a file is without a manifest."""

    def begin(scene: Scene) -> Story:
        scene.declare(due_feeds="", default_mode=mode)
        return Story(scene)

    return begin


@told_together(undue)
def test_who_is_missing_from_a_dated_bulk_leaves_and_the_dates_are_noted_once(
    story: Story,
) -> Telling:
    def files(*keys: str) -> dict[str, str]:
        return {
            name: csv_of(name, *living(name, *keys, **DATED)) for name in ("users", "enrollments")
        }

    manifest = "file.users,bulk\nfile.enrollments,bulk\n"
    story.deliver(1, files("k1", "k2", "k3"), manifest)
    yield 1
    once = [("oneroster/enrollments", "MODE_CONFLICT"), ("oneroster/users", "MODE_CONFLICT")]
    assert story.findings("MODE_CONFLICT") == once
    assert [note.count("status or a date") for note in story.notes()] == [1, 1]
    story.deliver(2, files("k1", "k3"), manifest)
    yield 2
    assert story.modes(2) == {"users": "bulk", "enrollments": "bulk"}
    assert story.active("dim_user", "user_id") == {"k1", "k3"}
    assert story.active("fct_enrollment", "enrollment_id") == {"k1", "k3"}
    assert story.findings("MODE_CONFLICT") == once
    assert (story.notes(), story.scene.alarms()) == ([], [])


@told_together(undue)
def test_many_who_are_missing_from_a_dated_bulk_wait(story: Story) -> Telling:
    keys = [f"k{number}" for number in range(1, 21)]
    for night, there in ((1, keys), (2, keys[:10])):
        files = {"results": csv_of("results", *living("results", *there, **DATED))}
        story.deliver(night, files, "file.results,bulk\n")
        yield night
    assert story.scene.alarms() == ["MASS_DELETION"]
    assert story.active("fct_result", "result_id") == set(keys)


def rows_decide(scene: Scene) -> Story:
    scene.declare(due_feeds="", mode_authority="rows")
    return Story(scene)


@told_together(rows_decide)
def test_a_source_may_have_its_rows_believed(story: Story) -> Telling:
    story.deliver(1, {"users": csv_of("users", *living("users", "k1", "k2"))}, "file.users,bulk\n")
    changed = csv_of("users", *living("users", "k1", **DATED))
    story.deliver(2, {"users": changed}, "file.users,bulk\n")
    yield 2
    assert (story.modes(1), story.modes(2)) == ({"users": "bulk"}, {"users": "delta"})
    assert story.active("dim_user", "user_id") == {"k1", "k2"}


@told_together(with_default("bulk"))
def test_without_a_manifest_the_default_mode_lets_who_is_missing_leave(story: Story) -> Telling:
    for night, keys in ((1, ("k1", "k2")), (2, ("k1",))):
        story.deliver(night, {"users": csv_of("users", *living("users", *keys, **DATED))}, None)
        yield night
    assert story.active("dim_user", "user_id") == {"k1"}
    assert story.findings("MANIFEST_MISSING", "MODE_CONFLICT") == []
    assert (story.notes(), story.scene.alarms()) == ([], [])


@told_together(with_default("delta"))
def test_without_a_manifest_the_default_mode_keeps_who_is_missing(story: Story) -> Telling:
    story.deliver(1, {"users": csv_of("users", *living("users", "k1", "k2"))}, None)
    story.deliver(
        2, {"users": csv_of("users", *living("users", "k1")), "orgs": csv_of("orgs")}, None
    )
    yield 2
    assert story.active("dim_user", "user_id") == {"k1", "k2"}
    assert story.scene.alarms() == []


@told_together(undue)
def test_a_manifest_is_read_whatever_its_case(story: Story) -> Telling:
    names = ("users", "orgs", "courses", "classes")
    manifest = "File.Users,Bulk\nFILE.ORGS,BULK\nfile.Courses, Delta \nfile.classes,full\n"
    for night, keys in ((1, ("k1", "k2", "k3")), (2, ("k1", "k2"))):
        files = {name: csv_of(name, *living(name, *keys)) for name in names}
        story.deliver(night, files, manifest)
        yield night
    modes = {"users": "bulk", "orgs": "bulk", "courses": "delta", "classes": "bulk"}
    assert story.modes(2) == modes
    assert story.active("dim_user", "user_id") == {"k1", "k2"}
    assert story.active("dim_course", "course_id") == {"k1", "k2", "k3"}
    assert story.findings("MANIFEST_MISMATCH", "MODE_UNKNOWN") == [
        ("oneroster/classes", "MODE_UNKNOWN")
    ]
    assert story.scene.district.ledger(
        "select findings.detail like '%''full''%its records look so.' from landing.findings "
        "inner join landing.files using (file_id) "
        f"where findings.code = 'MODE_UNKNOWN' and source_id in {story.sources}"
    ) == [(True,)]


@told_together(undue)
def test_a_file_without_records_is_held_only_where_records_are_active(story: Story) -> Telling:
    manifest = "file.users,delta\nfile.orgs,bulk\nfile.demographics,bulk\nfile.courses,bulk\n"
    empty = {name: csv_of(name) for name in ("users", "orgs", "demographics")}
    courses = {"courses": csv_of("courses", *living("courses", "k1", "k2"))}
    story.deliver(1, empty | courses, manifest)
    yield 1
    assert story.scene.alarms() == []
    story.deliver(2, {**empty, "courses": csv_of("courses")}, manifest)
    yield 2
    assert story.scene.alarms() == ["NO_RECORDS"]
    assert story.active("dim_course", "course_id") == {"k1", "k2"}
    [detail] = [
        file["detail"]
        for file in story.scene.said["landed"]["files"]
        if file["code"] == "NO_RECORDS" and file["source_id"] == story.scene.roster_source
    ]
    assert "2 active records would be removed" in detail


@told_together(undue)
def test_a_hidden_key_holds_removals_only_where_records_are_missing(story: Story) -> Telling:
    def users(*keys: str) -> dict[str, str]:
        return {"users": csv_of("users", *living("users", *keys)) + '"k9,,,true,k1\n'}

    for night, keys in ((1, ("k1", "k2")), (2, ("k1", "k2", "k3"))):
        story.deliver(night, users(*keys), "file.users,bulk\n")
        yield night
        assert story.scene.alarms() == []
    story.deliver(3, users("k1", "k3"), "file.users,bulk\n")
    yield 3
    assert story.scene.alarms() == ["KEY_UNREADABLE"]
    assert story.active("dim_user", "user_id") == {"k1", "k2", "k3"}


@told_together(undue)
def test_a_correction_with_an_older_date_is_a_finding_with_both_dates(story: Story) -> Telling:
    for night, name, day in ((1, "Wrong", "2026-08-20"), (2, "Right", "2026-08-10")):
        changed = {"familyName": name, "dateLastModified": f"{day}T10:00:00Z"}
        files = {
            "users": csv_of("users", *living("users", "k1"), *living("users", "k2", **changed))
        }
        story.deliver(night, files, "file.users,bulk\n")
        yield night
    assert story.scene.district.warehouse(
        f"select family_name from core.dim_user where source_id in {story.sources} "
        "and user_id = 'k2'"
    ) == [("Wrong",)]
    found = story.scene.district.warehouse(
        "select delivery_name, file_name, detail from audit.audit_finding "
        f"where code = 'OLDER_DATE' and source_id in {story.sources}"
    )
    said = (
        "1 accepted record for column 'dateLastModified', the first on line 3. Its date of change "
        "is 2026-08-10 10:00:00, that of record 2 of 2026-09-01T010000Z/users.csv is 2026-08-20 "
        "10:00:00 (UTC), so what that says stays."
    )
    assert found == [("2026-09-02T010000Z", "users.csv", said)]
    assert [line.endswith(said) for line in story.notes()] == [True]


@told_together(undue)
def test_a_deletion_that_is_refused_brings_nobody_back(story: Story) -> Telling:
    refused = {"status": "tobedeleted", "dateLastModified": "yesterday"}
    story.deliver(
        1, {"users": csv_of("users", *living("users", "k1", "k2", "k3"))}, "file.users,bulk\n"
    )
    story.deliver(2, {"users": csv_of("users", *living("users", "k1"))}, "file.users,bulk\n")
    good = living("users", "k4", **DATED)
    late = csv_of("users", *good, {"sourcedId": "k2", **refused}) + "k3,tobedeleted\n"
    story.deliver(2, {"users": late}, "file.users,delta\n", time="090000")
    yield 2
    assert story.active("dim_user", "user_id") == {"k1", "k4"}


ROSTER_TABLES = {
    **{"orgs": ("dim_org", "org_id"), "academicSessions": ("dim_term", "term_id")},
    **{"courses": ("dim_course", "course_id"), "classes": ("dim_class", "class_id")},
    **{"users": ("dim_user", "user_id"), "enrollments": ("fct_enrollment", "enrollment_id")},
    **{"categories": ("dim_category", "category_id")},
    **{"lineItems": ("dim_line_item", "line_item_id"), "results": ("fct_result", "result_id")},
}
TABLES = ROSTER_TABLES | {
    "roles": ("brg_user_role", "role_id"),
    "lineItemLearningObjectiveIds": ("brg_line_item_objective", "line_item_objective_id"),
    "resultLearningObjectiveIds": ("fct_result_objective_score", "result_objective_id"),
}


def every_feed_deletes(story: Story, version: str, tables: dict[str, tuple[str, str]]) -> Telling:
    """Tell of a roster of which one record of each feed is deleted by key, status and date."""
    manifest = "".join(f"file.{name},delta\n" for name in tables)
    keys = [f"k{number}" for number in range(1, 4)]
    for night, make in ((1, living), (2, None)):
        files = {
            name: csv_of(
                name,
                *(make(name, *keys, **DATED) if make else deleted("k2")),
                version=version,
            )
            for name in tables
        }
        story.deliver(night, files, manifest, version=version)
        yield night
        assert story.scene.alarms() == []
    there = {name: story.active(table, key) for name, (table, key) in tables.items()}
    assert there == {name: {"k1", "k3"} for name in tables}
    assert (
        story.scene.district.warehouse(
            f"select * from audit.audit_rejected_record where source_id in {story.sources}"
        )
        == []
    )


@told_together(undue)
def test_a_record_deletes_by_key_status_and_date_in_every_feed(story: Story) -> Telling:
    yield from every_feed_deletes(story, "1.1", ROSTER_TABLES)


@told_together(undue)
def test_a_record_deletes_so_in_every_feed_of_the_newest_version(story: Story) -> Telling:
    yield from every_feed_deletes(story, "1.2.1", TABLES)


@told_together(undue)
def test_an_override_is_deleted_by_key_status_and_date(story: Story) -> Telling:
    name = "mastery_overrides"
    for night, records in ((1, living(name, "k1", "k2", "k3", **DATED)), (2, deleted("k2"))):
        story.deliver(night, {name: csv_of(name, *records)}, None, source=story.scene.gradebook)
        yield night
        assert story.scene.alarms() == []
    assert story.active("fct_override", "override_id") == {"k1", "k3"}


def with_a_path(scene: Scene) -> Story:
    """Begin with a path of one step through a course of its own."""
    course = f"course_{scene.roster_source}"
    scene.add("rules/learning_paths.csv", f"{course},1,{course},1,o,false,,,2000-01-01,,\n")
    return undue(scene)


@told_together(with_a_path)
def test_nobody_walks_a_path_once_class_or_student_are_gone(story: Story) -> Telling:
    course = f"course_{story.scene.roster_source}"
    enrolled = [
        {**record, "classSourcedId": a_class, "userSourcedId": user}
        for record, (a_class, user) in zip(
            living("enrollments", "k1", "k2", "k3", "k4"),
            (("k1", "k1"), ("k1", "k2"), ("k2", "k3"), ("k1", "k9")),
            strict=True,
        )
    ]
    classes = living("classes", "k1", "k2", courseSourcedId=course)
    files = {
        "classes": csv_of("classes", *classes),
        "users": csv_of("users", *living("users", "k1", "k2", "k3")),
        "enrollments": csv_of("enrollments", *enrolled),
    }
    manifest = "file.classes,{0}\nfile.users,{0}\nfile.enrollments,{0}\n"
    story.deliver(1, files, manifest.format("bulk"))
    yield 1
    assert on_path(story) == {"k1", "k2", "k3"}
    gone = {
        "classes": csv_of("classes", *deleted("k2")),
        "users": csv_of("users", *deleted("k2")),
    }
    story.deliver(2, gone, manifest.format("delta"))
    yield 2
    assert on_path(story) == {"k1"}
    assert story.scene.district.warehouse(
        "select enrollment_id, is_active, unresolved from core.fct_enrollment "
        f"where source_id in {story.sources} order by 1"
    ) == [
        ("k1", True, ["org_id"]),
        ("k2", True, ["user_id", "org_id"]),
        ("k3", True, ["class_id", "org_id"]),
        ("k4", True, ["user_id", "org_id"]),
    ]


ROSTER_ORPHANS = {
    "dim_org": ("org_id", ["parent_org_id"]),
    "dim_term": ("term_id", ["parent_term_id"]),
    "dim_course": ("course_id", ["org_id", "school_year_term_id"]),
    "dim_class": ("class_id", ["course_id", "org_id", "term_ids"]),
    "dim_user": ("user_id", ["org_id", "org_ids"]),
    "fct_enrollment": ("enrollment_id", ["org_id"]),
}
"""Marts whose record k2 refers to records k1 of org, term and course, and in which columns."""


@told_together(undue)
def test_what_refers_to_what_is_gone_is_unresolved_in_every_feed_of_the_roster(
    story: Story,
) -> Telling:
    other = {
        "orgs": living("orgs", "k2", parentSourcedId="k1"),
        "academicSessions": living("academicSessions", "k2", parentSourcedId="k1"),
        "courses": living("courses", "k2", schoolYearSourcedId="k1"),
        "classes": living("classes", "k2"),
        "users": living("users", "k2"),
        "enrollments": living("enrollments", "k2", classSourcedId="k2", userSourcedId="k2"),
    }
    gone = ("orgs", "academicSessions", "courses")
    whole = {
        name: csv_of(name, *records, *(living(name, "k1") if name in gone else []))
        for name, records in other.items()
    }
    story.deliver(1, whole, "".join(f"file.{name},bulk\n" for name in whole))

    def unresolved() -> dict[str, list[str]]:
        return {
            mart: columns
            for mart, (key, _) in ROSTER_ORPHANS.items()
            for (columns,) in story.scene.district.warehouse(
                f"select unresolved from core.{mart} "
                f"where source_id in {story.sources} and {key} = 'k2' and is_active"
            )
        }

    yield 1
    assert unresolved() == {mart: [] for mart in ROSTER_ORPHANS}
    deletions = {name: csv_of(name, *deleted("k1")) for name in gone}
    story.deliver(2, deletions, "".join(f"file.{name},delta\n" for name in deletions))
    yield 2
    assert unresolved() == {mart: columns for mart, (_, columns) in ROSTER_ORPHANS.items()}
    found = story.scene.district.warehouse(
        "select feed, column_name from reconciliation.recon_diverging_value "
        f"where source_id in {story.sources} and reason = 'unresolved'"
    )
    assert len(found) == sum(len(columns) for _, columns in ROSTER_ORPHANS.values())


def on_path(story: Story) -> set[str]:
    found = story.scene.district.warehouse(
        "select student_id from progression.fct_progression "
        f"where path_id = 'course_{story.scene.roster_source}'"
    )
    return {student for (student,) in found}


@told_together(undue)
def test_a_bulk_that_keeps_nobody_is_held_however_few_there_are(story: Story) -> Telling:
    """Below the floor a few may leave; where all do, the file is another one, or its ids are."""
    manifest = "file.users,bulk\nfile.orgs,bulk\nfile.courses,bulk\nfile.categories,bulk\n"

    def deliver(night: int, *keys: str, title: str) -> None:
        files = {
            "users": csv_of("users", *living("users", *keys, username=title)),
            "orgs": csv_of("orgs", *({**org, "name": title} for org in living("orgs", *keys))),
            "courses": csv_of("courses", *living("courses", "k0", *keys, title=title)),
            "categories": csv_of("categories", *living("categories", *keys)),
        }
        story.deliver(night, files, manifest)

    deliver(1, "k1", "k2", title="one")
    yield 1
    deliver(2, "k3", "k4", title="other")
    yield 2
    codes = {
        file["file_name"]: file["code"]
        for file in story.scene.said["landed"]["files"]
        if file["source_id"] == story.scene.roster_source and file["code"]
    }
    assert {name: codes.get(f"{name}.csv") for name in ("users", "orgs", "categories")} == {
        "users": "MASS_DELETION",
        "orgs": "MASS_DELETION",
        "categories": "ID_CHURN",
    }
    assert "courses.csv" not in codes, "one is kept, and two are too few"
    assert story.active("dim_org", "org_id") == {"k1", "k2", "k3", "k4"}
    assert story.active("dim_course", "course_id") == {"k0", "k3", "k4"}
    assert story.active("dim_category", "category_id") == {"k1", "k2"}


@told_together(undue)
def test_one_odd_record_does_not_make_a_delta_of_a_bulk(story: Story) -> Telling:
    for night, keys in ((1, ("k1", "k2", "k3")), (2, ("k1", "k3"))):
        header, *rows = csv_of("users", *living("users", *keys)).splitlines(keepends=True)
        odd = csv_of("orgs", *living("orgs", "k1", "k2"), *living("orgs", "k3", **DATED))
        story.deliver(
            night, {"users": "".join([header, rows[0], header, *rows[1:]]), "orgs": odd}, None
        )
        yield night
    assert story.modes(2) == {"users": "bulk", "orgs": "bulk"}
    assert story.active("dim_user", "user_id") == {"k1", "k3"}
