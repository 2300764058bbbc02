"""New records: what the new files of a cycle bring, and what staging knew before them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from rollcall.contracts.layouts import Column
from rollcall.contracts.project import Contracts
from rollcall.cycle.tables import Tables

_ORGS = "oneroster/orgs"
ABOUT = {
    "oneroster/enrollments": ("user_id",),
    "oneroster/line_item_learning_objective_ids": ("line_item_id",),
    "oneroster/line_items": ("class_id",),
    "oneroster/result_learning_objective_ids": ("result_id",),
    "oneroster/results": ("student_id", "line_item_id"),
    "oneroster/roles": ("user_id",),
    "overrides/mastery_overrides": ("student_id", "objective_id"),
}
"""What a record of a feed is about as long as its id lives, by the columns of staging. A student
may move to another class, and a course go on in another year, under one id."""


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that is new in the cycle."""

    file_id: str
    source_id: str
    feed: str


@dataclass(frozen=True, slots=True)
class Reference:
    """A column of a feed that refers to a feed, and where both stand in staging.

    `key` and `org` are SQL on the base view; `org` is the key of the record's school, or null.
    """

    column: Column
    key: str
    org: str


class Staging:
    """What staging knew and what the new files bring, each feed read once.

    Staging is that of the last good cycle: the one in the making may have the new files by now.
    Where staging is built whole, base views stand for what was known.
    """

    def __init__(self, tables: Tables, contracts: Contracts, kept_out: Iterable[str]) -> None:
        """Read what is there.

        Args:
            tables: those of the warehouse in the making, with base views and counts of records;
                the last good one is attached as `good`, unless tables are built whole.
            contracts: layouts.
            kept_out: files of the cycle whose records are not to be used.
        """
        connection = self._connection = tables.connection
        self._contracts = contracts
        self._kept_out = list(kept_out)
        self._read: set[str] = set()
        self._relations: dict[str, tuple[str, set[str]]] = {
            name: (f"{database}.{schema}.{name}", set(columns))
            for database, schema, name, columns in connection.execute(
                "select database_name, schema_name, table_name, list(column_name) "
                "from duckdb_columns() where starts_with(table_name, case database_name "
                "when current_database() then 'base_' when 'good' then 'stg_' end) "
                "and schema_name in ('staging', $1) group by all order by schema_name desc",
                [tables.pilot],
            ).fetchall()
        }
        connection.execute(
            tables.in_query(
                "create or replace temp table rejected_records as select file_id, record_number "
                "from (select file_id, unnest(problems, max_depth := 2) from {counts} "
                "where file_id in (select file_id from {files} where is_new)) "
                "where verdict = 'rejected'"
            )
        )

    def references(self, feed: str) -> list[Reference]:
        """Return the columns of a feed that refer to feeds that are staged, each once."""
        staged = {
            _key(column.staged_column): column
            for layout in self._contracts.versions(feed)
            for column in layout.columns
            if column.staged_as and column.references and self._own_key(column.references)
        }
        there = {key: staged[key] for key in staged if key in self._columns("base", feed)}
        schools = [key for key, column in there.items() if _is_org(column) and not _is_list(column)]
        return [
            Reference(column, key, schools[0] if schools and not _is_org(column) else "null")
            for key, column in there.items()
        ]

    def count(self, feed: str, reference: Reference) -> dict[str, dict[str, tuple[int, int]]]:
        """Count by file and school the records that refer, and of them those that do in vain."""
        target = reference.column.references
        each = f"unnest({reference.key})" if _is_list(reference.column) else reference.key
        before = f"select {each} as key from {self._before(feed)}"
        found = self._connection.execute(
            f"with referring as (select file_id, record_number, {reference.org} as org, "
            f"{each} as key from {self._new(feed)} where is_new and not is_deleted), "
            f"known as (select key from {self._known(target)}), "
            "judged as (select *, key not in (from known) "
            "and split_part(key, ':', 1) in (select split_part(key, ':', 1) from known) "
            f"and key not in (select key from ({before}) as earlier where key is not null) "
            "as is_lost from referring where key is not null), "
            "by_record as (select file_id, record_number, any_value(org) as org, "
            "bool_or(is_lost) as is_lost from judged group by all) "
            "select file_id, coalesce(split_part(org, ':', 2), ''), count(*), "
            "count(*) filter (is_lost) from by_record group by all"
        ).fetchall()
        counted: dict[str, dict[str, tuple[int, int]]] = {}
        for file_id, org, count, lost in found:
            counted.setdefault(file_id, {})[org] = (count, lost)
        return counted

    def count_reused(
        self, feed: str, about: Sequence[str]
    ) -> list[tuple[str, int, int, int | None]]:
        """Count by file the records whose id is known, and those that are about something else.

        `about` are the columns that say what; the last number is the first such line. What refers
        to something that nobody knew was about nothing yet.
        """
        key, subject = self._own_key(feed), f"hash({', '.join(about)})"
        if key is None:
            return []
        is_known = " and ".join(
            f"{reference.key} in (select key from {self._known(reference.column.references)})"
            for reference in self.references(feed)
            if reference.column.staged_column in about
        )
        version = f"select {key} as key, exported_at, {subject} as subject"
        return self._connection.execute(
            f"with new as ({version}, file_id, record_number, line_number from {self._new(feed)} "
            "where is_new and not is_deleted), "
            f"earlier as ({version} from (from {self._before(feed)} union all by name "
            f"from {self._new(feed)} where is_new) "
            f"where not is_deleted and {is_known or 'true'}), "
            "known as (select file_id, line_number, "
            "new.subject <> arg_max(earlier.subject, earlier.exported_at) as is_reused "
            "from new inner join earlier on new.key = earlier.key "
            "and new.exported_at > earlier.exported_at "
            "group by file_id, record_number, line_number, new.subject) "
            "select file_id, count(*), count(*) filter (is_reused), "
            "min(line_number) filter (is_reused) from known group by file_id order by file_id"
        ).fetchall()

    def school_years(self, feed: str) -> list[tuple[str, datetime, list[int], int]]:
        """Return file, export time, school years named by its records, and how many name one.

        Of new files of a feed whose records name years, by the year in which each ends.
        """
        if "data_year" not in self._columns("base", feed):
            return []
        return self._connection.execute(
            "select file_id, any_value(exported_at), list_sort(list(distinct data_year)), count(*) "
            f"from {self._relation('base', feed)} where is_new and data_year is not null "
            "and not list_contains(?::varchar[], file_id) group by file_id order by file_id",
            [self._kept_out],
        ).fetchall()

    def _new(self, feed: str) -> str:
        """Keep what records of new files name, rejected ones and files kept out aside."""
        table = f"temp.new_{_name(feed)}"
        if table not in self._read:
            self._read.add(table)
            keys = {reference.key for reference in self.references(feed)}
            keys |= {key for key in (self._own_key(feed),) if key}
            keys |= set(ABOUT.get(feed, ()))
            only_new = " and is_new" if self._columns("stg", feed) else ""
            self._connection.execute(
                f"create or replace temp table {table} as select file_id, record_number, "
                f"line_number, exported_at, is_new, is_deleted, {', '.join(sorted(keys))} "
                f"from {self._relation('base', feed)} "
                "anti join temp.rejected_records using (file_id, record_number) "
                f"where not list_contains(?::varchar[], file_id){only_new}",
                [self._kept_out],
            )
        return table

    def _before(self, feed: str) -> str:
        """Return what holds the records of earlier files."""
        if self._columns("stg", feed):
            return self._relation("stg", feed)
        return f"{self._new(feed)} where not is_new"

    def _known(self, feed: str) -> str:
        """Keep the keys of a feed."""
        table = f"temp.known_{_name(feed)}"
        if table not in self._read:
            self._read.add(table)
            key = self._own_key(feed)
            self._connection.execute(
                f"create or replace temp table {table} as select {key} as key "
                f"from {self._new(feed)} where {key} is not null "
                f"union all select {key} from {self._before(feed)}"
            )
        return table

    def _own_key(self, feed: str) -> str | None:
        """Return the key of a feed that others can refer to, where it is staged."""
        keys = {
            _key(column.staged_column)
            for layout in self._contracts.versions(feed)
            for column in layout.columns
            if column.is_key and column.staged_as
        }
        return next(iter(keys)) if len(keys) == 1 and keys <= self._columns("base", feed) else None

    def _columns(self, kind: str, feed: str) -> set[str]:
        """Return the columns of the base view or staging model of a feed; none without one."""
        return self._relations.get(f"{kind}_{_name(feed)}", ("", set()))[1]

    def _relation(self, kind: str, feed: str) -> str:
        return self._relations[f"{kind}_{_name(feed)}"][0]


def _is_org(column: Column) -> bool:
    return column.references == _ORGS


def _is_list(column: Column) -> bool:
    return column.data_type == "reflist"


def _name(feed: str) -> str:
    """Name a feed as its models do."""
    return feed.replace("/", "__")


def _key(name: str) -> str:
    """Name the key that stands beside an id: user_id, user_key; term_ids, term_keys."""
    return name.removesuffix("s").removesuffix("_id") + "_key" + "s" * name.endswith("_ids")
