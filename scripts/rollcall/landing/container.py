"""Containers: a delivery's files, out of a zip, a gzip, a folder or a single file.

The bytes are archived before anything is read. Nothing is ever written outside the data directory:
members of an archive are spooled under names of our own.
"""

import errno
import gzip
import hashlib
import io
import os
import stat
import struct
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rollcall.archived import check_archived, damaged_bytes
from rollcall.contracts.project import DATA_ENDINGS
from rollcall.contracts.sources import Limits, Source
from rollcall.errors import CANNOT_BE_READ
from rollcall.home import Home
from rollcall.landing.archive import Archived, UnpackedTooLargeError, keep, spool
from rollcall.landing.entries import Entry, open_part, parts_of, signature_of
from rollcall.sanitize import readable_name
from rollcall.zipped import UnsafeZipError, is_clutter, members_called, split_members

_RATIO_APPLIES_ABOVE_BYTES = 64 << 20
_DIRECTORY_END_BYTES = 22 + 0xFFFF  # the record that ends a zip, and the longest comment in it
_MOST_DIRECTORY_BYTES = 8 << 20
"""How long the list of a zip's members may be: Python keeps an object of each in memory."""
_COUNTED_ELSEWHERE = 0xFFFF  # stands instead of a count by a zip of the 64-bit form


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a delivery: its name, its bytes' hash and number, and where to read them.

    `is_mended` when it stood in the archive already, damaged.
    """

    name: str
    sha256: str
    byte_count: int
    path: Path
    is_mended: bool = False


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a delivery or a file is rejected: a code and a sentence without personal values."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A delivery with its bytes in the archive; `rejection` says why its members cannot be read.

    `aside` names what it holds besides files of the export, `mended` those of its files that stood
    in the archive already, damaged.
    """

    content_sha256: str
    archive_sha256: str | None
    byte_count: int
    members: tuple[Member, ...] = ()
    aside: tuple[str, ...] = ()
    rejection: Rejection | None = None
    mended: tuple[str, ...] = ()


def open_delivery(entry: Entry, home: Home, source: Source) -> Opened | None:
    """Archive an entry's bytes and list its files; None when it is still being written."""
    opened = None
    try:
        unsettled = _open(entry, home, source)
        if signature_of(entry.path) == entry.signature:
            opened = unsettled
    except FileNotFoundError as error:
        if not Path(str(error.filename)).is_relative_to(entry.path):
            raise
    finally:
        if opened is None:
            home.empty_spool()
    return opened


def _open(entry: Entry, home: Home, source: Source) -> Opened:
    name = entry.path.name
    if entry.kind == "folder":
        return _open_folder(entry, home, source)
    if entry.kind == "csv":
        return _opened([_member(name, _keep(entry, entry.path, home))])
    if entry.kind in ("zip", "gzip"):
        kept = _keep(entry, entry.path, home)
        opened = _unpack(entry.kind, name, kept, home, source)
        return replace(opened, mended=(readable_name(name),) * kept.is_mended)
    if entry.kind == "link":
        return _rejected(
            "ARCHIVE_UNSAFE", "It is a link, not a file; deliver the file itself.", entry.signature
        )
    return _rejected(
        "NOT_A_DELIVERY",
        f"It is neither a zip, a folder, nor a {', '.join(DATA_ENDINGS)} or one of these with .gz.",
        entry.signature,
    )


def _open_folder(entry: Entry, home: Home, source: Source) -> Opened:
    parts = parts_of(entry.path)
    aside = [path.name for path in parts if is_clutter(path.name, source.ignore_files)]
    paths = [path for path in parts if path.name not in aside]
    rejection = _unsafe_folder(paths, source.limits)
    if rejection:
        return _rejected(rejection.code, rejection.detail, entry.signature)
    members = [_member(path.name, _keep(entry, path, home)) for path in paths]
    return _opened(members, aside=aside)


def _keep(entry: Entry, path: Path, home: Home) -> Archived:
    with open_part(entry, path) as stream:
        return keep(home.archive, stream)


def _unsafe_folder(paths: list[Path], limits: Limits) -> Rejection | None:
    """Say what makes a folder unsafe to read, or nothing; nothing has been read yet."""
    if len(paths) > limits.max_members:
        return Rejection(
            "ARCHIVE_TOO_LARGE",
            f"The folder holds {len(paths)} files; at most {limits.max_members:.0f} are read.",
        )
    for path in paths:
        if path.is_symlink() or not path.is_file():
            return Rejection(
                "ARCHIVE_UNSAFE",
                f"'{readable_name(path.name)}' in the folder is a link or a folder; "
                "only files are read.",
            )
        if nested := _nested("folder", path.name):
            return nested
    if _has_duplicates(path.name for path in paths):
        return Rejection("MEMBER_REPEATED", "The folder holds two files of one name, case aside.")
    return None


