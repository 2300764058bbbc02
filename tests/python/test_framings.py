"""Files that are no plain CSV: what is passed over, which layout they are, and how they are cut."""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import Project
from framing_oracle import read
from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.contracts.layouts import Framing, spelling
from rollcall.contracts.reading import ContractError
from rollcall.csvfile.columns import record_batches
from rollcall.csvfile.framing import HeaderError, MalformedRecords, StructuralRecords
from rollcall.csvfile.opening import open_records
from rollcall.project import Project as RollcallProject

NIGHT = "2026-09-01T010000Z"


@dataclass(frozen=True)
class Read:
    """What came of one record: its number, line, byte offset and outcome.

    The outcome is its fields, the code of its defect, or `structural`.
    """

    number: int
    line: int
    offset: int
    outcome: str | tuple[str | None, ...]


def read_file(
    content: bytes,
    framing: Framing,
    *,
    encoding: str = "utf-8",
    block: int = 1 << 20,
    limit: int = 1 << 20,
    ids: tuple[int, ...] = (),
) -> list[Read]:
    """Read every record of a file, in its order; the counts have to agree with what comes."""
    framer = open_records(io.BytesIO(content), encoding, framing, limit, block)
    framer.seen_places = ids
    malformed: list[MalformedRecords] = []
    structural: list[StructuralRecords] = []
    found = []
    for batch in record_batches(framer, malformed, structural=structural):
        batch.validate(full=True)
        for row in batch.to_pylist():
            number, line, offset, *fields = row.values()
            found.append(Read(number, line, offset, tuple(fields)))
    for part in malformed:
        found += [Read(m.record_number, m.line_number, m.byte_offset, str(m.code)) for m in part]
    for over in structural:
        places = zip(over.record_number, over.line_number, over.byte_offset, strict=True)
        found += [Read(int(n), int(line), int(at), "structural") for n, line, at in places]
    assert len(found) == framer.record_count
    assert sum(map(len, malformed)) == framer.malformed_count
    assert sum(map(len, structural)) == framer.structural_count
    return sorted(found, key=lambda record: record.number)


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_a_preamble_and_totals_are_counted_and_passed_over(ending: str, bom: str) -> None:
    text = 'Scores of "North\n\nas of today\na,b\n1,2\n    Points,9\n"Student, Test",x,y\n3,4'
    content = (bom + text.replace("\n", ending)).encode()
    found = read_file(
        content,
        Framing(preamble_lines=3, structural=re.compile("^ {4}Points$|^Student, Test$")),
    )
    assert [(record.number, record.line, record.outcome) for record in found] == [
        (1, 1, "structural"),
        (2, 3, "structural"),
        (3, 5, ("1", "2")),
        (4, 6, "structural"),
        (5, 7, "structural"),
        (6, 8, ("3", "4")),
    ]
    lines = content.removeprefix(b"\xef\xbb\xbf").decode().split(ending)
    for record in found:
        line = content[record.offset :].decode().split(ending)[0]
        assert line == lines[record.line - 1]


@pytest.mark.parametrize("block", [1, 7, 1 << 20])
@pytest.mark.parametrize("last", ["", "\n", "\n\n"])
def test_a_file_may_say_that_there_is_nothing(block: int, last: str) -> None:
    framing = Framing(nothing=re.compile("^No outcomes found$"))
    said = f"a,b\nNo outcomes found{last}".encode()
    assert [r.outcome for r in read_file(said, framing, block=block)] == ["structural"]
    besides = f"a,b\nNo outcomes found\n1,2{last}".encode()
    assert [r.outcome for r in read_file(besides, framing, block=block)] == [
        "TOO_FEW_FIELDS",
        ("1", "2"),
    ]


TEXTS = st.text(st.sampled_from('ab=,"\n\r é€\x00'), max_size=40)


