"""Sources, feeds and limits, as `sources.csv`, `feeds.csv` and `limits.csv` declare them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from rollcall.contracts.reading import ContractError, listed, number, pattern, rows, rows_of

ENCODINGS = frozenset({"utf-8", "cp1252", "latin-1", "iso-8859-15", "mac_roman", "cp437", "cp850"})
"""What a source may write; the framer supports each of them."""
MANIFEST = "oneroster/manifest"
"""The feed that says what a delivery holds."""
_EVERY_SOURCE = "*"
DELIMITERS = ("comma", "semicolon", "tab", "pipe")
"""What may stand between the fields of a file; the framer knows each of them."""
_MOST_HOURS = 24 * 366
_MOST_MINUTES = _MOST_HOURS * 60
"""A year: no source is awaited for longer."""
_UNSAID = {"mode_authority": "manifest", "default_mode": ""}
"""What holds for a source that leaves a column blank, or for seeds that lack it."""
_CHOICES = {
    "delimiter": DELIMITERS,
    "stage": ("live", "pilot", "draft", "retired"),
    "exported_at_policy": ("name", "receipt"),
    "naive_times": ("", "utc", "local"),
    "header_policy": ("strict", "by_name"),
    "mode_authority": ("manifest", "rows"),
    "default_mode": ("", "bulk", "delta"),
    "removal_policy": ("hold_removals", "hold_file"),
    "change_policy": ("warn", "hold"),
}


@dataclass(frozen=True, slots=True)
class Feed:
    """A kind of file: `family/feed`, and the name its files have.

    `mart` is the public table (`schema.table`) with one row for each of its records, or blank.
    `recognised_by` names the columns that tell a thing from others without its id; `whole_by` the
    column within whose values a bulk is whole, such as the term; blank when it is whole of all.
    `label` is what people call it.
    """

    feed: str
    family: str
    file_name: str
    is_staged: bool
    mart: str
    recognised_by: tuple[str, ...]
    whole_by: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may go wrong before a person decides; the rows of `limits.csv` for one source."""

    max_removed_percent: float
    max_changed_percent: float
    max_rejected_percent: float
    max_renamed_percent: float
    max_lost_percent: float
    max_unlinked_percent: float
    floor_count: float
    max_members: float
    max_unpacked_bytes: float
    max_unpacked_ratio: float
    max_record_bytes: float
    max_columns: float
    max_malformed_records: float
    min_boundaries_on_time: float


@dataclass(frozen=True, slots=True)
class Source:
    """A system that exports, as `sources.csv` declares it."""

    source_id: str
    name: str
    stage: str
    families: tuple[str, ...]
    exported_at_policy: str
    name_pattern: str
    schedule: str
    grace_minutes: int
    due_feeds: tuple[str, ...]
    time_zone: str
    naive_times: str
    encoding: str
    delimiter: str
    header_policy: str
    mode_authority: str
    default_mode: str
    removal_policy: str
    change_policy: str
    ignore_files: tuple[str, ...]
    latency_target_hours: int
    year_rolls_on: str
    limits: Limits

    @property
    def naive_time_zone(self) -> str:
        """The time zone of times that name none: UTC, as the specification says, by default."""
        return self.time_zone if self.naive_times == "local" else "UTC"

    def school_year(self, day: date) -> int | None:
        """Return the school year of the files of a day, by the year in which it ends.

        None where the source does not say when its years begin.
        """
        if not self.year_rolls_on:
            return None
        return day.year + (f"{day:%m-%d}" >= self.year_rolls_on)

    def ignores(self, file_name: str) -> bool:
        """Say whether files of a name are passed over in its deliveries."""
        name = file_name.lower()
        return any(fnmatchcase(name, pattern.lower()) for pattern in self.ignore_files)


def read_feeds(path: Path) -> Iterator[Feed]:
    """Yield the feeds of `feeds.csv`."""
    for _, row in rows(path):
        yield Feed(
            row["feed"],
            row["family"],
            row["file_name"],
            row["is_staged"] == "true",
            row["mart"],
            listed(row["recognised_by"]),
            row.get("whole_by", ""),
            row.get("label", ""),
        )


def read_limits(paths: Sequence[Path]) -> dict[str, dict[str, float]]:
    """Read the limits by source; those of every source stand under `*`.

    A later file takes the place of an earlier one where both say something.
    """
    known = [field.name for field in fields(Limits)]
    limits: dict[str, dict[str, float]] = {_EVERY_SOURCE: {}}
    seen = set()
    for path, line, row in rows_of(paths):
        key = path, row["source_id"], row["limit_name"]
        if key in seen:
            raise ContractError(
                f"{path.name}, line {line}: {row['limit_name']} of '{row['source_id']}' is set "
                "by an earlier line, too."
            )
        seen.add(key)
        if row["limit_name"] not in known:
            raise ContractError(
                f"{path.name}, line {line}: no limit is called '{row['limit_name']}'; "
                f"there are {', '.join(known)}."
            )
        value = number(path, line, row, "value")
        if row["limit_name"].endswith("_percent") and value > 100:
            raise ContractError(f"{path.name}, line {line}: {value:g} is over 100 percent.")
        limits.setdefault(row["source_id"], {})[row["limit_name"]] = value
    missing = [name for name in known if name not in limits[_EVERY_SOURCE]]
    if missing:
        raise ContractError(
            f"{paths[0].name}: {missing[0]} has no value for every source; "
            f"add a row with the source_id {_EVERY_SOURCE}."
        )
    return limits


