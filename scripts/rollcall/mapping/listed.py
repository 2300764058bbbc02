"""The mappings that are reviewed, as a table for the report."""

import duckdb
import pyarrow as pa

from rollcall.contracts.project import Contracts
from rollcall.mapping.approvals import read_reviews, with_reviews
from rollcall.mapping.fields import Field, read_mapping
from rollcall.mapping.words import Words
from rollcall.project import Project

_COLUMNS = (
    *("source_id", "feed", "layout_version", "position", "column_name", "meaning", "shapes"),
    *("needed_by", "staged_as", "done", "personal_data", "status", "code", "reason"),
)
_STATUSES = {"open": "not reviewed", "unsaid": "not said", "stale": "changed since"}
_NOT_USED = "kept, not used"


def lay_out_mappings(
    connection: duckdb.DuckDBPyConnection, contracts: Contracts, project: Project
) -> None:
    """Lay out each column of every source whose mapping is reviewed, as a temporary table.

    That of a source is which is no live one, or of which needs or reviews are recorded.

    Args:
        connection: the ledger in use; it gets the table `mapping_columns`.
        contracts: the contracts of the project.
        project: the project, whose macros say what they do.
    """
    words = Words(project)
    needing = {need.source_id for need in contracts.needed_fields}
    listed: list[tuple[object, ...]] = []
    for source_id, source in sorted(contracts.sources.items()):
        reviews = read_reviews(connection, source_id)
        is_reviewed = source.stage != "live" or source_id in needing or reviews
        if not is_reviewed or not contracts.feeds_of(source_id):
            continue
        mapping = read_mapping(contracts, words, source_id, connection, with_shapes=True)
        for item in with_reviews(mapping, reviews):
            status = _STATUSES.get(item.status, item.status)
            listed.append((source_id, *_said(item.field), status, item.code, item.reason))
        for field in mapping.unused:
            listed.append((source_id, *_said(field), _NOT_USED, "", ""))
    types = [pa.int64() if name == "position" else pa.string() for name in _COLUMNS]
    columns = list(zip(*listed, strict=True)) if listed else [()] * len(_COLUMNS)
    arrays = [
        pa.array([value or None for value in values], kind)
        for values, kind in zip(columns, types, strict=True)
    ]
    connection.register("mappings_read", pa.table(dict(zip(_COLUMNS, arrays, strict=True))))
    connection.execute("create temp table mapping_columns as from mappings_read")
    connection.unregister("mappings_read")


def _said(field: Field) -> tuple[object, ...]:
    return (
        *(field.feed, field.layout_version, field.position, field.column_name, field.meaning),
        *(" | ".join(field.shapes), ", ".join(field.needed_by), field.staged_as, field.done),
        field.personal_data,
    )
