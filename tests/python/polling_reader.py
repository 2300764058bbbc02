"""Read a published warehouse again and again, as a dashboard does, until told to stop.

Usage: python polling_reader.py WAREHOUSE   (ends when its standard input is closed)

Prints one JSON object: how often it read, and every distinct state that it saw. A client of DuckDB
that opens a file in the very instant in which another takes its place is rejected about once in a
thousand renames; it opens again, as `docs/connect.md` says, and is rejected no more.
"""

import json
import select
import sys
from typing import Any

import duckdb

STATE = """
    select
        (select max(cycle_id) from audit.audit_cycle_log) as cycle_id,
        (select md5(string_agg(to_json(orgs)::varchar, ',' order by source_id, org_id))
            from core.dim_org as orgs) as orgs,
        (select md5(string_agg(to_json(history)::varchar, ',' order by mastery_key, dbt_valid_from))
            from snapshots.snap_mastery as history) as history
"""


def opened(warehouse: str) -> duckdb.DuckDBPyConnection:
    """Open the warehouse, once more if that met the rename."""
    try:
        return duckdb.connect(warehouse, read_only=True)
    except duckdb.IOException:
        return duckdb.connect(warehouse, read_only=True)


def main(warehouse: str) -> None:
    """Poll until standard input ends."""
    read_count = 0
    seen: set[Any] = set()
    while not select.select([sys.stdin], [], [], 0.1)[0]:
        with opened(warehouse) as connection:
            seen.add(connection.execute(STATE).fetchone())
        read_count += 1
    print(json.dumps({"read_count": read_count, "seen": sorted(seen, key=repr)}))


if __name__ == "__main__":
    main(sys.argv[1])
