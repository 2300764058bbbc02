"""Framings: how the files of a layout are cut into records, as `framings.csv` declares it.

A layout without a row is a CSV whose first line is its header.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rollcall.contracts.layouts import PLAIN, Framing, Layout
from rollcall.contracts.reading import ContractError, number, pattern, rows_of
from rollcall.contracts.sources import DELIMITERS

KINDS = ("csv", "fixed", "grid", "jsonl", "xlsx")
"""What a file may be: delimited text, also such that its cells are records, lines of fixed width,
an object a line, or a workbook."""
DELIMITED = ("csv", "grid")
_YEAR = "year"
_MOST_PREAMBLE_LINES = 1000
_PATH = re.compile(r"[^.\[\]]+(\[\d+\])*(\.[^.\[\]]+(\[\d+\])*)*")
"""How a layout names a value of an object: `student.codes[0].id`."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the seed, with where it stands and the layout it speaks of."""

    where: str
    layout: Layout
    framing: Framing


def with_framings(paths: Sequence[Path], layouts: Iterable[Layout]) -> tuple[Layout, ...]:
    """Give each layout the framing that the seeds declare for it.

    Raises:
        ContractError: a row cannot be, or speaks of a layout that is not there.
    """
    layouts = tuple(layouts)
    known = {(layout.feed, layout.version): layout for layout in layouts}
    framings: dict[tuple[str, str], Framing] = {}
    for path, line, row in rows_of(paths):
        where = f"{path.name}, line {line}"
        layout = known.get((row["feed"], row["layout_version"]))
        if layout is None:
            raise ContractError(
                f"{where}: {row['feed']} has no layout {row['layout_version']}; add its columns to "
                "layouts.csv."
            )
        key = layout.feed, layout.version
        if key in framings:
            raise ContractError(
                f"{where}: {layout.feed} {layout.version} has another line; one says it all."
            )
        framing = Framing(
            kind=row["kind"] or KINDS[0],
            name_pattern=_pattern(where, row, "name_pattern"),
            year=row["year"],
            delimiter=row["delimiter"],
            preamble_lines=int(number(path, line, row, "preamble_lines", _MOST_PREAMBLE_LINES))
            if row["preamble_lines"]
            else 0,
            structural=_pattern(where, row, "structural_pattern"),
            nothing=_pattern(where, row, "nothing_pattern"),
            cells=_pattern(where, row, "cell_pattern"),
            sheet=row["sheet"],
            names=layout.names,
            widths=tuple(column.width or 0 for column in layout.columns),
        )
        _check(_Row(where, layout, framing))
        framings[key] = framing
    for layout in layouts:
        if any(column.width for column in layout.columns) and (
            framings.get((layout.feed, layout.version), PLAIN).kind != "fixed"
        ):
            raise ContractError(
                f"layouts.csv: {layout.feed} {layout.version} gives a width to its columns; say in "
                "framings.csv that its kind is fixed."
            )
    return tuple(
        replace(layout, framing=framings.get((layout.feed, layout.version), PLAIN))
        for layout in layouts
    )


def _pattern(where: str, row: dict[str, str], column: str) -> re.Pattern[str] | None:
    return pattern(where, row, column) if row.get(column) else None


def _check(row: _Row) -> None:
    """Raise when a row says what cannot be."""
    where, framing, columns = row.where, row.framing, row.layout.columns
    if framing.kind not in KINDS:
        raise ContractError(f"{where}: kind '{framing.kind}' is not one of {', '.join(KINDS)}.")
    if framing.delimiter and (framing.kind not in DELIMITED or framing.delimiter not in DELIMITERS):
        raise ContractError(
            f"{where}: delimiter '{framing.delimiter}' cannot be; a csv or grid has one of "
            f"{', '.join(DELIMITERS)}, or a blank where the source says it, others have none."
        )
    if framing.sheet and framing.kind != "xlsx":
        raise ContractError(f"{where}: only a workbook (xlsx) has a sheet.")
    _check_cells(row)
    if framing.kind == "jsonl" and framing.preamble_lines:
        raise ContractError(f"{where}: a file of an object a line has no preamble.")
    names_year = framing.name_pattern is not None and _YEAR in framing.name_pattern.groupindex
    if bool(framing.year) != names_year:
        raise ContractError(
            f"{where}: year and the group (?P<year>...) of name_pattern go together: the year that "
            "a file's name must hold for this layout."
        )
    if framing.kind == "fixed" and not all(column.width for column in columns[:-1]):
        raise ContractError(
            f"{where}: each column of a layout of fixed width needs a width in layouts.csv; only "
            "the last may lack one, and then takes the rest of the line."
        )
    if framing.kind == "jsonl":
        for column in columns:
            if not _PATH.fullmatch(column.name):
                raise ContractError(
                    f"{where}: '{column.name}' is no path of an object; write names with dots "
                    "between them and places of a list in brackets, such as student.codes[0].id."
                )


def _check_cells(row: _Row) -> None:
    """Raise when a grid lacks what tells its cells, or another kind has it."""
    cells, names = row.framing.cells, set(row.layout.names)
    if row.framing.kind != "grid":
        if cells:
            raise ContractError(f"{row.where}: only a grid has a cell_pattern.")
        return
    wanted = {"[cell]"} | {f"[{group}]" for group in (cells.groupindex if cells else ())}
    if cells is None or not wanted <= names:
        raise ContractError(
            f"{row.where}: a grid needs a cell_pattern, the columns [cell] and one for each group "
            "of it in layouts.csv, such as [id] for (?P<id>...)."
        )
