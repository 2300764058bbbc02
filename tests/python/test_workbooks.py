"""Workbooks: cells as a sheet shows them, rows as records, and what nobody can tell is refused."""

import csv
import io
import tracemalloc
import zipfile
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from conftest import Project
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from test_framings import NIGHT, declare, declare_source, deliver, landed, read_file

from rollcall.contracts.layouts import Framing
from rollcall.csvfile import sheets
from rollcall.csvfile.framing import HeaderError
from rollcall.csvfile.opening import open_records
from rollcall.csvfile.shown import shown

PLAIN = Framing(kind="xlsx")


def workbook(rows: Sequence[Sequence[object]], change: Callable[[Any], object] = bool) -> bytes:
    """Write rows into the only sheet of a workbook; `change` may do more to it."""
    book = Workbook()
    for row in rows:
        book.active.append(row)
    change(book.active)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def outcomes(content: bytes, framing: Framing = PLAIN) -> list[tuple[int, object]]:
    """Return the row and the outcome of every record."""
    return [(record.line, record.outcome) for record in read_file(content, framing)]


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        ("1234.5", "General", "1234.5"),
        ("123456789012", "General", "123456789012"),
        ("0.30000000000000004", "General", "0.3"),
        ("1E-5", "General", "0.00001"),
        ("42", "00000", "00042"),
        ("12345", "000-00-0000", "000-01-2345"),
        ("0.256", "0%", "26%"),
        ("0.2565", "0.0%", "25.7%"),
        ("1234567.891", "#,##0.00", "1,234,567.89"),
        ("-5", "0.0", "-5.0"),
        ("-0.001", "0.0", "0.0"),
        ("-5", "0;[Red](0)", "(5)"),
        ("0", '0;-0;"none"', "none"),
        ("1.5", "0.0##", "1.5"),
        ("2.5", "0", "3"),
        ("0.5", "#.##", ".5"),
        ("7", '0" pts"_)', "7 pts"),
        ("12", "[$€-407]0.00", "€12.00"),
        ("46266", "m/d/yyyy", "9/1/2026"),
        ("46266", "yyyy\\-mm\\-dd;@", "2026-09-01"),
        ("46266.75", "m/d/yyyy h:mm", "9/1/2026 18:00"),
        ("46266.75", "h:mm:ss AM/PM", "6:00:00 PM"),
        ("46266", "[$-409]dddd, mmmm d, yyyy", "Tuesday, September 1, 2026"),
        ("46266.0000116", "mm:ss.0", "00:01.0"),
        ("1.5", "[h]:mm", "36:00"),
        ("59", "m/d/yyyy", "2/28/1900"),
        ("60", "m/d/yyyy", "60"),
        ("61", "m/d/yyyy", "3/1/1900"),
        ("-1", "m/d/yyyy", "-1"),
        ("0.5", "# ?/?", "0.5"),
        ("12000", "0,", "12000"),
        ("1E+999999", "0.00", "1E+999999"),
        ("NaN", "0.00", "NaN"),
        ("5", '[>3]"many";0', "5"),
    ],
)
def test_a_number_is_written_as_its_cell_shows_it(
    value: str, number_format: str, text: str
) -> None:
    assert shown(value, number_format) == text


@settings(max_examples=300)
@given(
    number=st.decimals(-(10**9), 10**9, places=4),
    decimals=st.integers(0, 5),
    zeros=st.integers(1, 8),
    groups=st.booleans(),
)
def test_numbers_are_rounded_grouped_and_filled(
    number: Decimal, decimals: int, zeros: int, groups: bool
) -> None:
    """Against Python's own way to format."""
    number_format = ("#,##0" if groups else "0" * zeros) + "." * bool(decimals) + "0" * decimals
    rounded = number.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    sign = "-" if rounded < 0 else ""
    width = 1 if groups else zeros + bool(decimals) + decimals
    wanted = f"{abs(rounded):0{width}{',' if groups else ''}.{decimals}f}"
    assert shown(str(number), number_format) == sign + wanted


