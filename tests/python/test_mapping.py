"""Mappings that people approve: a workbook goes out, comes back, and its approvals hold."""

import copy
import csv
import io
import json
import re
import shutil
import subprocess
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import jsonschema
import openpyxl
import pytest
import yaml
from conftest import SAMPLE_PROJECT, District, Project, copy_of_the_project, personal_values
from test_needed_fields import change

from rollcall.mapping.approvals import STALE, Reviewed, read_approvals
from rollcall.mapping.fields import FeedMapping, Field, Mapping
from rollcall.mapping.words import Words
from rollcall.mapping.workbook import COVER, FILLED, GIVEN, HEADER_ROW, NOT_USED, write_mapping
from rollcall.project import PROJECT_DIR, SHIPPED
from rollcall.project import Project as RollcallProject

pytestmark = pytest.mark.more
CONTRACTS = SHIPPED.contracts()
WORDS = Words(SHIPPED)
SCHEMA = PROJECT_DIR / "tests" / "schemas" / "odcs-json-schema-v3.1.0.json"
NIGHT = PROJECT_DIR / "sample_exports" / "night_2"
NOW = "2026-09-03T18:00:00Z"
RESULTS, STUDENTS = "1 assessment_results", "2 students"
FIRST = HEADER_ROW + 2
"""The row of the first column of a feed, as a spreadsheet counts."""
LETTERS = {label: "ABCDEFGHIJKLM"[place] for place, label in enumerate((*GIVEN, *FILLED))}


# ---------------------------------------------------------------- what an approval is bound to

FIELD = Field(
    feed="acme/skills",
    layout_version="1",
    position=1,
    column_name='=HYPERLINK("x")',
    meaning="+what it means",
    data_type="string",
    is_required=True,
    personal_data="none",
    staged_as="stg_acme__skills.skill",
    needed_by=("-page",),
    done="@said",
    problem="",
    shapes=("=9", "-9.9"),
)


def test_an_approval_is_bound_to_layout_column_place_words_and_class() -> None:
    bound: dict[str, Any] = {
        **{"feed": "acme/other", "layout_version": "2", "column_name": "Skill"},
        **{"staged_as": "stg_acme__skills.name", "done": "Said.", "personal_data": "direct"},
    }
    hashes = {replace(FIELD, **{name: value}).sha256 for name, value in bound.items()}
    assert len(hashes | {FIELD.sha256}) == len(bound) + 1
    free: dict[str, Any] = {
        **{"position": 2, "meaning": "", "needed_by": (), "shapes": (), "is_required": False},
    }
    assert {replace(FIELD, **{name: value}).sha256 for name, value in free.items()} == {
        FIELD.sha256
    }


def test_nothing_of_a_contract_acts_in_the_workbook(tmp_path: Path) -> None:
    source = CONTRACTS.sources["lms"]
    feed = replace(CONTRACTS.feeds[0], feed="acme/skills", label="=1+1")
    unused = replace(FIELD, staged_as="", column_name="@SUM(A1)")
    mapping = Mapping(source, (FeedMapping(feed, (FIELD,), (unused,)),))
    path = tmp_path / "hostile.xlsx"
    write_mapping(mapping, (Reviewed(FIELD, None, "asked", "=cmd|' /C calc'!A0"),), path)
    cells = [
        cell
        for sheet in openpyxl.load_workbook(path)
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None
    ]
    assert {cell.data_type for cell in cells} == {"s"}
    assert not [cell for cell in cells if cell.hyperlink]
    texts = {cell.value for cell in cells}
    assert {'=HYPERLINK("x")', "@SUM(A1)", "@said", "=9 | -9.9", "=cmd|' /C calc'!A0"} <= texts


# ---------------------------------------------------------------- a workbook, there and back


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Give a district with the sample's contracts, in which a night has landed."""
    folder = tmp_path_factory.mktemp("mapping")
    project = copy_of_the_project(folder)
    for seed in (SAMPLE_PROJECT / "seeds").rglob("*.csv"):
        shutil.copyfile(seed, project.project / "seeds" / seed.parent.name / seed.name)
    for night in (NIGHT.with_name("night_1"), NIGHT):
        assert project.run("land", "--inbox", str(night), now=NOW).code in (0, 3)
    return project


def exported(project: Project, source: str = "map", name: str = "mapping.xlsx") -> Path:
    path = project.home.parent / name
    done = project.run("mapping", "export", source, "--out", str(path), "--json", now=NOW)
    assert done.code == 0, done.err
    return path


