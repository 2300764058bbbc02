"""Layouts: what an export must look like, as `seeds/contracts/` says it.

The loader and dbt read the same files. A layout is one known column structure of a feed, with a
version; layouts with the same columns in the same order share one raw table.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from rollcall.errors import UsageError
from rollcall.framing import SUPPORTED_ENCODINGS

_VERSION_ORDER = ("1.0", "1.1", "1.2", "1.2.1")
_MISSPELLED = {"courseresourses.csv": "courseResources.csv"}
_METADATA = "metadata."
_RENAME_SIMILARITY = 0.5
_TELLING_ORDER = (
    "COLUMN_DUPLICATED",
    "COLUMN_RENAMED",
    "COLUMN_REMOVED",
    "COLUMN_ADDED",
    "COLUMN_CASE_CHANGED",
    "COLUMN_REORDERED",
)


class ContractError(UsageError):
    """A contract seed says something that cannot be; names file and line."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a layout."""

    name: str
    is_key: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """One version of a feed's columns, and the raw table (`schema.table`) its records land in."""

    feed: str
    version: str
    columns: tuple[Column, ...]
    raw_table: str

    @property
    def names(self) -> tuple[str, ...]:
        """The column names in order."""
        return tuple(column.name for column in self.columns)

    @property
    def key_positions(self) -> tuple[int, ...]:
        """Positions of the key columns, from 0."""
        return tuple(place for place, column in enumerate(self.columns) if column.is_key)


@dataclass(frozen=True, slots=True)
class Feed:
    """A kind of file: `family/feed`, and the name its files have."""

    feed: str
    family: str
    file_name: str


@dataclass(frozen=True, slots=True)
class Source:
    """A system that exports, as `sources.csv` declares it."""

    source_id: str
    name: str
    families: tuple[str, ...]
    exported_at_policy: str
    name_pattern: str
    encoding: str
    mode_authority: str
    latency_target_hours: int


@dataclass(frozen=True, slots=True)
class Fit:
    """A layout that a header fits, and the `metadata.` columns the header has to its right."""

    layout: Layout
    metadata_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HeaderDiff:
    """How a header differs from the nearest layout; `code` is the difference that tells most."""

    code: str
    summary: str
    nearest_version: str
    differences: tuple[tuple[str, str], ...]


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
        layouts: list[Layout] = []
        for path in sorted(directory.glob("layouts_*.csv")):
            layouts.extend(_read_layouts(path, {feed.feed for feed in feeds}))
        sources = {source.source_id: source for source in _read_sources(directory / "sources.csv")}
        return cls(sources, feeds, tuple(layouts))

    @property
    def structures(self) -> tuple[Layout, ...]:
        """One layout for each raw table: the lowest version of its columns."""
        first: dict[str, Layout] = {}
        for layout in self.layouts:
            first.setdefault(layout.raw_table, layout)
        return tuple(first.values())

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

    def feed_by_header(self, families: tuple[str, ...], names: tuple[str, ...]) -> Feed | None:
        """Find the one feed of these families that a header fits; None when several do."""
        found = [
            feed
            for feed in self.feeds
            if feed.family in families and self.matching(feed.feed, names)
        ]
        return found[0] if len(found) == 1 else None

    def matching(self, feed: str, names: tuple[str, ...]) -> tuple[Fit, ...]:
        """Return the layouts that a header fits by name and order, lowest version first.

        Further columns at the right are allowed when each begins with `metadata.` and stands once.
        """
        fits = []
        for layout in self.versions(feed):
            width = len(layout.columns)
            extra = names[width:]
            is_extra_fine = len(set(extra)) == len(extra) and all(
                name.startswith(_METADATA) for name in extra
            )
            if names[:width] == layout.names and is_extra_fine:
                fits.append(Fit(layout, extra))
        return tuple(fits)

    def detect_version(
        self, headers: Mapping[str, tuple[str, ...]], named: str | None
    ) -> str | None:
        """Decide which OneRoster version a delivery is of.

        The manifest names it, but writes `1.2` for 1.2.1 too: a users header that only 1.2.1 has
        settles that. Without a manifest it is the lowest version that every header fits.
        """
        fitting = [
            version
            for version in _VERSION_ORDER
            if all(
                any(fit.layout.version == version for fit in self.matching(feed, names))
                for feed, names in headers.items()
            )
        ]
        if named is None:
            return fitting[0] if fitting else None
        if named == "1.2" and "1.2" not in fitting and "1.2.1" in fitting:
            return "1.2.1"
        return named

    def diff(self, feed: str, names: tuple[str, ...]) -> HeaderDiff:
        """Compare a header with the nearest layout of its feed, in words.

        Nearest is the layout with the most equal columns, then the most columns in common, then
        the highest version.
        """
        nearest = max(self.versions(feed), key=lambda layout: _nearness(layout, names))
        known = [name.lower() for name in nearest.names]
        shared = sum(name.lower() in known for name in set(names))
        if shared * 2 < len(known):
            return HeaderDiff(
                "LAYOUT_UNKNOWN",
                f"The header has {shared} of the {len(known)} columns of {feed} {nearest.version}; "
                "it resembles no known layout.",
                nearest.version,
                (),
            )
        differences = tuple(_differences(nearest.names, names))
        codes = [code for code, _ in differences]
        code = next(code for code in _TELLING_ORDER if code in codes)
        sentences = " ".join(sentence for _, sentence in differences)
        return HeaderDiff(
            code,
            f"Compared with {feed} {nearest.version}: {sentences}",
            nearest.version,
            differences,
        )


