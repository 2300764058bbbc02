"""Archived bytes, trusted by their hash alone: whoever reads them from the archive hashes them."""

import hashlib
from pathlib import Path

from rollcall.errors import DamagedBytesError
from rollcall.home import Home, archive_path

MISSING = "is missing"
DAMAGED = "is damaged"


def flaw(path: Path, sha256: str) -> str | None:
    """Hash archived bytes and say what is wrong with them, such as `is missing`, if anything."""
    try:
        if path.exists() and not path.is_file():  # nobody may ever write into a pipe
            return "is no file"
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        return MISSING
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return None if found == sha256 else DAMAGED


def read_archived(home: Home, sha256: str, what: str) -> bytes:
    """Read archived bytes that are few, such as a listing of seeds.

    Raises:
        DamagedBytesError: the archive does not hold them as they were.
    """
    content = check_archived(home, sha256, what).read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise damaged_bytes(what, archive_path(home.archive, sha256))
    return content


def check_archived(home: Home, sha256: str, what: str) -> Path:
    """Hash archived bytes before they are read; returns where they are.

    Raises:
        DamagedBytesError: the archive does not hold them as they were.
    """
    path = archive_path(home.archive, sha256)
    if flaw(path, sha256):
        raise damaged_bytes(what, path)
    return path


def damaged_bytes(what: str, path: Path) -> DamagedBytesError:
    """Say which archived bytes are not as they were, and how to mend them.

    Args:
        what: what they are, such as `sis/2026-09-01T010000Z/users.csv`.
        path: where they stand, or should.
    """
    return DamagedBytesError(
        f"The archive does not hold {what} as it was delivered: {path} is damaged or missing. "
        "Put the same delivery into the inbox again (or `touch` it there) and run `rollcall land`, "
        "which mends the archive; or copy that file from a backup. `rollcall verify` lists all "
        "that is damaged."
    )
