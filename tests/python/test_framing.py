"""Framing and columns against the rules, read again byte by byte, and against Python's csv."""

import csv
import io

import pytest
from framing_oracle import OracleRecord, read
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rollcall.csvfile.columns import record_batches
from rollcall.csvfile.framing import Framer, HeaderError, MalformedRecords, leading_fields

HEADER = b"a,b,c\n"


def frame(
    content: bytes, *, encoding: str = "utf-8", block: int = 1 << 20, limit: int = 1 << 20
) -> tuple[list[OracleRecord], Framer]:
    """Frame a file through Arrow, in the oracle's shape."""
    framer = Framer(io.BytesIO(content), encoding, block_bytes=block, max_record_bytes=limit)
    malformed: list[MalformedRecords] = []
    records = []
    for batch in record_batches(framer, malformed):
        batch.validate(full=True)
        for row in batch.to_pylist():
            number, line, offset, *fields = row.values()
            records.append(OracleRecord(number, line, offset, -1, None, tuple(fields)))
    records.extend(
        OracleRecord(m.record_number, m.line_number, m.byte_offset, m.byte_length, str(m.code), ())
        for part in malformed
        for m in part
    )
    return sorted(records, key=lambda record: record.number), framer


def expected(content: bytes, encoding: str = "utf-8", limit: int = 1 << 20) -> list[OracleRecord]:
    """What the oracle says, without the length of good records, which frames do not carry."""
    return [
        record
        if record.code
        else OracleRecord(record.number, record.line, record.offset, -1, None, record.fields)
        for record in read(content, encoding, 3, limit)
    ]


def outcomes(content: bytes, **options: int | str) -> list[tuple[int, int, object]]:
    """Return record number, line and code or fields of every record."""
    records, _ = frame(HEADER + content, **options)  # type: ignore[arg-type]
    return [(r.number, r.line, r.code or r.fields) for r in records]


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
def test_every_line_end_frames_alike(ending: bytes) -> None:
    content = HEADER + b'1,"x\ny",3\n\n4,5,6'
    assert outcomes(content[len(HEADER) :]) == [(1, 2, ("1", "x\ny", "3")), (2, 5, ("4", "5", "6"))]
    records, framer = frame(content.replace(b"\n", ending))
    assert [(r.number, r.line) for r in records] == [(1, 2), (2, 5)]
    assert (framer.record_count, framer.blank_line_count, framer.line_count) == (2, 1, 5)
    assert framer.byte_count == len(content.replace(b"\n", ending))


def test_blank_quoted_blank_zeros_spaces_and_nul_are_kept_apart() -> None:
    assert outcomes(b',"",007\n" x ",\x00,1.10\n') == [
        (1, 2, (None, "", "007")),
        (2, 3, (" x ", "\x00", "1.10")),
    ]


def test_doubled_quotes_are_one_quote() -> None:
    long = b"long enough not to be inlined"
    assert outcomes(b'"a""b","' + long + b'""","""")\n' + b'"""","",""\n') == [
        (1, 2, "TEXT_AFTER_QUOTE"),
        (2, 3, ('"', "", "")),
    ]
    assert outcomes(b'"a""b","' + long + b'""",""""\n') == [
        (1, 2, ('a"b', long.decode() + '"', '"'))
    ]


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (b"1,2", "TOO_FEW_FIELDS"),
        (b"1,2,3,4", "TOO_MANY_FIELDS"),
        (b"1,2,3,", "EXTRA_BLANK_FIELD"),
        (b'1,2,3, ,""', "EXTRA_BLANK_FIELD"),
        (b'1,x"y,3', "STRAY_QUOTE"),
        (b'1,"x"y,3', "TEXT_AFTER_QUOTE"),
        (b'1,"x,3', "TEXT_AFTER_QUOTE"),
        (b"1,\xff,3", "BAD_BYTES"),
        (b"1," + b"x" * 200 + b",3", "RECORD_TOO_LONG"),
    ],
)
def test_a_malformed_record_leaves_its_neighbours_alone(record: bytes, code: str) -> None:
    content = b'"a","b","c"\n' + record + b'\n"d","e","f"\n'
    assert outcomes(content, limit=100) == [
        (1, 2, ("a", "b", "c")),
        (2, 3, code),
        (3, 4, ("d", "e", "f")),
    ]


