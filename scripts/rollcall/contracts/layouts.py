"""Layouts: the known column structures of a feed, and whether a header fits one.

All layouts of a feed share one raw table, which has a column for each thing that any of them
holds. A version `V-n` is a variant of version `V`: another header for the same fields.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property

_DATES = {"MM/DD/YYYY": "us_date", "MMDDYYYY": "digit_date"}
METADATA_PREFIX = "metadata."
VARIANT_MARK = "-"
_NAMES_NOTHING = ("1.0",)
_MARKS = re.compile("\u00c2?\u00ae|\ufffd")
LINEAGE = ("file_id", "layout_version", "record_number", "line_number", "byte_offset")
"""The columns before those of the layouts in every raw table; a column `metadata` comes last."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a layout, as a row of `layouts.csv` says it.

    `requirement` says when it must hold something: `yes`, `delta`, `in_part` (when other columns
    say so) or `no`. `staged_as` is `model.column`, or blank when the column is kept raw only.
    `width` is how many characters it takes in a file of fixed width; `personal_data` is `direct`,
    `indirect` or `none`; `meaning` says it in plain words.
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
    width: int | None = None
    personal_data: str = ""
    meaning: str = ""

    @property
    def kind(self) -> str:
        """How its values are read: its type, or that of a date in another format than ISO 8601."""
        return _DATES.get(self.format, "date") if self.data_type == "date" else self.data_type

    @property
    def may_be_blank(self) -> bool:
        """Whether a key of several columns is one where this is blank."""
        return self.requirement == "no"

    @property
    def staged_column(self) -> str:
        """The column of the staging model, and of the mart of its feed, that holds it."""
        return self.staged_as.split(".")[-1]


@dataclass(frozen=True, slots=True)
class Framing:
    """How files of a layout are cut into records; by default a CSV that begins with its header.

    Attributes:
        kind: csv, fixed, grid, jsonl or xlsx.
        name_pattern: what the name of such a file holds; None where the feed's own name tells.
        year: what the group `year` of the pattern must find, or blank.
        delimiter: what stands between fields; blank where the source says it.
        preamble_lines: how many lines, or rows, stand before the header.
        structural: what the first field of a record is that is passed over.
        nothing: what the first field of the only record is where it says that there is none.
        cells: what the columns of a grid are called whose cells are records each.
        sheet: the sheet of a workbook; blank where it has but one.
        names: those of the layout's columns.
        widths: those of the layout's columns; 0 for one that takes the rest of the line.
    """

    kind: str = "csv"
    name_pattern: re.Pattern[str] | None = None
    year: str = ""
    delimiter: str = ""
    preamble_lines: int = 0
    structural: re.Pattern[str] | None = None
    nothing: re.Pattern[str] | None = None
    cells: re.Pattern[str] | None = None
    sheet: str = ""
    names: tuple[str, ...] = ()
    widths: tuple[int, ...] = ()

    def is_named(self, file_name: str) -> bool:
        """Say whether a file's name holds what it should, the year included."""
        found = self.name_pattern.search(file_name) if self.name_pattern else None
        return found is not None and (not self.year or found["year"] == self.year)


PLAIN = Framing()
"""The framing of a layout of which nothing else is declared."""


