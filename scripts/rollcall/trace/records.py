"""Traced records: where a record stands, what it says, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rollcall.ledger.sql import literal
from rollcall.trace.originals import STRUCTURAL, Original, Pointer
from rollcall.trace.reader import Reader


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands, in the file as delivered; `line` is the record itself, when read.

    `sha256` is that of the file. The archive keeps a packed one inside `archive_sha256`.
    """

    file: str
    file_id: str
    feed: str | None
    sha256: str
    archive_sha256: str | None
    exported_at: datetime | None
    landed_at: datetime
    record_number: int
    line_number: int
    byte_offset: int
    byte_length: int | None = None
    line: str | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a record or its file was rejected, or what was noted of it; no personal values."""

    code: str
    column_name: str | None
    sentence: str | None


@dataclass(frozen=True, slots=True)
class Version:
    """One record of a key and what became of it.

    `verdict` is accepted, duplicate, rejected, malformed or structural (passed over); or, of its
    file, held, replaced or waiting (no published cycle has seen it). Of an accepted one, `status`
    is newest, superseded (a later export changed it), outdated (it came later but said something
    older) or raw_only.
    """

    record: Place
    verdict: str
    status: str | None
    reasons: list[Reason]


def places(reader: Reader, pointers: Sequence[Pointer], *, with_lines: bool) -> list[Place]:
    """Say where records stand, in the order given; with the records themselves if wanted.

    Raises:
        RollcallError: the archive does not hold a file as it was delivered.
    """
    reader.load(pointer.file_id for pointer in pointers)
    if not with_lines:
        return [_place(reader.file(pointer.file_id), pointer, None) for pointer in pointers]
    return [
        _place(reader.file(pointer.file_id), pointer, original)
        for pointer, original in zip(pointers, reader.originals(pointers), strict=True)
    ]


def _place(file: dict[str, Any], pointer: Pointer, original: Original | None) -> Place:
    return Place(
        file=f"{file['source_id']}/{file['delivery_name']}/{file['file_name']}",
        file_id=pointer.file_id,
        feed=file["feed"],
        sha256=file["sha256"],
        archive_sha256=file["archive_sha256"],
        exported_at=file["exported_at"],
        landed_at=file["landed_at"],
        record_number=pointer.record_number,
        line_number=pointer.line_number,
        byte_offset=pointer.byte_offset,
        byte_length=original.byte_length if original else None,
        line=original.text if original else None,
    )


def judge(reader: Reader, pointers: Sequence[Pointer], key: str | None) -> list[Version]:
    """Say what became of records of one source and feed that name one key, oldest export first."""
    if not pointers:
        return []
    among = (
        f"file_id in ({', '.join({literal(pointer.file_id): 0 for pointer in pointers})}) and "
        f"record_number in ({', '.join(str(pointer.record_number) for pointer in pointers)})"
    )
    noted: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for table, verdict in (("audit_rejected_record", "verdict"), ("audit_record_warning", "null")):
        for row in reader.rows(
            "select file_id, record_number, code, column_name, message, "
            f"{verdict} as verdict from good.audit.{table} where {among} "
            "order by code, column_name"
        ):
            noted.setdefault((row["file_id"], row["record_number"]), []).append(row)
    explained = {
        row["code"]: row["explanation"]
        for row in reader.rows("select code, explanation from good.reference.error_codes")
    }
    newest = _newest(reader, pointers[0], key)
    versions = [
        _version(
            reader.file(pointer.file_id),
            pointer,
            place,
            noted.get((pointer.file_id, pointer.record_number), []),
            newest,
            explained,
        )
        for pointer, place in zip(pointers, places(reader, pointers, with_lines=False), strict=True)
    ]
    return sorted(
        versions,
        key=lambda version: (
            version.record.exported_at or version.record.landed_at,
            version.record.file,
            version.record.record_number,
        ),
    )


def _newest(reader: Reader, pointer: Pointer, key: str | None) -> dict[str, Any] | None:
    """Return file, record number and export time of the version of a key that the mart holds."""
    file = reader.file(pointer.file_id)
    mart = reader.mart(file["feed"])
    if mart is None or key is None:
        return None
    found = reader.rows(
        f"select file_id, record_number, exported_at from good.{mart.table} "
        f"where source_id = ? and {mart.key} = ?",
        file["source_id"],
        key,
    )
    return found[0] if found else None


def _version(
    file: dict[str, Any],
    pointer: Pointer,
    place: Place,
    noted: list[dict[str, Any]],
    newest: dict[str, Any] | None,
    explained: dict[str, str],
) -> Version:
    of_file = [Reason(file["code"], None, file["detail"])] if file["code"] else []
    of_record = [Reason(row["code"], row["column_name"], row["message"]) for row in noted]
    is_held = file["verdict"] == "held"
    if pointer.malformed_code == STRUCTURAL:
        return Version(place, "structural", None, [])
    if pointer.malformed_code:
        of_record = [Reason(pointer.malformed_code, None, explained[pointer.malformed_code])]
        is_rejected = file["verdict"] == "rejected"
        return Version(place, "malformed", None, of_record + of_file * is_rejected)
    is_refused = file["decision"] == "refuse" and not file["are_removals_held"]
    if file["verdict"] == "rejected" or is_refused or file["decision"] == "withdraw":
        return Version(place, "rejected", None, of_file)
    if is_held and file["decision"] != "release":
        return Version(place, "held", None, of_file)
    if file["decision"] == "supersede":
        return Version(place, "replaced", None, [])
    if not file["is_visible"]:
        return Version(place, "waiting", None, [])
    if noted and noted[0]["verdict"]:
        return Version(place, noted[0]["verdict"], None, of_record)
    return Version(place, "accepted", _status(place, newest), of_record)


def _status(place: Place, newest: dict[str, Any] | None) -> str:
    if newest is None:
        return "raw_only"
    if (newest["file_id"], newest["record_number"]) == (place.file_id, place.record_number):
        return "newest"
    is_older = place.exported_at is None or place.exported_at < newest["exported_at"]
    return "superseded" if is_older else "outdated"