@settings(max_examples=300)
@given(
    body=TEXTS,
    preamble=st.lists(st.text(st.sampled_from('a",é '), max_size=6), max_size=3),
    ending=st.sampled_from(["\n", "\r\n", "\r"]),
    block=st.integers(1, 50),
)
def test_what_is_not_passed_over_is_read_as_without_a_framing(
    body: str, preamble: list[str], ending: str, block: int
) -> None:
    """Against the slow reader of the same grammar: only records that begin with `=` differ."""
    before = "".join(line + ending for line in preamble).encode()
    content = f"x,y{ending}{body}".encode()
    framing = Framing(preamble_lines=len(preamble), structural=re.compile("^="))
    found = read_file(before + content, framing, block=block)
    lines = [line for line in preamble if line]
    assert [record.outcome for record in found[: len(lines)]] == ["structural"] * len(lines)
    wanted = read(content, "utf-8", 2, 1 << 20)
    assert len(found) == len(lines) + len(wanted)
    for record, oracle in zip(found[len(lines) :], wanted, strict=True):
        assert record.number == len(lines) + oracle.number
        assert record.line == len(preamble) + oracle.line
        assert record.offset == len(before) + oracle.offset
        text = content[oracle.offset : oracle.offset + oracle.length]
        if text.startswith((b"=", b'"=')) and record.outcome == "structural":
            continue
        assert record.outcome == (oracle.code or oracle.fields)


COLUMNS = ("Student", "Test", "Score", "Note")


def declare(
    project: Project,
    feed: str,
    columns: Sequence[str],
    *,
    version: str = "1",
    file_name: str = "",
    **framing: str,
) -> None:
    """Add a feed that is kept raw, or another layout of it, with its framing, to a project.

    A column may say its width: `Student|10`; the first of them tells records apart.
    """
    contracts = project.project / "seeds" / "contracts"
    rows = {
        "district_feeds.csv": [
            {
                "feed": feed,
                "family": feed.split("/")[0],
                "file_name": file_name or f"{feed.split('/')[1]}.csv",
                "label": "Scores",
                "is_staged": "false",
                "meaning": "Scores.",
            }
        ]
        * (version == "1"),
        "district_layouts.csv": [
            {
                "feed": feed,
                "layout_version": version,
                "position": str(position),
                "column_name": name,
                "data_type": "id" if position == 1 else "string",
                "is_required": "no",
                "allows_extension": "false",
                "is_key": str(position == 1).lower(),
                "personal_data": "indirect",
                "meaning": "As delivered.",
                "width": width,
            }
            for position, (name, _, width) in enumerate(
                (column.partition("|") for column in columns), 1
            )
        ],
        "district_framings.csv": [
            {"feed": feed, "layout_version": version, "kind": "csv", "meaning": "Made."} | framing
        ]
        * bool(framing),
    }
    for name, added in rows.items():
        path = contracts / name
        if any(row.get("width") for row in added):
            add_width(path)
        with path.open("r+", encoding="utf-8", newline="") as stream:
            header = next(csv.reader([stream.readline()]))
            stream.seek(0, io.SEEK_END)
            writer = csv.DictWriter(stream, header, lineterminator="\n", extrasaction="ignore")
            writer.writerows(added)


def add_width(path: Path) -> None:
    """Add a column for widths to the layouts of a district, where there is none."""
    header, *rows = csv.reader(path.read_text(encoding="utf-8").splitlines())
    if "width" not in header:
        with path.open("w", encoding="utf-8", newline="") as stream:
            lines = [[*header, "width"], *([*row, ""] for row in rows)]
            csv.writer(stream, lineterminator="\n").writerows(lines)


