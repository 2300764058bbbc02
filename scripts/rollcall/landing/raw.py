"""Raw tables: the records of a file as delivered, every field as text.

All functions work inside the caller's transaction.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from rollcall.contracts.layouts import Layout
from rollcall.csvfile.blanks import visible
from rollcall.csvfile.columns import record_batches
from rollcall.csvfile.framing import Framer, Malformed, leading_fields
from rollcall.csvfile.records import Defect
from rollcall.errors import RollcallError
from rollcall.landing.verdicts import MODE_COLUMNS, Readable
from rollcall.ledger.sql import identifier, literal, record_key_of, trimmed

_WITHOUT_ZONE = r"regexp_full_match({}, '\d{{4}}-\d\d-\d\d[T ][\d:.]+')"
"""SQL: the text of a column is a time that names no zone."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What storing a file showed.

    `malformed_keys` has the key of each malformed record, None where the defect comes before it;
    `is_cut_short` says that the last record lacks fields or a quote and its line has no end.
    """

    malformed_keys: list[str | None]
    is_cut_short: bool


def store(
    connection: duckdb.DuckDBPyConnection, file_id: str, readable: Readable, framer: Framer
) -> Stored:
    """Store the records of a file.

    Raises:
        RollcallError: not every well-formed record could be stored.
    """
    framer.seen_places = _seen_places(readable)
    malformed = _store_records(connection, file_id, readable, framer)
    keys = _store_malformed(connection, file_id, readable, framer, malformed)
    last = malformed[-1] if malformed else None
    return Stored(
        keys,
        last is not None
        and last.code in (Defect.TOO_FEW_FIELDS, Defect.UNCLOSED_QUOTE)
        and last.record_number == framer.record_count
        and last.byte_offset + last.byte_length == framer.byte_count,
    )


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
    for table in ("malformed_records", "rejected_records"):
        connection.execute(f"delete from landing.{table} where file_id = ?", [file_id])
    if raw_table:
        connection.execute(f"delete from {raw_table} where file_id = ?", [file_id])


def _store_records(
    connection: duckdb.DuckDBPyConnection, file_id: str, readable: Readable, framer: Framer
) -> list[Malformed]:
    """Stream the well-formed records into the raw table; return the malformed ones."""
    malformed: list[Malformed] = []
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
    connection.register("incoming_records", record_batches(framer, malformed))
    inserted = connection.execute(
        f"insert into {readable.layout.raw_table} (file_id, layout_version, "
        "record_number, line_number, byte_offset, "
        f"{', '.join(identifier(raw_column) for _, raw_column in placed)}, metadata) "
        f"select {literal(file_id)}, {literal(readable.layout.version)}, "
        "record_number, line_number, byte_offset, "
        f"{', '.join(field for field, _ in placed)}, {metadata} from incoming_records"
    ).fetchone()
    connection.unregister("incoming_records")
    well_formed = framer.record_count - framer.malformed_count
    if inserted is None or inserted[0] != well_formed:
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
    malformed: list[Malformed],
) -> list[str | None]:
    """Record where each malformed record stands; return the keys that could still be read."""
    if not malformed:
        return []
    keys = list(_readable_keys(readable, malformed, framer))
    rows = pa.table(
        {
            "file_id": [file_id] * len(malformed),
            "record_number": [record.record_number for record in malformed],
            "line_number": [record.line_number for record in malformed],
            "byte_offset": [record.byte_offset for record in malformed],
            "byte_length": [record.byte_length for record in malformed],
            "code": [str(record.code) for record in malformed],
            "record_key": pa.array(keys, pa.string()),
        }
    )
    connection.register("incoming_malformed", rows)
    connection.execute(
        "insert into landing.malformed_records by name select * from incoming_malformed"
    )
    connection.unregister("incoming_malformed")
    return keys


def _readable_keys(
    readable: Readable, malformed: list[Malformed], framer: Framer
) -> Iterator[str | None]:
    placement = readable.fit.placement
    positions = [placement.index(key) for key in readable.layout.key_columns]
    with readable.member.path.open("rb") as stream:
        for record in malformed:
            stream.seek(record.byte_offset)
            octets = stream.read(min(record.byte_length, 1 << 16))
            fields = leading_fields(octets, framer.encoding, framer.header.delimiter)
            is_readable = len(fields) > max(positions)
            yield record_key_of([visible(fields[p]) for p in positions]) if is_readable else None


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
        for column, raw_column in zip(layout.columns, layout.raw_columns, strict=True)
        if column.data_type == "datetime" and column.staged_as
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
