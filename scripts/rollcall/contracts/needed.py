"""Needed fields: who needs which column of a source, as `needed_fields.csv` declares it.

A pilot stages no column that nothing needs. Rollcall itself needs what identifies a record, what
refers to another one, and what says whether and when it was changed: `own_need`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rollcall.contracts.layouts import Column, Layout
from rollcall.contracts.reading import ContractError, listed, rows, rows_of
from rollcall.contracts.sources import Source

_IDENTITY = "identity"
_KINDS = {"rule": ("mastery_rules.csv", "rule_id"), "gate": ("learning_paths.csv", "path_id")}
"""What needs a column by its name in a seed of rules; a `page` may have any name."""
_OWN = {"is_deleted": "Rollcall: deletions", "modified_at": "Rollcall: versions"}


@dataclass(frozen=True, slots=True)
class NeededField:
    """A row of `needed_fields.csv`; `place` is its file and line.

    `needed_by` are `rule:ID`, `gate:PATH`, `page:NAME` or `identity`.
    """

    source_id: str
    feed: str
    column_name: str
    needed_by: tuple[str, ...]
    reason: str
    place: str


def own_need(column: Column) -> str:
    """Say what Rollcall itself needs a column for; blank when it does not."""
    if column.is_key:
        return "Rollcall: key"
    if column.references:
        return "Rollcall: reference"
    return _OWN.get(column.staged_column, "")


def read_needed(path: Path) -> Iterator[NeededField]:
    """Yield the needed fields of a seed that stands beside `sources.csv`, or none.

    Raises:
        ContractError: a column of a source has two rows, or a row says of nobody that he needs it.
    """
    places: dict[tuple[str, str, str], str] = {}
    for line, row in rows(path) if path.exists() else ():
        place = f"{path.name}, line {line}"
        key = row["source_id"], row["feed"], row["column_name"]
        if earlier := places.get(key):
            raise ContractError(
                f"{place}: '{key[2]}' of {key[0]} and {key[1]} has a row already ({earlier}); "
                "write all who need it into one, with | between them."
            )
        places[key] = place
        needed_by = listed(row["needed_by"])
        if not needed_by or not row["reason"].strip():
            raise ContractError(
                f"{place}: say who needs '{key[2]}' (needed_by) and why (reason), or remove it."
            )
        yield NeededField(*key, needed_by, row["reason"], place)


def check_needed(
    need: NeededField,
    sources: Mapping[str, Source],
    staged: Mapping[str, Sequence[Layout]],
    rules: Sequence[Path],
) -> None:
    """Check that a needed field is staged, and that who needs it is there.

    Args:
        need: the row.
        sources: the sources by their ids.
        staged: the layouts of each feed that its source may send and Rollcall stages.
        rules: where the seeds of rules may be; the first folder that has one counts.

    Raises:
        ContractError: it is not; names file and line of the row.
    """
    if need.source_id not in sources:
        raise ContractError(f"{need.place}: sources.csv has no source '{need.source_id}'.")
    if need.feed not in staged:
        raise ContractError(
            f"{need.place}: {need.source_id} sends no feed '{need.feed}' that is staged; correct "
            "the feed, or families and ignore_files of the source."
        )
    if need.column_name not in staged_names(staged[need.feed]):
        raise ContractError(
            f"{need.place}: {need.needed_by[0]} needs '{need.column_name}' of {need.feed}, and no "
            "layout stages it; set its staged_as, or remove the row."
        )
    for name in need.needed_by:
        _check_who(need.place, name, rules)


def _check_who(place: str, needed_by: str, rules: Sequence[Path]) -> None:
    kind, _, name = needed_by.partition(":")
    if needed_by == _IDENTITY or (kind == "page" and name):
        return
    if kind not in _KINDS or not name:
        raise ContractError(
            f"{place}: needed_by '{needed_by}' is none of rule:ID, gate:PATH, page:NAME, identity."
        )
    seed, column = _KINDS[kind]
    path = next((found for folder in rules if (found := folder / seed).exists()), rules[-1] / seed)
    if name not in {row[column] for _, row in rows(path)}:
        raise ContractError(
            f"{place}: {seed} has no {column} '{name}'; correct needed_by, or remove the row."
        )


def check_taken(
    source_id: str,
    staged: Mapping[str, Sequence[Layout]],
    needed: Iterable[NeededField],
    seeds: Sequence[Path],
) -> None:
    """Check that a pilot stages no column that nothing needs.

    Args:
        source_id: the pilot.
        staged: the layouts of each feed that it may send and Rollcall stages.
        needed: its needed fields.
        seeds: the files of the layouts, to name the line.

    Raises:
        ContractError: it does; names file and line of the first one, and how many there are.
    """
    wanted = {(need.feed, need.column_name) for need in needed}
    idle = [
        (layout, column)
        for feed, layouts in staged.items()
        for layout in layouts
        for column, _ in layout.staged
        if not own_need(column)
        and not (alike(column, layouts) & {n for f, n in wanted if f == feed})
    ]
    if not idle:
        return
    layout, column = idle[0]
    more = f" ({len(idle)} columns of the pilot are like that)" if len(idle) > 1 else ""
    raise ContractError(
        f"{_place(layout, column, seeds)}: the pilot {source_id} stages '{column.name}' of "
        f"{layout.feed} as {column.staged_as}, and nothing needs it{more}; say in "
        f"needed_fields.csv who does, stage it no more, or name the file in ignore_files of "
        f"{source_id}."
    )


def staged_names(layouts: Iterable[Layout]) -> set[str]:
    """Return what the staged columns of a feed are called in any layout."""
    return {column.name for layout in layouts for column, _ in layout.staged}


def alike(column: Column, layouts: Iterable[Layout]) -> set[str]:
    """Return what a staged column is called in any layout of its feed."""
    return {
        other.name
        for layout in layouts
        for other, _ in layout.staged
        if other.staged_as == column.staged_as
    }


def _place(layout: Layout, column: Column, seeds: Sequence[Path]) -> str:
    wanted = (layout.feed, layout.version, column.name)
    for path, line, row in rows_of(seeds):
        if (row["feed"], row["layout_version"], row["column_name"]) == wanted:
            return f"{path.name}, line {line}"
    return f"{seeds[0].name}: {layout.feed} {layout.version}"
