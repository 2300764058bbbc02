"""A tiny district for stories about mastery: one class, one teacher, exports written by hand."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conftest import LONG_AGO, District, in_place_of_this

from rollcall.project import PROJECT_DIR, SHIPPED

ROSTER = {
    "orgs.csv": "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\n"
    "d1,,,Plainfield,district,,\ns1,,,North School,school,,d1\n",
    "academicSessions.csv": "sourcedId,status,dateLastModified,title,type,startDate,endDate,"
    "parentSourcedId,schoolYear\nt1,,,Year,schoolYear,2026-08-01,2027-06-30,,2027\n",
    "courses.csv": "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,"
    "orgSourcedId,subjects,subjectCodes\nalgebra,,,t1,Algebra,A1,09,d1,,\n",
    "classes.csv": "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,"
    "classType,location,schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods\n"
    "c1,,,Algebra 1,09,algebra,,scheduled,,s1,t1,,,\n"
    "c2,,,Study hall,09,study,,scheduled,,s1,t1,,,\n",
}
USERS = (
    "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,"
    "familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password\n"
)
ENROLLMENTS = (
    "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,"
    "beginDate,endDate\n"
)
LINE_ITEMS = (
    "sourcedId,status,dateLastModified,title,description,assignDate,dueDate,classSourcedId,"
    "categorySourcedId,gradingPeriodSourcedId,resultValueMin,resultValueMax\n"
)
RESULTS = (
    "sourcedId,status,dateLastModified,lineItemSourcedId,studentSourcedId,scoreStatus,score,"
    "scoreDate,comment\n"
)
OVERRIDES = (
    "sourcedId,status,dateLastModified,studentSourcedId,learningObjectiveId,action,state,"
    "effectiveAt,teacherSourcedId,reason\n"
)


def night(number: int, time: str = "18:00:00") -> str:
    """Return a moment of a night as the commands take it."""
    return f"2026-09-{number:02d}T{time}Z"


@dataclass(frozen=True)
class Story:
    """A district whose nights are told one by one; `project` is the code and seeds it runs with.

    Several may be told in one home, each with a roster, a gradebook and a course of its own.
    """

    district: District
    project: Path = PROJECT_DIR
    roster_source: str = "sis"
    gradebook: str = "lms"
    course: str = "algebra"

    def roster(self, number: int, students: Iterable[str] = ("ann",)) -> None:
        """Deliver the whole roster at 01:00 of a night."""
        users = [f"{name},,,true,s1,student,{name},,{name},X,,,,,,,09,\n" for name in students]
        users += [
            "tea,,,true,s1,teacher,tea,,Tea,X,,,,,,,,\n",
            "other,,,true,s1,teacher,other,,O,X,,,,,,,,\n",
        ]
        enrollments = [f"e-{name},,,c1,s1,{name},student,,,\n" for name in students]
        enrollments += [
            "e-tea,,,c1,s1,tea,teacher,true,,\n",
            "e-other,,,c2,s1,other,teacher,true,,\n",
        ]
        files = {name: text.replace("algebra", self.course) for name, text in ROSTER.items()} | {
            "users.csv": USERS + "".join(users),
            "enrollments.csv": ENROLLMENTS + "".join(enrollments),
        }
        manifest = "propertyName,value\nmanifest.version,1.0\noneroster.version,1.1\n"
        manifest += "".join(f"file.{name[:-4]},bulk\n" for name in files)
        self.district.deliver(
            f"2026-09-{number:02d}T010000Z",
            files | {"manifest.csv": manifest},
            source=self.roster_source,
        )

    def work(
        self,
        number: int,
        *scores: tuple[str, str, float | None, str],
        hour: str = "160000",
        **changes: str,
    ) -> None:
        """Deliver results of the gradebook: (id, student, score out of 100, day of September).

        `changes` gives a result another status of the record, such as `tobedeleted`.
        """
        modified = f"2026-09-{number:02d}T{hour[:2]}:{hour[2:4]}:00Z"
        items = [
            f"li-{key},active,{modified},T,,2026-09-01,2026-09-01,c1,k,t1,0,100\n"
            for key, *_ in scores
        ]
        rows = [
            f"{key},{changes.get(key, 'active')},{modified},li-{key},{student},"
            f"{'exempt,' if score is None else f'fully graded,{score}'},2026-09-{day},\n"
            for key, student, score, day in scores
        ]
        files = {
            "lineItems.csv": LINE_ITEMS + "".join(items),
            "results.csv": RESULTS + "".join(rows),
        }
        self.district.deliver(f"2026-09-{number:02d}T{hour}Z", files, source=self.gradebook)

    def override(self, number: int, *rows: str) -> None:
        """Deliver overrides: what stands right of the record's status, as `id,student,...`."""
        modified = f"2026-09-{number:02d}T15:00:00Z"
        lines = []
        for row in rows:
            key, rest = row.split(",", 1)
            lines.append(f"{key},active,{modified},{rest}\n")
        name = f"2026-09-{number:02d}T150000Z_mastery_overrides.csv"
        path = self.district.inbox / self.gradebook / name
        path.write_text(OVERRIDES + "".join(lines), encoding="utf-8")
        os.utime(path, LONG_AGO)

    def cycle(self, number: int, time: str = "18:00:00", code: int | None = None) -> str:
        """Run a cycle; returns what it said."""
        now = night(number, time)
        with in_place_of_this(self.project):
            done = self.district.run(
                *("cycle", "--inbox", str(self.district.inbox), "--cutoff", now, "--no-report"),
                now=now,
            )
        assert done.code in ((0, 3) if code is None else (code,)), done.out + done.err
        return done.out + done.err

    def mastery(
        self, columns: str = "student_id, state", where: str = "true"
    ) -> list[tuple[Any, ...]]:
        """Ask for outcomes in order of students and objectives."""
        return self.district.warehouse(
            f"select {columns} from progression.fct_mastery where {where} "
            f"and roster_source_id = '{self.roster_source}' order by student_id, objective_id"
        )

    def newest_cycle(self) -> int:
        """Ask for the number of the newest cycle."""
        [(cycle_id,)] = self.district.ledger("select max(cycle_id) from landing.cycles")
        return int(cycle_id)

    def checkpoints(
        self, cycle_id: int | None = None, student: str = "ann"
    ) -> list[tuple[Any, ...]]:
        """Ask what a cycle, or the newest, changed of a student, in the order of steps."""
        return self.district.warehouse(
            "select step, field, before_value, after_value, reason from progression.fct_checkpoint "
            f"where cycle_id = {cycle_id or self.newest_cycle()} and student_id = '{student}' "
            f"and path_id is null and roster_source_id = '{self.roster_source}' "
            "order by array_position(['scored', 'graded', 'overridden', 'gated'], step), field"
        )


def project_with_seeds(folder: Path, seeds: Mapping[str, str]) -> Path:
    """Copy this project and give the copy rules of its own: `seeds` maps file name to content."""
    SHIPPED.copy_to(folder)
    for name, content in seeds.items():
        (folder / "seeds" / "rules" / name).write_text(content, encoding="utf-8")
    return folder
