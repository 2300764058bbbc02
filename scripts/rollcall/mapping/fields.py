"""The mapping of a source: every column that it sends, what it means and what becomes of it.

Of a feed those layouts count that the source has delivered; of one that has not come, the newest.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass, replace

import duckdb

from rollcall.contracts.layouts import VARIANT_MARK, Layout
from rollcall.contracts.needed import alike, own_need
from rollcall.contracts.project import Contracts
from rollcall.contracts.sources import MANIFEST, Feed, Source
from rollcall.errors import UsageError
from rollcall.ledger.entries import USABLE_FILES
from rollcall.ledger.sql import identifier
from rollcall.ledger.stages import decided
from rollcall.mapping.words import Words
from rollcall.sanitize import shape

SHAPES = 3
"""How many shapes of values a mapping shows of a column: the most frequent ones."""
_LOOKED_AT = 1_000
"""How many records of a layout are looked at for their shapes, those of the newest files first."""


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a layout, as people review it.

    `done` says in words what is done to it, `problem` why nobody can say so; both are blank of a
    column that is kept and not used. `shapes` are masks such as `AAA-9999`, never values.
    """

    feed: str
    layout_version: str
    position: int
    column_name: str
    meaning: str
    data_type: str
    is_required: bool
    personal_data: str
    staged_as: str
    needed_by: tuple[str, ...]
    done: str
    problem: str
    shapes: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str, str]:
        """What a review names the column by: feed, layout and name."""
        return self.feed, self.layout_version, self.column_name

    @property
    def sha256(self) -> str:
        """What an approval is bound to: any change of it makes the approval void."""
        parts = (*self.key, self.staged_as, self.done, self.personal_data)
        digest = hashlib.sha256()
        for part in parts:
            digest.update(b"%d:" % len(part.encode()) + part.encode())
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class FeedMapping:
    """The columns of a feed, by layout and position: those that are staged, and the others."""

    feed: Feed
    fields: tuple[Field, ...]
    unused: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Mapping:
    """The mapping of a source, a feed after the other; some have no staged column."""

    source: Source
    feeds: tuple[FeedMapping, ...]

    @property
    def staged(self) -> tuple[FeedMapping, ...]:
        """The feeds of which columns are staged."""
        return tuple(feed for feed in self.feeds if feed.fields)

    @property
    def fields(self) -> tuple[Field, ...]:
        """Every column that is staged."""
        return tuple(field for feed in self.feeds for field in feed.fields)

    @property
    def unused(self) -> tuple[Field, ...]:
        """Every column that is kept and not used."""
        return tuple(field for feed in self.feeds for field in feed.unused)


def read_mapping(
    contracts: Contracts,
    words: Words,
    source_id: str,
    connection: duckdb.DuckDBPyConnection | None,
    *,
    with_shapes: bool = False,
) -> Mapping:
    """Read the mapping of a source, whose stage is that of the ledger where there is one.

    Args:
        contracts: the contracts of the project.
        words: what its base views do.
        source_id: the source.
        connection: the ledger in use; None where nothing has landed yet.
        with_shapes: look at records for the shapes of their values.

    Raises:
        UsageError: there is no such source, or it sends nothing that is staged.
    """
    source = contracts.sources.get(source_id)
    if source is None:
        known = ", ".join(contracts.sources)
        raise UsageError(f"No source is called '{source_id}'; sources.csv has {known}.")
    staged = contracts.feeds_of(source_id)
    if not staged:
        raise UsageError(f"{source_id} sends no feed that is staged, so nothing of it is mapped.")
    needs = [need for need in contracts.needed_fields if need.source_id == source_id]
    delivered = _delivered(connection, source_id) if connection else {}
    feeds = []
    for feed in contracts.feeds:
        if feed not in staged and (feed.feed == MANIFEST or feed.feed not in delivered):
            continue
        layouts = contracts.versions(feed.feed)
        wanted = {need.column_name: need.needed_by for need in needs if need.feed == feed.feed}
        fields: list[Field] = []
        for layout in _in_use(layouts, delivered.get(feed.feed, ())):
            seen = _shapes(connection, source_id, layout) if connection and with_shapes else {}
            fields += _fields(words, layout, layouts, wanted, seen)
        used = tuple(field for field in fields if field.staged_as)
        feeds.append(FeedMapping(feed, used, tuple(f for f in fields if not f.staged_as)))
    if connection:
        source = replace(source, stage=decided(connection, contracts)[source_id])
    return Mapping(source, tuple(feeds))


