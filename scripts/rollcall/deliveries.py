"""Deliveries: what stands in the inbox, and the files inside it.

A delivery is a zip, a folder or one CSV (plain or gzipped) under `inbox/<source_id>/`. Its bytes
are archived before anything is read. Nothing is ever written outside the home: members of an
archive are spooled under names of our own.
"""

import errno
import gzip
import hashlib
import lzma
import os
import re
import stat
import struct
import time
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from rollcall.archive import Archived, UnpackedTooLargeError, archive_path, keep, spool
from rollcall.clock import parse_instant
from rollcall.contracts import Limits, Source
from rollcall.errors import UsageError
from rollcall.home import Home

STILL_BEING_WRITTEN = "still being written"
_UNFINISHED_SUFFIXES = (".part", ".tmp", ".filepart", ".crdownload")
_SETTLE_SECONDS = 1.5
_RATIO_APPLIES_ABOVE_BYTES = 64 << 20
_DIRECTORY_END_BYTES = 22 + 0xFFFF  # the record that ends a zip, and the longest comment in it
_COUNTED_ELSEWHERE = 0xFFFF  # said instead of a count by a zip of the 64-bit form
CANNOT_BE_READ = (
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    ValueError,
)
"""What reading a damaged zip or gzip may raise, besides OSError."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing standing in the inbox of a source.

    `kind` is zip, folder, csv or gzip; link or other for what is no delivery.
    """

    source_id: str
    path: Path
    kind: str
    signature: str

    @property
    def name(self) -> str:
        """The delivery's name as the vendor gave it."""
        return readable_name(self.path.name)


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a delivery: its name, its bytes' hash and number, and where to read them."""

    name: str
    sha256: str
    byte_count: int
    path: Path


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a delivery or a file is refused: a code and a sentence without personal values."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A delivery with its bytes in the archive; `refusal` says why its members cannot be read."""

    content_sha256: str
    archive_sha256: str | None
    byte_count: int
    members: tuple[Member, ...] = ()
    refusal: Refusal | None = None


@dataclass(slots=True)
class Inbox:
    """What an inbox holds: entries to look at, and what was left alone with the reason."""

    entries: list[Entry] = field(default_factory=list)
    left_alone: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def read_inbox(inbox: Path, source_ids: frozenset[str]) -> Inbox:
    """List the entries of every source, in a total order (source, name).

    Raises:
        UsageError: the inbox is not a folder that can be read.
    """
    found = Inbox()
    try:
        folders = sorted(path for path in inbox.iterdir() if not path.name.startswith("."))
        for folder in folders:
            if folder.is_dir() and folder.name in source_ids:
                for path in sorted(folder.iterdir()):
                    _sort_entry(folder.name, path, found)
            elif folder.is_dir():
                found.unknown.append(
                    f"{folder.name}/: no source of that name in seeds/contracts/sources.csv"
                )
    except OSError as error:
        raise UsageError(
            f"The inbox {inbox} cannot be read ({error.strerror}); "
            "name another with --inbox or set its permissions."
        ) from error
    return found