@settings(max_examples=200)
@given(st.datetimes(datetime(1901, 1, 1), datetime(2100, 1, 1)))
def test_moments_are_written_as_they_were_meant(moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    past = moment - datetime(1899, 12, 30)
    serial = past.days + Decimal(past.seconds) / 86400
    assert shown(str(serial), "yyyy-mm-dd hh:mm:ss") == f"{moment:%Y-%m-%d %H:%M:%S}"


def test_the_cells_of_a_row_are_a_record() -> None:
    def set_formats(sheet: Any) -> None:
        sheet["B2"].number_format = "00000"
        sheet["C2"].number_format = "m/d/yyyy"
        sheet["C5"].number_format = "0%"

    rows = [
        ("Id", "Zip", " Day ", None),
        ("a\nb", 42, datetime(2026, 9, 1)),
        (None, None, None),
        ("0012", True, None),
        (12345678901234, "_x0041_", 0.5),
        ("x", None, None, None, "beside"),
    ]
    content = workbook(rows, set_formats)
    assert outcomes(content) == [
        (2, ("a\nb", "00042", "9/1/2026")),
        (4, ("0012", "TRUE", None)),
        (5, ("12345678901234", "A", "50%")),
        (6, "TOO_MANY_FIELDS"),
    ]


def test_another_program_writes_the_same_records(tmp_path: Path) -> None:
    """One that writes texts into the cells themselves, and the results of formulas."""
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(path, {"in_memory": True, "constant_memory": True}) as book:
        sheet = book.add_worksheet("Scores")
        for row, cells in enumerate((("Id", "Sum"), ("é 1", "x"), ("", ""), ("z", "y"))):
            sheet.write_row(row, 0, cells)
        sheet.write_formula(4, 0, '="k"&1', None, "k1")
        sheet.write_formula(4, 1, "=1+1", book.add_format({"num_format": "0.0"}), 2)
    content = path.read_bytes()
    assert outcomes(content) == [(2, ("é 1", "x")), (4, ("z", "y")), (5, ("k1", "2.0"))]


def test_rows_before_the_header_and_totals_are_passed_over() -> None:
    import re

    framing = Framing(
        kind="xlsx",
        preamble_lines=3,
        structural=re.compile("^Total"),
        nothing=re.compile("^Nothing"),
    )
    head = [("Report",), (None,), ("of today",), ("Id", "Score")]
    content = workbook([*head, ("1", 5), ("Total", 5)])
    assert outcomes(content, framing) == [
        (1, "structural"),
        (3, "structural"),
        (5, ("1", "5")),
        (6, "structural"),
    ]
    nothing = workbook([*head, ("Nothing to report",)])
    assert [outcome for _, outcome in outcomes(nothing, framing)] == ["structural"] * 3
    many = workbook([("Id",), *((str(number),) for number in range(3000))])
    assert [outcome for _, outcome in outcomes(many)] == [(str(n),) for n in range(3000)]


def add_sheet(sheet: Any) -> None:
    other = sheet.parent.create_sheet("Notes")
    other["A1"] = "Note"
    other.sheet_state = "hidden"


def test_a_sheet_is_named_where_there_are_several() -> None:
    content = workbook([("Id",), ("1",)], add_sheet)
    with pytest.raises(HeaderError, match="has 2 sheets, hidden ones included") as error:
        read_file(content, PLAIN)
    assert error.value.code == "SHEET_UNREADABLE"
    assert outcomes(content, Framing(kind="xlsx", sheet="Sheet")) == [(2, ("1",))]
    assert outcomes(content, Framing(kind="xlsx", sheet="Notes")) == []
    with pytest.raises(HeaderError, match="has no sheet 'Scores'"):
        read_file(content, Framing(kind="xlsx", sheet="Scores"))


def bomb() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * 100_000)
    return stream.getvalue()


def with_entities() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("xl/workbook.xml", b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]>')
    return stream.getvalue()