def _nested(kind: str, name: str) -> Rejection | None:
    """Reject an archive inside a container, which nobody has said how to read."""
    if not name.lower().endswith((".zip", ".gz", ".tar", ".7z")):
        return None
    return Rejection(
        "ARCHIVE_NESTED", f"The {kind} holds another archive, '{readable_name(name)}'."
    )


def reopen(
    delivery: Mapping[str, Any],
    files: Sequence[tuple[str, str, int]],
    home: Home,
    limits: Limits,
) -> tuple[Member, ...]:
    """List files of a landed delivery again, from the archive, where each is hashed.

    Args:
        delivery: the entry of the delivery in the ledger.
        files: name, hash and number of bytes of each file.
        home: the data directory.
        limits: those of the source.

    Raises:
        DamagedBytesError: the archive does not hold the delivery as it came.
    """
    where = f"{delivery['source_id']}/{delivery['delivery_name']}"
    if delivery["archive_sha256"] is None:
        return tuple(
            Member(name, sha256, size, check_archived(home, sha256, f"{where}/{name}"))
            for name, sha256, size in files
        )
    path = check_archived(home, delivery["archive_sha256"], where)
    members: Iterable[Member] = ()
    room = _most_bytes(path.stat().st_size, limits)
    with suppress(*CANNOT_BE_READ, UnpackedTooLargeError, UnsafeZipError):
        if delivery["container"] == "gzip":
            with gzip.open(path) as stream:
                members = [_member(name, spool(stream, home.spool, room)) for name, _, _ in files]
        else:
            with zipfile.ZipFile(path) as archive:
                called = members_called(archive, ((name, size) for name, _, size in files))
                members = list(_spooled(archive, called, home, room))
    found = {(member.name, member.sha256): member for member in members}
    for name, sha256, _ in files:
        if (name, sha256) not in found:
            raise damaged_bytes(f"{where}/{name}", path)
    return tuple(found[name, sha256] for name, sha256, _ in files)


def _unpack(kind: str, name: str, kept: Archived, home: Home, source: Source) -> Opened:
    """Spool the files of an archived zip or gzip, or say why it is rejected."""
    try:
        if kind == "gzip":
            return _unzip_one(name, kept, home, source)
        return _unzip(kept, home, source)
    except UnpackedTooLargeError as error:
        return _rejected(
            "ARCHIVE_TOO_LARGE",
            str(error)
            or f"It holds more than {_most_bytes(kept.byte_count, source.limits)} bytes, which "
            "limits.csv does not allow for its size.",
            kept.sha256,
            kept,
        )
    except UnsafeZipError as error:
        return _rejected("ARCHIVE_UNSAFE", str(error), kept.sha256, kept)
    except (*CANNOT_BE_READ, OSError) as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        why = "is damaged or cut short"
        if isinstance(error, NotImplementedError):
            why = "is packed in a way that few programs read; have it packed by deflate"
        return _rejected(
            "ARCHIVE_UNREADABLE",
            f"The {kind} of {kept.byte_count} bytes {why}.",
            kept.sha256,
            kept,
        )


def _unzip_one(name: str, kept: Archived, home: Home, source: Source) -> Opened:
    """Spool the one file of a gzip."""
    with gzip.open(kept.path) as stream:
        inside = spool(stream, home.spool, _most_bytes(kept.byte_count, source.limits))
    return _opened([_member(name[: -len(".gz")], inside)], kept)


class _Listed(io.FileIO):
    """A zip of which no more is read at once than the list of its members may be long."""

    def read(self, size: int | None = -1) -> bytes:
        """Read some bytes.

        Raises:
            UnpackedTooLargeError: the list of members is longer.
        """
        if size is not None and size > _MOST_DIRECTORY_BYTES:
            raise UnpackedTooLargeError(f"The zip lists its members in {size} bytes.")
        return super().read(size)


