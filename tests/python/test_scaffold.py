"""A feed drafted from one of its files: what is seen of the file, and what is written of it."""

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Project, read_csv
from openpyxl import Workbook

from rollcall.errors import UsageError
from rollcall.project import PROJECT_DIR
from rollcall.project import Project as RollcallProject
from rollcall.scaffold.profile import profile_file

HEADER = (
    "Student_ID\tState_ID\tLast\tDOB\tGrade\tTest\tScaleScore\tStrand 1 Pct\tUpload Time\tOrder"
)


def skills(students: int) -> str:
    """Write two tests of each student, separated by tabs."""
    rows = (
        "\t".join(
            (
                *(f"{number:04d}", f"9{number:05d}", f"Müller{number % 7}"),
                *(f"{number % 12 + 1}/3/2014", str(number % 5), test, str(200 + number % 50)),
                *(str(number / 4) if number % 9 else "", f"2026-09-0{number % 9 + 1}T10:00:00Z"),
                "first",
            )
        )
        for number in range(students)
        for test in ("ELA", "MATH")
    )
    return "\n".join((HEADER, *rows)) + "\n"


def file_of(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    """Write a file and return where it is."""
    path = folder / "skills.txt"
    path.write_text(text, encoding=encoding)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_a_file_is_seen_as_it_is(tmp_path: Path, encoding: str) -> None:
    profile = profile_file(file_of(tmp_path, skills(80), encoding))
    assert (profile.encoding, profile.delimiter, profile.record_count) == (encoding, "tab", 160)
    assert profile.key == ("Student_ID", "Test")
    seen = {column.name: (column.data_type, column.personal_data) for column in profile.columns}
    assert seen == {
        "Student_ID": ("id", "indirect"),
        "State_ID": ("id", "indirect"),
        "Last": ("string", "direct"),
        "DOB": ("string", "direct"),
        "Grade": ("integer", "indirect"),
        "Test": ("string", "indirect"),
        "ScaleScore": ("integer", "indirect"),
        "Strand 1 Pct": ("float", "indirect"),
        "Upload Time": ("datetime", "indirect"),
        "Order": ("string", "indirect"),
    }
    [birth] = [column for column in profile.columns if column.name == "DOB"]
    assert birth.shares == {"dates with slashes": 100.0}


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        ("a,b\n1,2\n1,2\n", (), "No 3 columns of skills.txt tell its records apart"),
        ("a,b\n1,2\n", ("c",), "has no column 'c'"),
        ("a,A\n1,2\n", (), "needs a name of its own"),
        ("a,b\n", (), "holds no record"),
        ("", (), "holds no byte"),
    ],
)
def test_a_file_that_shows_no_feed_is_named(
    tmp_path: Path, text: str, key: tuple[str, ...], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        profile_file(file_of(tmp_path, text), key)


def test_a_feed_is_drafted_once_and_a_variant_is_added(own_project: Project) -> None:
    file = file_of(own_project.home.parent, skills(30))
    command = ("scaffold", str(file), "--feed")
    assert own_project.run(*command, "Acme Skills").code == 2
    done = own_project.run(*command, "acme/skills", "--json")
    assert done.code == 0, done.err
    assert "Müller" not in done.out, "a value was printed"
    written = {path: (own_project.project / path).read_text("utf-8") for path in done.json["files"]}
    assert not any("Müller" in text for text in written.values())
    base = written["models/staging/acme/base/base_acme__skills.sql"]
    assert "rollcall.record_key([rollcall.text('Student_ID'), rollcall.text('Test')])" in base
    assert "{{ rollcall.text('Order') }} as skills_order" in base
    again = own_project.run(*command, "acme/skills")
    assert (again.code, "is a feed already" in again.err) == (2, True)

    other = HEADER.replace("Order", "Order\tMode")
    file_of(own_project.home.parent, other + "\n")
    done = own_project.run(*command, "acme/skills", "--variant")
    assert done.code == 0, done.err
    layouts = read_csv(own_project.project / "seeds/contracts/district_layouts.csv")
    versions = [row["layout_version"] for row in layouts]
    assert (versions.count("1"), versions.count("1-2")) == (10, 11)
    contracts = RollcallProject(own_project.project).contracts()
    assert all(layout.is_staged for layout in contracts.versions("acme/skills"))


def scores_book() -> bytes:
    """Write a workbook with the scores of thirty students."""
    book = Workbook()
    book.active.append(("Student", "Score"))
    for number in range(30):
        book.active.append((f"{number:04d}", number / 4))
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


FIXED = "".join(f"{number:04d}  Lee {number:02d}   {number * 7:4d} \n" for number in range(30))
OBJECTS = "".join(
    json.dumps({"student": {"id": f"{number:04d}"}, "codes": [{"kind": "a", "n": number}]}) + "\n"
    for number in range(30)
)


@pytest.mark.parametrize(
    ("name", "content", "kind", "columns"),
    [
        ("scores.xlsx", scores_book(), "xlsx", ["Student", "Score"]),
        ("fixed.txt", FIXED.encode(), "fixed", ["column_1", "column_7", "column_11", "column_17"]),
        ("ids.jsonl", OBJECTS.encode(), "jsonl", ["student.id", "codes[0].kind", "codes[0].n"]),
        ("pre.csv", b"District\n\nid,score\n" + b"".join(b"%d,x\n" % n for n in range(30)), "csv",
         ["id", "score"]),
    ],
)  # fmt: skip
def test_a_file_that_is_no_plain_csv_is_drafted_with_its_framing(
    own_project: Project, name: str, content: bytes, kind: str, columns: list[str]
) -> None:
    file = own_project.home.parent / name
    file.write_bytes(content)
    done = own_project.run("scaffold", str(file), "--feed", "acme/scores", "--json")
    assert done.code == 0, done.err
    assert done.json["record_count"] == 30
    assert any(decision.startswith("Framing:") for decision in done.json["decisions"])
    contracts = RollcallProject(own_project.project).contracts()
    [layout] = contracts.versions("acme/scores")
    assert layout.framing.kind == kind
    assert list(layout.names) == columns
    if kind == "fixed":
        assert layout.framing.widths == (6, 4, 6, 4)
    [framing] = read_csv(own_project.project / "seeds/contracts/district_framings.csv")
    assert framing["preamble_lines"] == ("2" if name == "pre.csv" else "")
    sources = own_project.project / "seeds" / "contracts" / "sources.csv"
    with sources.open("a", encoding="utf-8") as stream:
        stream.write(done.json["source_row"] + "\n")
    own_project.deliver("2026-09-02T030000Z", {name: content}, source="acme")
    landed = own_project.land(now="2026-09-03T18:00:00Z")
    assert [file["verdict"] for file in landed.json["files"]] == ["accepted"], landed.out
    listed = own_project.run("layouts", "--json").json["layouts"]
    assert [row["kind"] for row in listed if row["feed"] == "acme/scores"] == [kind]


@pytest.mark.long
def test_what_is_drafted_is_in_the_style_of_the_rest(project: Project) -> None:
    file = file_of(project.home.parent, skills(30))
    assert project.run("scaffold", str(file), "--feed", "acme/skills").code == 0
    sqlfluff = Path(sys.executable).with_name("sqlfluff")
    shutil.copy(PROJECT_DIR / ".sqlfluff", project.project)
    done = subprocess.run(
        [sqlfluff, "lint", "--disable-progress-bar", "models/staging/acme"],
        cwd=project.project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