ROWS = (("Id", "Score"), ("1", 2))


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (
            workbook(ROWS, lambda sheet: sheet.merge_cells("A2:B2")),
            "SHEET_UNREADABLE",
            "A2:B2 are merged",
        ),
        (
            workbook([("Id",), ("=1+1",)]),
            "SHEET_UNREADABLE",
            "A2 holds a formula without its value",
        ),
        (b"Id,Score\n", "WORKBOOK_UNREADABLE", "no workbook"),
        (workbook(ROWS)[:-200], "WORKBOOK_UNREADABLE", "no workbook"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "WORKBOOK_UNREADABLE", "no workbook"),
        (bomb(), "WORKBOOK_UNREADABLE", "unpack to more than"),
        (with_entities(), "WORKBOOK_UNREADABLE", "declares XML entities"),
        (workbook([]), "HEADER_UNREADABLE", "Row 1 of the sheet is blank"),
    ],
)
def test_what_nobody_can_tell_is_refused(
    content: bytes, code: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "MOST_UNPACKED_BYTES", 90_000)
    with pytest.raises(HeaderError, match=said) as error:
        read_file(content, PLAIN)
    assert error.value.code == code


BOOK = (
    '<workbook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="S" r:id="r"/></sheets></workbook>'
)
RELATIONS = '<Relationships><Relationship Id="r" Target="worksheets/s.xml"/></Relationships>'
HEADER = '<row r="1"><c r="A1" t="str"><v>Id</v></c><c r="B1" t="str"><v>B</v></c></row>'
ENTITIES = '<!DOCTYPE a [<!ENTITY a "aaa">]>'


def of_parts(
    rows: str, *, before: str = "", texts: str = "", styles: str = "", encoding: str = "utf-8"
) -> bytes:
    """Write a workbook as no program would; `before` stands before the element of the sheet."""
    sheet = f"{before}<worksheet><sheetData>{HEADER}{rows}</sheetData></worksheet>"
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", BOOK)
        archive.writestr("xl/_rels/workbook.xml.rels", RELATIONS)
        archive.writestr("xl/worksheets/s.xml", sheet.encode(encoding))
        archive.writestr("xl/sharedStrings.xml", f"<sst>{texts}</sst>")
        archive.writestr("xl/styles.xml", f"<styleSheet>{styles}</styleSheet>")
    return stream.getvalue()


def style(number_format: str) -> str:
    written = f'<numFmts><numFmt numFmtId="200" formatCode="{number_format}"/></numFmts>'
    return written + '<cellXfs><xf numFmtId="200"/></cellXfs>'


def cell(value: str = "1", what: str = "") -> str:
    return f'<row r="2"><c {what}><v>{value}</v></c></row>'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (of_parts(cell(what='r="ZZZZZZZ2"')), "stands where no cell can be"),
        (of_parts(cell(what='r="XFE2"')), "stands where no cell can be"),
        (of_parts('<row r="2"><c r="A2"/><c r="A2"/></row>'), "stands where no cell can be"),
        (of_parts(f'<row r="2">{"<c/>" * 20_000}</row>'), "stands where no cell can be"),
        (of_parts('<row r="5"/><row r="3"/>'), "row 3 stands behind row 5"),
        (of_parts(HEADER), "row 1 stands behind row 1"),
        (of_parts(f'<row r="{"9" * 20}"/>'), "row 9+ stands behind row 1"),
        (of_parts(f'<row r="{"9" * 5000}"/>'), "ValueError"),
        (of_parts(cell("-1", 't="s"'), texts="<si><t>x</t></si>"), "ValueError"),
        (of_parts(cell("1", 't="s"'), texts="<si><t>x</t></si>"), "IndexError"),
        (of_parts(cell(what='s="-1"')), "ValueError"),
        (of_parts(f'<row r="2"><c>{"<v/>" * 300_000}</c></row>'), "more parts than any needs"),
        (of_parts("<a>" * 100 + "</a>" * 100), "more parts than any needs"),
        (of_parts(cell("1" * 5_000_000)), "text or tag of it has more than"),
        (of_parts("", styles='<numFmt numFmtId="1"/>' * 70_000), "more than 65536 elements"),
        (of_parts(cell("&a;"), before=ENTITIES), "declares XML entities"),
        (of_parts(cell("&a;"), before=f"<!--{' ' * 9000}-->{ENTITIES}"), "declares XML entities"),
        (of_parts("", before=f"\ufeff{ENTITIES}", encoding="utf-16-le"), "declares XML entities"),
        (of_parts("", before='<?xml version="1.0" encoding="klingon"?>'), "LookupError"),
    ],
)
def test_a_workbook_that_no_program_writes_is_refused_at_once(content: bytes, said: str) -> None:
    """None of it is large; read as it stands, some would take all memory, or give a wrong text."""
    assert len(content) < 100_000
    with pytest.raises(HeaderError, match=said) as error:
        read_file(content, PLAIN)
    assert error.value.code == "WORKBOOK_UNREADABLE"


