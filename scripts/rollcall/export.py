"""Exports: the public tables as Parquet, for tools that read no DuckDB."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from rollcall.errors import UsageError, needing_room
from rollcall.folders import put_in_place
from rollcall.home import Home

INNER_SCHEMAS = (
    *("main", "reference", "rules", "snapshots", "source_contracts"),
    *("staging", "test_failures", "transform"),
)
"""Schemas on which the marts rest; those of Rollcall's and of a district's marts are public."""


@dataclass(frozen=True, slots=True)
class Export:
    """What was written: the folder, and how many tables and rows it has."""

    path: str
    table_count: int
    row_count: int


def export_parquet(home: Home, folder: Path) -> Export:
    """Write every public table of the last good cycle as `folder/<schema>/<table>/<table>.parquet`.

    The folder is written aside and takes the place of the last export as a whole. It holds personal
    data as the warehouse does.

    Raises:
        UsageError: no cycle has been published, or the folder holds something else.
    """
    folder = folder.resolve()
    if folder.exists() and not _is_export(folder):
        raise UsageError(
            f"{folder} holds something else than an export; name a new folder, or an older export."
        )
    making = folder.with_name(f".{folder.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    row_count = 0
    with needing_room(folder.parent), home.published() as connection:
        tables = connection.execute(
            "select table_schema, table_name from information_schema.tables "
            "where table_catalog = 'warehouse' and table_schema not in ? order by all",
            [list(INNER_SCHEMAS)],
        ).fetchall()
        for schema, table in tables:
            target = making / schema / table / f"{table}.parquet"
            target.parent.mkdir(parents=True)
            [(rows,)] = connection.execute(
                f"copy (from {schema}.{table} order by all) to ? (format parquet)", [str(target)]
            ).fetchall()
            row_count += rows
    put_in_place(making, folder)
    return Export(str(folder), len(tables), row_count)


def _is_export(folder: Path) -> bool:
    """Say whether a folder holds nothing but tables, each in a folder of its own name."""
    if not folder.is_dir():
        return False
    files = [path for path in folder.rglob("*") if not path.is_dir()]
    return all(
        path == folder / path.parts[-3] / path.stem / f"{path.stem}.parquet" for path in files
    )