def declare_source(project: Project, source_id: str, families: str, **said: str) -> None:
    """Add a source that sends files of some families, each of them whole."""
    path = project.project / "seeds" / "contracts" / "sources.csv"
    with path.open("r+", encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        like = next(reader)
        stream.seek(0, io.SEEK_END)
        own = {
            **dict.fromkeys(("source_id", "name", "families"), families),
            **dict.fromkeys(("schedule", "due_feeds", "ignore_files"), ""),
            "source_id": source_id,
            "roster_source_id": source_id,
            "default_mode": "bulk",
            "grace_minutes": "0",
        }
        csv.DictWriter(stream, list(like), lineterminator="\n").writerow(like | own | said)


@pytest.fixture
def acme(own_project: Project) -> Project:
    """Give a district with a source `acme` and no feed of it."""
    declare_source(own_project, "acme", "acme")
    return own_project


def landed(project: Project) -> list[tuple[str | None, ...]]:
    """Return what each file became: its name, layout, verdict and code."""
    return project.ledger(
        "select file_name, coalesce(feed || ' ' || layout_version, feed), verdict, code "
        "from landing.files order by exported_at, file_name"
    )


def deliver(project: Project, files: Mapping[str, str | bytes], night: str = NIGHT) -> None:
    """Deliver files and land them."""
    project.deliver(night, files, source="acme")
    done = project.land()
    assert done.code in (0, 3), done.out + done.err


def test_structural_records_have_an_entry_and_are_not_stored(acme: Project) -> None:
    declare(
        acme,
        "acme/scores",
        COLUMNS[:3],
        preamble_lines="2",
        structural_pattern="^Total",
        delimiter="semicolon",
    )
    text = "District 9\nSeptember\nStudent;Test;Score\n1;a;2,5\n2;b\nTotal;2,5\n"
    deliver(acme, {"scores.csv": text})
    assert landed(acme) == [("scores.csv", "acme/scores 1", "accepted", None)]
    assert acme.ledger("select record_count, malformed_count from landing.files") == [(5, 1)]
    assert acme.ledger('select line_number, "Student", "Score" from raw_acme.scores') == [
        (4, "1", "2,5")
    ]
    found = acme.ledger(
        "select record_number, line_number, byte_offset, byte_length "
        "from landing.structural_records order by all"
    )
    assert [text.encode()[offset:][:length].decode() for *_, offset, length in found] == [
        "District 9",
        "September",
        "Total;2,5",
    ]
    assert [(number, line) for number, line, *_ in found] == [(1, 1), (2, 2), (5, 6)]
    assert acme.run("verify").code == 0


def test_the_name_the_header_and_the_year_choose_the_layout(acme: Project) -> None:
    same = {"preamble_lines": "1"}
    declare(acme, "acme/math", COLUMNS, file_name="-", name_pattern="(?i)_SM_", **same)
    declare(acme, "acme/reading", COLUMNS, file_name="--", name_pattern="(?i)_SR_", **same)
    for year, last in (("2025", "Level"), ("2026", "Level"), ("2027", "Band")):
        declare(
            acme,
            "acme/state",
            ("Student", "Test", last),
            version={"2025": "1", "2026": "2", "2027": "3"}[year],
            year=year,
            name_pattern=r"^state.*_(?P<year>\d{4})",
        )
    scores = f"Star\n{','.join(COLUMNS)}\n1,a,2,\n"
    state = "Student,Test,Level\n1,a,2\n"
    deliver(
        acme,
        {
            "district_SM_v2.csv": scores,
            "district_SR_v2.csv": scores.replace("Star", "Star Reading"),
            "state_results_2026.csv": state,
            "other.csv": state,
        },
    )
    assert landed(acme) == [
        ("district_SM_v2.csv", "acme/math 1", "accepted", None),
        ("district_SR_v2.csv", "acme/reading 1", "accepted", None),
        ("other.csv", None, "rejected", "UNKNOWN_FILE"),
        ("state_results_2026.csv", "acme/state 2", "accepted", None),
    ]
    deliver(acme, {"state_2027.csv": state}, "2026-09-02T010000Z")
    assert landed(acme)[-1] == ("state_2027.csv", "acme/state", "rejected", "LAYOUT_UNKNOWN")


def test_no_layout_is_picked_where_several_fit(acme: Project) -> None:
    for version in ("1", "2"):
        declare(acme, "acme/scores", COLUMNS, version=version, name_pattern="^scores")
    deliver(acme, {"scores_all.csv": ",".join(COLUMNS) + "\n1,a,2,\n"})
    assert landed(acme) == [("scores_all.csv", "acme/scores", "rejected", "LAYOUT_AMBIGUOUS")]
    [(detail,)] = acme.ledger("select detail from landing.files")
    assert "acme/scores 1, acme/scores 2" in detail


def test_the_delimiter_of_a_layout_counts_before_that_of_its_source(acme: Project) -> None:
    declare(acme, "acme/scores", COLUMNS, delimiter="tab", file_name="scores.txt")
    deliver(acme, {"scores.txt": ",".join(COLUMNS) + "\n1,a,2,\n"})
    assert landed(acme)[-1][3] == "WRONG_DELIMITER"
    deliver(acme, {"scores.txt": "\t".join(COLUMNS) + "\n1\ta\t2\t\n"}, "2026-09-02T010000Z")
    assert landed(acme)[-1][2:] == ("accepted", None)


def test_a_pattern_that_matches_too_much_passes_nothing_over_silently(acme: Project) -> None:
    """More than is left waits for a person; more than is listed one by one is rejected."""
    declare(acme, "acme/scores", COLUMNS, preamble_lines="1", structural_pattern="^T")
    rows = "".join(f"T{number},,,\n" for number in range(5))
    text = f"Scores\n{','.join(COLUMNS)}\n1,a,,\n2,a,,\n3,a,,\n4,a,,\n{rows}"
    deliver(acme, {"scores.csv": text})
    assert landed(acme)[-1][2:] == ("held", "MASS_STRUCTURAL")
    deliver(acme, {"scores.csv": text + "5,a,,\n"}, "2026-09-02T010000Z")
    assert landed(acme)[-1][2:] == ("accepted", None)
    limits = acme.project / "seeds" / "contracts" / "district_limits.csv"
    with limits.open("a", encoding="utf-8") as stream:
        stream.write("acme,max_malformed_records,5,Few.\n")
    deliver(acme, {"scores.csv": text + "6,a,,\n"}, "2026-09-03T010000Z")
    assert landed(acme)[-1][2:] == ("rejected", "TOO_MANY_MALFORMED")
    counts = "select record_count, malformed_count from landing.files order by exported_at desc"
    assert acme.ledger(f"{counts} limit 1") == [(11, 0)]
    assert acme.ledger("select count(*) from landing.structural_records") == [(12,)]


def test_a_declared_delimiter_lets_others_stand_in_names(acme: Project) -> None:
    declare(acme, "acme/scores", ("Student", "Extra, with comma"), delimiter="semicolon")
    deliver(acme, {"scores.csv": "\ufeffStudent;Extra, with comma\nBell, Tomás;2,5\n"})
    assert acme.ledger('select "Student", "Extra, with comma" from raw_acme.scores') == [
        ("Bell, Tomás", "2,5")
    ]


def test_a_header_is_known_however_its_marks_are_written(acme: Project) -> None:
    declare(acme, "acme/scores", ("Student", "Lexile® measure", "Lexile® measure"))
    for night, marks in enumerate((("\ufffd", "Â®"), ("", "  "), ("®", "\ufffd")), 1):
        header = f"Student,Lexile{marks[0]} measure,Lexile{marks[1]} measure"
        deliver(acme, {"scores.csv": f"{header}\n1,first,second\n"}, f"2026-09-0{night}T010000Z")
    assert {row[2] for row in landed(acme)} == {"accepted"}
    assert set(acme.ledger("select * exclude (file_id) from raw_acme.scores")) == {
        ("1", 1, 2, offset, "1", "first", "second", None)
        for (offset,) in acme.ledger("select byte_offset from raw_acme.scores")
    }


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"kind": "docx"}, "kind 'docx' is not one of"),
        ({"delimiter": "space"}, "delimiter 'space' cannot be"),
        ({"kind": "jsonl", "delimiter": "tab"}, "others have none"),
        ({"sheet": "Scores"}, "only a workbook"),
        ({"kind": "jsonl", "preamble_lines": "1"}, "has no preamble"),
        ({"year": "2026"}, "go together"),
        ({"name_pattern": r"(?P<year>\d+)"}, "go together"),
        ({"structural_pattern": "("}, "is no regular expression"),
        ({"kind": "fixed"}, "needs a width"),
        ({"kind": "jsonl"}, "'a.' is no path"),
        ({"cell_pattern": "x"}, "only a grid has a cell_pattern"),
        ({"kind": "grid"}, "a grid needs a cell_pattern"),
        ({"kind": "grid", "cell_pattern": r"(?P<id>\d+)"}, "such as [id] for (?P<id>...)"),
        ({"layout_version": "9"}, "has no layout 9"),
    ],
)
def test_a_framing_that_cannot_be_is_named(
    acme: Project, said: dict[str, str], message: str
) -> None:
    declare(acme, "acme/scores", ("Student", "a."), **said)
    with pytest.raises(ContractError, match=re.escape(message)):
        RollcallProject(acme.project).contracts()


