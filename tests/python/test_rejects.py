"""Rejects: what the sender gets back - original bytes, line, code, advice - and it runs nothing."""

import csv
import io
from pathlib import Path

import duckdb
import pytest
from conftest import MANIFEST, ORGS, SAMPLE, District

from rollcall.sanitize import guarded, plain_sql

NIGHT = "2026-09-01T010000Z"


def read(path: Path, encoding: str = "utf-8") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode(encoding), newline="")))


def test_rejected_records_come_back_as_they_were_sent(
    sample_run: tuple[District, list[int]], tmp_path: Path
) -> None:
    district, _ = sample_run
    out = tmp_path / "back.csv"
    done = district.run(
        "rejects", "lms/2026-09-05T160000Z/results.csv", "--out", str(out), "--json"
    )
    assert (done.code, done.json["rejected_count"]) == (0, 4), done.err
    sent = (SAMPLE / "night_5/lms/2026-09-05T160000Z/results.csv").read_bytes().decode()
    lines = sent.splitlines()
    header, *rows = read(out)
    assert header["record"] == lines[0]
    assert {(row["line_number"], row["code"]) for row in rows} == {
        ("44", "UNCLOSED_QUOTE"),
        ("73", "TOO_FEW_FIELDS"),
        ("115", "DUPLICATE_KEY_CONFLICT"),
        ("116", "DUPLICATE_KEY_CONFLICT"),
    }
    for row in rows:
        assert row["record"] == lines[int(row["line_number"]) - 1]
        assert len(row["what_to_do"]) > 20
        assert row["guarded"] == ""
    assert out.stat().st_mode & 0o777 == 0o600


def test_records_rejected_for_what_they_hold_name_their_columns(
    sample_run: tuple[District, list[int]],
) -> None:
    """A member of a zip, written into the home by default."""
    district, _ = sample_run
    done = district.run("rejects", "sis/2026-09-05T010000Z.zip/enrollments.csv", "--json")
    assert done.code == 0, done.err
    target = Path(done.json["written_to"])
    assert target.parent == district.home / "rejects"
    _, row = read(target)
    assert (row["line_number"], row["code"], row["column"]) == ("186", "REQUIRED_MISSING", "role")
    assert row["record"].startswith("EN-00017-000048,")


def test_a_file_rejected_whole_comes_back_with_its_header_and_the_reason(
    sample_run: tuple[District, list[int]],
) -> None:
    district, _ = sample_run
    done = district.run("rejects", "sis/2026-09-03T010000Z.zip/users.csv", "--json")
    [row] = read(Path(done.json["written_to"]))
    assert row["code"] == "COLUMN_RENAMED"
    assert ",lastName," in row["record"]
    assert done.json["rejected_count"] > 60
    done = district.run("rejects", "2026-09-02T010000Z.zip", "--json")
    [row] = read(Path(done.json["written_to"]))
    assert (row["code"], row["record"]) == ("ARCHIVE_UNREADABLE", "")


def test_bytes_that_are_no_text_come_back_as_they_are(district: District) -> None:
    bad = b's1,,,Gymn\xe4sium,school,,"d1\ns2,,,B\xe4ck,school,,d1\n'
    district.deliver(NIGHT, {"orgs.csv": ORGS.encode() + bad, "manifest.csv": MANIFEST})
    district.land()
    done = district.run("rejects", "orgs.csv", "--json")
    content = Path(done.json["written_to"]).read_bytes()
    assert b's1,,,Gymn\xe4sium,school,,""d1"' in content
    assert b"s2,,,B\xe4ck,school,,d1" in content
    assert [row["code"] for row in read(Path(done.json["written_to"]), "latin-1")] == [
        "",
        "UNCLOSED_QUOTE",
        "BAD_BYTES",
    ]


FORMULA_STARTS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")


@pytest.mark.parametrize("start", FORMULA_STARTS)
@pytest.mark.parametrize("before", ["", '"', " ", "\t", "x;", "x\t", "x\r\n", 'x;"', "x\n '"])
def test_a_spreadsheet_that_opens_it_runs_nothing(start: str, before: str) -> None:
    """Whatever the separator of the spreadsheet is, no cell begins like a formula."""
    safe, is_guarded = guarded(f"{before}{start}cmd|'/c calc'!A0".encode())
    assert is_guarded
    for separator in (",", ";", "\t"):
        for row in csv.reader(io.StringIO(safe.decode(), newline=""), delimiter=separator):
            for cell in row:
                assert not cell.lstrip(' \t\r\n"').startswith(FORMULA_STARTS)
    without = safe.decode().replace(f"'{start}", start, 1)
    assert without == f"{before}{start}cmd|'/c calc'!A0", "one apostrophe is all that was added"


@pytest.mark.parametrize("start", FORMULA_STARTS)
@pytest.mark.parametrize("before", ["", '"', " ", "x;", 'x;"', "x; '", ";;"])
def test_a_text_of_the_report_is_guarded_in_the_same_way(start: str, before: str) -> None:
    text = f"{before}{start}1+1"
    asked = f"select {plain_sql('text')} from (select cast(? as varchar) as text)"
    [(safe,)] = duckdb.execute(asked, [text]).fetchall()
    assert safe == guarded(text.encode())[0].decode() == f"{before}'{start}1+1"


@pytest.mark.parametrize("record", ["s1,-5,=b,+1", "a;b", "name,2026-09-01", ""])
def test_what_is_no_danger_is_left_as_it_is(record: str) -> None:
    assert guarded(record.encode()) == (record.encode(), False)


def test_a_formula_in_an_export_comes_backguarded(district: District) -> None:
    row = "=HYPERLINK(1),,,North,school\n"
    district.deliver(NIGHT, {"orgs.csv": ORGS + row, "manifest.csv": MANIFEST})
    district.land()
    done = district.run("rejects", "orgs.csv", "--json")
    _, rejected = read(Path(done.json["written_to"]))
    assert rejected["record"] == "'" + row.strip()
    assert rejected["guarded"] == "yes"