def readable_name(name: str) -> str:
    """Write a file's name so that any program can store and show it; odd characters as escapes."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def _sort_entry(source_id: str, path: Path, found: Inbox) -> None:
    if path.name.startswith("."):
        return
    where = f"{source_id}/{readable_name(path.name)}"
    try:
        if any(part.suffix.lower() in _UNFINISHED_SUFFIXES for part in (path, *_parts(path))):
            found.left_alone.append(f"{where}: {STILL_BEING_WRITTEN}")
        else:
            found.entries.append(Entry(source_id, path, _kind(path), _signature(path)))
    except OSError as error:
        found.left_alone.append(f"{where}: {_why_left(error)}")


def _kind(path: Path) -> str:
    name = path.name.lower()
    if path.is_symlink():
        return "link"
    if path.is_dir():
        return "folder"
    if not path.is_file():
        return "other"
    for suffix, kind in ((".zip", "zip"), (".csv", "csv"), (".csv.gz", "gzip")):
        if name.endswith(suffix):
            return kind
    return "other"


def _parts(path: Path) -> list[Path]:
    """List what stands in a folder, in a total order; nothing when it is none."""
    return sorted(path.iterdir()) if path.is_dir() and not path.is_symlink() else []


def _signature(path: Path) -> str:
    """Return path, size and time of an entry: enough to recognise it without reading it again."""
    is_folder = path.is_dir() and not path.is_symlink()
    lines = []
    for part in _parts(path) if is_folder else [path]:
        status = part.lstat()
        lines.append(f"{part.name}|{status.st_size}|{status.st_mtime_ns}")
    return hashlib.sha256(os.fsencode("\n".join(lines))).hexdigest()


def settle(entries: list[Entry], left_alone: list[str]) -> list[Entry]:
    """Wait until what was written a moment ago has stood still; leave alone what still moves.

    What cannot be read is left alone too. The time of a file is used for nothing but this: it says
    whether an upload may be going on.
    """
    newest = max((_written_at(entry.path) for entry in entries), default=0.0)
    time.sleep(min(max(newest + _SETTLE_SECONDS - time.time(), 0), _SETTLE_SECONDS))
    still = []
    for entry in entries:
        try:
            _touch_files(entry)
            is_still = _signature(entry.path) == entry.signature
            reason = STILL_BEING_WRITTEN
        except OSError as error:
            is_still, reason = False, _why_left(error)
        if is_still:
            still.append(entry)
        else:
            left_alone.append(f"{entry.source_id}/{entry.name}: {reason}")
    return still


def _written_at(path: Path) -> float:
    try:
        return max(part.lstat().st_mtime for part in (path, *_parts(path)))
    except OSError:
        return 0.0


def _touch_files(entry: Entry) -> None:
    """Open every file of an entry once, so that one that cannot be read shows beforehand."""
    if entry.kind in ("csv", "gzip", "zip", "folder"):
        for path in _parts(entry.path) if entry.kind == "folder" else [entry.path]:
            if path.is_file() and not path.is_symlink():
                path.open("rb").close()


def _why_left(error: OSError) -> str:
    """Say why an entry is left alone; what was there a moment ago and is gone is being moved."""
    if isinstance(error, FileNotFoundError):
        return STILL_BEING_WRITTEN
    return f"it cannot be read ({error.strerror})"


def open_delivery(entry: Entry, home: Home, limits: Limits) -> Opened | None:
    """Archive an entry's bytes and list its files; None when it is still being written."""
    opened = None
    try:
        unsettled = _open(entry, home, limits)
        if _signature(entry.path) == entry.signature:
            opened = unsettled
    except FileNotFoundError as error:
        if not Path(str(error.filename)).is_relative_to(entry.path):
            raise
    finally:
        if opened is None:
            home.empty_spool()
    return opened


def _open(entry: Entry, home: Home, limits: Limits) -> Opened:
    if entry.kind == "folder":
        return _open_folder(entry, home)
    if entry.kind == "csv":
        return _opened([_member(entry.path.name, keep(home.archive, entry.path))])
    if entry.kind in ("zip", "gzip"):
        kept = keep(home.archive, entry.path)
        unpacked = _unpack(entry.kind, entry.path.name, kept, home, limits)
        return unpacked if isinstance(unpacked, Opened) else _opened(unpacked, kept)
    if entry.kind == "link":
        return _refused(
            "ARCHIVE_UNSAFE", "It is a link, not a file; deliver the file itself.", entry.signature
        )
    return _refused(
        "NOT_A_DELIVERY", "It is neither a zip, a folder, a .csv nor a .csv.gz.", entry.signature
    )


def _open_folder(entry: Entry, home: Home) -> Opened:
    paths = [path for path in _parts(entry.path) if not path.name.startswith(".")]
    refusal = _unsafe_folder(paths)
    if refusal:
        return _refused(refusal.code, refusal.detail, entry.signature)
    return _opened([_member(path.name, keep(home.archive, path)) for path in paths])


def _unsafe_folder(paths: list[Path]) -> Refusal | None:
    """Say what makes a folder unsafe to read, or nothing; nothing has been read yet."""
    for path in paths:
        if path.is_symlink() or not path.is_file():
            return Refusal(
                "ARCHIVE_UNSAFE",
                f"'{readable_name(path.name)}' in the folder is a link or a folder; "
                "only files are read.",
            )
    if _is_repeated(path.name for path in paths):
        return Refusal("MEMBER_REPEATED", "The folder holds two files of one name, case aside.")
    return None


def reopen(
    container: str,
    delivery_name: str,
    archive_sha256: str | None,
    files: list[tuple[str, str, int]],
    home: Home,
    limits: Limits,
) -> tuple[Member, ...]:
    """List the files of a landed delivery again, from the archive; `files` is name, hash, bytes."""
    if archive_sha256 is None:
        return tuple(
            Member(name, sha256, byte_count, archive_path(home.archive, sha256))
            for name, sha256, byte_count in files
        )
    path = archive_path(home.archive, archive_sha256)
    kept = Archived(archive_sha256, path.stat().st_size, path)
    unpacked = _unpack(container, delivery_name, kept, home, limits)
    return () if isinstance(unpacked, Opened) else tuple(unpacked)