def test_columns_are_equal_where_they_are_spelled_alike() -> None:
    assert spelling("Lexile\ufffd  measure") == spelling("Lexile® measure") == "Lexile measure"
    assert spelling("e\u0301 x") == "\u00e9 x"
    assert spelling("Lexile") != spelling("lexile")


GRID = Framing(
    kind="grid",
    names=("who", "login", "[id]", "[cell]", "Points"),
    cells=re.compile(r"\((?P<id>\d+)\)$"),
    structural=re.compile("^ *Points$"),
)


def test_a_cell_of_a_grid_is_a_record_with_what_its_column_and_line_say() -> None:
    """A login is missing here; totals are no cells, and a malformed line is one record."""
    content = b"who,x (1),total,y (2)\n  Points,5,,7\nJo,3,9,\nAl\nLi,EX,9,0\n"
    for block in (1, 30, 1 << 20):
        found = read_file(content, GRID, block=block, ids=(0,))
        assert [(record.number, record.line, record.outcome) for record in found] == [
            (1, 2, "structural"),
            (2, 3, ("Jo", "1", "3", "5")),
            (3, 3, ("Jo", "2", None, "7")),
            (4, 4, "TOO_FEW_FIELDS"),
            (5, 5, ("Li", "1", "EX", "5")),
            (6, 5, ("Li", "2", "0", "7")),
        ]
    framer = open_records(io.BytesIO(content), "utf-8", GRID)
    assert framer.header.names == ("who", "[id]", "[cell]", "Points")
    assert framer.original(io.BytesIO(content), 3, 35, None) == b"Jo,2,,7"
    assert framer.fields(b"Jo,2,,7") == ["Jo", "2", "", "7"]
    assert framer.fields(framer.original(io.BytesIO(content), 4, 44, 2)) == []
    hidden = read_file(content.replace(b"Jo", b"J\xe2\x80\x8bo"), GRID, ids=(0,))
    assert [record.outcome for record in hidden[:3]] == [
        "structural",
        "UNSEEN_CHARACTER",
        "TOO_FEW_FIELDS",
    ]


