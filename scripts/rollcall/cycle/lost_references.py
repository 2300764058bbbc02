"""References that newly lead nowhere: ids written otherwise than the records that they name.

A spreadsheet turns `00101` into `101`, a platform writes ids in capitals. Such a file is read well
and takes students out of their classes. What refers to records that come later, or did so before,
is no loss: only references that no earlier record of the source made are counted, and only where
the feed that they refer to has come.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb

from rollcall.contracts.layouts import Column
from rollcall.contracts.project import Contracts
from rollcall.contracts.sources import Limits
from rollcall.landing.verdicts import Effect, Judgement, named_orgs

_ORGS = "oneroster/orgs"


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that is new in the cycle."""

    file_id: str
    source_id: str
    feed: str


@dataclass(frozen=True, slots=True)
class _Reference:
    """A column of a feed that refers to a feed, and where both stand in staging.

    `key` and `org` are SQL on the base view; `org` is the key of the record's school, or null.
    """

    column: Column
    key: str
    org: str


def judge_references(
    connection: duckdb.DuckDBPyConnection,
    contracts: Contracts,
    files: Iterable[NewFile],
    kept_out: Iterable[str],
) -> dict[str, Judgement]:
    """Say of which new files too many records refer to what is not known.

    Args:
        connection: the warehouse in the making, with the base views and the counts of records.
        contracts: layouts and limits.
        files: the files to judge.
        kept_out: files of the cycle whose records are not to be used.

    Returns:
        File to judgement.
    """
    staged = _Staging(connection, contracts, tuple(kept_out))
    judged: dict[str, Judgement] = {}
    sources = {file.file_id: file.source_id for file in files}
    for feed in sorted({file.feed for file in files}):
        for reference in staged.references(feed):
            counted = staged.count(feed, reference)
            for file_id in sorted(counted.keys() & sources.keys() - judged.keys()):
                limits = contracts.sources[sources[file_id]].limits
                judgement = _judge(reference, counted[file_id], limits)
                if judgement:
                    judged[file_id] = judgement
    return judged


def _judge(
    reference: _Reference, by_org: dict[str, tuple[int, int]], limits: Limits
) -> Judgement | None:
    """Judge a file by its counts: by school, how many records refer, and how many nowhere."""

    def is_over(count: int, lost: int) -> bool:
        return lost >= limits.floor_count and lost * 100 > limits.max_lost_percent * count

    count, lost = (sum(pair[place] for pair in by_org.values()) for place in (0, 1))
    broken = [
        f"org '{org}' {lost_of_org} of {of_org}"
        for org, (of_org, lost_of_org) in sorted(by_org.items())
        if org and is_over(of_org, lost_of_org)
    ]
    if not (is_over(count, lost) or broken):
        return None
    return Judgement(
        "REFERENCES_LOST",
        f"{lost} of {count} records name in '{reference.column.name}' what "
        f"{reference.column.references} does not have ({lost * 100 / count:.1f} %, limit "
        f"{limits.max_lost_percent:g} %)" + named_orgs(broken),
        Effect.HOLD,
    )


class _Staging:
    """What staging knows and what the new files bring, each feed read once.

    Where staging is built whole, its base views stand for what it will hold.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, contracts: Contracts, kept_out: tuple[str, ...]
    ) -> None:
        self._connection = connection
        self._contracts = contracts
        self._kept_out = list(kept_out)
        self._read: set[str] = set()
        self._relations: dict[str, tuple[str, set[str]]] = {
            name: (f"{schema}.{name}", set(columns))
            for schema, name, columns in connection.execute(
                "select schema_name, table_name, list(column_name) from duckdb_columns() "
                "where database_name = current_database() and not internal group by all"
            ).fetchall()
        }
        connection.execute(
            "create or replace temp table rejected_records as select file_id, record_number from "
            "(select file_id, unnest(problems, max_depth := 2) "
            "from transform.int_file_record_counts where file_id in "
            "(select file_id from staging.stg_landing__files where is_new)) "
            "where verdict = 'rejected'"
        )

    def references(self, feed: str) -> list[_Reference]:
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
            _Reference(column, key, schools[0] if schools and not _is_org(column) else "null")
            for key, column in there.items()
        ]

    def count(self, feed: str, reference: _Reference) -> dict[str, dict[str, tuple[int, int]]]:
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

    def _new(self, feed: str) -> str:
        """Keep what records of new files name, rejected ones and files kept out aside."""
        table = f"temp.new_{_name(feed)}"
        if table not in self._read:
            self._read.add(table)
            keys = {reference.key for reference in self.references(feed)}
            keys |= {key for key in (self._own_key(feed),) if key}
            only_new = " and is_new" if self._columns("stg", feed) else ""
            self._connection.execute(
                f"create or replace temp table {table} as select file_id, record_number, is_new, "
                f"is_deleted, {', '.join(sorted(keys))} from {self._relation('base', feed)} "
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
