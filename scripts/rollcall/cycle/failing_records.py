"""Which record of the new files a model cannot take: found by building it with fewer of them."""

import re
import time
from collections.abc import Iterator, Mapping

import duckdb

from rollcall.cycle.failing_rows import where
from rollcall.ledger.sql import rows

_PATIENCE_SECONDS = 30
_RELATION = re.compile(r'"building"\."(\w+)"\."(\w+)"')
_OF_A_VALUE = (
    duckdb.ConversionException,
    duckdb.OutOfRangeException,
    duckdb.InvalidInputException,
)
"""What a query raises for a value, and not for what it says."""


def failing_records(
    connection: duckdb.DuckDBPyConnection, query: str, queries: Mapping[str, str]
) -> Iterator[str]:
    """Name file and line of the first new record with which a model's query fails, by input.

    An input counts whose rows name their record: without its new records the query must succeed.
    Where several together are at fault, such as a result and its line item, each is named. Where no
    input is at fault, those inputs are looked into whose rows name no record, such as students.

    Args:
        connection: has the warehouse in the making as `building`, and the ledger as `landing`.
        query: what the model selects.
        queries: what other models select, by relation, such as `core.dim_org`.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    found = list(_failing_records(connection, query, deadline))
    if not found:
        found = list(
            _failing_records(connection, _looked_into(connection, query, queries), deadline)
        )
    yield from found


def _failing_records(
    connection: duckdb.DuckDBPyConnection, query: str, deadline: float
) -> Iterator[str]:
    if not _fails(connection, query):
        return
    for relation in _relations(query):
        if not _names_records(connection, relation):
            continue
        connection.execute(
            "create or replace temp table new_records as "
            "select *, row_number() over (order by file_id, record_number) as place "
            f"from (select distinct file_id, record_number from {relation} "
            "where file_id in (select file_id from staging.stg_landing__files where is_new))"
        )
        [(last,)] = connection.execute("select count(*) from new_records").fetchall()
        first = 0
        if not last or _fails(connection, _with(query, relation, first)):
            continue
        while last - first > 1 and time.monotonic() < deadline:
            middle = (first + last) // 2
            if _fails(connection, _with(query, relation, middle)):
                last = middle
            else:
                first = middle
        found = rows(
            connection,
            "select file_id, record_number from new_records where place in (?, ?) order by place",
            [first + 1, last],
        )
        if first + 1 == last:
            yield where(connection, found[0])
        elif found[0]["file_id"] == found[1]["file_id"]:
            yield where(connection, found[0] | {"record_number": None})


def _relations(query: str) -> list[str]:
    """Return the relations of the warehouse in the making that a query reads."""
    return sorted({found.group() for found in _RELATION.finditer(query)})


def _names_records(connection: duckdb.DuckDBPyConnection, relation: str) -> bool:
    columns = {row[0] for row in connection.execute(f"describe {relation}").fetchall()}
    return {"file_id", "record_number"} <= columns


def _looked_into(
    connection: duckdb.DuckDBPyConnection, query: str, queries: Mapping[str, str]
) -> str:
    """Write a query that reads what names its records, in place of what is made of that."""
    for relation in _relations(query):
        own = queries.get(_RELATION.sub(r"\1.\2", relation))
        if own and relation not in own and not _names_records(connection, relation):
            query = query.replace(relation, f"({_looked_into(connection, own, queries)})")
    return query


def _with(query: str, relation: str, count: int) -> str:
    """Write a query that reads only the first new records of a relation."""
    kept = (
        f"(from {relation} where (file_id, record_number) not in "
        f"(select file_id, record_number from new_records where place > {count}))"
    )
    return query.replace(relation, kept)


def _fails(connection: duckdb.DuckDBPyConnection, query: str) -> bool:
    """Say whether a query fails for a value; what cannot stand in another query does not."""
    try:
        connection.execute(f"create or replace temp table built as {query}")
    except _OF_A_VALUE:
        return True
    except duckdb.Error:
        return False
    return False