def fill(path: Path, to: str = "filled.xlsx", **cells: object) -> Path:
    """Fill in a workbook as a person does, each column approved but where `cells` say otherwise."""
    book = openpyxl.load_workbook(path)
    for sheet in book.worksheets[1:-1]:
        for row in range(FIRST, sheet.max_row + 1):
            said = {"approve?": "Yes", "name": " Ada  Reviewer", "date": date(2026, 9, 2)}
            if sheet.title == STUDENTS and row == FIRST:
                said |= {"approve?": None, "question?": "Which term\nis it?"}
            for label, value in said.items():
                sheet[f"{LETTERS[label]}{row}"] = value
    for place, value in cells.items():
        book[RESULTS][place] = value
    filled = path.with_name(to)
    book.save(filled)
    return filled


def cells_of(path: Path, sheet: str) -> list[list[str | None]]:
    return [list(row) for row in openpyxl.load_workbook(path)[sheet].values]


def test_what_is_written_is_what_people_review(landed: Project) -> None:
    begun = time.process_time()
    path = exported(landed)
    assert time.process_time() - begun < 2, "150 columns, contracts and records read"
    assert path.read_bytes() == exported(landed, name="again.xlsx").read_bytes()
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == [COVER, RESULTS, STUDENTS, NOT_USED]
    cover = {row[0]: row[1] for row in cells_of(path, COVER) if row[0]}
    assert cover["source"] == "map"
    assert cover["feeds"] == "nwea/assessment_results, nwea/students"
    counted = int(cover["columns to review"] or 0), int(cover["kept, not used"] or 0)
    assert (counted, sum(counted) >= 150) == ((51, 103), True)
    assert cover["Open questions"] == "There is none."
    head, *rows = cells_of(path, RESULTS)[HEADER_ROW:]
    assert head == [*GIVEN, *FILLED]
    by_name = {row[1]: dict(zip(head, row, strict=True)) for row in rows}
    term, level = by_name["TermName"], by_name["AchievementQuintile"]
    assert (term["shapes of values"], term["needed by"]) == ("Aaaa 9999-9999", "Rollcall: key")
    assert level["needed by"] == "rule:map-levels"
    assert level["where it goes"] == "stg_nwea__assessment_results.quintile"
    assert level["what is done to it"] == WORDS.macros["text"].description
    assert by_name["TestRITScore"]["what is done to it"] == WORDS.macros["integer"].description
    assert by_name["TestRITScore"]["shapes of values"] == "999"
    assert len(cells_of(path, NOT_USED)) == HEADER_ROW + 1 + 103
    roster = exported(landed, "sis", "roster.xlsx")
    texts = [
        str(cell) for sheet in openpyxl.load_workbook(roster) for r in sheet.values for cell in r
    ]
    assert not personal_values(" ".join(texts)), "shapes are no values"
    [users] = [
        name for name in openpyxl.load_workbook(roster).sheetnames if name.endswith(" users")
    ]
    given_name = [row for row in cells_of(roster, users) if row[1] == "givenName"]
    assert "Aaa" in str(given_name[0][3])