@dataclass(frozen=True)
class Layout:
    """One version of a feed's columns, and the raw table (`schema.table`) its records land in.

    `raw_columns` names the column of the raw table in which each of its columns lands;
    `key_columns` those that identify a record, in the order of the raw table; `framing` says how
    its files are cut into records.
    """

    feed: str
    version: str
    columns: tuple[Column, ...]
    raw_table: str
    raw_columns: tuple[str, ...]
    key_columns: tuple[str, ...]
    framing: Framing = PLAIN

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The column names in order."""
        return tuple(column.name for column in self.columns)

    @property
    def keys(self) -> tuple[tuple[Column, str], ...]:
        """The columns that identify a record, with their raw columns, in the order of the latter.

        That order is the same in every version, wherever a vendor puts the columns.
        """
        columns = dict(zip(self.raw_columns, self.columns, strict=True))
        return tuple((columns[raw_column], raw_column) for raw_column in self.key_columns)

    @property
    def staged(self) -> tuple[tuple[Column, str], ...]:
        """The columns that are staged, with their raw columns, in the order of the file."""
        pairs = zip(self.columns, self.raw_columns, strict=True)
        return tuple((column, raw_column) for column, raw_column in pairs if column.staged_as)

    @property
    def is_staged(self) -> bool:
        """Whether any of its columns is staged."""
        return bool(self.staged)

    @property
    def base_version(self) -> str:
        """The version that it is a variant of, or its own."""
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


def is_of_version(layout: Layout, named: str | None) -> bool:
    """Say whether a layout is of the version that a manifest names; 1.2 stands for 1.2.1 too."""
    return layout.base_version == named or (named == "1.2" and layout.base_version == "1.2.1")


def version_order(version: str) -> tuple[tuple[int, str], ...]:
    """Order versions as people do: 1.2 before 1.10, a variant 1.1-2 after 1.1."""
    return tuple(
        (int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"[.-]", version)
    )


def landing_order(version: str) -> tuple[bool, tuple[tuple[int, str], ...]]:
    """Order versions as they name raw columns: a variant, which may come any day, renames none.

    Nor does a version that calls by other names what all later ones call alike.
    """
    return VARIANT_MARK in version or version in _NAMES_NOTHING, version_order(version)


def land_columns(
    version: str, columns: tuple[Column, ...], known: dict[str, str]
) -> tuple[str, ...]:
    """Name the raw column of each column of a layout.

    A column lands where one that is staged as the same lands, whatever it is called; else under its
    own name, unless something else that is staged has it. Names are compared without case.

    Args:
        version: the version of the layout.
        columns: its columns.
        known: the raw columns of the layouts before it in landing order, each with what it is
            staged as, or blank; those of this layout are added.
    """
    landed: list[str] = []
    for column in columns:
        staged = (name for name, staged_as in known.items() if staged_as == column.staged_as)
        name = next(staged, None) if column.staged_as else None
        if name is None:
            name = next((n for n in known if n.lower() == column.name.lower()), column.name)
            if known.get(name) or name in landed or name.lower() in (*LINEAGE, "metadata"):
                name = _free_name(f"{column.name}_{re.sub(r'[^0-9a-zA-Z]', '_', version)}", known)
        known[name] = column.staged_as or known.get(name, "")
        landed.append(name)
    return tuple(landed)


def _free_name(name: str, known: Iterable[str]) -> str:
    taken = {other.lower() for other in known}
    while name.lower() in taken:
        name += "_"
    return name


@cache
def spelling(name: str) -> str:
    """Return what counts of the name of a column: neither blanks doubled nor marks damaged.

    A registered sign is often written in another encoding than the rest.
    """
    return " ".join(_MARKS.sub("", unicodedata.normalize("NFC", name)).split())


def _are_spelled_alike(names: tuple[str, ...], others: tuple[str, ...]) -> bool:
    return names == others or (
        len(names) == len(others) and all(map(_is_spelled_alike, names, others))
    )


def _is_spelled_alike(name: str, other: str) -> bool:
    return name == other or spelling(name) == spelling(other)


def exact_fit(layout: Layout, names: tuple[str, ...]) -> Fit | None:
    """Fit a header by name and order, `metadata.` columns at the right aside."""
    extra = names[len(layout.columns) :]
    is_extra_fine = len(set(extra)) == len(extra) and all(
        name.startswith(METADATA_PREFIX) for name in extra
    )
    if not is_extra_fine or not _are_spelled_alike(names[: len(layout.columns)], layout.names):
        return None
    return Fit(layout, layout.raw_columns + (None,) * len(extra), is_exact=True)


def loose_fit(layout: Layout, names: tuple[str, ...]) -> Fit | None:
    """Fit a header by name alone: each name once, no required column missing.

    Of a layout that says nothing about what is required, no column may be missing.
    """
    folded = [spelling(name).lower() for name in names]
    wanted = {
        spelling(column.name).lower(): raw_column
        for column, raw_column in zip(layout.columns, layout.raw_columns, strict=True)
    }
    required = {
        spelling(column.name).lower() for column in layout.columns if column.requirement != "no"
    }
    required = required or set(wanted)
    if len(set(folded)) < len(folded) or not required <= set(folded):
        return None
    return Fit(layout, tuple(wanted.get(name) for name in folded), is_exact=False)


def fit_by(layout: Layout, names: tuple[str, ...], header_policy: str) -> Fit | None:
    """Fit a header by name and order or, where a source may write it so, by name alone."""
    return exact_fit(layout, names) or (
        loose_fit(layout, names) if header_policy == "by_name" else None
    )


def placed_count(fit: Fit) -> int:
    """Count the fields that have a raw column of their own."""
    return sum(target is not None for target in fit.placement)
