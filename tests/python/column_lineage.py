"""Which columns feed a column by value: asked of sqlglot, on the SQL that dbt compiled.

A column is fed by value when what stands in the other column, or a part of it, may stand in it.
What only depends on the other is not: a comparison or a test for null, a count or a length, a hash,
the condition of a `case`, the order and partition of a window. These are blanked before the lineage
is asked for; every other function passes values on.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sqlglot import exp, parse_one
from sqlglot.lineage import Node, lineage
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import build_scope

Relation = tuple[str, ...]
"""Database, schema and table."""
Column = tuple[Relation, str]

_NOT_BY_VALUE = (
    *(exp.Predicate, exp.Connector, exp.Not, exp.Count, exp.Length, exp.ArraySize, exp.RowNumber),
    *(exp.MD5, exp.SHA2, exp.LogicalOr, exp.LogicalAnd),
)
_NOT_BY_VALUE_NAMES = frozenset({"hash", "sha256", "len", "list_bool_or"})
_FIRST_PART_ONLY = (exp.Window, exp.Filter, exp.Order, exp.ArgMax, exp.ArgMin)
_TRIMMED = re.compile(
    r"file_id,\s+record_number,\s+line_number,"
    r"\s+case\s+when\s+left\(\s*columns\(.*?'g'\s*\),\s*''\s*\)\s*end",
    re.DOTALL,
)
"""How base views and comparisons take white space off each field, which passes values on."""
_CHOOSES_ROWS = (exp.Where, exp.Join, exp.Having, exp.Qualify)


def feeds(sql: str, columns: Mapping[Relation, tuple[str, ...]]) -> dict[str, set[Column]]:
    """Return, for each column of a query, the columns of tables that feed it by value.

    Args:
        sql: the query, as DuckDB reads it.
        columns: the columns of every relation that it may read.
    """
    schema: dict[str, Any] = {}
    for (database, name, table), names in columns.items():
        tables = schema.setdefault(database, {}).setdefault(name, {})
        tables[table] = dict.fromkeys(names, "varchar")
    query = qualify(
        parse_one(_TRIMMED.sub("*", sql), dialect="duckdb"),
        schema=schema,
        dialect="duckdb",
        validate_qualify_columns=False,
    ).transform(_blanked)
    assert isinstance(query, exp.Query)
    for union in query.find_all(exp.SetOperation):
        _align(union)
    scope = build_scope(query)
    found = {}
    for name in query.named_selects:
        root = lineage(name, query, schema={}, scope=scope, dialect="duckdb", copy=False)
        found[name] = set(_leaves(root))
    return found


def _align(union: exp.SetOperation) -> None:
    """Give all parts of a union by name the same columns, since lineage goes by position."""
    if not union.args.get("by_name"):
        return
    parts = list(_parts(union))
    names = dict.fromkeys(name for part in parts for name in part.named_selects)
    for part in parts:
        columns = {column.alias_or_name: column for column in part.selects}
        missing = {name: exp.alias_(exp.null(), name) for name in names if name not in columns}
        part.set("expressions", [(columns | missing)[name] for name in names])


def _parts(query: Any) -> Iterator[exp.Select]:
    """Yield the selects that a union unites, and have it unite them by position."""
    query = query.unnest()
    if isinstance(query, exp.SetOperation):
        query.set("by_name", None)
        yield from _parts(query.left)
        yield from _parts(query.right)
    elif isinstance(query, exp.Select):
        yield query


def _blanked(node: exp.Expression) -> exp.Expression:
    """Put null in place of what depends on a value and does not hold it."""
    if isinstance(node, _FIRST_PART_ONLY):
        return _blanked(node.this)
    is_blanked = isinstance(node, _NOT_BY_VALUE) or (
        isinstance(node, exp.Anonymous) and node.name.lower() in _NOT_BY_VALUE_NAMES
    )
    return exp.null() if is_blanked and node.find_ancestor(*_CHOOSES_ROWS) is None else node


def _leaves(node: Node) -> Iterator[Column]:
    if isinstance(node.expression, exp.Table):
        table = node.expression
        yield (table.catalog, table.db, table.name), node.name.rsplit(".", 1)[-1].strip('"')
    for below in node.downstream:
        yield from _leaves(below)
