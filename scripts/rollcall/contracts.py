"""Contracts: sources, feeds, limits and layouts, as `seeds/contracts/` says them.

The loader and dbt read the same files.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from rollcall.errors import UsageError
from rollcall.framing import SUPPORTED_ENCODINGS
from rollcall.layouts import (
    Column,
    Fit,
    Layout,
    exact_fit,
    land_columns,
    landing_order,
    loose_fit,
    placed_count,
    version_order,
)

_EVERY_SOURCE = "*"
_MISSPELLED = {"courseresourses.csv": "courseResources.csv"}
_CHOICES = {
    "stage": ("live", "pilot"),
    "exported_at_policy": ("name", "receipt"),
    "header_policy": ("strict", "by_name"),
    "mode_authority": ("rows", "manifest"),
    "removal_policy": ("hold_removals", "hold_file"),
    "change_policy": ("warn", "hold"),
}


class ContractError(UsageError):
    """A contract seed says something that cannot be; names file and line."""


@dataclass(frozen=True, slots=True)
class Feed:
    """A kind of file: `family/feed`, and the name its files have.

    `recognised_by` names the columns that tell a thing from others without its id.
    """

    feed: str
    family: str
    file_name: str
    is_staged: bool
    recognised_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may go wrong before a person decides; the rows of `limits.csv` for one source."""

    max_removed_percent: float
    max_changed_percent: float
    max_rejected_percent: float
    max_renamed_percent: float
    floor_count: float
    max_members: float
    max_unpacked_bytes: float
    max_unpacked_ratio: float
    max_record_bytes: float


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
    encoding: str
    header_policy: str
    mode_authority: str
    removal_policy: str
    change_policy: str
    latency_target_hours: int
    limits: Limits


@dataclass(frozen=True, slots=True)
class Contracts:
    """All contracts of a project."""

    sources: Mapping[str, Source]
    feeds: tuple[Feed, ...]
    layouts: tuple[Layout, ...]

    @classmethod
    def load(cls, directory: Path) -> "Contracts":
        """Read the contracts of a project.

        Raises:
            ContractError: a seed is missing or contradicts itself.
        """
        feeds = tuple(_read_feeds(directory / "feeds.csv"))
        layouts = _read_layouts(directory / "layouts.csv", {feed.feed for feed in feeds})
        limits = _read_limits(directory / "limits.csv")
        sources = {
            source.source_id: source
            for source in _read_sources(directory / "sources.csv", limits, feeds)
        }
        return cls(sources, feeds, layouts)

    @property
    def raw_tables(self) -> dict[str, tuple[str, ...]]:
        """The columns of each raw table (`schema.table`): what any layout of its feed has."""
        tables: dict[str, dict[str, None]] = {}
        for layout in sorted(self.layouts, key=lambda layout: landing_order(layout.version)):
            tables.setdefault(layout.raw_table, {}).update(dict.fromkeys(layout.raw_columns))
        return {table: tuple(names) for table, names in tables.items()}

    def versions(self, feed: str) -> tuple[Layout, ...]:
        """Return the layouts of a feed, lowest version first."""
        return tuple(layout for layout in self.layouts if layout.feed == feed)

    def feed_for(self, family: str, file_name: str) -> Feed | None:
        """Find the feed of a file by its name; case and one well-known misspelling are forgiven."""
        wanted = _MISSPELLED.get(file_name.lower(), file_name).lower()
        for feed in self.feeds:
            if feed.family == family and feed.file_name.lower() == wanted:
                return feed
        return None

    def feed_by_header(self, source: Source, names: tuple[str, ...]) -> Feed | None:
        """Find the one feed of a source that a header fits exactly; None when several do."""
        found = [
            feed
            for feed in self.feeds
            if feed.family in source.families
            and any(exact_fit(layout, names) for layout in self.versions(feed.feed))
        ]
        return found[0] if len(found) == 1 else None

    def matching(self, feed: str, names: tuple[str, ...], header_policy: str) -> tuple[Fit, ...]:
        """Return the layouts that a header fits, lowest version first.

        `strict`: by name and order; further columns at the right are allowed when each begins with
        `metadata.` and stands once. `by_name`, where no layout fits so: every required column is
        there, in any order and case; the layouts that share most columns with the header.
        """
        exact = [
            fit for layout in self.versions(feed) if (fit := exact_fit(layout, names)) is not None
        ]
        if exact or header_policy == "strict":
            return tuple(exact)
        loose = [
            fit for layout in self.versions(feed) if (fit := loose_fit(layout, names)) is not None
        ]
        most = max((placed_count(fit) for fit in loose), default=0)
        return tuple(fit for fit in loose if placed_count(fit) == most)

    def detect_version(
        self, headers: Mapping[str, tuple[str, ...]], named: str | None
    ) -> str | None:
        """Decide which OneRoster version a delivery is of.

        The manifest names it, but writes `1.2` for 1.2.1 too: a users header that only 1.2.1 has
        settles that. Without a manifest it is the lowest version that every header fits.
        """
        versions = sorted({layout.base_version for layout in self.layouts}, key=version_order)
        fitting = [
            version
            for version in versions
            if headers
            and all(
                any(
                    layout.base_version == version and exact_fit(layout, names)
                    for layout in self.versions(feed)
                )
                for feed, names in headers.items()
            )
        ]
        if named is None:
            return fitting[0] if fitting else None
        if named == "1.2" and "1.2" not in fitting and "1.2.1" in fitting:
            return "1.2.1"
        return named


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream)
            for row in reader:
                yield reader.line_num, row
    except FileNotFoundError:
        raise ContractError(f"{path.name} is missing from seeds/contracts; restore it.") from None


