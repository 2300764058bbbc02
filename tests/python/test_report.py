"""The report: what it says, that it says it of these data alone, and that nothing in it acts."""

import csv
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import duckdb
import openpyxl
import pytest
from conftest import HOSTILE, MANIFEST, ORG_ROWS, ORGS, District, personal_values

from rollcall.project import PROJECT_DIR
from rollcall.report.contents import VOCABULARY

MOST_BYTES = 2_400_000


class Links(HTMLParser):
    """The ids of a page and what it refers to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note ids, links and references."""
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif name in ("href", "src", "xlink:href"):
                self.targets.append(value or "")


def pages(home: Path) -> list[Path]:
    return sorted((home / "report").glob("*.html"))


def text_of(page: Path) -> str:
    text = re.sub(
        r"<(style|script)>.*?</\1>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL
    )
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def copy_of(home: Path, to: Path) -> District:
    """Copy a home, its warehouse open to changes."""
    shutil.copytree(home, to)
    (to / "warehouse.duckdb").chmod(0o600)
    return District(to, to)


@pytest.fixture(scope="module")
def sample(sample_run: tuple[District, list[int]]) -> District:
    """Give the sample after its last night; its report is not changed by a test."""
    return sample_run[0]


def test_every_page_and_every_place_that_is_linked_is_there(sample: District) -> None:
    found = pages(sample.home)
    assert len(found) == 14 + 9
    ids = {page.name: Links(page).ids for page in found}
    for page in found:
        assert len(ids[page.name]) == len(set(ids[page.name])), page.name
        for target in Links(page).targets:
            name, _, place = target.partition("#")
            name = name or page.name
            assert (page.parent / name).is_file(), f"{page.name} links to {target}"
            if place and name.endswith(".html"):
                assert unquote(place) in ids[name], f"{page.name} links to {target}"


def test_the_report_of_the_sample_is_small_and_owned_by_one(sample: District) -> None:
    folder = sample.home / "report"
    assert sum(path.stat().st_size for path in folder.iterdir()) < MOST_BYTES
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_rendering_again_gives_the_same_bytes(sample: District) -> None:
    before = {path.name: path.read_bytes() for path in (sample.home / "report").iterdir()}
    done = sample.run("report", now="2027-01-01T00:00:00Z")
    assert done.code == 0, done.err
    after = {path.name: path.read_bytes() for path in (sample.home / "report").iterdir()}
    assert after == before


def test_the_overview_says_what_is_there_to_do(sample: District) -> None:
    text = text_of(sample.home / "report" / "index.html")
    assert "Yes, but 2 things need a person. Cycle 9 was published." in text
    assert "map / 2026-09-06T130000Z / AssessmentResults.csv SCHOOL_YEAR_NOT_CURRENT" in text
    assert "demographics.csv COLUMN_REORDERED The file was rejected." in text
    [(accepted,)] = sample.warehouse(
        "select sum(accepted_count)::bigint from audit.audit_ingestion_log where first_cycle_id = 9"
    )
    with (sample.home / "report" / "deliveries.csv").open(encoding="utf-8-sig") as stream:
        rows = [row for row in csv.DictReader(stream) if row["cycle"] == "9"]
    assert sum(int(row["accepted"]) for row in rows) == accepted > 0


def test_a_bad_night_is_told_on_its_own_page(sample: District) -> None:
    text = text_of(sample.home / "report" / "cycle-00008.html")
    assert "accepted, removals held MASS_DELETION" in text
    assert "150 of 150 values of &#39;scoreDate&#39; are not written as YYYY-MM-DD" in text


def test_every_rejected_record_is_listed_with_what_to_tell_the_vendor(sample: District) -> None:
    expected = sample.warehouse(
        "select file_id, line_number, code, coalesce(column_name, ''), advice "
        "from audit.audit_rejected_record order by all"
    )
    with (sample.home / "report" / "rejected.csv").open(encoding="utf-8-sig") as stream:
        found = [
            (r["file_id"], int(r["line"]), r["code"], r["column_name"], r["advice"])
            for r in csv.DictReader(stream)
        ]
    assert sorted(found) == expected
    text = text_of(sample.home / "report" / "rejected.html")
    for *_, advice in expected:
        assert f"What to tell the vendor: {advice}" in text


def test_no_table_of_a_warehouse_of_today_is_unknown_to_the_report(sample: District) -> None:
    unknown = [page.name for page in pages(sample.home) if "does not hold this" in text_of(page)]
    assert unknown == []


def test_the_exposure_names_what_the_report_reads() -> None:
    code = "".join(
        path.read_text(encoding="utf-8")
        for pattern in ("*.py", "*.sql")
        for path in sorted((PROJECT_DIR / "scripts" / "rollcall" / "report").rglob(pattern))
    )
    read = set(re.findall(r"good\.(?:audit|core|progression|reconciliation)\.(\w+)", code))
    read |= set(re.findall(r'"(recon_\w+)"', code))
    exposures = (PROJECT_DIR / "models" / "exposures.yml").read_text(encoding="utf-8")
    report, _ = exposures.split("- name: rollcall_cycle")
    _, overrides = exposures.split("- name: override_tables")
    named = set(re.findall(r"ref\('(\w+)'\)", report + overrides))
    assert "ref('recon_contest')" in exposures.partition("- name: rollcall_identities")[2]
    assert read == named - {"fct_override"} | {"recon_contest"}


def test_the_catalogue_and_the_glossary_use_the_same_words() -> None:
    with VOCABULARY.open(encoding="utf-8", newline="") as stream:
        words = [f"| {row['word']} | {row['meaning']} |" for row in csv.DictReader(stream)]
    overview = (PROJECT_DIR / "models" / "_overview.md").read_text(encoding="utf-8")
    listed = overview.partition("## The layers")[0].splitlines()
    assert [line for line in listed if line.startswith("| ")][1:] == words


