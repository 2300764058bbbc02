"""Small districts with faults, made by hypothesis: a few nights of orgs, line items and results."""

import csv
import io
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import strategies as st

FEEDS = {
    "orgs.csv": (
        "oneroster/orgs",
        "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId",
    ),
    "lineItems.csv": (
        "oneroster/line_items",
        "sourcedId,status,dateLastModified,title,description,assignDate,dueDate,classSourcedId,"
        "categorySourcedId,gradingPeriodSourcedId,resultValueMin,resultValueMax",
    ),
    "results.csv": (
        "oneroster/results",
        "sourcedId,status,dateLastModified,lineItemSourcedId,studentSourcedId,scoreStatus,score,"
        "scoreDate,comment",
    ),
}
CLASS = (
    "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,"
    "schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods\n"
    "c1,active,2026-08-01T00:00:00Z,Algebra 1,,algebra,,scheduled,,s1,t1,,,\n"
)
FIRST_NIGHT = datetime(2026, 9, 1, 1)
MOMENTS = (
    *("2026-08-31T10:00:00Z", "2026-09-01T12:00:00.000Z", "2026-09-02T00:30:00+02:00"),
    *("2026-09-02T23:30:00-05:00", "2026-09-03T10:00:00Z", "2027-01-01T00:00:00Z", "", "soon"),
    *("2026-09-01", "2026-09-02", "2026-09-02T10:00:00.1234567", "0001-01-01T00:00:00Z"),
)


@dataclass(frozen=True)
class MadeFile:
    """One file of a night: its mode, how the manifest writes its name and mode, and its text."""

    name: str
    mode: str
    said: str
    text: str


@dataclass(frozen=True)
class Night:
    """What a source exports at one boundary."""

    exported_at: datetime
    files: tuple[MadeFile, ...]

    def deliver(self, folder: Path) -> None:
        """Write it as a folder delivery below the source's folder of an inbox."""
        target = folder / f"{self.exported_at:%Y-%m-%dT%H%M%SZ}"
        target.mkdir(parents=True)
        manifest = "propertyName,value\nmanifest.version,1.0\noneroster.version,1.1\n"
        for file in self.files:
            (target / file.name).write_bytes(file.text.encode())
            manifest += file.said
        if self.exported_at == FIRST_NIGHT:
            (target / "classes.csv").write_text(CLASS, encoding="utf-8")
            manifest += "file.classes,delta\n"
        (target / "manifest.csv").write_text(manifest, encoding="utf-8")
        for path in target.iterdir():
            os.utime(path, (0, 0))  # nobody is still writing it


Nights = tuple[Night, ...]


@st.composite
def record(draw: st.DrawFn, name: str, *, is_dated: bool) -> list[str]:
    """Make one record; one in eight has a fault, and half of those that delete say nothing else."""
    key = draw(st.sampled_from(("k1", "k2", "k3", "k4", " k1 ", "K,2")))
    status, modified = "", ""
    if is_dated:
        status = draw(st.sampled_from(("active", "active", "active", "tobedeleted")))
        modified = draw(st.sampled_from(MOMENTS))
    if name == "orgs.csv":
        label = draw(st.sampled_from(("North", 'the "Old" one', "two\nlines", " padded ")))
        kind = draw(st.sampled_from(("school", "district")))
        row = [key, status, modified, label, kind, "", draw(st.sampled_from(("", "k2")))]
    elif name == "lineItems.csv":
        days = ("2026-09-01", "2026-09-02")
        top = draw(st.sampled_from(("100", "30", "7.5")))
        where = draw(st.sampled_from(("c1", "c1", "c9")))
        row = [key, status, modified, "Quiz", "", *days, where, "cat", "t1", "0", top]
    else:
        item = draw(st.sampled_from(("k1", "k2", "k3", "k9")))
        graded = draw(st.sampled_from(("fully graded",) * 4 + ("exempt", "submitted")))
        score = draw(st.sampled_from(("0", "4.25", "5.5", "7.5", "21", "70", "100", "-1")))
        day = draw(st.sampled_from(("2026-09-01", "2026-09-02")))
        row = [key, status, modified, item, draw(st.sampled_from(("ann", "bob")))]
        row += [graded, score, day, ""]
    if status == "tobedeleted" and draw(st.booleans()):
        row[3:] = [""] * len(row[3:])
    fault = draw(st.integers(0, 23))
    if fault == 0:
        return row[:2]  # too short: malformed
    if fault == 1:
        row[3] = ""  # no name, title or line item
    if fault == 2:
        row[0] = ""
    return row


@st.composite
def made_file(draw: st.DrawFn, name: str) -> MadeFile:
    """Make one file of a feed; records may repeat, alike or not, and a bulk may be dated, too."""
    mode = draw(st.sampled_from(("bulk", "delta")))
    is_dated = mode == "delta" or draw(st.booleans())
    rows = draw(st.lists(record(name, is_dated=is_dated), min_size=0, max_size=5))
    if rows and draw(st.integers(0, 3)) == 0:
        rows.append(rows[0])
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([FEEDS[name][1].split(","), *rows])
    said = f"file.{name[:-4]},{mode}\n"
    if draw(st.booleans()):
        said = said.title()
    return MadeFile(name, mode, said, text.getvalue())


@st.composite
def nights(draw: st.DrawFn, count: int) -> Nights:
    """Make a district: so many nights, each with a choice of its feeds."""
    made = []
    for number in range(count):
        names = [name for name in FEEDS if draw(st.integers(0, 3)) or number == 0]
        files = tuple(draw(made_file(name)) for name in names)
        made.append(Night(FIRST_NIGHT + timedelta(days=number), files))
    return tuple(made)