def test_cells_that_share_a_long_text_are_read_a_few_at_once() -> None:
    rows = '<row><c t="s"><v>0</v></c></row>' * 200
    framing = Framing(kind="xlsx")
    content = of_parts(rows, texts=f"<si><t>{'x' * (1 << 20)}</t></si>")
    framer = open_records(io.BytesIO(content), "utf-8", framing, 1 << 20)
    counts = [len(frame.record_number) for frame in framer]
    assert sum(counts) == framer.record_count == 200
    assert max(counts) < 20
    too_long = of_parts(cell("0", 't="s"'), texts=f"<si><t>{'x' * (1 << 20)}x</t></si>")
    assert outcomes(too_long) == [(2, "RECORD_TOO_LONG")]


def test_parts_that_hold_no_record_take_no_memory() -> None:
    content = of_parts(
        "<x/>" * 100_000 + "<row/>" * 10_000 + '<row r="20000"><c><v>1</v></c></row>'
    )
    tracemalloc.start()
    try:
        assert outcomes(content) == [(20_000, ("1", None))]
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


@settings(max_examples=200)
@given(
    value=st.from_regex("-?[0-9]{1,20}([.][0-9]{1,20})?(E[+-]?[0-9]{1,3})?", fullmatch=True)
    | st.sampled_from(["1E+400", "-1E-400", "9E+399", "nan", "-inf", "", "x", "0"]),
    number_format=st.text('0#?.,%/E+;[]hmsyd$@*_\\"AMP/x<> ', max_size=255)
    | st.sampled_from(["0" * 255, f"0.{'0' * 253}", f"0{'%' * 254}", f"s.{'0' * 253}", "[h]" * 85]),
)
def test_no_format_of_any_number_fails(value: str, number_format: str) -> None:
    assert len(shown(value, number_format)) < 50_000


def test_a_format_that_is_too_long_is_none() -> None:
    content = of_parts(cell("1.50", 's="0"'), styles=style("0" * 100_000))
    assert outcomes(content) == [(2, ("1.5", None))]


def test_a_workbook_lands_and_gives_its_records_back(own_project: Project) -> None:
    """A row that is rejected comes back as the sheet shows it."""
    declare_source(own_project, "acme", "acme")
    declare(
        own_project,
        "acme/scores",
        ("Id", "Day", "Score"),
        kind="xlsx",
        file_name="scores.xlsx",
        preamble_lines="1",
        structural_pattern="^Total",
    )
    rows = [
        ("District 9",),
        ("Id", "Day", "Score"),
        ("1", datetime(2026, 9, 1), 0.5),
        ("2", None, None, "beside"),
        ("Total",),
    ]
    content = workbook(rows, lambda sheet: setattr(sheet["B3"], "number_format", "yyyy-mm-dd"))
    deliver(own_project, {"scores.xlsx": content})
    assert landed(own_project) == [("scores.xlsx", "acme/scores 1", "accepted", None)]
    assert own_project.ledger(
        'select record_number, line_number, "Id", "Day", "Score" from raw_acme.scores'
    ) == [(2, 3, "1", "2026-09-01", "0.5")]
    assert own_project.ledger(
        "select record_number, line_number, record_key, code from landing.malformed_records"
    ) == [(3, 4, "2", "TOO_MANY_FIELDS")]
    assert own_project.ledger("select count(*) from landing.structural_records") == [(2,)]
    out = own_project.home.parent / "back.csv"
    done = own_project.run("rejects", f"acme/{NIGHT}/scores.xlsx", "--out", str(out))
    assert done.code == 0, done.err
    with out.open(encoding="utf-8", newline="") as stream:
        header, record = csv.DictReader(stream)
    assert (header["line_number"], header["record"]) == ("2", "Id\tDay\tScore")
    assert (record["line_number"], record["record"]) == ("4", "2\t\t\tbeside")
