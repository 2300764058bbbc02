"""Deliveries: what stands in the inbox, and the files inside it.

A delivery is a zip, a folder or one CSV under `inbox/<source_id>/`. Its bytes are archived before
anything is read. Nothing is ever written outside the home: members of a zip are spooled under
names of our own.
"""

import hashlib
import re
import stat
import time
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from rollcall.archive import Archived, keep, spool
from rollcall.clock import parse_instant
from rollcall.errors import UsageError
from rollcall.home import Home
from rollcall.layouts import Source

_UNFINISHED_SUFFIXES = (".part", ".tmp", ".filepart", ".crdownload")
_SETTLE_SECONDS = 1.5
_MAX_MEMBERS = 1_000
_MAX_UNPACKED_BYTES = 50 << 30
_MAX_RATIO = 500
_RATIO_APPLIES_ABOVE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing standing in the inbox of a source: `kind` is zip, folder or csv."""

    source_id: str
    path: Path
    kind: str
    signature: str

    @property
    def name(self) -> str:
        """The delivery's name as the vendor gave it."""
        return self.path.name


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


def _sort_entry(source_id: str, path: Path, found: Inbox) -> None:
    name = f"{source_id}/{path.name}"
    if path.name.startswith("."):
        return
    if path.is_symlink():
        found.unknown.append(f"{name}: a link, not a file; deliver the file itself")
    elif path.suffix.lower() in _UNFINISHED_SUFFIXES or any(_unfinished_parts(path)):
        found.left_alone.append(f"{name}: still being written")
    elif path.is_dir():
        found.entries.append(Entry(source_id, path, "folder", _signature(path)))
    elif path.suffix.lower() == ".zip":
        found.entries.append(Entry(source_id, path, "zip", _signature(path)))
    elif path.suffix.lower() == ".csv":
        found.entries.append(Entry(source_id, path, "csv", _signature(path)))
    else:
        found.unknown.append(f"{name}: neither a zip, a folder nor a .csv")


def _unfinished_parts(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from (part for part in path.iterdir() if part.suffix in _UNFINISHED_SUFFIXES)


def _signature(path: Path) -> str:
    """Return path, size and time of an entry: enough to recognise it without reading it again."""
    parts = sorted(path.iterdir()) if path.is_dir() else [path]
    lines = []
    for part in parts:
        status = part.lstat()
        lines.append(f"{part.name}|{status.st_size}|{status.st_mtime_ns}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def open_delivery(entry: Entry, home: Home) -> Opened | None:
    """Archive an entry's bytes and list its files; None when it is still being written."""
    if entry.kind == "zip":
        opened = _open_zip(entry, home)
    elif entry.kind == "folder":
        opened = _open_folder(entry, home)
    else:
        opened = _opened([_member(entry.path.name, keep(home.archive, entry.path))])
    return opened if _signature(entry.path) == entry.signature else None


def _open_folder(entry: Entry, home: Home) -> Opened:
    members = []
    for path in sorted(entry.path.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_symlink() or not path.is_file():
            return _refused(
                "ARCHIVE_UNSAFE",
                f"'{path.name}' in the folder is a link or a folder; only files are read.",
                hashlib.sha256(entry.signature.encode()).hexdigest(),
            )
        members.append(_member(path.name, keep(home.archive, path)))
    return _opened(members)


def _open_zip(entry: Entry, home: Home) -> Opened | None:
    if not zipfile.is_zipfile(entry.path):
        time.sleep(_SETTLE_SECONDS)
        if _signature(entry.path) != entry.signature:
            return None
    kept = keep(home.archive, entry.path)
    try:
        with zipfile.ZipFile(kept.path) as archive:
            unsafe = _unsafe(archive, kept.byte_count)
            if unsafe:
                return _refused("ARCHIVE_UNSAFE", unsafe, kept.sha256, kept)
            members = []
            for info in sorted(archive.infolist(), key=lambda info: info.filename):
                with archive.open(info) as stream:
                    members.append(_member(info.filename, spool(stream, home.spool)))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        return _refused(
            "ARCHIVE_UNREADABLE",
            f"The zip of {kept.byte_count} bytes is damaged or cut short.",
            kept.sha256,
            kept,
        )
    return _opened(members, kept)


def _unsafe(archive: zipfile.ZipFile, byte_count: int) -> str | None:
    """Say what makes a zip unsafe to unpack, or nothing."""
    infos = archive.infolist()
    names = [info.filename for info in infos]
    unpacked = sum(info.file_size for info in infos)
    if len(infos) > _MAX_MEMBERS:
        return f"The zip has {len(infos)} members; at most {_MAX_MEMBERS} are read."
    if len({name.lower() for name in names}) < len(names):
        return "The zip holds two members of one name."
    if unpacked > _MAX_UNPACKED_BYTES or (
        unpacked > _RATIO_APPLIES_ABOVE_BYTES and unpacked > _MAX_RATIO * byte_count
    ):
        return f"The zip would unpack to {unpacked} bytes."
    for info in infos:
        if "/" in info.filename or "\\" in info.filename or info.filename in ("", ".", ".."):
            return "The zip holds folders or paths; OneRoster files stand at its root."
        if stat.S_ISLNK(info.external_attr >> 16):
            return "The zip holds a link."
        if info.flag_bits & 0x1:
            return "The zip is encrypted."
        if info.filename.lower().endswith((".zip", ".gz")):
            return "The zip holds another archive."
    return None


def _member(name: str, archived: Archived) -> Member:
    return Member(name, archived.sha256, archived.byte_count, archived.path)


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