def test_a_quote_that_never_closes_costs_one_line() -> None:
    assert outcomes(b'1,"x,3\n4,5,6\n7,8,9\n') == [
        (1, 2, "UNCLOSED_QUOTE"),
        (2, 3, ("4", "5", "6")),
        (3, 4, ("7", "8", "9")),
    ]


def test_a_quote_may_not_stay_open_beyond_the_limit() -> None:
    content = b'1,"x\n' + b"4,5,6\n" * 20 + b'y",3\n'
    codes = [outcome for _, _, outcome in outcomes(content, limit=60)]
    assert codes[0] == "UNCLOSED_QUOTE"
    assert codes[1:21] == [("4", "5", "6")] * 20
    assert codes[21] == "STRAY_QUOTE"
    assert len(outcomes(content, limit=1000)) == 1


def test_a_line_larger_than_memory_should_be_is_skipped() -> None:
    content = HEADER + b"1,2,3\n" + b"x" * 5000 + b"\r\n4,5,6\n"
    for block in (7, 64, 1 << 20):
        records, framer = frame(content, block=block, limit=100)
        assert [r.code for r in records] == [None, "RECORD_TOO_LONG", None]
        assert (records[1].offset, records[1].length) == (12, 5000)
        assert records[2].line == 4
        assert framer.byte_count == len(content)


def test_a_byte_order_mark_is_skipped_and_counted() -> None:
    records, framer = frame(b"\xef\xbb\xbf" + HEADER + b"1,2,3\n")
    assert framer.header.has_bom
    assert framer.header.names == ("a", "b", "c")
    assert records[0].offset == len(HEADER) + 3


def test_single_byte_encodings_are_read_as_declared() -> None:
    content = HEADER + "é,€,ü and more than twelve bytes\n".encode("cp1252") + b"\x81,x,y\nz,,\n"
    records, _ = frame(content, encoding="cp1252")
    assert [r.code or r.fields for r in records] == [
        ("é", "€", "ü and more than twelve bytes"),
        "BAD_BYTES",
        ("z", None, None),
    ]
    with pytest.raises(ValueError, match="utf-16"):
        Framer(io.BytesIO(content), "utf-16")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "EMPTY_FILE"),
        (b"\xef\xbb\xbf", "EMPTY_FILE"),
        (b"\na,b\n", "HEADER_UNREADABLE"),
        (b" , ,\n", "HEADER_UNREADABLE"),
        (b'a,"b\n1,2\n', "HEADER_UNREADABLE"),
        (b'a,b"c\n', "HEADER_UNREADABLE"),
        (b"a,\xff\n", "HEADER_UNREADABLE"),
    ],
)
def test_headers_that_cannot_be_read(content: bytes, code: str) -> None:
    with pytest.raises(HeaderError) as raised:
        Framer(io.BytesIO(content))
    assert raised.value.code == code


def test_names_are_trimmed_and_columns_without_one_are_passed_over_where_they_are_blank() -> None:
    records, framer = frame(
        '\ufeffa ,"\xa0b", c\t,, \n'.encode() + b'1,2,3,,\n4,5,6\n7,8,9,x\n1,,, ,""\n'
    )
    assert framer.header.names == ("a", "b", "c")
    assert framer.header.unnamed_count == 2
    assert [r.code or r.fields for r in records] == [
        ("1", "2", "3"),
        ("4", "5", "6"),
        "TOO_MANY_FIELDS",
        ("1", None, None),
    ]
    records, _ = frame(HEADER.rstrip() + b",\n1,2,3,,\n")
    assert [r.code for r in records] == ["EXTRA_BLANK_FIELD"]


