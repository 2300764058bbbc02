"""Rejects: the rejected records of a file as delivered, with the reason, for the one who sent it.

The file written is a CSV: a line for the header, then one for each rejected record, with the bytes
as delivered in its last column. A spreadsheet that opens it runs nothing: where a text could be
taken for a formula an apostrophe stands before it, and the column `guarded` says so.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import duckdb

from rollcall.contracts import codes
from rollcall.contracts.layouts import Framing
from rollcall.contracts.project import Contracts
from rollcall.csvfile.framing import Framer, HeaderError
from rollcall.csvfile.opening import open_records
from rollcall.databases import need_last_good
from rollcall.errors import needing_room
from rollcall.folders import keep_to_owner
from rollcall.home import Home
from rollcall.ledger.entries import delivery_of, find_file
from rollcall.project import REFERENCE_DIR
from rollcall.sanitize import guarded
from rollcall.trace.originals import open_original

_COLUMNS = ("line_number", "record_number", "code", "column", "what_to_do", "guarded", "record")
_OF_VISIBLE = (
    "select file_id, record_number, line_number, code, column_name "
    "from good.audit.audit_rejected_record"
)
_OF_HELD = (
    "select file_id, record_number, line_number, rejected_records.code, column_name "
    "from landing.rejected_records inner join landing.files using (file_id) "
    "left join landing.layout_columns using (feed, layout_version, raw_column)"
)
_LONGEST_HEADER = 1 << 20


@dataclass(frozen=True, slots=True)
class RejectsReport:
    """Which file it was, how many of its records were rejected, and where they were written."""

    file_id: str
    file: str
    rejected_count: int
    written_to: str


@dataclass(frozen=True, slots=True)
class _Rejected:
    """A rejected record: where it starts, its codes and columns; `byte_length` when it is known."""

    record_number: int
    line_number: int
    byte_offset: int
    byte_length: int | None
    codes: tuple[tuple[str, str | None], ...]


def write_rejects(home: Home, contracts: Contracts, name: str, out: Path | None) -> RejectsReport:
    """Write the rejected records of a file for its sender.

    Records that break the grammar of CSV are known from landing; those rejected for what they hold
    from the cycle on that judged them, of a file that it held, too.

    Args:
        home: the data directory.
        contracts: the contracts of the project.
        name: the file, by id or name.
        out: where to write; by default under `rejects/` in the data directory.

    Raises:
        UsageError: the file is not found.
        DamagedBytesError: the archive does not hold its bytes.
    """
    with home.landing(read_only=True) as connection:
        file = find_file(connection, name)
        delivery = delivery_of(connection, file)
        rejected = list(_rejected_records(home, connection, file))
    where = f"{file['source_id']}/{file['delivery_name']}/{file['file_name']}"
    target = out or home.rejects / f"{file['file_id']}_{Path(file['file_name']).stem}_rejects.csv"
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    advice = codes.advice(REFERENCE_DIR)
    with needing_room(target.parent), ExitStack() as closing:
        delivered = None
        if delivery["verdict"] == "accepted":
            delivered = closing.enter_context(open_original(home, delivery, file))
        stream = closing.enter_context(target.open("wb"))
        keep_to_owner(target)
        _write_row(stream, [name.encode() for name in _COLUMNS])
        if delivered:
            framing = contracts.framing_of(file["feed"], file["layout_version"])
            _write_records(stream, delivered, framing, file, rejected, advice)
        else:
            _write_line(stream, "", "", file["code"], "", advice[file["code"]], b"")
    count = file["record_count"] or 0 if file["verdict"] == "rejected" else len(rejected)
    return RejectsReport(file["file_id"], where, count, str(target))


def _rejected_records(
    home: Home, connection: duckdb.DuckDBPyConnection, file: dict[str, Any]
) -> Iterator[_Rejected]:
    """Yield the rejected records of a file in its order."""
    malformed = connection.execute(
        "select record_number, line_number, byte_offset, byte_length, code "
        "from landing.malformed_records where file_id = ?",
        [file["file_id"]],
    ).fetchall()
    found = [
        _Rejected(number, line, offset, length, ((code, None),))
        for number, line, offset, length, code in malformed
    ]
    if file["raw_table"]:
        judged = _OF_HELD
        if home.warehouse_db.exists():
            need_last_good(home, connection)
            judged = f"{_OF_HELD} union {_OF_VISIBLE}"
        rejected = connection.execute(
            "select record_number, line_number, any_value(byte_offset), "
            f"list((code, column_name) order by code, column_name) from ({judged}) as rejected "
            f"inner join {file['raw_table']} as stored using (file_id, record_number, line_number) "
            "where file_id = ? group by all",
            [file["file_id"]],
        ).fetchall()
        found += [
            _Rejected(number, line, offset, None, tuple(codes))
            for number, line, offset, codes in rejected
        ]
    yield from sorted(found, key=lambda record: record.record_number)


def _write_records(
    stream: BinaryIO,
    delivered: BinaryIO,
    framing: Framing,
    file: dict[str, Any],
    rejected: list[_Rejected],
    advice: dict[str, str],
) -> None:
    code = file["code"] if file["verdict"] == "rejected" else ""
    framer = _framer(delivered, file["encoding"] or "utf-8", framing)
    line_number = str(framer.header.line_number) if framer else "1"
    header = framer.header_line(delivered, _LONGEST_HEADER) if framer else b""
    _write_line(stream, line_number, "", code, "", advice.get(code, ""), header)
    for record in rejected:
        _write_line(
            stream,
            str(record.line_number),
            str(record.record_number),
            " ".join(dict.fromkeys(code for code, _ in record.codes)),
            " ".join(dict.fromkeys(column for _, column in record.codes if column)),
            " ".join(dict.fromkeys(advice[code] for code, _ in record.codes)),
            framer.original(delivered, record.record_number, record.byte_offset, record.byte_length)
            if framer
            else b"",
        )


def _framer(delivered: BinaryIO, encoding: str, framing: Framing) -> Framer | None:
    """Open the file as its layout has it; None where it has no header that can be read."""
    try:
        return open_records(delivered, encoding, framing)
    except HeaderError:
        return None


def _write_line(
    stream: BinaryIO,
    line_number: str,
    record_number: str,
    codes: str,
    columns: str,
    advice: str,
    record: bytes,
) -> None:
    safe, is_guarded = guarded(record)
    texts = (line_number, record_number, codes, columns, advice, "yes" if is_guarded else "")
    _write_row(stream, [*(text.encode() for text in texts), safe])


def _write_row(stream: BinaryIO, fields: list[bytes]) -> None:
    quoted = (b'"' + field.replace(b'"', b'""') + b'"' for field in fields)
    stream.write(b",".join(quoted) + b"\r\n")
