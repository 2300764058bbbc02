"""What can go wrong, and the exit code a scheduler sees for it."""

import errno
import gzip
import lzma
import os
import signal
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from threading import Event

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

_OUT_OF_ROOM = (
    *(os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)),
    "max_temp_directory_size",
)
"""What the system, DuckDB and dbt say where no room is left."""


_stopped = Event()
"""Set once somebody has stopped the command."""


class ExitCode(IntEnum):
    """Exit codes of `rollcall`; a scheduler may rely on them."""

    DONE = 0
    INTERNAL = 1
    USAGE = 2
    ATTENTION = 3
    NOT_PUBLISHED = 4
    BUSY = 5


class RollcallError(Exception):
    """A failure that one sentence explains, with what to do about it."""

    exit_code = ExitCode.INTERNAL


class UsageError(RollcallError):
    """The command, the data directory or the configuration is not usable as given."""

    exit_code = ExitCode.USAGE


class DamagedBytesError(RollcallError):
    """Archived bytes are not what was delivered; nothing was made of them."""


class BusyError(RollcallError):
    """Somebody else is writing, or a reader does not let go."""

    exit_code = ExitCode.BUSY


class NoRoomError(RollcallError):
    """The disk is full, or what an account may use of it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"There is no room left on the disk of {folder}, or for the account that runs this; "
            "make room and run the same command again. Readers keep the last good warehouse."
        )


@contextmanager
def needing_room(folder: Path) -> Iterator[None]:
    """Say of what is written that the disk of its folder is full, where it is that.

    Raises:
        NoRoomError: there is no room left.
    """
    try:
        yield
    except Exception as error:
        if is_out_of_room(error):
            raise NoRoomError(folder) from error
        raise


def is_out_of_room(failure: BaseException | str) -> bool:
    """Say whether something failed, as it says, for want of room on the disk."""
    return any(text in str(failure) for text in _OUT_OF_ROOM)


def heed_stop() -> None:
    """Note from now on that somebody stops the command, by Ctrl-C.

    DuckDB, pyarrow and dbt take the exception for a failure of their own and go on.
    """
    _stopped.clear()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # a shell may ignore it
        signal.signal(signal.SIGINT, _stop)


def _stop(*_: object) -> None:
    _stopped.set()
    raise KeyboardInterrupt


def was_stopped() -> bool:
    """Say whether somebody has stopped the command."""
    return _stopped.is_set()


def reraise_stop(failure: BaseException | None = None) -> None:
    """Stop, if a failure may have come of somebody stopping the command.

    Raises:
        KeyboardInterrupt: somebody has.
    """
    if was_stopped():
        raise KeyboardInterrupt from failure