@pytest.mark.parametrize("delimiter", [b";", b"\t", b"|"])
@pytest.mark.parametrize("block", [3, 1 << 20])
def test_fields_are_separated_by_what_separates_the_names(delimiter: bytes, block: int) -> None:
    lines = [b"a,b;c;d", b'"1;,\t|";2,5;x', b'1;"a""b";', b"1;2", b'1;"x"y;3', b"1;2;3;"]
    lines[0] = b'"a,\n;\t|";b;c'
    content = b"\n".join(line.replace(b";", delimiter) for line in lines) + b"\n"
    records, framer = frame(content, block=block)
    assert framer.header.delimiter == delimiter
    mark = delimiter.decode()
    assert [r.code or r.fields for r in records] == [
        ("1;,\t|".replace(";", mark), "2,5", "x"),
        ("1", 'a"b', None),
        "TOO_FEW_FIELDS",
        "TEXT_AFTER_QUOTE",
        "EXTRA_BLANK_FIELD",
    ]


def test_a_line_that_tells_a_spreadsheet_the_delimiter_is_no_header() -> None:
    records, framer = frame(b"\xef\xbb\xbfSEP=;\r\na,x;b\r\n1;2\r\n")
    assert (framer.header.names, framer.header.delimiter) == (("a,x", "b"), b";")
    assert [(r.line, r.offset, r.fields) for r in records] == [(3, 17, ("1", "2"))]


def test_a_header_may_hold_a_quoted_line_end() -> None:
    _, framer = frame(b'"a\n1",b,c\r\n1,2,3\r\n', block=3)
    assert framer.header.names == ("a\n1", "b", "c")
    assert framer.header.line_count == 2


def test_the_leading_fields_of_a_malformed_record() -> None:
    assert leading_fields(b'k1,"a ""b""",x"y,z', "utf-8") == ["k1", 'a "b"']
    assert leading_fields(b'"k1', "utf-8") == []
    assert leading_fields(b"k1,\xff,z", "utf-8") == ["k1"]


_MESSY = st.lists(
    st.sampled_from(
        [
            b"a",
            b",",
            b'"',
            b"\n",
            b"\r",
            b"\r\n",
            b"\x00",
            b"\x1a",
            b"\xc3\xa9",
            b"\xff",
            b" ",
            b'""',
            b'","',
        ]
    ),
    max_size=60,
).map(b"".join)


@settings(max_examples=600, deadline=None)
@given(content=_MESSY, block=st.integers(1, 40), limit=st.sampled_from([8, 20, 1 << 20]))
@example(content=b'"\n"\r', block=1, limit=8)
@example(content=b"1,2,3,\n", block=40, limit=1 << 20)
@example(content=b"1,2,3\r\n\x1a", block=3, limit=1 << 20)
@example(content=b'1,2,"3"\x1a', block=40, limit=7)
@example(content=b"12345678\x1a", block=1, limit=8)
@example(content=b"123456789\x1a", block=1, limit=8)
@example(content=b"1,2,3\n\x1a\x1a", block=2, limit=8)
@example(content=b'a,"\r\n"\r\na', block=2, limit=20)
def test_any_bytes_are_framed_by_the_rules(content: bytes, block: int, limit: int) -> None:
    whole = HEADER + content
    records, framer = frame(whole, block=block, limit=limit)
    assert records == expected(whole, limit=limit)
    assert framer.record_count == len(records)
    assert framer.byte_count == len(whole)


@pytest.mark.long
@settings(max_examples=20_000, deadline=None)
@given(content=_MESSY, block=st.integers(1, 60), limit=st.sampled_from([8, 20, 50, 1 << 20]))
def test_any_bytes_are_framed_by_the_rules_at_length(
    content: bytes, block: int, limit: int
) -> None:
    whole = HEADER + content
    assert frame(whole, block=block, limit=limit)[0] == expected(whole, limit=limit)


_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=20)


@settings(max_examples=300, deadline=None)
@given(
    rows=st.lists(st.tuples(_TEXT, _TEXT, _TEXT), max_size=12),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    ending=st.sampled_from(["\n", "\r\n"]),
    block=st.integers(1, 200),
)
def test_valid_files_read_as_the_csv_module_wrote_them(
    rows: list[tuple[str, str, str]], quoting: int, ending: str, block: int
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=quoting, lineterminator=ending).writerows(  # type: ignore[arg-type]
        [("a", "b", "c"), *rows]
    )
    records, _ = frame(text.getvalue().encode(), block=block)
    assert [tuple(field or "" for field in record.fields) for record in records] == rows
