"""Reading of layouts: the columns of every layout, and where each of them lands."""

from collections.abc import Sequence
from pathlib import Path

from rollcall.contracts.layouts import Column, Layout, land_columns, landing_order, version_order
from rollcall.contracts.reading import ContractError, listed, number, rows_of

_MOST_WIDTH = 1_000_000


def read_layouts(paths: Sequence[Path], feeds: set[str]) -> tuple[Layout, ...]:
    """Read all layouts, the versions of each feed in order.

    Raises:
        ContractError: the files contradict themselves, or name a feed that is not in `feeds`.
    """
    columns: dict[tuple[str, str], list[Column]] = {}
    named: dict[tuple[str, str], Path] = {}
    for path, line, row in rows_of(paths):
        where = f"{path.name}, line {line}"
        if row["feed"] not in feeds:
            raise ContractError(f"{where}: feed '{row['feed']}' is not in feeds.csv; add it there.")
        of_layout = columns.setdefault((row["feed"], row["layout_version"]), [])
        named.setdefault((row["feed"], row["layout_version"]), path)
        if int(number(path, line, row, "position")) != len(of_layout) + 1:
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
                allowed_values=listed(row["allowed_values"]),
                allows_extension=row["allows_extension"] == "true",
                references=row["references"],
                staged_as=row["staged_as"],
                width=_width(path, line, row),
                personal_data=row.get("personal_data", ""),
                meaning=row.get("meaning", ""),
            )
        )
    known: dict[str, dict[str, str]] = {}
    layouts: list[Layout] = []
    for feed, version in sorted(columns, key=lambda key: (key[0], landing_order(key[1]))):
        ordered = tuple(columns[feed, version])
        raw_columns = land_columns(version, ordered, known.setdefault(feed, {}))
        keys = {raw for column, raw in zip(ordered, raw_columns, strict=True) if column.is_key}
        layout = Layout(
            feed,
            version,
            ordered,
            f"raw_{feed.replace('/', '.')}",
            raw_columns,
            tuple(raw_column for raw_column in known[feed] if raw_column in keys),
        )
        others = [other for other in layouts if other.feed == feed]
        _check_layout(named[feed, version], layout, others)
        layouts.append(layout)
    return tuple(sorted(layouts, key=lambda layout: (layout.feed, version_order(layout.version))))


def _width(path: Path, line: int, row: dict[str, str]) -> int | None:
    """Return the width of a column; most seeds have no column for it."""
    if not row.get("width"):
        return None
    width = int(number(path, line, row, "width", _MOST_WIDTH))
    if not width:
        raise ContractError(f"{path.name}, line {line}: a column is at least 1 character wide.")
    return width


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