def _read_feeds(path: Path) -> Iterator[Feed]:
    for _, row in _rows(path):
        yield Feed(
            row["feed"],
            row["family"],
            row["file_name"],
            row["is_staged"] == "true",
            _listed(row["recognised_by"]),
        )


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split("|")) if text else ()


def _read_limits(path: Path) -> dict[str, dict[str, float]]:
    """Read the limits by source; those of every source stand under `*`."""
    known = [field.name for field in fields(Limits)]
    limits: dict[str, dict[str, float]] = {_EVERY_SOURCE: {}}
    for line, row in _rows(path):
        if row["limit_name"] not in known:
            raise ContractError(
                f"{path.name}, line {line}: no limit is called '{row['limit_name']}'; "
                f"there are {', '.join(known)}."
            )
        value = _number(path, line, row, "value")
        if row["limit_name"].endswith("_percent") and value > 100:
            raise ContractError(f"{path.name}, line {line}: {value:g} is over 100 percent.")
        limits.setdefault(row["source_id"], {})[row["limit_name"]] = value
    missing = [name for name in known if name not in limits[_EVERY_SOURCE]]
    if missing:
        raise ContractError(
            f"{path.name}: {missing[0]} has no value for every source; "
            f"add a row with the source_id {_EVERY_SOURCE}."
        )
    return limits


def _number(path: Path, line: int, row: Mapping[str, str], column: str) -> float:
    try:
        value = float(row[column])
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise ContractError(
            f"{path.name}, line {line}: {column} '{row[column]}' is not a number of 0 or more."
        )
    return value


def _read_sources(
    path: Path, limits: Mapping[str, Mapping[str, float]], feeds: tuple[Feed, ...]
) -> Iterator[Source]:
    families = {feed.family for feed in feeds}
    known_feeds = {feed.feed for feed in feeds}
    seen = {_EVERY_SOURCE}
    for line, row in _rows(path):
        where = f"{path.name}, line {line}"
        seen.add(row["source_id"])
        _check_source(where, row, families, known_feeds)
        yield Source(
            source_id=row["source_id"],
            name=row["name"],
            stage=row["stage"],
            families=_listed(row["families"]),
            exported_at_policy=row["exported_at_policy"],
            name_pattern=row["name_pattern"],
            schedule=row["schedule"],
            grace_minutes=int(_number(path, line, row, "grace_minutes")),
            due_feeds=_listed(row["due_feeds"]),
            time_zone=row["time_zone"],
            encoding=row["encoding"],
            header_policy=row["header_policy"],
            mode_authority=row["mode_authority"],
            removal_policy=row["removal_policy"],
            change_policy=row["change_policy"],
            latency_target_hours=int(_number(path, line, row, "latency_target_hours")),
            limits=Limits(**{**limits[_EVERY_SOURCE], **limits.get(row["source_id"], {})}),
        )
    strangers = sorted(set(limits) - seen)
    if strangers:
        raise ContractError(f"limits.csv: no source is called '{strangers[0]}' in {path.name}.")