@settings(max_examples=200)
@given(body=TEXTS, block=st.integers(1, 50))
def test_a_grid_is_cut_into_lines_as_any_csv(body: str, block: int) -> None:
    content = f"who,x (1),y (2)\n{body}".encode()
    wanted: list[tuple[int, object]] = []
    for line in read(content, "utf-8", 3, 1 << 20):
        if line.code:
            wanted.append((line.offset, line.code))
            continue
        who, *cells = (text or None for text in line.fields)
        for number, cell in enumerate(cells, 1):
            wanted.append((line.offset, (who, str(number), cell, None)))
    found = read_file(content, GRID, block=block)
    assert [(record.offset, record.outcome) for record in found] == wanted
    assert [record.number for record in found] == list(range(1, len(found) + 1))


def split_lines(content: bytes) -> list[tuple[int, int, bytes]]:
    """Return line number, byte offset and content of every line that is not blank."""
    found, offset = [], 0
    lines = re.split(rb"(\r\n|\r|\n)", content)
    for place in range(0, len(lines), 2):
        if lines[place]:
            found.append((place // 2 + 1, offset, lines[place]))
        offset += sum(map(len, lines[place : place + 2]))
    return found


def read_fixed(content: bytes, encoding: str, widths: tuple[int, ...]) -> list[Read]:
    """Read a file of fixed width character by character."""
    records = []
    for number, (line, offset, octets) in enumerate(split_lines(content), 1):
        outcome: str | tuple[str | None, ...]
        try:
            text = octets.decode(encoding)
        except UnicodeDecodeError:
            outcome = "BAD_BYTES"
        else:
            rest, fields = text, []
            for width in widths:
                fields.append(rest[:width] if width else rest)
                rest = rest[width:] if width else ""
            outcome = tuple(field or None for field in fields)
            if len(text) < sum(widths):
                outcome = "TOO_FEW_FIELDS"
            elif rest:
                outcome = "TOO_MANY_FIELDS"
        records.append(Read(number, line, offset, outcome))
    return records


@settings(max_examples=300)
@given(
    lines=st.lists(st.text(st.sampled_from('ab "é€,'), max_size=7), max_size=8),
    ending=st.sampled_from(["\n", "\r\n", "\r"]),
    is_ended=st.booleans(),
    widths=st.sampled_from([(2, 1, 3), (2, 1, 0), (1, 0)]),
    encoding=st.sampled_from(["utf-8", "cp1252"]),
    damage=st.booleans(),
    block=st.integers(1, 40),
)
def test_lines_of_fixed_width_are_cut_by_their_characters(
    lines: list[str],
    ending: str,
    is_ended: bool,
    widths: tuple[int, ...],
    encoding: str,
    damage: bool,
    block: int,
) -> None:
    whole = "x" * (sum(widths) or 1)
    content = ending.join([whole, *lines, ending * is_ended]).encode(encoding)
    if damage:
        content += ending.encode() + b"\x81" + b"a" * sum(widths)
    names = tuple("abcdefg"[: len(widths)])
    framing = Framing(kind="fixed", names=names, widths=widths)
    found = read_file(content, framing, encoding=encoding, block=block)
    assert found == read_fixed(content, encoding, widths)


def test_a_file_of_another_width_is_not_of_the_layout() -> None:
    framing = Framing(kind="fixed", names=("a", "b"), widths=(2, 2))
    with pytest.raises(HeaderError, match="the first has 5 characters, and the columns take 4"):
        read_file(b"12345\n12345\n", framing)
    assert [r.outcome for r in read_file(b"123\n1234\n", framing)] == [
        "TOO_FEW_FIELDS",
        ("12", "34"),
    ]
    assert read_file(b"\n", framing) == []


class Digits(str):
    """A number as it is written."""

    __slots__ = ()


VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
        st.sampled_from(["1", "-0.10", "1E+400", "123456789012345678901234567890"]).map(Digits),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    ),
    max_leaves=6,
)


