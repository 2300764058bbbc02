"""The one place where the wall clock is read."""

import os
from datetime import UTC, datetime

from rollcall.errors import UsageError

_VARIABLE = "ROLLCALL_NOW"


def now() -> datetime:
    """Return the present as a naive UTC timestamp, to the second.

    `ROLLCALL_NOW` (an ISO 8601 instant) replaces it, so that demonstrations and replays of past
    nights record the times of those nights.

    Raises:
        UsageError: `ROLLCALL_NOW` is not an instant.
    """
    fixed = os.environ.get(_VARIABLE)
    if fixed:
        return parse_instant(fixed, _VARIABLE)
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def parse_instant(text: str, what: str) -> datetime:
    """Read an ISO 8601 instant (UTC when it names no zone) as a naive UTC timestamp.

    Raises:
        UsageError: the text is no instant; the message names `what`.
    """
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(
            f"{what}: '{text}' is not an instant; write it like 2026-09-01T18:00:00Z."
        ) from None
    if instant.tzinfo is not None:
        instant = instant.astimezone(UTC).replace(tzinfo=None)
    return instant


def iso(instant: datetime | None) -> str:
    """Write a naive UTC timestamp as ISO 8601 with a Z; nothing as an empty text."""
    return "" if instant is None else instant.isoformat(timespec="seconds") + "Z"
