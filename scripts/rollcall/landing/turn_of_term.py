"""The turn of the term: records that go because their term is over, or goes on under other ids.

Sections get new ids each term. What a bulk no longer holds for that reason alone is no mass
deletion, and no id that was renamed.
"""

from dataclasses import dataclass
from datetime import datetime

import duckdb

from rollcall.contracts.layouts import Layout
from rollcall.contracts.sources import Feed, Source
from rollcall.landing.verdicts import CLASSES
from rollcall.ledger.sql import identifier, literal, trimmed

_NEEDED = ("core.dim_term", "core.dim_class")
_OF_TERM = ("term_key", "school_year_term_key")
_OF_CLASS = "class_key"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file whose records are stored but not yet judged.

    `hidden_key_count` is how many malformed records hide their key.
    """

    file_id: str
    source: Source
    feed: Feed
    layout: Layout
    mode: str
    exported_at: datetime
    record_count: int
    hidden_key_count: int


def expected_to_go(connection: duckdb.DuckDBPyConnection, file: StoredFile) -> str:
    """Return a condition on rows of the mart of a file's feed in the last good cycle, as SQL.

    It holds of rows whose term, or the terms of whose class, ended by the day of the export, and of
    those of a class that the delivery continues: it has a class of the same name and code in other
    terms instead. Classes land before what refers to them.
    """
    columns = {
        f"{schema}.{table}.{column}"
        for schema, table, column in connection.execute(
            "select schema_name, table_name, column_name from duckdb_columns() "
            "where database_name = 'good'"
        ).fetchall()
    }
    of_term = [name for name in _OF_TERM if f"{file.feed.mart}.{name}" in columns]
    of_class = f"{file.feed.mart}.{_OF_CLASS}" in columns
    if not all(any(name.startswith(f"{table}.") for name in columns) for table in _NEEDED):
        return "false"
    connection.execute(
        "create or replace temp table terms_over as select term_key from good.core.dim_term "
        "where end_date <= cast(? as date)",
        [file.exported_at],
    )
    conditions = [f"{name} in (from temp.terms_over)" for name in of_term]
    if of_class:
        connection.execute(
            "create or replace temp table classes_over as select class_key "
            "from good.core.dim_class as known where not is_active or (len(term_keys) > 0 and "
            "list_has_all((select coalesce(list(term_key), []) from temp.terms_over), term_keys)) "
            f"or {_is_continued(connection, file)}"
        )
        conditions.append(f"{_OF_CLASS} in (from temp.classes_over)")
    return f"coalesce({' or '.join(conditions)}, false)" if conditions else "false"


def _is_continued(connection: duckdb.DuckDBPyConnection, file: StoredFile) -> str:
    """Return a condition on known classes: this delivery has them in other terms under other ids.

    Of what has landed of classes at this export time, a file that waits does not count; the one
    that is being judged has no entry yet.
    """
    raw_columns = dict(
        connection.execute(
            "select split_part(staged_as, '.', 2), any_value(raw_column) "
            "from landing.layout_columns where feed = ? and staged_as is not null group by all",
            [CLASSES],
        ).fetchall()
    )
    text = {name: trimmed(identifier(raw)) for name, raw in raw_columns.items()}
    terms = (
        "array_to_string(list_sort(list_transform(string_split("
        f"{text['term_ids']}, ','), lambda item: {trimmed('item')})), ',')"
    )
    sent = (
        f"(select {text['class_id']} as class_id, {text['name']} as name, "
        f"{text['class_code']} as class_code, {terms} as terms from raw_oneroster.classes "
        "where file_id in (from temp.sent_classes) and class_id is not null)"
    )
    connection.execute(
        "create or replace temp table sent_classes as select file_id from landing.files "
        "where source_id = ? and feed = ? and exported_at = ? and verdict = 'accepted' "
        "and not are_removals_held union all select ? where ? = ?",
        [file.source.source_id, CLASSES, file.exported_at, file.file_id, file.feed.feed, CLASSES],
    )
    return (
        f"(source_id = {literal(file.source.source_id)} "
        f"and class_id not in (select class_id from {sent}) "
        f"and exists (select 1 from {sent} as sent where sent.name = known.name "
        "and sent.class_code is not distinct from known.class_code "
        "and sent.terms <> array_to_string(list_sort(known.term_ids), ',')))"
    )