def as_json(value: object) -> str:
    """Write a value as JSON, its numbers digit by digit."""
    if isinstance(value, dict):
        inside = (f"{json.dumps(name)}: {as_json(item)}" for name, item in value.items())
        return f"{{{', '.join(inside)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(as_json, value))}]"
    return str(value) if isinstance(value, Digits) else json.dumps(value, ensure_ascii=False)


def told(value: object) -> str | None:
    """Say how a value of an object is kept."""
    if value is None:
        return None
    return str(value) if isinstance(value, str) else as_json(value)


def read_object(made: object) -> str | tuple[str | None, ...]:
    """Say what comes of one line: the value of `a`, that of `a.b`, and that of `c[1]`."""
    if not isinstance(made, dict):
        return "NOT_AN_OBJECT"
    a, c = made.get("a"), made.get("c")
    second = c[1] if isinstance(c, list) and len(c) > 1 else None
    return told(a), told(a.get("b") if isinstance(a, dict) else None), told(second)


@settings(max_examples=300)
@given(
    values=st.lists(VALUES, max_size=5),
    ending=st.sampled_from(["\n", "\r\n", "\n\n"]),
    block=st.integers(1, 60),
)
def test_objects_are_read_as_they_are_written(
    values: list[object], ending: str, block: int
) -> None:
    lines = ['{"a": 1}', *(as_json(value) for value in values)]
    content = ending.join(lines).encode()
    framing = Framing(kind="jsonl", names=("a", "a.b", "c[1]"))
    found = read_file(content, framing, block=block)
    assert [record.outcome for record in found] == [
        ("1", None, None),
        *map(read_object, values),
    ]
    for record, line in zip(found, lines, strict=True):
        assert content[record.offset :].startswith(line.encode())


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b'{"a": 1, "a": 2}', "NAME_REPEATED"),
        (b'{"a": {"b": 1, "b": 1}}', "NAME_REPEATED"),
        (b'{"a": NaN}', "NOT_AN_OBJECT"),
        (b'{"a": 1', "NOT_AN_OBJECT"),
        (b'{"a": 1} 2', "NOT_AN_OBJECT"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "NOT_AN_OBJECT"),
        (b'{"a": "\xff"}', "BAD_BYTES"),
        (b'{"a": "\\ud800"}', "BAD_BYTES"),
        (b'{"a": "1\\u00002"}', "UNSEEN_CHARACTER"),
        (b'{"a": "' + b"x" * 300_000 + b'"}', "RECORD_TOO_LONG"),
    ],
)
def test_a_line_that_is_no_object_leaves_its_neighbours_alone(line: bytes, code: str) -> None:
    content = b'{"a": 1}\n' + line + b'\n{"a": 3}\n'
    framing = Framing(kind="jsonl", names=("a",))
    found = read_file(content, framing, block=100, limit=250_000, ids=(0,))
    assert [record.outcome for record in found] == [("1",), code, ("3",)]


