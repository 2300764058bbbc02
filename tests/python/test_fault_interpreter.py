"""The table of planted faults: what each operation does, and that a wrong row is said."""

import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from conftest import ROLLCALL, read_csv

from rollcall import sample
from rollcall.errors import UsageError
from rollcall.project import PROJECT_DIR
from sample_district import writer
from sample_district.deliveries import Delivery, manifest_of
from sample_district.district import instant_of
from sample_district.faults import TABLE, Planter, Row, read_rows
from sample_district.operations import EDITS, RESENDINGS

HEADER = b"sourcedId,name,score\n"
ANN, BOB, CY, DEE = b"A-1,Ann,5\n", b"B-2,Bob,\n", b'C-3,"Cy, Jr",7\n', b"D-1,Dee,9\n"


def row(operation: str, records: str = "", **others: Any) -> Row:
    """Make a row for things.csv of night 2; what is not given is blank."""
    blank: dict[str, Any] = {field.name: "" for field in fields(Row)}
    place = {"line": 7, "night": 2, "source": "sis", "file": "things.csv"}
    return Row(**blank | place | {"operation": operation, "records": records} | others)


def a_delivery() -> Delivery:
    return Delivery(
        "sis",
        instant_of(2, 1),
        "zip",
        {
            "manifest.csv": [manifest_of("sis", ["things.csv", "users.csv"])],
            "things.csv": [HEADER, ANN, BOB, CY, DEE],
            "users.csv": [b"sourcedId\n"],
        },
        (2,),
    )


def content(delivery: Delivery, name: str = "things.csv") -> bytes:
    return b"".join(delivery.files[name])


def changed(*rows: Row) -> list[bytes]:
    """The lines of things.csv after some rows."""
    (sent,) = Planter(list(rows)).plant(a_delivery(), 2)
    return content(sent).splitlines(keepends=True)


EDITED: dict[str, tuple[list[Row], list[bytes]]] = {
    "note": ([row("note", "first")], [HEADER, ANN, BOB, CY, DEE]),
    "set_value": (
        [row("set_value", "last", column="name", value=r'"D\n\xe8')],
        [HEADER, ANN, BOB, CY, b'D-1,"D\n', b"\xe8,9\n"],
    ),
    "substitute": (
        [row("substitute", "all", column="name", value=r"(\w)(\w)$ -> \2\1")],
        [HEADER, ANN, b"B-2,Bbo,\n", CY, DEE],
    ),
    "add_field": (
        [row("add_field", "last but 1", value="x")],
        [HEADER, ANN, BOB, b'C-3,"Cy, Jr",7,x\n', DEE],
    ),
    "drop_fields": ([row("drop_fields", "first", value="2")], [HEADER, b"A-1\n", BOB, CY, DEE]),
    "drop_records": (
        [row("drop_records", "all", where="sourcedId ~ .-1")],
        [HEADER, BOB, CY],
    ),
    "duplicate_record": (
        [row("duplicate_record", "first"), row("set_value", "same", column="score", value="6")],
        [HEADER, ANN, b"A-1,Ann,6\n", BOB, CY, DEE],
    ),
    "append_records": (
        [
            row("set_value", "first", column="score", value="0", keep_as="old"),
            row("append_records", "old: last"),
            row("set_value", "same", column="name", value="{old.sourcedId/1}"),
        ],
        [HEADER, b"A-1,Ann,0\n", BOB, CY, DEE, b"A-1,1,5\n"],
    ),
    "append_missing": (
        [
            row("note", "all", keep_as="before"),
            row("drop_records", "first"),
            row("append_missing", "before: all"),
        ],
        [HEADER, BOB, CY, DEE, ANN],
    ),
    "append_text": ([row("append_text", value="E-1")], [HEADER, ANN, BOB, CY, DEE, b"E-1\n"]),
    "insert_text": ([row("insert_text", value=r"\xef")], [b"\xef" + HEADER, ANN, BOB, CY, DEE]),
    "replace_file": ([row("replace_file", value=r"<p>\r\n")], [b"<p>\r\n"]),
    "rename_column": (
        [
            row("rename_column", column="name", value="title"),
            row("set_value", "first", column="title", value="An"),
        ],
        [b"sourcedId,title,score\n", b"A-1,An,5\n", BOB, CY, DEE],
    ),
    "move_column": (
        [
            row("move_column", column="score", value="name"),
            row("set_value", "first", column="name", value="An"),
        ],
        [
            *(b"sourcedId,score,name\n", b"A-1,5,An\n", b"B-2,,Bob\n"),
            *(b'C-3,7,"Cy, Jr"\n', b"D-1,9,Dee\n"),
        ],
    ),
}


@pytest.mark.parametrize("operation", EDITS)
def test_an_edit_changes_what_it_says_and_nothing_else(operation: str) -> None:
    rows, expected = EDITED[operation]
    assert operation in {step.operation for step in rows}
    assert changed(*rows) == expected