def _nearness(layout: Layout, names: tuple[str, ...]) -> tuple[int, int, int]:
    equal = sum(mine == theirs for mine, theirs in zip(layout.names, names, strict=False))
    common = len(set(layout.names) & set(names))
    return equal, common, _VERSION_ORDER.index(layout.version)


def _differences(known: tuple[str, ...], names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield every difference between a layout's columns and a header: code and sentence."""
    seen: set[str] = set()
    for place, name in enumerate(names, 1):
        if name in seen:
            yield "COLUMN_DUPLICATED", f"column {place} '{name}' stands twice."
        seen.add(name)
    missing = [name for name in known if name not in seen]
    added = [
        name
        for name in dict.fromkeys(names)
        if name not in known and not name.startswith(_METADATA)
    ]
    for name in list(missing):
        twin = next((other for other in added if other.lower() == name.lower()), None)
        if twin is not None:
            yield (
                "COLUMN_CASE_CHANGED",
                f"column {names.index(twin) + 1} '{twin}' should be written '{name}'.",
            )
            missing.remove(name)
            added.remove(twin)
    for name in list(missing):
        new = _renamed(name, known.index(name), added, names)
        if new is not None:
            yield (
                "COLUMN_RENAMED",
                f"column {names.index(new) + 1} '{new}' stands where '{name}' is expected.",
            )
            missing.remove(name)
            added.remove(new)
    for name in missing:
        yield "COLUMN_REMOVED", f"column {known.index(name) + 1} '{name}' is missing."
    for name in added:
        yield "COLUMN_ADDED", f"column {names.index(name) + 1} '{name}' is unknown."
    kept = [name for name in dict.fromkeys(names) if name in known]
    order = [name for name in known if name in kept]
    if kept != order:
        first = next(mine for mine, theirs in zip(kept, order, strict=True) if mine != theirs)
        yield (
            "COLUMN_REORDERED",
            f"column {names.index(first) + 1} '{first}' is expected "
            f"at position {known.index(first) + 1}.",
        )
    trailing = next((name for name in names if name.startswith(_METADATA)), None)
    if trailing and names.index(trailing) < len(known) and trailing not in known and not missing:
        yield "COLUMN_REORDERED", f"'{trailing}' must stand right of all other columns."


def _renamed(name: str, place: int, added: list[str], names: tuple[str, ...]) -> str | None:
    """Find the new name of a column: the stranger in its place, else one much like it."""
    if place < len(names) and names[place] in added:
        return names[place]
    similar = [
        (SequenceMatcher(None, name.lower(), other.lower()).ratio(), other) for other in added
    ]
    best = max(similar, default=(0.0, ""))
    return best[1] if best[0] > _RENAME_SIMILARITY else None


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
        yield Feed(row["feed"], row["family"], row["file_name"])


def _read_sources(path: Path) -> Iterator[Source]:
    for line, row in _rows(path):
        if row["encoding"] not in SUPPORTED_ENCODINGS:
            raise ContractError(
                f"{path.name}, line {line}: encoding '{row['encoding']}' is not supported; "
                f"choose one of {', '.join(sorted(SUPPORTED_ENCODINGS))}."
            )
        yield Source(
            source_id=row["source_id"],
            name=row["name"],
            families=tuple(row["families"].split("|")),
            exported_at_policy=row["exported_at_policy"],
            name_pattern=row["name_pattern"],
            encoding=row["encoding"],
            mode_authority=row["mode_authority"],
            latency_target_hours=int(row["latency_target_hours"]),
        )


def _read_layouts(path: Path, feeds: set[str]) -> list[Layout]:
    columns: dict[tuple[str, str], list[Column]] = {}
    for line, row in _rows(path):
        where = f"{path.name}, line {line}"
        if row["feed"] not in feeds:
            raise ContractError(f"{where}: feed '{row['feed']}' is not in feeds.csv; add it there.")
        if row["layout_version"] not in _VERSION_ORDER:
            raise ContractError(f"{where}: version '{row['layout_version']}' is not known.")
        of_layout = columns.setdefault((row["feed"], row["layout_version"]), [])
        if int(row["position"]) != len(of_layout) + 1:
            raise ContractError(
                f"{where}: position {row['position']} should be {len(of_layout) + 1}; "
                "number the columns of a layout from 1 without a gap."
            )
        of_layout.append(Column(row["column_name"], row["is_key"] == "true"))
    layouts: list[Layout] = []
    first_version: dict[tuple[str, tuple[str, ...]], str] = {}
    for feed, version in sorted(columns, key=lambda key: (key[0], _VERSION_ORDER.index(key[1]))):
        names = tuple(column.name for column in columns[feed, version])
        structure = first_version.setdefault((feed, names), version)
        family, table = feed.split("/")
        raw_table = f"raw_{family}.{table}_{structure.replace('.', '_')}"
        layouts.append(Layout(feed, version, tuple(columns[feed, version]), raw_table))
    return layouts