def test_files_without_a_header_land_and_give_their_records_back(acme: Project) -> None:
    """What a file of fixed width, or of an object a line, holds comes back as it was sent."""
    declare(acme, "acme/fixed", ("Id|3", "Name|4", "Rest"), kind="fixed", file_name="fixed.dat")
    declare(
        acme,
        "acme/ids",
        ("student.id", "codes[0].code"),
        kind="jsonl",
        file_name="ids.jsonl",
    )
    fixed = "001Zoé to the end\n002\n003Bob \n"
    ids = '{"student": {"id": 7}, "codes": [{"code": "0012"}]}\n{"student": {"id": 1.50}\n'
    deliver(acme, {"fixed.dat": fixed, "ids.jsonl": ids})
    assert landed(acme) == [
        ("fixed.dat", "acme/fixed 1", "accepted", None),
        ("ids.jsonl", "acme/ids 1", "accepted", None),
    ]
    assert acme.ledger('select line_number, "Id", "Name", "Rest" from raw_acme.fixed') == [
        (1, "001", "Zoé ", "to the end"),
        (3, "003", "Bob ", None),
    ]
    assert acme.ledger('select "student.id", "codes[0].code" from raw_acme.ids') == [("7", "0012")]
    assert acme.ledger("select record_key, code from landing.malformed_records order by 2") == [
        (None, "NOT_AN_OBJECT"),
        ("002", "TOO_FEW_FIELDS"),
    ]
    for name, line in (("fixed.dat", "002"), ("ids.jsonl", ids.splitlines()[1])):
        out = acme.home.parent / f"{name}.csv"
        done = acme.run("rejects", f"acme/{NIGHT}/{name}", "--out", str(out), "--json")
        assert (done.code, done.json["rejected_count"]) == (0, 1), done.err
        with out.open(encoding="utf-8", newline="") as stream:
            assert [row["record"] for row in csv.DictReader(stream)][1:] == [line]
    deliver(acme, {"fixed.dat": "1234567\n1\n", "ids.jsonl": '{"x": 1}\n'}, "2026-09-02T010000Z")
    assert [row[2:] for row in landed(acme)[2:]] == [
        ("accepted", None),
        ("rejected", "LAYOUT_UNKNOWN"),
    ]
