"""Entries: what lies in the inbox, and whether it is still being written."""

import errno
import hashlib
import os
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from rollcall.contracts.project import DATA_ENDINGS
from rollcall.contracts.sources import Source
from rollcall.errors import UsageError
from rollcall.sanitize import readable_name
from rollcall.zipped import is_clutter

STILL_BEING_WRITTEN = "still being written"
_UNFINISHED_SUFFIXES = (".part", ".tmp", ".filepart", ".crdownload")
_SETTLE_SECONDS = 1.5
_PLAIN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""Follow no link, and do not wait until somebody writes into a pipe."""
_KINDS = (
    (".zip", "zip"),
    *((ending, "csv") for ending in DATA_ENDINGS),
    *((f"{ending}.gz", "gzip") for ending in DATA_ENDINGS),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in the inbox of a source.

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


@dataclass(slots=True)
class Inbox:
    """What an inbox holds: entries to look at, and what was left alone with the reason."""

    entries: list[Entry] = field(default_factory=list)
    left_alone: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def read_inbox(inbox: Path, sources: Mapping[str, Source]) -> Inbox:
    """List the entries of every source, in a total order (source, name).

    What a computer adds, or a source has ignored, is none. A source whose folder cannot be read is
    left alone.

    Raises:
        UsageError: the inbox is not a folder that can be read.
    """
    try:
        folders = sorted(path for path in inbox.iterdir() if not is_clutter(path.name))
    except OSError as error:
        raise UsageError(
            f"The inbox {inbox} cannot be read ({error.strerror}); "
            "name another with --inbox or set its permissions."
        ) from error
    found = Inbox()
    for folder in folders:
        try:
            _read_folder(folder, sources, found)
        except OSError as error:
            found.left_alone.append(f"{readable_name(folder.name)}: {_why_left(error)}")
    return found


def _read_folder(folder: Path, sources: Mapping[str, Source], found: Inbox) -> None:
    """List the entries of one source; what is no folder of a source is not understood."""
    name = readable_name(folder.name)
    if not folder.is_dir():
        found.unknown.append(f"{name}: it is no folder; put it into the folder of its source")
    elif folder.name not in sources:
        found.unknown.append(f"{name}/: no source of that name in seeds/contracts/sources.csv")
    else:
        for path in sorted(folder.iterdir()):
            if not is_clutter(path.name, sources[folder.name].ignore_files):
                _sort_entry(folder.name, path, found)


def _sort_entry(source_id: str, path: Path, found: Inbox) -> None:
    where = f"{source_id}/{readable_name(path.name)}"
    try:
        if any(part.suffix.lower() in _UNFINISHED_SUFFIXES for part in (path, *parts_of(path))):
            found.left_alone.append(f"{where}: {STILL_BEING_WRITTEN}")
        else:
            found.entries.append(Entry(source_id, path, _kind(path), signature_of(path)))
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
    return next((kind for ending, kind in _KINDS if name.endswith(ending)), "other")


def parts_of(path: Path) -> list[Path]:
    """List what is in a folder, in a total order; nothing when it is none."""
    return sorted(path.iterdir()) if path.is_dir() and not path.is_symlink() else []


def signature_of(path: Path) -> str:
    """Return path, size and time of an entry: enough to recognise it without reading it again."""
    is_folder = path.is_dir() and not path.is_symlink()
    lines = []
    for part in parts_of(path) if is_folder else [path]:
        status = part.lstat()
        lines.append(f"{part.name}|{status.st_size}|{status.st_mtime_ns}")
    return hashlib.sha256(os.fsencode("\n".join(lines))).hexdigest()


def open_part(entry: Entry, path: Path) -> BinaryIO:
    """Open an entry, or a file of it: what was looked at, and nothing that a link leads to.

    Raises:
        FileNotFoundError: it is gone, or a link or a pipe has taken its place.
        OSError: it cannot be read.
    """
    folder = entry.path.parent
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in path.relative_to(folder).parts:
            outer = descriptor
            descriptor = os.open(name, _PLAIN, dir_fd=outer)
            os.close(outer)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    except OSError as error:
        os.close(descriptor)
        code = errno.ENOENT if error.errno in (errno.ELOOP, errno.ENOTDIR) else error.errno
        raise OSError(code, os.strerror(code or 0), str(path)) from error
    return os.fdopen(descriptor, "rb")


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
            is_still = signature_of(entry.path) == entry.signature
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
        return max(part.lstat().st_mtime for part in (path, *parts_of(path)))
    except OSError:
        return 0.0


def _touch_files(entry: Entry) -> None:
    """Open every file of an entry once, so that one that cannot be read shows beforehand."""
    if entry.kind in ("csv", "gzip", "zip", "folder"):
        for path in parts_of(entry.path) if entry.kind == "folder" else [entry.path]:
            if path.is_file() and not path.is_symlink():
                open_part(entry, path).close()


def _why_left(error: OSError) -> str:
    """Say why an entry is left alone; what was there a moment ago and is gone is being moved."""
    if isinstance(error, FileNotFoundError):
        return STILL_BEING_WRITTEN
    return f"it cannot be read ({error.strerror})"