def test_an_approval_holds_until_what_was_approved_changes(landed: Project, tmp_path: Path) -> None:
    project = copied(landed, tmp_path)
    path = fill(exported(project))
    done = project.run("mapping", "approve", str(path), "--json", now=NOW)
    assert done.json == {
        **{"source_id": "map", "approved_count": 50, "refused_count": 0, "asked_count": 1},
        "unchanged_count": 0,
    }
    again = project.run("mapping", "approve", str(path), "--json", now=NOW)
    assert again.json["unchanged_count"] == 51
    assert project.ledger(
        "select count(*), count(distinct job_id) from landing.mapping_reviews"
    ) == [(51, 1)]
    assert project.ledger(
        "select distinct decision, question, reviewed_by, reviewed_on from landing.mapping_reviews "
        "where decision = 'ask'"
    ) == [("ask", "Which term is it?", "Ada Reviewer", date(2026, 9, 2))]
    asked = status(project)
    assert (asked["needed_count"], asked["approved_count"]) == (51, 50)
    assert "Asked by Ada Reviewer on 2026-09-02: Which term is it?" in asked["missing"][0]["reason"]
    with_reviews = exported(project, name="once_more.xlsx")
    assert ["nwea/students: TermName", asked["missing"][0]["reason"]] in [
        row[:2] for row in cells_of(with_reviews, COVER)
    ]
    unchanged = project.run("mapping", "approve", str(with_reviews), "--json", now=NOW)
    assert unchanged.json["unchanged_count"] == 51, "what was said before stands in it"
    for word in ("yes", "no", "yes"):
        decided = decide(exported(project, name="decided.xlsx"), word)
        assert project.run("mapping", "approve", str(decided), now=NOW).code == 0
        assert status(project)["approved_count"] == 50 + (word == "yes"), "on the same day, too"
    late = project.run("mapping", "approve", str(with_reviews), "--json", now=NOW)
    assert late.json["unchanged_count"] == 51, "what stood in it is no news, whatever came since"
    assert status(project)["approved_count"] == 51
    decided = decide(exported(project, name="decided.xlsx"), None, "Which term is it?")
    assert project.run("mapping", "approve", str(decided), now=NOW).code == 0

    macros = project.project / "macros" / "parsing" / "parsing.yml"
    change(macros, "Read as a whole number, 6.0 as 6;", "Read as a whole number;")
    stale = [item for item in status(project)["missing"] if item["status"] == "stale"]
    assert {item["column_name"] for item in stale} > {"TestRITScore", "Goal1RitScore"}
    assert {item["code"] for item in stale} == {STALE} == {"MAPPING_APPROVAL_STALE"}
    assert stale[0]["reason"].endswith("since then what is done to it has changed.")
    shown = project.run("mapping", "status", "map", now=NOW)
    assert (shown.code, "MAPPING_APPROVAL_STALE: Approved by Ada" in shown.out) == (3, True)
    refused = project.run("mapping", "approve", str(path), now=NOW)
    assert refused.code == 2
    assert f"sheet '{RESULTS}', cell {LETTERS['what is done to it']}" in refused.err
    assert "which has changed; export it again" in " ".join(refused.err.split())
    change(macros, "Read as a whole number;", "Read as a whole number, 6.0 as 6;")
    assert status(project)["approved_count"] == 50, "the words are again those that were approved"

    layouts = project.project / "seeds" / "contracts" / "layouts.csv"
    change(
        layouts,
        "none,stg_nwea__assessment_results.school_name",
        "direct,stg_nwea__assessment_results.school_name",
    )
    [school] = [item for item in status(project)["missing"] if item["status"] == "stale"]
    assert (school["column_name"], "its class has changed" in school["reason"]) == (
        "SchoolName",
        True,
    )
    renewed = fill(exported(project, name="renewed.xlsx"), "renewed_filled.xlsx")
    assert project.run("mapping", "approve", str(renewed), "--json", now=NOW).json == {
        **{"source_id": "map", "approved_count": 1, "refused_count": 0, "asked_count": 0},
        "unchanged_count": 50,
    }
    words = Words(RollcallProject(project.project))
    contracts = RollcallProject(project.project).contracts()
    with open_ledger(project) as connection:
        counted = read_approvals(connection, contracts, words, "map")
    assert (counted.needed_count, counted.approved_count, len(counted.missing)) == (51, 50, 1)
    assert project.run("verify", now=NOW).code == 0
    with open_ledger(project, read_only=False) as connection:
        connection.execute(
            "update landing.mapping_reviews set reviewed_by = 'Eve' where review_id = 3"
        )
    assert "The entry of mapping" in project.run("verify", now=NOW).out


def decide(path: Path, word: str | None, question: str | None = None) -> Path:
    """Fill in one cell of a workbook: the first column of the students."""
    book = openpyxl.load_workbook(path)
    sheet = book[STUDENTS]
    sheet[f"{LETTERS['question?']}{FIRST}"] = question
    sheet[f"{LETTERS['approve?']}{FIRST}"] = word
    book.save(path)
    return path


def copied(project: Project, folder: Path) -> Project:
    shutil.copytree(project.home, folder / "home")
    shutil.copytree(project.project, folder / "project", symlinks=True)
    copied = Project(folder / "home", project.inbox)
    assert copied.run("init", now=NOW).code == 0, "which says that the copied project fills it"
    return copied


def status(project: Project) -> Any:
    return project.run("mapping", "status", "map", "--json", now=NOW).json


def open_ledger(project: Project, *, read_only: bool = True) -> Any:
    connection = duckdb.connect()
    mode = " (read_only)" if read_only else ""
    connection.execute(f"attach '{project.home / 'landing.duckdb'}' as store{mode}; use store")
    return connection


@pytest.fixture(scope="module")
def filled(landed: Project) -> Path:
    return fill(exported(landed, name="to_fill.xlsx"), "good.xlsx")


def moved_row(book: Any) -> None:
    sheet = book[RESULTS]
    for column in range(1, 14):
        above, below = (sheet.cell(row, column) for row in (FIRST, FIRST + 1))
        above.value, below.value = below.value, above.value


