"""Originals: records of landed files as they were delivered, cut from the archive.

Nothing is unpacked and nothing is locked. A file, of a zip or gzip too, is hashed when it is
opened, so that what is cut from it is what was delivered.
"""

import gzip
import hashlib
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO, cast

from rollcall.archived import damaged_bytes
from rollcall.contracts.layouts import Framing
from rollcall.contracts.sources import MANIFEST
from rollcall.csvfile.framing import MAX_RECORD_BYTES
from rollcall.csvfile.opening import open_records
from rollcall.errors import CANNOT_BE_READ
from rollcall.home import Home, archive_path
from rollcall.ledger.entries import delivery_of, find_file
from rollcall.zipped import members_called

_LINE_END = re.compile(r"\r\n|\r|\n")
_HEADER_BYTES = 1 << 16
STRUCTURAL = "STRUCTURAL"
"""Stands as the code of a record that the layout of its file has passed over."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where a record starts in a file as delivered.

    One that is malformed, or passed over, has a length and a code.
    """

    file_id: str
    record_number: int
    line_number: int
    byte_offset: int
    byte_length: int | None = None
    malformed_code: str | None = None


@dataclass(frozen=True, slots=True)
class Original:
    """A record as delivered: its text, with bytes that are no text escaped; its bytes and lines.

    `fields` ends where the record breaks the grammar of CSV. Of a record that was rejected for its
    length, text and fields are those of its beginning.
    """

    text: str
    fields: list[str]
    byte_length: int
    line_count: int


@contextmanager
def open_original(
    home: Home, delivery: Mapping[str, Any], file: Mapping[str, Any]
) -> Iterator[BinaryIO]:
    """Open a landed file as it was delivered, to be read from the archive.

    Args:
        home: the data directory.
        delivery: the entry of the delivery in the ledger; it was not rejected.
        file: the entry of the file.

    Raises:
        DamagedBytesError: the archive does not hold the file as it was delivered.
    """
    path = archive_path(home.archive, delivery["archive_sha256"] or file["sha256"])
    with ExitStack() as closing:
        try:
            stream = closing.enter_context(_opened(path, delivery, file))
            found = hashlib.file_digest(cast(BufferedReader, stream), "sha256").hexdigest()
            is_as_delivered = found == file["sha256"]
            stream.seek(0)
        except (*CANNOT_BE_READ, OSError):
            is_as_delivered = False
        if not is_as_delivered:
            where = f"{file['source_id']}/{file['delivery_name']}/{file['file_name']}"
            raise damaged_bytes(where, path)
        yield stream


@contextmanager
def _opened(path: Path, delivery: Mapping[str, Any], file: Mapping[str, Any]) -> Iterator[BinaryIO]:
    """Open a file, or a member of a zip or gzip, that is archived at a path."""
    if delivery["container"] == "zip":
        with zipfile.ZipFile(path) as archive:
            called = [(file["file_name"], file["byte_count"])]
            (_, member), *_ = members_called(archive, called)
            with archive.open(member) as stream:
                yield cast(BinaryIO, stream)
    elif delivery["container"] == "gzip":
        with gzip.open(path) as packed:
            yield cast(BinaryIO, packed)
    else:
        with path.open("rb") as plain:
            yield plain


@contextmanager
def open_landed(home: Home, name: str) -> Iterator[tuple[dict[str, Any], BinaryIO]]:
    """Open a landed file, by its id or name, as it was delivered; gives its entry and its bytes.

    Raises:
        UsageError: the file is not found.
        DamagedBytesError: the archive does not hold it as it was delivered.
    """
    with home.landing(read_only=True) as connection:
        file = find_file(connection, name)
        delivery = delivery_of(connection, file)
    with open_original(home, delivery, file) as stream:
        yield file, stream


def manifest_beside(home: Home, name: str) -> str | None:
    """Return the id of the manifest that came with a landed file; None when there is none."""
    with home.landing(read_only=True) as connection:
        found = connection.execute(
            "select file_id from landing.files where delivery_id = ? and feed = ? "
            "and verdict = 'accepted' order by file_id limit 1",
            [find_file(connection, name)["delivery_id"], MANIFEST],
        ).fetchone()
    return found[0] if found else None


def cut(
    stream: BinaryIO, encoding: str, framing: Framing, pointers: Iterable[Pointer]
) -> dict[int, Original]:
    """Cut records from a file as delivered: record number -> original."""
    found = {}
    stream.seek(0)
    framer = open_records(stream, encoding, framing, block_bytes=_HEADER_BYTES)
    for pointer in sorted(pointers, key=lambda pointer: pointer.record_number):
        length = pointer.byte_length
        most = None if length is None else min(length, MAX_RECORD_BYTES)
        octets = framer.original(stream, pointer.record_number, pointer.byte_offset, most)
        text = octets.decode(framer.encoding, "backslashreplace")
        line_count = len(_LINE_END.findall(text)) + 1
        fields = framer.fields(octets)
        found[pointer.record_number] = Original(
            text, fields, len(octets) if length is None else length, line_count
        )
    return found


def column_names(stream: BinaryIO, encoding: str, framing: Framing) -> tuple[str, ...]:
    """Read the header of a file as delivered."""
    return open_records(stream, encoding, framing, block_bytes=_HEADER_BYTES).header.names


def frame_pointers(
    stream: BinaryIO, file_id: str, encoding: str, framing: Framing, max_record_bytes: int
) -> Iterator[Pointer]:
    """Point at every record of a file in its order; needed where the records are not stored."""
    for frame in open_records(stream, encoding, framing, max_record_bytes):
        starts = zip(
            frame.record_number.tolist(),
            frame.line_number.tolist(),
            frame.byte_offset.tolist(),
            strict=True,
        )
        found = [Pointer(file_id, *start) for start in starts]
        found += [
            Pointer(
                file_id,
                record.record_number,
                record.line_number,
                record.byte_offset,
                record.byte_length,
                str(record.code),
            )
            for record in frame.malformed
        ]
        found += [
            Pointer(file_id, *record, STRUCTURAL)
            for record in zip(
                frame.structural.record_number.tolist(),
                frame.structural.line_number.tolist(),
                frame.structural.byte_offset.tolist(),
                frame.structural.byte_length.tolist(),
                strict=True,
            )
        ]
        yield from sorted(found, key=lambda pointer: pointer.record_number)
