"""The one place where the wall clock is read, and where Python reckons in time zones."""

import os
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from rollcall.errors import UsageError

_VARIABLE = "ROLLCALL_NOW"
FAR = timedelta(days=1)
"""What lies further ahead than this is no slip of a clock or a time zone."""


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
        return instant.astimezone(UTC).replace(tzinfo=None) if instant.tzinfo else instant
    except (ValueError, OverflowError):
        raise UsageError(
            f"{what}: '{text}' is not an instant; write it like 2026-09-01T18:00:00Z."
        ) from None


def as_utc(local: datetime, zone: str) -> datetime:
    """Return a time of a zone as a naive UTC timestamp, as the macro `time_of` does.

    A time that the clocks pass twice is the later of the two; one that they leave out is as long
    after midnight as it says.
    """
    moments = (local.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC) for fold in (0, 1))
    return max(moments).replace(tzinfo=None)


def local_date(instant: datetime, zone: str) -> date:
    """Return the day on which a naive UTC timestamp falls in a zone."""
    return instant.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date()


def end_of_day(day: date, zone: str) -> datetime:
    """Return the moment at which a day ends in a zone, as a naive UTC timestamp."""
    return as_utc(datetime.combine(day + timedelta(days=1), time()), zone)


def iso(instant: datetime | None) -> str:
    """Write a naive UTC timestamp as ISO 8601 with a Z; nothing as an empty text."""
    return "" if instant is None else instant.isoformat(timespec="seconds") + "Z"