HOSTILE: dict[str, tuple[Callable[[Any], object], str, str]] = {
    "a formula": (lambda b: b[RESULTS].__setitem__("K6", "=1+1"), "K6", "formula"),
    "merged cells": (lambda b: b[RESULTS].merge_cells("L6:M6"), "L6:M6", "merged"),
    "a renamed sheet": (lambda b: setattr(b[RESULTS], "title", "Results"), RESULTS, "no sheet"),
    "a sheet less": (lambda b: b.remove(b[STUDENTS]), STUDENTS, "no sheet"),
    "no cover": (lambda b: b.remove(b[COVER]), COVER, "no sheet"),
    "another source": (lambda b: b[COVER].__setitem__("B3", "acme"), COVER, "no source 'acme'"),
    "the cover of another": (
        lambda b: b[COVER].__setitem__("B3", "sis"),
        "1 academic_",
        "no sheet",
    ),
    "an emptied cover": (lambda b: b[COVER].delete_rows(3, 20), COVER, "'source' nothing stands"),
    "a moved row": (moved_row, "B5", "'TermName' stood there"),
    "a deleted row": (lambda b: b[RESULTS].delete_rows(FIRST), "B5", "'TermName' stood there"),
    "a deleted column": (lambda b: b[RESULTS].delete_cols(5), "E4", "'needed by' stood there"),
    "a new column": (lambda b: b[RESULTS].insert_cols(1), "A4", "'layout' stood there"),
    "a new row": (lambda b: b[RESULTS].__setitem__("B99", "more"), "B99", "outside of the list"),
    "a note beside": (lambda b: b[RESULTS].__setitem__("N7", "note"), "N7", "outside of the list"),
    "other words": (lambda b: b[RESULTS].__setitem__("G5", "Nothing."), "G5", "was changed"),
    "another class": (lambda b: b[RESULTS].__setitem__("H5", "direct"), "H5", "was changed"),
    "no number": (lambda b: b[COVER].__setitem__("B14", "-1"), COVER, "stands no number"),
    "maybe": (lambda b: b[RESULTS].__setitem__("K9", "maybe"), "K9", "write yes or no"),
    "both": (lambda b: b[RESULTS].__setitem__("J9", "Why?"), "J9", "K9 decides"),
    "no name": (lambda b: b[RESULTS].__setitem__("L9", None), "L9", "write the name"),
    "a name of signs": (lambda b: b[RESULTS].__setitem__("L9", "123 -"), "L9", "write the name"),
    "no date": (lambda b: b[RESULTS].__setitem__("M9", None), "M9", "like 2026-09-01"),
    "two ways to read": (lambda b: b[RESULTS].__setitem__("M9", "9/1/26"), "M9", "like 2026-09-01"),
    "no such day": (lambda b: b[RESULTS].__setitem__("M9", "2026-02-30"), "M9", "like 2026-09-01"),
    "a day to come": (lambda b: b[RESULTS].__setitem__("M9", date(2027, 9, 1)), "M9", "to come"),
}


def recorded(project: Project) -> list[tuple[Any, ...]]:
    return project.ledger("select count(*) from landing.mapping_reviews")


@pytest.mark.parametrize("what", HOSTILE)
def test_a_workbook_that_is_not_what_it_was_is_refused_whole(
    landed: Project, filled: Path, tmp_path: Path, what: str
) -> None:
    spoil, place, said = HOSTILE[what]
    book = openpyxl.load_workbook(filled)
    spoil(book)
    path = tmp_path / "spoiled.xlsx"
    book.save(path)
    refused(landed, path, place, said)


def refused(project: Project, path: Path, *said: str) -> None:
    done = project.run("mapping", "approve", str(path), now=NOW)
    printed = " ".join(done.err.split())
    assert done.code == 2, printed
    for part in (path.name, *said):
        assert part in printed, printed
    assert recorded(project) == [(0,)]


def test_a_formula_with_a_value_is_refused_too(
    landed: Project, filled: Path, tmp_path: Path
) -> None:
    path = tmp_path / "formula.xlsx"
    with zipfile.ZipFile(filled) as given, zipfile.ZipFile(path, "w") as spoiled:
        for name in given.namelist():
            content = given.read(name)
            if name.endswith("sheet2.xml"):
                content, count = re.subn(
                    rb'<c r="K7"[^>]*>.*?</c>',
                    b'<c r="K7" t="str"><f>A1</f><v>yes</v></c>',
                    content,
                )
                assert count == 1
            spoiled.writestr(name, content)
    refused(landed, path, f"sheet '{RESULTS}', cell K7", "it holds a formula; write the value")


