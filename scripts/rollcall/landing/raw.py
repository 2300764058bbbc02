"""Raw tables: the records of a file as delivered, every field as text.

All functions work inside the caller's transaction.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import BinaryIO

import duckdb
import pyarrow as pa

from rollcall.contracts.layouts import Layout
from rollcall.csvfile.blanks import visible
from rollcall.csvfile.columns import record_batches
from rollcall.csvfile.framing import Framer, Malformed, MalformedRecords, StructuralRecords
from rollcall.csvfile.records import Defect
from rollcall.errors import RollcallError
from rollcall.landing.verdicts import MODE_COLUMNS, Readable
from rollcall.ledger.sql import identifier, literal, normalized, record_key, trimmed

_WITHOUT_ZONE = r"regexp_full_match({}, '\d{{4}}-\d\d-\d\d[T ][\d:.]+')"
"""SQL: the text of a column is a time that names no zone."""


_BATCH = 100_000
"""How many malformed records are stored at once."""
_MALFORMED = pa.schema(
    [
        ("file_id", pa.string()),
        *((name, pa.int64()) for name in ("record_number", "line_number")),
        *((name, pa.int64()) for name in ("byte_offset", "byte_length")),
        ("code", pa.string()),
        ("record_key", pa.list_(pa.string())),
    ]
)


@dataclass(frozen=True, slots=True)
class Stored:
    """What storing a file showed.

    `hidden_key_count` is how many malformed records have their defect before the end of the key;
    `is_cut_short` says that the last record lacks fields or a quote and its line has no end;
    `is_over_limit` that so many are malformed, or passed over, that the file is only counted.
    """

    hidden_key_count: int = 0
    is_cut_short: bool = False
    is_over_limit: bool = False


def store(
    connection: duckdb.DuckDBPyConnection,
    file_id: str,
    readable: Readable,
    framer: Framer,
    most_malformed: int | None = None,
) -> Stored:
    """Store the records of a file.

    Args:
        connection: the landing database.
        file_id: the file.
        readable: its bytes and its layout.
        framer: what reads its records.
        most_malformed: with more malformed records, the file is only counted.

    Raises:
        RollcallError: not every well-formed record could be stored.
    """
    framer.seen_places = _seen_places(readable)
    structural: list[StructuralRecords] = []
    malformed = _store_records(connection, file_id, readable, framer, most_malformed, structural)
    if _is_over(framer, most_malformed):
        return Stored(is_over_limit=True)
    _store_structural(connection, file_id, structural)
    hidden_key_count = _store_malformed(connection, file_id, readable, framer, malformed)
    last = list(malformed[-1])[-1] if malformed else None
    return Stored(
        hidden_key_count,
        last is not None
        and last.code in (Defect.TOO_FEW_FIELDS, Defect.UNCLOSED_QUOTE)
        and last.record_number == framer.record_count
        and last.byte_offset + last.byte_length == framer.byte_count,
    )


def _is_over(framer: Framer, most: int | None) -> bool:
    """Say whether more records are malformed, or passed over, than are looked at one by one."""
    return most is not None and max(framer.malformed_count, framer.structural_count) > most


def _store_structural(
    connection: duckdb.DuckDBPyConnection, file_id: str, structural: list[StructuralRecords]
) -> None:
    """Record where each record stands that is passed over."""
    for records in structural:
        entries = pa.table(
            {
                "record_number": records.record_number,
                "line_number": records.line_number,
                "byte_offset": records.byte_offset,
                "byte_length": records.byte_length,
            }
        )
        connection.register("incoming_structural", entries)
        connection.execute(
            "insert into landing.structural_records "
            f"select {literal(file_id)}, * from incoming_structural"
        )
        connection.unregister("incoming_structural")


def _seen_places(readable: Readable) -> tuple[int, ...]:
    """Return where ids stand in the header: they hold nothing that is not seen.

    An id is a key, a reference, or what names something that no export lists, such as an objective.
    """
    layout = readable.layout
    columns = dict(zip(layout.raw_columns, layout.columns, strict=True))
    ids = {
        raw_column
        for raw_column, column in columns.items()
        if column.is_key or column.references or column.data_type == "id"
    }
    return tuple(place for place, name in enumerate(readable.fit.placement) if name in ids)


def remove(connection: duckdb.DuckDBPyConnection, file_id: str, raw_table: str | None) -> None:
    """Remove the records of a file, and what was found of them."""
    for table in (
        *("malformed_records", "structural_records", "rejected_records", "unlinked_students"),
    ):
        connection.execute(f"delete from landing.{table} where file_id = ?", [file_id])
    if raw_table:
        connection.execute(f"delete from {raw_table} where file_id = ?", [file_id])


def _store_records(
    connection: duckdb.DuckDBPyConnection,
    file_id: str,
    readable: Readable,
    framer: Framer,
    most_malformed: int | None,
    structural: list[StructuralRecords],
) -> list[MalformedRecords]:
    """Stream the well-formed records into the raw table; return the malformed ones."""
    malformed: list[MalformedRecords] = []
    placed = [
        (f'"c{place}"', raw_column)
        for place, raw_column in enumerate(readable.fit.placement)
        if raw_column is not None
    ]
    extra = [
        (f'"c{place}"', name)
        for place, (name, raw_column) in enumerate(
            zip(readable.names, readable.fit.placement, strict=True)
        )
        if raw_column is None
    ]
    metadata = "null"
    if extra:
        names = ", ".join(literal(name) for _, name in extra)
        metadata = f"map([{names}], [{', '.join(field for field, _ in extra)}])"
    connection.register(
        "incoming_records", record_batches(framer, malformed, most_malformed, structural)
    )
    inserted = connection.execute(
        f"insert into {readable.layout.raw_table} (file_id, layout_version, "
        "record_number, line_number, byte_offset, "
        f"{', '.join(identifier(raw_column) for _, raw_column in placed)}, metadata) "
        f"select {literal(file_id)}, {literal(readable.layout.version)}, "
        "record_number, line_number, byte_offset, "
        f"{', '.join(field for field, _ in placed)}, {metadata} from incoming_records"
    ).fetchone()
    connection.unregister("incoming_records")
    well_formed = framer.record_count - framer.malformed_count - framer.structural_count
    if not _is_over(framer, most_malformed) and (inserted is None or inserted[0] != well_formed):
        raise RollcallError(
            f"{readable.member.name}: {well_formed} well-formed records were framed but "
            f"{inserted[0] if inserted else 0} were stored; nothing of this delivery was kept."
        )
    return malformed


def _store_malformed(
    connection: duckdb.DuckDBPyConnection,
    file_id: str,
    readable: Readable,
    framer: Framer,
    malformed: list[MalformedRecords],
) -> int:
    """Record where each malformed record stands; return how many hide their key."""
    if not malformed:
        return 0
    batches = _malformed_batches(file_id, readable, framer, malformed)
    reader = pa.RecordBatchReader.from_batches(_MALFORMED, batches)
    connection.register("incoming_malformed", reader)
    key = record_key(
        [
            normalized(f"nullif(record_key[{place}], '')", column.kind)
            for place, (column, _) in enumerate(readable.layout.keys, 1)
        ],
        [column.may_be_blank for column, _ in readable.layout.keys],
    )
    connection.execute(
        "insert into landing.malformed_records by name "
        f"select * replace ({key} as record_key) from incoming_malformed"
    )
    connection.unregister("incoming_malformed")
    [(count,)] = connection.execute(
        "select count(*) from landing.malformed_records where file_id = ? and record_key is null",
        [file_id],
    ).fetchall()  # to the end, since the next file is registered on the same connection
    return int(count)


def _malformed_batches(
    file_id: str, readable: Readable, framer: Framer, malformed: list[MalformedRecords]
) -> Iterator[pa.RecordBatch]:
    """Yield the entries of malformed records, a bounded number at once."""
    records = chain.from_iterable(malformed)
    with readable.member.path.open("rb") as stream:
        while batch := list(islice(records, _BATCH)):
            yield pa.record_batch(
                [
                    [file_id] * len(batch),
                    [record.record_number for record in batch],
                    [record.line_number for record in batch],
                    [record.byte_offset for record in batch],
                    [record.byte_length for record in batch],
                    [str(record.code) for record in batch],
                    list(_readable_keys(readable, batch, framer, stream)),
                ],
                schema=_MALFORMED,
            )


def _readable_keys(
    readable: Readable, malformed: list[Malformed], framer: Framer, stream: BinaryIO
) -> Iterator[list[str] | None]:
    """Yield the texts of the key of each malformed record, None where the defect comes before."""
    placement = readable.fit.placement
    positions = [placement.index(key) for key in readable.layout.key_columns]
    needed = max(positions) + 1
    for record in malformed:
        most = min(record.byte_length, 1 << 16)
        octets = framer.original(stream, record.record_number, record.byte_offset, most)
        fields = framer.fields(octets, needed)
        is_readable = len(fields) >= needed
        yield [visible(fields[p]) for p in positions] if is_readable else None


def mode_of_rows(
    connection: duckdb.DuckDBPyConnection, file_id: str, raw_table: str, columns: set[str]
) -> str | None:
    """Say what the rows look like: `delta` when at least half have a date or a status, else `bulk`.

    OneRoster leaves both columns blank in every row of a bulk file and fills them in a delta. A
    file without rows looks like a bulk, so that somebody asks before it empties its feed. None
    where the layout lacks the columns.
    """
    if not columns.issuperset(MODE_COLUMNS):
        return None
    filled = " or ".join(f"{trimmed(identifier(name))} is not null" for name in MODE_COLUMNS)
    row = connection.execute(
        f"select count(*), count(*) filter ({filled}) from {raw_table} where file_id = ?",
        [file_id],
    ).fetchone()
    count, filled_count = row or (0, 0)
    return "delta" if count and filled_count * 2 >= count else "bulk"


def times_without_zone(
    connection: duckdb.DuckDBPyConnection, file_id: str, layout: Layout
) -> list[tuple[str, int, int]]:
    """Return the staged columns of a file in which times name no zone: name, count, first line."""
    columns = [
        (column.name, trimmed(identifier(raw_column)))
        for column, raw_column in layout.staged
        if column.data_type == "datetime"
    ]
    if not columns:
        return []
    asked = ", ".join(
        f"count(*) filter ({_WITHOUT_ZONE.format(name)}), "
        f"min(line_number) filter ({_WITHOUT_ZONE.format(name)})"
        for _, name in columns
    )
    found = connection.execute(
        f"select {asked} from {layout.raw_table} where file_id = ?", [file_id]
    ).fetchone()
    counts = iter(found or ())
    return [
        (name, count, line)
        for (name, _), count, line in zip(columns, counts, counts, strict=True)
        if count
    ]