def _check_source(where: str, row: Mapping[str, str], families: set[str], feeds: set[str]) -> None:
    """Raise when a line of `sources.csv` says what cannot be."""
    if row["encoding"] not in SUPPORTED_ENCODINGS:
        raise ContractError(
            f"{where}: encoding '{row['encoding']}' is not supported; "
            f"choose one of {', '.join(sorted(SUPPORTED_ENCODINGS))}."
        )
    for column, choices in _CHOICES.items():
        if row[column] not in choices:
            raise ContractError(
                f"{where}: {column} '{row[column]}' is not one of {', '.join(choices)}."
            )
    for column, known in (("families", families), ("due_feeds", feeds)):
        for name in _listed(row[column]):
            if name not in known:
                raise ContractError(f"{where}: {column} names '{name}', which feeds.csv lacks.")
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


def _read_layouts(path: Path, feeds: set[str]) -> tuple[Layout, ...]:
    columns: dict[tuple[str, str], list[Column]] = {}
    for line, row in _rows(path):
        where = f"{path.name}, line {line}"
        if row["feed"] not in feeds:
            raise ContractError(f"{where}: feed '{row['feed']}' is not in feeds.csv; add it there.")
        of_layout = columns.setdefault((row["feed"], row["layout_version"]), [])
        if int(_number(path, line, row, "position")) != len(of_layout) + 1:
            raise ContractError(
                f"{where}: position {row['position']} should be {len(of_layout) + 1}; "
                "number the columns of a layout from 1 without a gap."
            )
        of_layout.append(
            Column(
                name=row["column_name"],
                data_type=row["data_type"],
                format=row["format"],
                is_key=row["is_key"] == "true",
                requirement=row["is_required"],
                allowed_values=_listed(row["allowed_values"]),
                allows_extension=row["allows_extension"] == "true",
                references=row["references"],
                staged_as=row["staged_as"],
            )
        )
    known: dict[str, dict[str, str]] = {}
    layouts: list[Layout] = []
    for feed, version in sorted(columns, key=lambda key: (key[0], landing_order(key[1]))):
        ordered = tuple(columns[feed, version])
        raw_columns = land_columns(version, ordered, known.setdefault(feed, {}))
        layout = Layout(feed, version, ordered, f"raw_{feed.replace('/', '.')}", raw_columns)
        _check_layout(path, layout, [other for other in layouts if other.feed == feed])
        layouts.append(layout)
    return tuple(sorted(layouts, key=lambda layout: (layout.feed, version_order(layout.version))))


def _check_layout(path: Path, layout: Layout, others: list[Layout]) -> None:
    """Raise when a layout cannot share the raw table and the base view of its feed."""
    where = f"{path.name}: {layout.feed} {layout.version}"
    is_variant = layout.version != layout.base_version
    if is_variant and layout.base_version not in {other.version for other in others}:
        raise ContractError(f"{where} is a variant of a version that is not there.")
    if not layout.key_columns:
        raise ContractError(f"{where} has no key column.")
    twins = {
        column.staged_as: (other.version, column)
        for other in reversed(others)
        for column in other.columns
        if column.staged_as
    }
    staged: set[str] = set()
    for column in layout.columns:
        if not column.staged_as:
            continue
        if column.staged_as in staged:
            raise ContractError(f"{where} stages two columns as {column.staged_as}.")
        staged.add(column.staged_as)
        version, twin = twins.get(column.staged_as, (None, column))
        if version is None and is_variant:
            raise ContractError(
                f"{where} stages '{column.name}' as {column.staged_as}, which no version does; "
                "give it a version of its own, and the base view of the feed the column."
            )
        if (twin.data_type, twin.format) != (column.data_type, column.format):
            raise ContractError(
                f"{where} stages '{column.name}' as {column.staged_as} with another type or format "
                f"than '{twin.name}' in {version}; stage it as a column of its own."
            )