def _fields(
    words: Words,
    layout: Layout,
    layouts: Sequence[Layout],
    wanted: Map[str, tuple[str, ...]],
    shapes: Map[str, tuple[str, ...]],
) -> Iterator[Field]:
    """Yield the columns of a layout.

    Args:
        words: what base views do.
        layout: the layout.
        layouts: all layouts of its feed, of which any may name a column that is needed.
        wanted: who needs a column, by its name.
        shapes: the shapes of the values of each raw column.
    """
    columns = zip(layout.columns, layout.raw_columns, strict=True)
    for position, (column, raw_column) in enumerate(columns, 1):
        done = problem = ""
        needed_by: list[str] = []
        if column.staged_as:
            reading = words.of(column.staged_as)
            done, problem = reading.words, reading.problem
            if not problem and reading.raw_column != raw_column:
                done = ""
                problem = f"its base view reads '{reading.raw_column}', not '{raw_column}', as that"
            for name in sorted(alike(column, layouts)):
                needed_by += wanted.get(name, ())
            needed_by += filter(None, [own_need(column)])
        yield Field(
            feed=layout.feed,
            layout_version=layout.version,
            position=position,
            column_name=column.name,
            meaning=column.meaning,
            data_type=f"{column.data_type} {column.format}".strip(),
            is_required=column.requirement == "yes",
            personal_data=column.personal_data,
            staged_as=column.staged_as,
            needed_by=tuple(dict.fromkeys(needed_by)),
            done=done,
            problem=problem,
            shapes=shapes.get(raw_column, ()),
        )


def _delivered(connection: duckdb.DuckDBPyConnection, source_id: str) -> dict[str, list[str]]:
    """Return the versions of the layouts of each feed that a source has delivered."""
    return dict(
        connection.execute(
            "select feed, list(distinct layout_version order by layout_version) "
            f"from ({USABLE_FILES}) where source_id = ? and layout_version is not null "
            "group by feed order by feed",
            [source_id],
        ).fetchall()
    )


def _in_use(layouts: Sequence[Layout], delivered: Sequence[str]) -> Iterator[Layout]:
    """Yield the layouts that a source has delivered; before the first file, the newest version."""
    found = [layout for layout in layouts if layout.version in delivered]
    versions = [layout for layout in layouts if VARIANT_MARK not in layout.version]
    yield from found or versions[-1:]


def _shapes(
    connection: duckdb.DuckDBPyConnection, source_id: str, layout: Layout
) -> dict[str, tuple[str, ...]]:
    """Return the most frequent shapes of the values of each raw column of a layout."""
    names = ", ".join(map(identifier, layout.raw_columns))
    newest = f"""
        select file_id from (
            select file_id, sum(record_count) over (
                order by exported_at desc, file_id
                rows between unbounded preceding and 1 preceding
            ) as newer_count
            from ({USABLE_FILES}) where source_id = $1 and feed = $2 and layout_version = $3
        ) where coalesce(newer_count, 0) < $4
    """
    found = connection.execute(
        f"select name, trim(value) as text, count(*) from ("
        f"unpivot (select {names} from {layout.raw_table} "
        f"where file_id in ({newest}) and record_number <= $4) "
        f"on {names} into name name value value"
        f") where trim(value) <> '' group by name, text",
        [source_id, layout.feed, layout.version, _LOOKED_AT],
    ).fetchall()
    counted: dict[str, Counter[str]] = {}
    for name, text, count in found:
        counted.setdefault(name, Counter())[shape(text)] += count
    return {
        name: tuple(sorted(shapes, key=lambda mask: (-shapes[mask], mask))[:SHAPES])
        for name, shapes in counted.items()
    }