def test_names_and_personal_values_stand_only_where_they_are_asked_for(
    sample: District, tmp_path: Path
) -> None:
    assert not personal_values("".join(text_of(page) for page in pages(sample.home)))
    copy = copy_of(sample.home, tmp_path / "home")
    with duckdb.connect(str(copy.home / "warehouse.duckdb")) as connection:
        for column, value in (("familyName", "Lovelace"), ("dateLastModified", "perhaps")):
            connection.execute(
                "insert into reconciliation.recon_diverging_value by name select 'sis' as "
                "source_id, 'oneroster/users' as feed, 'u1' as record_key, ? as column_name, "
                "? as source_value, 'x' as processed_value, 'unexplained' as reason, "
                "false as is_explained, 1 as record_number",
                [column, value],
            )
    assert copy.run("report").code == 0
    text = "".join(text_of(page) for page in pages(copy.home))
    assert "2 differences have no explanation" in text
    assert "perhaps" in text
    assert not personal_values(text)
    assert copy.run("report", "--names").code == 0
    named = "".join(text_of(page) for page in pages(copy.home))
    assert {"Lovelace"} < set(personal_values(named))
    assert "keep this copy accordingly" in named


def test_the_workbook_holds_typed_cells_filters_and_the_moment_of_its_data(
    sample: District,
) -> None:
    book = openpyxl.load_workbook(sample.home / "report" / "rollcall.xlsx")
    assert str(book.properties.created) == "2026-09-09 18:00:00"
    assert book.sheetnames[:2] == ["overview", "files"]
    with (sample.home / "report" / "cycles.csv").open(encoding="utf-8-sig") as stream:
        cycles = list(csv.DictReader(stream))
    sheet = book["cycles"]
    head = [cell.value for cell in sheet[3]]
    rows = list(sheet.iter_rows(min_row=4))
    assert sheet.freeze_panes == "B4"
    assert sheet.auto_filter.ref == f"A3:{rows[-1][-1].coordinate}"
    assert [row[head.index("records")].value for row in rows] == [
        int(cycle["records"]) for cycle in cycles
    ]
    assert {row[head.index("cut-off (UTC)")].is_date for row in rows} == {True}


def cells_of(path: Path) -> Iterator[openpyxl.cell.cell.Cell]:
    for sheet in openpyxl.load_workbook(path):
        for row in sheet.iter_rows():
            yield from (cell for cell in row if cell.value is not None)


def test_nothing_in_an_export_acts_in_workbook_or_csv(hostile: District) -> None:
    folder = hostile.home / "report"
    cells = list(cells_of(folder / "rollcall.xlsx"))
    assert {cell.data_type for cell in cells} <= {"s", "n", "d", "b"}
    assert not [cell for cell in cells if cell.hyperlink]
    texts = {cell.value for cell in cells}
    assert {HOSTILE[0], HOSTILE[1], HOSTILE[3], "txt.exe[31m"} <= texts
    with (folder / "rejected.csv").open(encoding="utf-8-sig") as stream:
        keys = {row["id"] for row in csv.DictReader(stream)}
    assert keys == {HOSTILE[0], "'" + HOSTILE[1], "txt.exe[31m", HOSTILE[3]}


def test_nothing_in_an_export_steers_a_page_or_a_terminal(hostile: District) -> None:
    printed = hostile.run("status").out
    printed += (hostile.home.parent / "cycle.txt").read_text(encoding="utf-8")
    assert "[red]" in printed
    for text in (printed, *(page.read_text(encoding="utf-8") for page in pages(hostile.home))):
        assert not re.search("[\x1b\u202e]", text)
        assert "<img" not in re.sub(r"\s", "", text) or text is printed
    assert max(len(line) for line in printed.splitlines()) <= 80


def test_a_report_that_fails_leaves_the_cycle_as_it_is(hostile: District, tmp_path: Path) -> None:
    district = District(tmp_path / "home", tmp_path / "inbox")
    shutil.copytree(hostile.home, district.home)
    (district.inbox / "sis").mkdir(parents=True)
    before = {path.name: path.read_bytes() for path in (district.home / "report").iterdir()}
    (district.home / "report.making").touch()
    done = district.run("cycle", "--inbox", str(district.inbox))
    assert done.code == 3, done.out + done.err
    assert "The report could not be rendered" in done.out
    after = {path.name: path.read_bytes() for path in (district.home / "report").iterdir()}
    assert after == before
    (district.home / "report.making").unlink()
    assert district.run("report").code == 0


def test_without_a_published_cycle_there_is_nothing_to_report(district: District) -> None:
    assert district.run("init").code == 0
    done = district.run("report")
    assert done.code == 2
    assert "No warehouse has been published" in done.err


def test_the_first_page_tells_what_is_asked_of_a_source(hostile: District, tmp_path: Path) -> None:
    """What ends a landing with 3 though no file of it waits needs a person on the page, too."""
    district = replace(copy_of(hostile.home, tmp_path / "home"), inbox=tmp_path / "inbox")
    announced = {"manifest.csv": MANIFEST + "file.results,bulk\n"}
    district.deliver("2026-09-01T120000Z", announced)
    district.deliver("2062-09-01T010000Z", {"orgs.csv": ORGS + ORG_ROWS})
    assert district.land().code == 3
    assert district.run("report").code == 0
    page = text_of(district.home / "report" / "index.html")
    for said in (
        "sis / 2026-09-01T120000Z / manifest.csv",
        "the manifest says bulk of results.csv, which is not in the delivery",
        "sis / 2062-09-01T010000Z",
        "has not come; no cycle takes it yet",
    ):
        assert said in page
