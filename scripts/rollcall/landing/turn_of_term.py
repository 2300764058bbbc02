"""The turn of the term: records that go because their term is over, or goes on under other ids.

Sections get new ids each term. What a bulk no longer holds for that reason alone is no mass
deletion, and no id that was renamed. Work and scores do not go with their term: what was learned
in it still counts.
"""

from dataclasses import dataclass
from datetime import date, datetime

import duckdb

from rollcall.clock import local_date
from rollcall.contracts.layouts import Layout
from rollcall.contracts.sources import Feed, Source
from rollcall.landing.verdicts import CLASSES, TERMS
from rollcall.ledger.sql import identifier, literal, trimmed

_CLASS = "class_key"
_GOES_BY = {
    TERMS: "term_key",
    "oneroster/courses": "school_year_term_key",
    CLASSES: _CLASS,
    "oneroster/enrollments": _CLASS,
}
"""The column of a mart that says in which terms a record stands, of the feeds that go with them."""
_OVER = "(select coalesce(list(term_{}), []) from temp.terms_over)"


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


def expected_to_go(connection: duckdb.DuckDBPyConnection, file: StoredFile, kept: str) -> str:
    """Return a condition on rows of the mart of a file's feed in the last good cycle, as SQL.

    It holds of rows whose term, or the terms of whose class, ended by the day of the export, and of
    those of a class that is gone, or that the delivery continues: it has a class of the same name
    and code in other terms instead. Where a bulk keeps some of a term, or nothing goes on in
    another, its records are lost rather than over. Terms and classes land before what refers to
    them.

    Args:
        connection: the landing, with the last good warehouse attached as `good`.
        file: the file that is judged.
        kept: the active rows of the mart that it does not remove, as SQL.
    """
    by = _GOES_BY.get(file.feed.feed)
    if by is None or not _has_terms(connection):
        return "false"
    today = local_date(file.exported_at, file.source.time_zone)
    connection.execute(
        "create or replace temp table terms_over as select term_key, term_id "
        "from good.core.dim_term where source_id = ? and end_date <= ?",
        [file.source.source_id, today],
    )
    _read_sent_classes(connection, file)
    if file.mode == "bulk":
        some_are_kept = f"term_key in (select {by} from {kept})"
        if by == _CLASS:
            some_are_kept = (
                "term_key in (select unnest(term_keys) from good.core.dim_class "
                f"where {_CLASS} in (select {_CLASS} from {kept}))"
            )
        goes_on = _terms_go_on(file, today) if file.feed.feed == TERMS else _classes_go_on(file)
        connection.execute(f"delete from temp.terms_over where {some_are_kept} or not {goes_on}")
    if by != _CLASS:
        return f"coalesce({by} in (select term_key from temp.terms_over), false)"
    connection.execute(
        "create or replace temp table classes_over as select class_key "
        "from good.core.dim_class as known where not is_active "
        f"or (len(term_keys) > 0 and list_has_all({_OVER.format('key')}, term_keys)) "
        f"or {_is_continued(file)}"
    )
    return f"coalesce({_CLASS} in (from temp.classes_over), false)"


def _has_terms(connection: duckdb.DuckDBPyConnection) -> bool:
    """Say whether the last good warehouse holds terms and classes."""
    found = connection.execute(
        "select count(*) from duckdb_tables() where database_name = 'good' "
        "and schema_name = 'core' and table_name in ('dim_term', 'dim_class')"
    ).fetchone()
    return found == (2,)


def _terms_go_on(file: StoredFile, today: date) -> str:
    """Return a condition: the file has a term that ends later."""
    later = " or ".join(
        f"try_cast({trimmed(identifier(raw))} as date) > {literal(str(today))}::date"
        for column, raw in file.layout.staged
        if column.staged_column == "end_date"
    )
    return (
        f"exists (select 1 from {file.layout.raw_table} "
        f"where file_id = {literal(file.file_id)} and ({later or 'false'}))"
    )


def _classes_go_on(file: StoredFile) -> str:
    """Return a condition: a class that is known, or that the delivery has, is in another term."""
    return (
        "(exists (select 1 from temp.sent_classes "
        f"where not list_has_all({_OVER.format('id')}, term_ids)) "
        "or exists (select 1 from good.core.dim_class where is_active "
        f"and source_id = {literal(file.source.source_id)} "
        f"and not list_has_all({_OVER.format('key')}, term_keys)))"
    )


def _read_sent_classes(connection: duckdb.DuckDBPyConnection, file: StoredFile) -> None:
    """Keep the classes that have landed at this export time.

    A file that waits does not count; the one that is being judged has no entry yet.
    """
    raw_columns = dict(
        connection.execute(
            "select split_part(staged_as, '.', 2), any_value(raw_column) "
            "from landing.layout_columns where feed = ? and staged_as is not null group by all",
            [CLASSES],
        ).fetchall()
    )
    text = {name: trimmed(identifier(raw)) for name, raw in raw_columns.items()}
    items = f"string_split({text['term_ids']}, ',')"
    connection.execute(
        f"create or replace temp table sent_classes as select {text['class_id']} as class_id, "
        f"{text['name']} as name, {text['class_code']} as class_code, coalesce(list_sort("
        f"list_transform({items}, lambda item: {trimmed('item')})), []) as term_ids "
        "from raw_oneroster.classes where class_id is not null and file_id in ("
        "select file_id from landing.files where source_id = ? and feed = ? and exported_at = ? "
        "and verdict = 'accepted' and not are_removals_held union all select ? where ? = ?)",
        [file.source.source_id, CLASSES, file.exported_at, file.file_id, file.feed.feed, CLASSES],
    )


def _is_continued(file: StoredFile) -> str:
    """Return a condition on known classes: the delivery has them in other terms under other ids."""
    return (
        f"(source_id = {literal(file.source.source_id)} "
        "and class_id not in (select class_id from temp.sent_classes) "
        "and exists (select 1 from temp.sent_classes as sent where sent.name = known.name "
        "and sent.class_code is not distinct from known.class_code "
        "and sent.term_ids <> list_sort(known.term_ids)))"
    )
