"""The published file is for readers: old clients read it, alone, and it explains itself."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import PUBLIC_SCHEMAS, District

OLD_CLIENTS = ("1.1.3", "1.4.5")
READ_EVERYTHING = """
import duckdb, json, sys
with duckdb.connect(sys.argv[1], read_only=True) as connection:
    names = connection.execute(
        "select table_schema, table_name from information_schema.tables order by all"
    ).fetchall()
    counts = {
        f"{schema}.{name}": len(connection.execute(f'select * from "{schema}"."{name}"').fetchall())
        for schema, name in names
    }
print(json.dumps([duckdb.__version__, counts]))
"""


def read_by(python_path: Path | None, warehouse: Path) -> Any:
    """Read every row of every relation with the DuckDB of a folder, or with that of this run."""
    environment = os.environ | ({"PYTHONPATH": str(python_path)} if python_path else {})
    done = subprocess.run(
        [sys.executable, "-c", READ_EVERYTHING, warehouse],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("version", OLD_CLIENTS)
def test_an_old_client_reads_every_row_of_every_relation(
    sample_run: tuple[District, list[int]], tmp_path: Path, version: str
) -> None:
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    subprocess.run([*install, "--target", tmp_path, f"duckdb=={version}"], check=True)
    warehouse = sample_run[0].home / "warehouse.duckdb"
    used, counts = read_by(tmp_path, warehouse)
    assert used == version
    assert counts == read_by(None, warehouse)[1]
    assert counts["progression.fct_mastery"] > 100


def test_public_tables_and_their_columns_are_described_where_they_are_read(
    sample_run: tuple[District, list[int]],
) -> None:
    schemas = ", ".join(f"'{schema}'" for schema in PUBLIC_SCHEMAS)
    without = sample_run[0].warehouse(
        "select schema_name, name from ("
        "select schema_name, table_name as name, comment from duckdb_tables() "
        "union all select schema_name, view_name, comment from duckdb_views() "
        "union all select schema_name, table_name || '.' || column_name, comment "
        f"from duckdb_columns()) where schema_name in ({schemas}) and comment is null order by all"
    )
    assert without == []


def test_keys_are_declared_and_not_enforced(sample_run: tuple[District, list[int]]) -> None:
    enforced = (
        "select table_name from duckdb_constraints() where schema_name in ('core', 'progression')"
    )
    assert sample_run[0].warehouse(enforced) == []


def test_public_schemas_come_first_in_every_browser(
    sample_run: tuple[District, list[int]],
) -> None:
    schemas = [
        name
        for (name,) in sample_run[0].warehouse(
            "select distinct table_schema from information_schema.tables order by 1"
        )
    ]
    public = {*PUBLIC_SCHEMAS, "district"}
    assert set(schemas[: len(public)]) == public