def _unpack(
    kind: str, name: str, kept: Archived, home: Home, limits: Limits
) -> list[Member] | Opened:
    """Spool the files of an archived zip or gzip, or say why it is refused."""
    try:
        if kind == "gzip":
            with gzip.open(kept.path) as stream:
                inside = spool(stream, home.spool, _most_bytes(kept.byte_count, limits))
            return [_member(name[: -len(".gz")], inside)]
        with zipfile.ZipFile(kept.path) as archive:
            _check_directory(archive, kept)
            unsafe = _unsafe(archive, kept.byte_count, limits)
            if unsafe:
                return _refused(unsafe.code, unsafe.detail, kept.sha256, kept)
            members = []
            room = _most_bytes(kept.byte_count, limits)
            for info in sorted(archive.infolist(), key=lambda info: info.filename):
                with archive.open(info) as stream:
                    inside = spool(stream, home.spool, room)
                room -= inside.byte_count
                members.append(_member(info.filename, inside))
            return members
    except UnpackedTooLargeError:
        return _refused(
            "ARCHIVE_TOO_LARGE",
            f"It holds more than {_most_bytes(kept.byte_count, limits)} bytes, which limits.csv "
            "does not allow for its size.",
            kept.sha256,
            kept,
        )
    except (*CANNOT_BE_READ, OSError) as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        return _refused(
            "ARCHIVE_UNREADABLE",
            f"The {kind} of {kept.byte_count} bytes is damaged or cut short.",
            kept.sha256,
            kept,
        )


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


def _unsafe(archive: zipfile.ZipFile, byte_count: int, limits: Limits) -> Refusal | None:
    """Say what makes a zip unsafe to unpack, or nothing; nothing has been unpacked yet."""
    infos = archive.infolist()
    if len(infos) > limits.max_members:
        return Refusal(
            "ARCHIVE_TOO_LARGE",
            f"The zip has {len(infos)} members; at most {limits.max_members:.0f} are read.",
        )
    unpacked = sum(info.file_size for info in infos)
    if unpacked > _most_bytes(byte_count, limits):
        return Refusal("ARCHIVE_TOO_LARGE", f"The zip would unpack to {unpacked} bytes.")
    for info in infos:
        if "/" in info.filename or "\\" in info.filename or info.filename in ("", ".", ".."):
            return Refusal(
                "ARCHIVE_UNSAFE", "The zip holds folders or paths; its files stand at its root."
            )
        if stat.S_ISLNK(info.external_attr >> 16):
            return Refusal("ARCHIVE_UNSAFE", "The zip holds a link.")
        if info.flag_bits & 0x1:
            return Refusal("ARCHIVE_ENCRYPTED", "The zip is encrypted; Rollcall has no password.")
        if info.filename.lower().endswith((".zip", ".gz", ".tar", ".7z")):
            return Refusal("ARCHIVE_NESTED", "The zip holds another archive.")
    if _is_repeated(info.filename for info in infos):
        return Refusal("MEMBER_REPEATED", "The zip holds two files of one name, case aside.")
    return None


def _is_repeated(names: Iterable[str]) -> bool:
    """Say whether two names are shown alike, case aside."""
    shown = [readable_name(name).lower() for name in names]
    return len(set(shown)) < len(shown)


def _member(name: str, archived: Archived) -> Member:
    return Member(readable_name(name), archived.sha256, archived.byte_count, archived.path)


def _opened(members: list[Member], kept: Archived | None = None) -> Opened:
    listing = "\n".join(f"{member.sha256} {member.name}" for member in members)
    refusal = None if members else Refusal("DELIVERY_EMPTY", "The delivery holds no file.")
    return Opened(
        content_sha256=hashlib.sha256(listing.encode()).hexdigest(),
        archive_sha256=kept.sha256 if kept else None,
        byte_count=sum(member.byte_count for member in members),
        members=tuple(members),
        refusal=refusal,
    )


def _refused(code: str, detail: str, sha256: str, kept: Archived | None = None) -> Opened:
    return Opened(
        content_sha256=sha256,
        archive_sha256=kept.sha256 if kept else None,
        byte_count=kept.byte_count if kept else 0,
        refusal=Refusal(code, detail),
    )


def export_time(source: Source, delivery_name: str, seen_at: datetime) -> datetime | None:
    """Return the export boundary of a delivery by its source's policy, or None when unreadable.

    `name`: the time that `name_pattern` finds in the delivery's name. `receipt`: when it was seen.
    """
    if source.exported_at_policy == "receipt":
        return seen_at
    found = re.search(source.name_pattern, delivery_name)
    if not found:
        return None
    try:
        return parse_instant(found["exported_at"], delivery_name)
    except UsageError:
        return None
