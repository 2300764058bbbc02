"""All contracts of a project, as `seeds/contracts/` declares them.

The loader and dbt read the same files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from rollcall.contracts.framings import with_framings
from rollcall.contracts.layout_files import read_layouts
from rollcall.contracts.layouts import (
    PLAIN,
    Column,
    Fit,
    Framing,
    Layout,
    exact_fit,
    landing_order,
    loose_fit,
    placed_count,
    version_order,
)
from rollcall.contracts.needed import NeededField, check_needed, check_taken, read_needed
from rollcall.contracts.reading import ContractError
from rollcall.contracts.sources import Feed, Source, read_feeds, read_limits, read_sources
from rollcall.errors import UsageError

DATA_ENDINGS = (".csv", ".tsv", ".txt", ".dat", ".jsonl", ".xlsx")
"""How the names of files of an export may end."""
_MISSPELLED = {"courseresourses": "courseresources"}


def plain_name(file_name: str) -> str:
    """Return what a file's name says of its feed: without case, ending and a common misspelling."""
    name = file_name.lower()
    stem = next((name.removesuffix(end) for end in DATA_ENDINGS if name.endswith(end)), name)
    return _MISSPELLED.get(stem, stem)


@dataclass(frozen=True)
class Contracts:
    """All contracts of a project."""

    sources: Mapping[str, Source]
    feeds: tuple[Feed, ...]
    layouts: tuple[Layout, ...]
    layout_seeds: tuple[Path, ...] = ()
    needed_fields: tuple[NeededField, ...] = ()

    def source(self, source_id: str) -> Source:
        """Return a source by the name that somebody gave for it.

        Raises:
            UsageError: there is no such source.
        """
        if source_id not in self.sources:
            known = ", ".join(sorted(self.sources))
            raise UsageError(f"No source is called '{source_id}'; there are {known}.")
        return self.sources[source_id]

    @classmethod
    def load(cls, *folders: Path) -> "Contracts":
        """Read the contracts of a project; each seed from the first folder that has it.

        Feeds, layouts and limits of a district stand beside the shipped ones.

        Raises:
            ContractError: a seed is missing or contradicts itself.
        """

        def seed(name: str) -> Path:
            found = (folder / name for folder in folders if (folder / name).exists())
            return next(found, folders[-1] / name)

        def both(name: str) -> tuple[Path, Path]:
            return seed(f"{name}.csv"), seed(f"district_{name}.csv")

        feeds = tuple(feed for path in both("feeds") for feed in read_feeds(path))
        layouts = read_layouts(both("layouts"), {feed.feed for feed in feeds})
        layouts = with_framings(both("framings"), layouts)
        _check_whole_by(feeds, layouts)
        limits = read_limits(both("limits"))
        sources_seed = seed("sources.csv")
        sources = {source.source_id: source for source in read_sources(sources_seed, limits, feeds)}
        needed = tuple(read_needed(sources_seed.with_name("needed_fields.csv")))
        contracts = cls(sources, feeds, layouts, both("layouts"), needed)
        contracts._check_needed_fields([folder.with_name("rules") for folder in folders])
        return contracts

    def _check_needed_fields(self, rules: Sequence[Path]) -> None:
        """Refuse a need that nothing stages, or of somebody who is not there."""
        for need in self.needed_fields:
            check_needed(need, self.sources, self.staged_by(need.source_id), rules)

    def check_taken_by(self, pilot: str) -> None:
        """Refuse a column that a pilot stages and nothing needs.

        Raises:
            ContractError: it stages one; names the line of the layout.
        """
        needed = [need for need in self.needed_fields if need.source_id == pilot]
        check_taken(pilot, self.staged_by(pilot), needed, self.layout_seeds)

    def feeds_of(self, source_id: str) -> tuple[Feed, ...]:
        """Return the staged feeds that a source may send: of its families, and not ignored."""
        source = self.sources.get(source_id)
        return tuple(
            feed
            for feed in self.feeds
            if source
            and feed.family in source.families
            and not source.ignores(feed.file_name)
            and any(layout.is_staged for layout in self.versions(feed.feed))
        )

    def staged_by(self, source_id: str) -> dict[str, tuple[Layout, ...]]:
        """Return the layouts of each feed that a source may send and Rollcall stages."""
        return {feed.feed: self.versions(feed.feed) for feed in self.feeds_of(source_id)}

    @property
    def raw_tables(self) -> dict[str, tuple[str, ...]]:
        """The columns of each raw table (`schema.table`): what any layout of its feed has."""
        tables: dict[str, dict[str, None]] = {}
        for layout in sorted(self.layouts, key=lambda layout: landing_order(layout.version)):
            tables.setdefault(layout.raw_table, {}).update(dict.fromkeys(layout.raw_columns))
        return {table: tuple(names) for table, names in tables.items()}

    @property
    def families(self) -> tuple[str, ...]:
        """The families of files that any source declares; dbt enables these."""
        return tuple(sorted({f for source in self.sources.values() for f in source.families}))

    def versions(self, feed: str) -> tuple[Layout, ...]:
        """Return the layouts of a feed, lowest version first."""
        return tuple(layout for layout in self.layouts if layout.feed == feed)

    def plain_versions(self, feed: str) -> tuple[Layout, ...]:
        """Return the layouts of a feed whose files begin with their header."""
        return tuple(layout for layout in self.versions(feed) if layout.framing is PLAIN)

    def mart_of(self, feed: str) -> tuple[str, tuple[Column, ...]] | None:
        """Return the mart of a feed (`schema.table`) and its key columns; None when it has none."""
        mart = next((item.mart for item in self.feeds if item.feed == feed), "")
        for layout in self.versions(feed):
            if mart and layout.is_staged:
                return mart, tuple(column for column, _ in layout.keys)
        return None

    def feed_for(self, family: str, file_name: str) -> Feed | None:
        """Find the feed of a file by its name, as far as `plain_name` tells names apart."""
        return self._feeds_by_name.get((family, plain_name(file_name)))

    @cached_property
    def _feeds_by_name(self) -> Mapping[tuple[str, str], Feed]:
        """Feeds by family and plain name of their file; of two of one name the first."""
        return {(feed.family, plain_name(feed.file_name)): feed for feed in reversed(self.feeds)}

    def framed(self, source: Source, feed: Feed | None, file_name: str) -> tuple[Layout, ...]:
        """Return the layouts with a framing of their own that a file's name allows.

        Args:
            source: who sends the file.
            feed: what its name is that of, if of any.
            file_name: its name.
        """
        families = {item.feed: item.family for item in self.feeds}
        return tuple(
            layout
            for layout in self._framed
            if families[layout.feed] in source.families
            and _may_be(layout, feed.feed if feed else None, file_name)
        )

    @cached_property
    def _framed(self) -> tuple[Layout, ...]:
        return tuple(layout for layout in self.layouts if layout.framing is not PLAIN)

    def framing_for(self, feed: str | None, file_name: str) -> Framing:
        """Return how a file is cut into records by its name, as far as that tells."""
        found = [layout.framing for layout in self._framed if _may_be(layout, feed, file_name)]
        return found[-1] if found else PLAIN

    def framing_of(self, feed: str | None, version: str | None) -> Framing:
        """Return how files of a layout are cut into records."""
        of_feed = (layout for layout in self.versions(feed or "") if layout.version == version)
        return next((layout.framing for layout in of_feed), PLAIN)

    def feed_by_header(self, source: Source, names: tuple[str, ...]) -> Feed | None:
        """Find the one feed of a source that a header fits exactly; None when several do.

        Of layouts with a framing of their own the header alone says nothing.
        """
        found = [
            feed
            for feed in self.feeds
            if feed.family in source.families
            and any(exact_fit(layout, names) for layout in self.plain_versions(feed.feed))
        ]
        return found[0] if len(found) == 1 else None

    def matching(self, feed: str, names: tuple[str, ...], header_policy: str) -> tuple[Fit, ...]:
        """Return the layouts that a header fits, lowest version first.

        `strict`: by name and order; further columns at the right are allowed when each begins with
        `metadata.` and stands once. `by_name`, where no layout fits so: every required column is
        there, in any order and case; the layouts that share most columns with the header.
        """
        layouts = self.plain_versions(feed)
        exact = [fit for layout in layouts if (fit := exact_fit(layout, names)) is not None]
        if exact or header_policy == "strict":
            return tuple(exact)
        loose = [fit for layout in layouts if (fit := loose_fit(layout, names)) is not None]
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


def _check_whole_by(feeds: tuple[Feed, ...], layouts: tuple[Layout, ...]) -> None:
    """Refuse a column within whose values a bulk is whole, which a layout of it does not stage."""
    columns = {feed.feed: feed.whole_by for feed in feeds if feed.whole_by}
    for layout in layouts:
        name = columns.get(layout.feed)
        staged = [raw_column for _, raw_column in layout.staged]
        if name and staged and name not in staged:
            raise ContractError(
                f"feeds.csv: whole_by of {layout.feed} is '{name}', which its layout "
                f"{layout.version} does not stage; name a column that every layout has, or none."
            )


def _may_be(layout: Layout, feed: str | None, file_name: str) -> bool:
    """Say whether a file may be of a layout by its name, or by its feed's where no pattern is."""
    framing = layout.framing
    return framing.is_named(file_name) or (layout.feed == feed and not framing.name_pattern)