def read_sources(
    path: Path, limits: Mapping[str, Mapping[str, float]], feeds: tuple[Feed, ...]
) -> Iterator[Source]:
    """Yield the sources of `sources.csv`, each with its limits.

    Raises:
        ContractError: a line names what is not known, or `limits` a source that is not there.
    """
    families = {feed.family for feed in feeds}
    known_feeds = {feed.feed for feed in feeds}
    seen = {_EVERY_SOURCE}
    rosters: dict[str, str] = {}
    for line, row in rows(path):
        where = f"{path.name}, line {line}"
        if row["source_id"].lower() in {known.lower() for known in seen}:
            raise ContractError(
                f"{where}: source_id '{row['source_id']}' has another line; each source has one."
            )
        seen.add(row["source_id"])
        rosters[where] = row["roster_source_id"]
        row |= {column: row.get(column) or unsaid for column, unsaid in _UNSAID.items()}
        _check_source(where, row, families, known_feeds)
        yield Source(
            source_id=row["source_id"],
            name=row["name"],
            stage=row["stage"],
            families=listed(row["families"]),
            exported_at_policy=row["exported_at_policy"],
            name_pattern=row["name_pattern"],
            schedule=row["schedule"],
            grace_minutes=int(number(path, line, row, "grace_minutes", _MOST_MINUTES)),
            due_feeds=listed(row["due_feeds"]),
            time_zone=row["time_zone"],
            naive_times=row["naive_times"],
            encoding=row["encoding"],
            delimiter=row.get("delimiter") or DELIMITERS[0],
            header_policy=row["header_policy"],
            mode_authority=row["mode_authority"],
            default_mode=row["default_mode"],
            removal_policy=row["removal_policy"],
            change_policy=row["change_policy"],
            ignore_files=listed(row.get("ignore_files", "")),
            latency_target_hours=int(number(path, line, row, "latency_target_hours", _MOST_HOURS)),
            year_rolls_on=row.get("year_rolls_on", ""),
            limits=Limits(**{**limits[_EVERY_SOURCE], **limits.get(row["source_id"], {})}),
        )
    for where, roster in rosters.items():
        if roster not in seen - {_EVERY_SOURCE}:
            raise ContractError(
                f"{where}: roster_source_id '{roster}' is no source_id; name the source whose ids "
                "the records of this one refer to, itself where it has a roster."
            )
    strangers = sorted(set(limits) - seen)
    if strangers:
        raise ContractError(f"limits: no source is called '{strangers[0]}' in {path.name}.")


def _check_source(where: str, row: Mapping[str, str], families: set[str], feeds: set[str]) -> None:
    """Raise when a line of `sources.csv` says what cannot be."""
    if "naive_times" not in row:
        raise ContractError(f"{where}: the header lacks the column naive_times; blank means UTC.")
    if row["encoding"] not in ENCODINGS:
        raise ContractError(
            f"{where}: encoding '{row['encoding']}' is not supported; "
            f"choose one of {', '.join(sorted(ENCODINGS))}."
        )
    for column, choices in _CHOICES.items():
        if row.get(column, choices[0]) not in choices:
            raise ContractError(
                f"{where}: {column} '{row[column]}' is not one of "
                f"{', '.join(filter(None, choices))}."
            )
    if not row["families"]:
        raise ContractError(
            f"{where}: families is blank; name what it sends: {', '.join(sorted(families))}."
        )
    for column, known in (("families", families), ("due_feeds", feeds)):
        for name in listed(row[column]):
            if name not in known:
                raise ContractError(f"{where}: {column} names '{name}', which feeds.csv lacks.")
    if row["exported_at_policy"] == "name":
        _check_name_pattern(where, row)
    if row.get("year_rolls_on"):
        _check_day_of_year(where, row["year_rolls_on"])
    try:
        zone = ZoneInfo(row["time_zone"])
    except (ZoneInfoNotFoundError, ValueError):
        raise ContractError(f"{where}: time zone '{row['time_zone']}' is not known.") from None
    try:
        if row["schedule"]:
            CronSim(row["schedule"], datetime(2026, 1, 1, tzinfo=zone))
    except CronSimError:
        raise ContractError(
            f"{where}: schedule '{row['schedule']}' is no cron expression; write five fields: "
            "minute hour day month weekday."
        ) from None


def _check_day_of_year(where: str, text: str) -> None:
    """Raise when a text is no month and day."""
    try:
        is_day = f"{date.fromisoformat(f'2023-{text}'):%m-%d}" == text
    except ValueError:
        is_day = False
    if not is_day:
        raise ContractError(
            f"{where}: year_rolls_on '{text}' is no month and day; write MM-DD, such as 08-15."
        )


def _check_name_pattern(where: str, row: Mapping[str, str]) -> None:
    """Raise when a pattern cannot find the export time in a name."""
    if "exported_at" not in pattern(where, row, "name_pattern").groupindex:
        raise ContractError(
            f"{where}: name_pattern '{row['name_pattern']}' names no group exported_at; write the "
            "part that holds the export time as (?P<exported_at>...), or set exported_at_policy to "
            "receipt."
        )
