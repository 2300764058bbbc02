"""Layouts: the known column structures of a feed, and whether a header fits one.

Layouts with the same columns in the same order share one raw table. A version `V-n` is a variant
of version `V`: another header for the same fields.
"""

import re
from dataclasses import dataclass
from functools import cached_property

METADATA_PREFIX = "metadata."
VARIANT_MARK = "-"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a layout, as a row of `layouts_<family>.csv` says it.

    `requirement` says when it must hold something: `yes`, `delta`, `in_part` (when other columns
    say so) or `no`. `staged_as` is `model.column`, or blank when the column is kept raw only.
    """

    name: str
    data_type: str
    format: str
    is_key: bool
    requirement: str
    allowed_values: tuple[str, ...]
    allows_extension: bool
    references: str
    staged_as: str


@dataclass(frozen=True)
class Layout:
    """One version of a feed's columns, and the raw table (`schema.table`) its records land in.

    A version `V-n` is a variant of version `V`: its fields land in the columns of V that are staged
    as the same; `targets` names them, None for a field that V lacks.
    """

    feed: str
    version: str
    columns: tuple[Column, ...]
    raw_table: str
    targets: tuple[str | None, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The column names in order."""
        return tuple(column.name for column in self.columns)

    @property
    def is_staged(self) -> bool:
        """Whether any of its columns is staged."""
        return any(column.staged_as for column in self.columns)

    @property
    def base_version(self) -> str:
        """The version whose raw table its records land in; its own unless it is a variant."""
        return self.version.split(VARIANT_MARK)[0]


@dataclass(frozen=True, slots=True)
class Fit:
    """A layout that a header fits, and where each field of the header goes.

    `placement` has one entry a header column: the raw column it fills, or None for one that is
    kept in the record's metadata under its own name.
    """

    layout: Layout
    placement: tuple[str | None, ...]
    is_exact: bool


def version_order(version: str) -> tuple[tuple[int, str], ...]:
    """Order versions as people do: 1.2 before 1.10, a variant 1.1-2 after 1.1."""
    return tuple(
        (int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"[.-]", version)
    )


def exact_fit(layout: Layout, names: tuple[str, ...]) -> Fit | None:
    """Fit a header by name and order, `metadata.` columns at the right aside."""
    extra = names[len(layout.columns) :]
    is_extra_fine = len(set(extra)) == len(extra) and all(
        name.startswith(METADATA_PREFIX) for name in extra
    )
    if names[: len(layout.columns)] != layout.names or not is_extra_fine:
        return None
    return Fit(layout, layout.targets + (None,) * len(extra), is_exact=True)


def loose_fit(layout: Layout, names: tuple[str, ...]) -> Fit | None:
    """Fit a header by name alone: each name once, no required column missing.

    Of a layout that says nothing about what is required, no column may be missing.
    """
    folded = [name.strip().lower() for name in names]
    wanted = {
        column.name.lower(): target
        for column, target in zip(layout.columns, layout.targets, strict=True)
    }
    required = {column.name.lower() for column in layout.columns if column.requirement != "no"}
    required = required or set(wanted)
    if len(set(folded)) < len(folded) or not required <= set(folded):
        return None
    return Fit(layout, tuple(wanted.get(name) for name in folded), is_exact=False)


def placed_count(fit: Fit) -> int:
    """Count the fields that have a raw column of their own."""
    return sum(target is not None for target in fit.placement)