def zip_of(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is no workbook"),
        (b"layout,column\n1,a\n", "is no workbook"),
        (b"%PDF-1.7 \xff\xfe", "is no workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "is no workbook"),
        (b"PK\x03\x04 cut short", "is no workbook"),
        (zip_of(mimetype=b"application/vnd.oasis.opendocument.spreadsheet"), "is no workbook"),
        (zip_of(bomb=bytes(65 << 20)), "would unpack to far more than a mapping"),
    ],
)
def test_what_is_no_workbook_is_refused_in_a_sentence(
    landed: Project, tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "mapping.xlsx"
    path.write_bytes(content)
    refused(landed, path, said)
    refused(landed, tmp_path / "nothing.xlsx", "cannot be read: No such file")


def test_a_cut_workbook_is_refused(landed: Project, filled: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.xlsx"
    whole = filled.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    refused(landed, path, "is no workbook")


@pytest.mark.skipif(not shutil.which("soffice"), reason="LibreOffice is not installed")
def test_libreoffice_shows_the_same_cells_and_gives_them_back(
    landed: Project, filled: Path, tmp_path: Path
) -> None:
    def converted(path: Path, to: str) -> None:
        profile = f"-env:UserInstallation=file://{tmp_path / 'profile'}"
        command = ["soffice", profile, "--headless", "--convert-to", to, "--outdir", str(tmp_path)]
        subprocess.run([*command, str(path)], check=True, capture_output=True, timeout=120)

    given = exported(landed, name="shown.xlsx")
    converted(
        given, "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"
    )
    for sheet in (COVER, RESULTS, STUDENTS, NOT_USED):
        with (tmp_path / f"shown-{sheet}.csv").open(encoding="utf-8", newline="") as stream:
            seen = [[cell for cell in row if cell] for row in csv.reader(stream)]
        assert seen == [[cell for cell in row if cell] for row in cells_of(given, sheet)]
    converted(filled, "xlsx")
    project = copied(landed, tmp_path)
    done = project.run("mapping", "approve", str(tmp_path / filled.name), "--json", now=NOW)
    assert (done.json["approved_count"], done.json["asked_count"]) == (50, 1), done.err


# ---------------------------------------------------------------- other forms


@pytest.mark.parametrize("source", ["map", "lms"])
def test_the_contract_is_one_of_the_standard(landed: Project, tmp_path: Path, source: str) -> None:
    path = tmp_path / "contract.yaml"
    arguments = ("mapping", "export", source, "--format", "odcs", "--out", str(path))
    assert landed.run(*arguments, now=NOW).code == 0
    contract = yaml.safe_load(path.read_text(encoding="utf-8"))
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft201909Validator(schema).validate(contract)
    columns = [column for table in contract["schema"] for column in table["properties"]]
    assert all(column["description"] and column["classification"] for column in columns)
    if source == "map":
        [level] = [column for column in columns if column["name"] == "AchievementQuintile"]
        assert level["transformDescription"] == WORDS.macros["text"].description
        assert {"property": "neededBy", "value": "rule:map-levels"} in level["customProperties"]
        broken = copy.deepcopy(contract)
        broken["schema"][0]["properties"][0]["stagedAs"] = "no word of the standard"
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft201909Validator(schema).validate(broken)


def test_before_anything_has_landed_a_mapping_is_that_of_the_contracts(project: Project) -> None:
    path = exported(project, "lms")
    assert not project.home.exists()
    head, *rows = cells_of(path, "1 academic_sessions")[HEADER_ROW:]
    assert {row[head.index("layout")] for row in rows} == {"1.2.1"}
    assert {row[head.index("shapes of values")] for row in rows} == {None}
    for arguments, said in (
        (("export", "acme"), "No source is called 'acme'; sources.csv has"),
        (("export", "lms", "--out", str(project.home.parent)), "cannot be written"),
        (("status", "acme"), "No source is called 'acme'"),
    ):
        done = project.run("mapping", *arguments, now=NOW)
        assert (done.code, said in " ".join(done.err.split())) == (2, True), done.err


def test_the_report_shows_the_same_mapping(sample_run: tuple[District, list[int]]) -> None:
    folder = sample_run[0].home / "report"
    with (folder / "reviewed_mapping.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["source_id"] for row in rows} == {"map"}
    [level] = [row for row in rows if row["column_name"] == "AchievementQuintile"]
    assert level["done"] == WORDS.macros["text"].description
    assert (level["needed_by"], level["status"]) == ("rule:map-levels", "approved")
    assert {row["status"] for row in rows} == {"approved", "kept, not used"}
    page = (folder / "mapping.html").read_text(encoding="utf-8")
    assert "Mappings that people approve" in page