@pytest.mark.parametrize(
    ("records", "where", "chosen"),
    [
        ("first", "", "A"),
        ("last", "sourcedId ~ [AC] and score < 9", "C"),
        ("last but 2", "", "B"),
        ("all", "name = Bob", "B"),
        ("all", "name not in seen.name", "CD"),
        ("all", "name in seen.name", "AB"),
        ("all", "sourcedId = {seen.sourcedId}", "B"),
        ("seen: all", "", "AB"),
        ("untouched", "", "ACD"),
        ("from 50%", "", "D"),
        ("from 25%", "", "D"),
        ("from 99%", "score = 5", "A"),
        ("last of each score", "score ~ [57]", "AC"),
    ],
)
def test_records_and_where_choose(records: str, where: str, chosen: str) -> None:
    """Bob was chosen before and the name of Cy is quoted, so `from N%` passes over both."""
    before = [
        row("note", "all", where="sourcedId ~ [AB]", keep_as="seen"),
        row("note", "first", where="name = Bob"),
    ]
    after = [row("note", records, where=where, keep_as="chosen"), row("drop_records", "all")]
    lines = changed(*before, *after, row("append_records", "chosen: all"))
    assert b"".join(line[:1] for line in lines[1:]).decode() == chosen


def test_resendings_change_what_is_sent() -> None:
    def sent(*rows: Row) -> list[Delivery]:
        return Planter(list(rows)).plant(a_delivery(), 2)

    (cut,) = sent(row("truncate", file="", value="60"))
    assert cut.kept_percent == 60
    (late,) = sent(row("deliver_on", file="", value="3 4"))
    assert late.arrivals == (3, 4)
    left, apart = sent(row("send_apart"), row("replace_file", value="x"))
    assert (apart.name, content(apart)) == ("2026-09-02T010000Z_things.csv", b"x")
    assert list(left.files) == ["manifest.csv", "users.csv"]
    assert content(left, "manifest.csv") == manifest_of("sis", ["users.csv"])
    first, copy = sent(row("send_copy", value="1"), row("substitute", value="Ann -> Anne"))
    assert (copy.name, copy.arrivals) == ("2026-09-01T010000Z.zip", (2,))
    assert (b"Ann," in content(first), b"Anne," in content(copy)) == (True, True)
    assert content(copy, "manifest.csv") == manifest_of("sis", ["things.csv"])


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (row("set_value", "all", where="name = Zoe", column="name"), "no record fits"),
        (row("set_value", "first", column="title"), "there is no column 'title'"),
        (row("substitute", "all", column="name", value="Zoe -> "), "the pattern matches nothing"),
        (row("substitute", "all", column="name", value="( -> x"), "unterminated"),
        (row("append_records", "old: all"), "nothing is kept as 'old'"),
        (row("note", "somewhere"), "records says 'somewhere'"),
        (row("note", "all", where="name Ann"), "where says 'name Ann'"),
        (row("deliver_on", file="", value="tomorrow"), "tomorrow"),
    ],
)
def test_a_row_that_cannot_be_carried_out_is_named(wrong: Row, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"Line 7 of faults\.csv \(night 2, sis, ") as raised:
        Planter([wrong]).plant(a_delivery(), 2)
    assert wrong.operation in str(raised.value)
    assert sentence in str(raised.value)


def test_an_operation_that_does_not_exist_is_named_before_anything_is_planted(
    tmp_path: Path,
) -> None:
    text = TABLE.read_text(encoding="utf-8")
    assert text.count(",rename_column,") == 1
    wrong = tmp_path / "faults.csv"
    wrong.write_text(text.replace(",rename_column,", ",rename_sheet,"), encoding="utf-8")
    [line] = [row.line for row in read_rows() if row.operation == "rename_column"]
    with pytest.raises(ValueError, match=rf"Line {line} of .*rename_sheet.*no such operation"):
        read_rows(wrong)


def test_every_row_is_used_and_every_operation_has_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Planter] = []
    stray = row("note", line=999, night=9, file="nothing.csv")

    def planter() -> Planter:
        made.append(Planter([*read_rows(), stray]))
        return made[-1]

    monkeypatch.setattr(writer, "Planter", planter)
    with pytest.raises(ValueError, match=r"Line 999 .* nothing is sent"):
        writer.write_sample(tmp_path, students=60, nights=9, seed=1, faults=True)
    assert made[0].unused(9) == [stray]
    assert {row.operation for row in read_rows()} == EDITS.keys() | RESENDINGS.keys()


def test_every_fault_of_the_table_is_in_the_catalogue_as_the_table_has_it() -> None:
    columns = ("fault", "source_id", "code", "verdict", "note", "proof")
    catalogue = [
        tuple(entry[column] for column in columns)
        for entry in read_csv(PROJECT_DIR / "sample_exports" / "faults.csv")
    ]
    table = [
        (row.fault, row.source, row.code, row.verdict, row.note, row.proof)
        for row in read_rows()
        if row.fault
    ]
    assert sorted(table) == sorted(catalogue)


# ---------------------------------------------------------------- rollcall sample


def test_the_command_writes_the_sample_and_the_package_does_not_load_it_otherwise(
    tmp_path: Path,
) -> None:
    out = tmp_path / "exports"
    arguments = ["sample", "--students", "60", "--nights", "9", "--seed", "1", "--out", str(out)]
    subprocess.run([ROLLCALL, *arguments, "--faults"], cwd=tmp_path, check=True)
    committed = PROJECT_DIR / "sample_exports" / "faults.csv"
    assert (out / "faults.csv").read_bytes() == committed.read_bytes()
    code = "import sys, rollcall.cli; sys.exit('sample_district' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


def test_without_the_project_the_command_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"needs the folder .*sample_district.*make setup"):
        sample.write_sample(
            tmp_path / "out", students=60, nights=1, seed=1, faults=False, project=tmp_path
        )
    assert not (tmp_path / "out").exists()
