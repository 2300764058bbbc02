"""Reading of `layouts_<family>.csv`: the columns of every layout, and where variants land."""

import re
from pathlib import Path

from rollcall.contracts.layouts import VARIANT_MARK, Column, Layout, version_order
from rollcall.contracts.reading import ContractError, listed, number, rows


def read_layouts(path: Path, feeds: set[str]) -> list[Layout]:
    """Read the layouts of one family, versions in order and each variant with its base.

    Raises:
        ContractError: the file contradicts itself, or names a feed that is not in `feeds`.
    """
    columns: dict[tuple[str, str], list[Column]] = {}
    for line, row in rows(path):
        where = f"{path.name}, line {line}"
        if row["feed"] not in feeds:
            raise ContractError(f"{where}: feed '{row['feed']}' is not in feeds.csv; add it there.")
        of_layout = columns.setdefault((row["feed"], row["layout_version"]), [])
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
            )
        )
    layouts: dict[tuple[str, str], Layout] = {}
    first_version: dict[tuple[str, tuple[str, ...]], str] = {}
    for feed, version in sorted(columns, key=lambda key: (key[0], version_order(key[1]))):
        names = tuple(column.name for column in columns[feed, version])
        targets: tuple[str | None, ...] = names
        if VARIANT_MARK in version:
            base = layouts.get((feed, version.split(VARIANT_MARK)[0]))
            if base is None:
                raise ContractError(
                    f"{path.name}: {feed} {version} is a variant of a version that is not there."
                )
            targets = _targets(path, base, version, columns[feed, version])
            raw_table = base.raw_table
        else:
            structure = first_version.setdefault((feed, names), version)
            family, table = feed.split("/")
            raw_table = f"raw_{family}.{table}_{re.sub(r'[^0-9a-z]', '_', structure.lower())}"
        layouts[feed, version] = Layout(
            feed, version, tuple(columns[feed, version]), raw_table, targets
        )
    return list(layouts.values())


def _targets(
    path: Path, base: Layout, version: str, columns: list[Column]
) -> tuple[str | None, ...]:
    """Say which column of its base version each column of a variant fills."""
    targets: list[str | None] = []
    for column in columns:
        twin = next(
            (
                other
                for other in base.columns
                if other.staged_as == column.staged_as
                and (column.staged_as or other.name == column.name)
            ),
            None,
        )
        if twin is None and column.staged_as:
            raise ContractError(
                f"{path.name}: {base.feed} {version} stages '{column.name}' as {column.staged_as}, "
                f"which {base.version} does not; give it a version of its own with a base view."
            )
        if twin and (twin.data_type, twin.format) != (column.data_type, column.format):
            raise ContractError(
                f"{path.name}: '{column.name}' of {base.feed} {version} has another type or format "
                f"than in {base.version}; give it a version of its own with a base view."
            )
        if twin and twin.name in targets:
            raise ContractError(
                f"{path.name}: two columns of {base.feed} {version} are staged as "
                f"{column.staged_as}."
            )
        targets.append(twin.name if twin else None)
    if not any(column.is_key for column in columns):
        raise ContractError(f"{path.name}: {base.feed} {version} has no key column.")
    return tuple(targets)
