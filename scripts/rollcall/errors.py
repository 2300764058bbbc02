"""What can go wrong, and the exit code a scheduler sees for it."""

import gzip
import lzma
import struct
import zipfile
import zlib
from enum import IntEnum

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
