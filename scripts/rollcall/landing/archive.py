"""The archive: delivered bytes, kept untouched under their SHA-256."""

import errno
import hashlib
import io
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from gzip import GzipFile
from pathlib import Path
from typing import IO

from rollcall.archived import flaw
from rollcall.folders import sync
from rollcall.home import archive_path

_CHUNK_BYTES = 4 << 20
_MOST_AT_ONCE = 1 << 30
_NOT_HERE = (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)
"""Why a system does not copy a file by itself; what it says of other trouble is an error."""


@dataclass(frozen=True, slots=True)
class Archived:
    """Bytes in the archive: their SHA-256 (hex), their number and where they are.

    `is_mended` when what stood there was not these bytes.
    """

    sha256: str
    byte_count: int
    path: Path
    is_mended: bool = False


def keep(archive: Path, stream: IO[bytes]) -> Archived:
    """Copy a delivered file into the archive; the same bytes are kept once, and mended.

    What stands there already is hashed, and replaced by the copy where it is damaged.
    The copy is complete and on disk before it gets its name, so a crash leaves no half file.
    """
    copy = _copied(stream, archive) or spool(stream, archive)
    path = archive_path(archive, copy.sha256)
    try:
        is_there = path.exists()
        is_good = is_there and flaw(path, copy.sha256) is None
        if not is_good:
            copy.path.chmod(0o400)
            path.parent.mkdir(mode=0o700, exist_ok=True)
            sync(copy.path)
            copy.path.rename(path)
            sync(path.parent)
    finally:
        copy.path.unlink(missing_ok=True)
    return replace(copy, path=path, is_mended=is_there and not is_good)


def _copied(stream: IO[bytes], folder: Path) -> Archived | None:
    """Have the system copy a file, which may share its blocks, and hash the copy.

    None where the stream is no file, or the system cannot: it is read and written then.
    """
    if not hasattr(os, "copy_file_range") or not isinstance(stream, io.BufferedReader):
        return None
    found, count = None, 0
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=".incoming-")
    try:
        with os.fdopen(descriptor, "w+b") as target:
            while copied := os.copy_file_range(
                stream.fileno(), target.fileno(), _MOST_AT_ONCE, offset_src=count
            ):
                count += copied
            if count:  # otherwise it is empty, or its file system does not say how long it is
                target.seek(0)
                digest = hashlib.file_digest(target, "sha256")
                found = Archived(digest.hexdigest(), target.tell(), Path(name))
    except OSError as error:
        if error.errno not in _NOT_HERE:
            raise
    finally:
        if found is None:
            Path(name).unlink()
    return found


class UnpackedTooLargeError(Exception):
    """A stream holds more bytes than it may."""


def spool(stream: IO[bytes] | GzipFile, folder: Path, most_bytes: int | None = None) -> Archived:
    """Write a stream to a new file in `folder`, hashing it on the way.

    Raises:
        UnpackedTooLargeError: it holds more than `most_bytes`, whatever its directory says.
    """
    digest = hashlib.sha256()
    byte_count = 0
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=".incoming-")
    try:
        with os.fdopen(descriptor, "wb") as target:
            for chunk in _chunks(stream):
                digest.update(chunk)
                target.write(chunk)
                byte_count += len(chunk)
                _check_room(byte_count, most_bytes)
    except BaseException:
        Path(name).unlink()
        raise
    return Archived(digest.hexdigest(), byte_count, Path(name))


def _check_room(byte_count: int, most_bytes: int | None) -> None:
    if most_bytes is not None and byte_count > most_bytes:
        raise UnpackedTooLargeError


def _chunks(stream: IO[bytes] | GzipFile) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK_BYTES):
        yield chunk