def _unzip(kept: Archived, home: Home, source: Source) -> Opened:
    """Spool the files of a zip."""
    with _Listed(kept.path) as file, zipfile.ZipFile(file) as archive:
        _check_directory(archive, kept)
        files, aside = split_members(archive, source.ignore_files)
        unsafe = _unsafe(archive, files, kept.byte_count, source.limits)
        if unsafe:
            return _rejected(unsafe.code, unsafe.detail, kept.sha256, kept)
        room = _most_bytes(kept.byte_count, source.limits)
        members = list(_spooled(archive, files, home, room))
        return _opened(sorted(members, key=lambda member: member.name), kept, aside)


def _spooled(
    archive: zipfile.ZipFile,
    files: Iterable[tuple[str, zipfile.ZipInfo]],
    home: Home,
    room: int,
) -> Iterator[Member]:
    """Spool some members of a zip, which may take so many bytes together."""
    for name, info in files:
        with archive.open(info) as stream:
            inside = spool(stream, home.spool, room)
        room -= inside.byte_count
        yield _member(name, inside)


def _check_directory(archive: zipfile.ZipFile, kept: Archived) -> None:
    """Compare the members found with how many the zip says it has; zipfile leaves that unchecked.

    Raises:
        BadZipFile: the directory is damaged, so that members would be missed.
    """
    with kept.path.open("rb") as stream:
        stream.seek(-min(kept.byte_count, _DIRECTORY_END_BYTES), os.SEEK_END)
        tail = stream.read()
    (count,) = struct.unpack_from("<H", tail, tail.rindex(b"PK\x05\x06") + 10)
    if count not in (len(archive.infolist()), _COUNTED_ELSEWHERE):
        raise zipfile.BadZipFile


def _most_bytes(byte_count: int, limits: Limits) -> int:
    """Return how many bytes an archive of that size may unpack to."""
    by_ratio = max(byte_count * limits.max_unpacked_ratio, _RATIO_APPLIES_ABOVE_BYTES)
    return int(min(limits.max_unpacked_bytes, by_ratio))


def _unsafe(
    archive: zipfile.ZipFile,
    files: list[tuple[str, zipfile.ZipInfo]],
    byte_count: int,
    limits: Limits,
) -> Rejection | None:
    """Say what makes a zip unsafe to unpack, or nothing; nothing has been unpacked yet."""
    infos = archive.infolist()
    if len(infos) > limits.max_members:
        return Rejection(
            "ARCHIVE_TOO_LARGE",
            f"The zip has {len(infos)} members; at most {limits.max_members:.0f} are read.",
        )
    unpacked = sum(info.file_size for info in infos)
    if unpacked > _most_bytes(byte_count, limits):
        return Rejection("ARCHIVE_TOO_LARGE", f"The zip would unpack to {unpacked} bytes.")
    if any(stat.S_ISLNK(info.external_attr >> 16) for info in infos):
        return Rejection("ARCHIVE_UNSAFE", "The zip holds a link.")
    for name, info in files:
        if info.flag_bits & 0x1:
            return Rejection("ARCHIVE_ENCRYPTED", "The zip is encrypted; Rollcall has no password.")
        if nested := _nested("zip", name):
            return nested
    if _has_duplicates(name for name, _ in files):
        return Rejection("MEMBER_REPEATED", "The zip holds two files of one name, case aside.")
    return None


def _has_duplicates(names: Iterable[str]) -> bool:
    """Say whether two names are shown alike, case aside."""
    shown = [readable_name(name).lower() for name in names]
    return len(set(shown)) < len(shown)


def _member(name: str, archived: Archived) -> Member:
    return Member(
        *(readable_name(name), archived.sha256, archived.byte_count, archived.path),
        is_mended=archived.is_mended,
    )


def _opened(
    members: list[Member], kept: Archived | None = None, aside: Iterable[str] = ()
) -> Opened:
    listing = "\n".join(f"{member.sha256} {member.name}" for member in members)
    rejection = None if members else Rejection("DELIVERY_EMPTY", "The delivery holds no file.")
    return Opened(
        content_sha256=hashlib.sha256(listing.encode()).hexdigest(),
        archive_sha256=kept.sha256 if kept else None,
        byte_count=sum(member.byte_count for member in members),
        members=tuple(members),
        aside=tuple(readable_name(name) for name in aside),
        rejection=rejection,
        mended=tuple(member.name for member in members if member.is_mended),
    )


def _rejected(code: str, detail: str, sha256: str, kept: Archived | None = None) -> Opened:
    return Opened(
        content_sha256=sha256,
        archive_sha256=kept.sha256 if kept else None,
        byte_count=kept.byte_count if kept else 0,
        rejection=Rejection(code, detail),
    )
