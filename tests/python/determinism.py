"""What in SQL or Jinja depends on when, where or in which order it runs.

SQL that dbt compiled is parsed; macros and hooks, of which only pieces are SQL, are read as tokens,
and their Jinja by its own parser.
"""

import re
from collections.abc import Iterator

from dbt_common.clients.jinja import get_environment
from jinja2 import nodes
from sqlglot import Dialect, exp, parse_one

FORBIDDEN = frozenset(
    {
        *("now", "today", "current_timestamp", "current_date", "current_time", "localtime"),
        *("localtimestamp", "get_current_timestamp", "get_current_time", "transaction_timestamp"),
        *("current_localtimestamp", "current_localtime", "age"),
        *("random", "setseed", "uuid", "uuidv4", "uuidv7", "gen_random_uuid", "newid"),
        *("rowid", "nextval", "currval", "txid_current", "first", "last", "any_value", "arbitrary"),
        *("approx_count_distinct", "approx_quantile", "approx_top_k", "reservoir_quantile"),
        *("tablesample", "read_csv", "read_parquet", "read_json", "glob", "getenv"),
    }
)
"""Names that stand for the clock, for chance, for the order of storage or for files."""
FORBIDDEN_IN_JINJA = frozenset(
    {"run_started_at", "invocation_id", "modules", "thread_id", "env_var"}
)
_WHERE_NULLS_STAND = re.compile(r"\bnulls\s+(first|last)\b", re.IGNORECASE)
_UNQUOTED = str.maketrans({"'": " ", '"': " "})
_NEEDS_ORDER = frozenset({"array_agg", "list", "string_agg", "group_concat", "listagg"})
_RANKS = (exp.RowNumber, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue, exp.NthValue, exp.Ntile)
_SORTS = frozenset({"list_sort", "array_sort", "sort_array"})


def troubles(sql: str) -> Iterator[str]:
    """Yield what a query does that may come out otherwise another time, the order of ties aside."""
    query = parse_one(sql, dialect="duckdb")
    for node in query.walk():
        name = _name(node)
        if name in FORBIDDEN:
            yield name
        if isinstance(node, _RANKS) and not _order_of_window(node):
            yield f"{name} without an order"
        if name in _NEEDS_ORDER and not (node.find(exp.Order) or _is_sorted(node)):
            yield f"{name} without an order"
        select = node.parent_select if isinstance(node, exp.Limit) else None
        if select and not select.args.get("order"):
            yield "limit without an order"


def orders(sql: str) -> Iterator[str]:
    """Yield the orders that decide which row wins, or where it stands, without names of tables."""
    query = parse_one(sql, dialect="duckdb")
    for column in query.find_all(exp.Column):
        column.set("table", None)
    for node in query.walk():
        if isinstance(node, _RANKS) and (order := _order_of_window(node)):
            by = ", ".join(part.sql("duckdb") for part in _window_part(node, "partition_by"))
            yield f"{by} | {', '.join(part.sql('duckdb') for part in order)}"
        if _name(node) in ("max_by", "min_by", "arg_max", "arg_min"):
            yield f"{_name(node)} {node.expression.sql('duckdb')}"


def words(fragment: str) -> set[str]:
    """Return the forbidden names in a piece of SQL."""
    tokens = Dialect.get_or_raise("duckdb").tokenize(_WHERE_NULLS_STAND.sub(" ", fragment))
    return {token.text.lower() for token in tokens} & FORBIDDEN


def words_of_template(template: str) -> set[str]:
    """Return the forbidden names in a template: in its SQL, its texts and its Jinja."""
    parsed = get_environment().parse(template)
    found = {node.name for node in parsed.find_all(nodes.Name)} & FORBIDDEN_IN_JINJA
    pieces = [node.data for node in parsed.find_all(nodes.TemplateData)]
    texts = [node.value for node in parsed.find_all(nodes.Const) if isinstance(node.value, str)]
    return found | words(" x ".join(pieces)) | words(" ".join(texts).translate(_UNQUOTED))


def _name(node: exp.Expr) -> str:
    """Return the name of a function or column as it is written in DuckDB."""
    if isinstance(node, exp.Anonymous):
        return str(node.this).lower()
    if isinstance(node, exp.Column):
        return str(node.name).lower() if node.name.lower() == "rowid" else ""
    if isinstance(node, exp.Func):
        return str(node.sql_name()).lower()
    return "tablesample" if isinstance(node, exp.TableSample) else ""


def _order_of_window(node: exp.Expr) -> list[exp.Expr]:
    return [part for order in _window_part(node, "order") for part in order.expressions]


def _window_part(node: exp.Expr, name: str) -> list[exp.Expr]:
    window = node.find_ancestor(exp.Window)
    part = window.args.get(name) if window else None
    return part if isinstance(part, list) else [part] if part else []


def _is_sorted(node: exp.Expr) -> bool:
    """Say whether a list is sorted as soon as it is made, a filter aside."""
    parent = node.parent
    while isinstance(parent, exp.Filter):
        parent = parent.parent
    return _name(parent) in _SORTS if parent else False
