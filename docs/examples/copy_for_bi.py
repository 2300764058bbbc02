"""Copy the public tables into a file that other accounts can read.

Usage: python docs/examples/copy_for_bi.py warehouse/warehouse.duckdb /srv/bi/rollcall.duckdb
"""

import os
import sys
from pathlib import Path

import duckdb

PUBLIC = ("core", "progression", "audit", "reconciliation")


def copy_for_bi(warehouse: Path, target: Path) -> int:
    """Write every public table to `target`, put it in place by rename, and count the tables."""
    os.umask(0o027)  # its owner writes, the group of the account reads
    unfinished = target.with_name(target.name + ".new")
    unfinished.unlink(missing_ok=True)
    with duckdb.connect() as connection:
        connection.execute("attach ? as warehouse (read_only)", [str(warehouse)])
        connection.execute("attach ? as copy (storage_version 'v1.0.0')", [str(unfinished)])
        tables = connection.execute(
            "select table_schema, table_name from information_schema.tables "
            "where table_catalog = 'warehouse' and table_schema in ? order by all",
            [list(PUBLIC)],
        ).fetchall()
        for schema, table in tables:
            connection.execute(f"create schema if not exists copy.{schema}")
            connection.execute(
                f"create table copy.{schema}.{table} as from warehouse.{schema}.{table}"
            )
    unfinished.replace(target)
    return len(tables)


if __name__ == "__main__":
    count = copy_for_bi(Path(sys.argv[1]), Path(sys.argv[2]))
    sys.stdout.write(f"Copied {count} tables to {sys.argv[2]}.\n")
