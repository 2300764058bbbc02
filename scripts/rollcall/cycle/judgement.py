"""What a cycle finds against its new files by their records, before anything is built upon them.

dbt gives every record its verdict; this counts the verdicts, and says how values are written where
most of a column cannot be read. It holds no grammar of dates, requirements or enumerations.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from rollcall.contracts.layouts import Column, Layout
from rollcall.contracts.project import Contracts
from rollcall.cycle.lost_references import judge_references
from rollcall.cycle.new_records import NewFile, Staging
from rollcall.cycle.reused_ids import judge_ids
from rollcall.cycle.school_years import judge_years
from rollcall.cycle.tables import Tables
from rollcall.cycle.unlinked_students import KEEP_STUDENTS, judge_students
from rollcall.home import Home
from rollcall.landing import raw
from rollcall.landing.file import add_file
from rollcall.landing.job import Context, note
from rollcall.landing.verdicts import Effect, Judgement
from rollcall.ledger import ledger
from rollcall.ledger.sql import identifier, literal, rows, trimmed
from rollcall.sanitize import shape

_MOST = 0.5
_OTHER_FORMATS = {
    "date": (
        ("month/day/year", "%m/%d/%Y"),
        ("day/month/year", "%d/%m/%Y"),
        ("year/month/day", "%Y/%m/%d"),
        ("day.month.year", "%d.%m.%Y"),
        ("month-day-year", "%m-%d-%Y"),
        ("day-month-year", "%d-%m-%Y"),
        ("yyyymmdd", "%Y%m%d"),
        ("day-month in letters-year", "%d-%b-%Y"),
    ),
    "datetime": (
        ("month/day/year hour:minute", "%m/%d/%Y %H:%M"),
        ("day/month/year hour:minute", "%d/%m/%Y %H:%M"),
        ("month/day/year hour:minute:second", "%m/%d/%Y %H:%M:%S"),
        ("day/month/year hour:minute:second", "%d/%m/%Y %H:%M:%S"),
        ("month/day/year", "%m/%d/%Y"),
        ("day/month/year", "%d/%m/%Y"),
        ("yyyymmddhhmmss", "%Y%m%d%H%M%S"),
    ),
}
_OTHER_FORMS = {
    "date": (
        ("a date with a time", r"\d{4}-\d{2}-\d{2}[T ].+"),
        ("day numbers of a spreadsheet", r"[2-6]\d{4}(\.\d+)?"),
    ),
    "datetime": (
        ("seconds since 1970", r"1\d{9}"),
        ("milliseconds since 1970", r"1\d{12}"),
        ("day numbers of a spreadsheet", r"[2-6]\d{4}(\.\d+)?"),
    ),
    "float": (
        ("a decimal comma", r"[+-]?\d+,\d+"),
        ("a percent sign", r"[+-]?\d+(\.\d+)? ?%"),
        ("letter grades", r"[A-Fa-f][+-]?"),
    ),
    "integer": (("decimals", r"[+-]?\d+[.,]\d+"),),
    "bool": (("1 and 0", "[01]"), ("Y and N", "[YyNn]"), ("yes and no", "(?i)yes|no")),
}


_FILES = """
    with structural as (
        select file_id, count(*) as structural_count
        from landing.landing.structural_records group by file_id
    )
    select
        file_id,
        files.source_id,
        files.feed,
        files.layout_version,
        files.record_count - coalesce(structural_count, 0) as judged_count,
        files.malformed_count + coalesce(counts.rejected_count, 0) as rejected_count,
        coalesce(
            counts.accepted_count + counts.duplicate_count,
            judged_count - files.malformed_count
        ) as accepted_count
    from landing.landing.cycle_files
    inner join landing.landing.files using (file_id)
    semi join {files} as seen using (file_id)
    left join {counts} as counts using (file_id)
    left join structural using (file_id)
    where
        cycle_files.cycle_id = ?
        and file_id not in (
            select file_id from landing.landing.decisions where decision = 'release'
        )
    order by file_id
"""
_VIOLATED = """
    with problems as (
        select unnest(problems, max_depth := 2)
        from {counts} where file_id = ?
    ),
    violations as (
        select record_number, unnest(violations, max_depth := 2) from problems
    )
    select
        column_name,
        count(*) filter (where is_error) as error_count,
        list(record_number) filter (where starts_with(code, 'INVALID_') or code = ?) as unreadable
    from violations where column_name is not null
    group by column_name order by error_count desc, column_name
"""


_REASONS = """
    with problems as (
        select unnest(problems, max_depth := 2)
        from {counts} where file_id = ?
    ),
    violations as (
        select record_number, line_number, unnest(violations, max_depth := 2)
        from problems where verdict = 'rejected'
    ),
    reasons as (
        select code, column_name, line_number, record_number from violations where is_error
        union all
        select code, null, line_number, record_number
        from landing.landing.malformed_records where file_id = ?
    )
    select code, column_name, count(*), min(line_number), arg_min(record_number, line_number)
    from reasons group by code, column_name order by count(*) desc, code, column_name nulls first
"""
_KEEP_REASONS = """
    insert into landing.rejected_records by name
    with problems as (
        select file_id, unnest(problems, max_depth := 2)
        from building.{counts} where file_id = ?
    ),
    violations as (
        select file_id, record_number, line_number, unnest(violations, max_depth := 2)
        from problems where verdict = 'rejected'
    )
    select file_id, record_number, line_number, code, column_name as raw_column
    from violations where is_error
"""
_MOST_REASONS = 3


@dataclass(frozen=True, slots=True)
class _File:
    """A new file, with how many of its records are rejected (malformed ones too) and accepted."""

    file_id: str
    source_id: str
    feed: str
    layout_version: str
    judged_count: int
    rejected_count: int
    accepted_count: int


@dataclass(frozen=True, slots=True)
class _Unreadable:
    """A column in which values of a file cannot be read: how many are filled, which records."""

    column: Column
    raw_column: str
    filled: int
    record_numbers: list[int]

    @property
    def count(self) -> int:
        """How many values cannot be read."""
        return len(self.record_numbers)


def judge_new_files(
    home: Home,
    contracts: Contracts,
    cycle_id: int,
    *,
    is_built_whole: bool,
    pilot: str | None = None,
) -> list[tuple[str, Judgement]]:
    """Say what is to be said of new files of a cycle, by what dbt makes of their records.

    A file that somebody released is not judged again.

    Args:
        home: the data directory, whose warehouse in the making has the counts of records.
        contracts: layouts and limits.
        cycle_id: the cycle.
        is_built_whole: whether its tables are, so that base views say what was known before it.
        pilot: the schema of the pilot whose files are judged; those of live sources by default.

    Returns:
        Files and judgements, of each file at most one that keeps it out: `TYPE_CHANGED` when most
        values of a column cannot be read; `MASS_REJECTION` when more records are rejected than the
        limit allows, or all of them, however few there are; `REFERENCES_LOST` when more records
        than the limit allows newly refer to what is not known, and `REFERENCES_UNKNOWN` when all of
        a few do; `SCHOOL_YEAR_NOT_CURRENT` when no record is of the year that is due; `ID_REUSED`
        when ids stand for something else than before, which is noted below a limit.
    """
    with duckdb.connect(str(home.building_db), read_only=True) as connection:
        home.attach(connection, home.landing_db, "landing")
        tables = Tables(connection, pilot)
        of_cycle = tables.in_query(_FILES)
        files = [_File(*row) for row in connection.execute(of_cycle, [cycle_id]).fetchall()]
        found = {file.file_id: _judge(tables, contracts, file) for file in files}
        judged = {file_id: judgement for file_id, judgement in found.items() if judgement}
        others = [
            NewFile(file.file_id, file.source_id, file.feed)
            for file in files
            if file.file_id not in judged
        ]
        if not is_built_whole:
            home.attach_last_good(connection)
        staging = Staging(tables, contracts, judged)
        found_of_others = (
            judge_ids(staging, contracts, others),
            judge_references(staging, contracts, others),
            judge_years(staging, contracts, others),
        )
    for others_found in found_of_others:
        judged |= {key: item for key, item in others_found.items() if item.effect != Effect.NOTE}
    notes = [
        (key, item)
        for others_found in found_of_others
        for key, item in others_found.items()
        if item.effect == Effect.NOTE and key not in judged
    ]
    return [*judged.items(), *notes]


def judge_linked_files(
    home: Home, contracts: Contracts, cycle_id: int, *, pilot: str | None = None
) -> list[tuple[str, Judgement]]:
    """Say what is to be said of new files of a cycle, by whose their students are.

    Args:
        home: the data directory, whose warehouse in the making has linked the students.
        contracts: layouts and limits.
        cycle_id: the cycle.
        pilot: the schema of the pilot whose files are judged; those of live sources by default.
    """
    with duckdb.connect(str(home.building_db), read_only=True) as connection:
        home.attach(connection, home.landing_db, "landing")
        return judge_students(Tables(connection, pilot), contracts, cycle_id)


def note_down(context: Context, cycle_id: int, judged: Sequence[tuple[str, Judgement]]) -> None:
    """Append what is noted of files that are taken all the same."""
    for file_id, judgement in sorted(judged, key=lambda pair: (pair[0], pair[1].code)):
        _add_finding(context, cycle_id, file_id, judgement)
    note(context, "job_found", str(context.job_id), f"cycle={cycle_id} noted={len(judged)}")


def _add_finding(context: Context, cycle_id: int, file_id: str, judgement: Judgement) -> None:
    ledger.add_finding(
        context.connection,
        job_id=context.job_id,
        cycle_id=cycle_id,
        file_id=file_id,
        code=judgement.code,
        detail=judgement.sentence,
        at=context.at,
    )


def keep_out(
    context: Context, cycle_id: int, judged: Mapping[str, Judgement], *, pilot: str | None = None
) -> None:
    """Take files out of a cycle, with the verdict and the reason that they have from now on.

    Args:
        context: the landing that goes on; its connection is in a transaction, and has the warehouse
            in the making attached as `building`.
        cycle_id: the cycle, which has frozen its files and built nothing yet.
        judged: file to judgement.
        pilot: the schema of the pilot whose files they are; those of live sources by default.
    """
    tables = Tables(context.connection, pilot, "building")
    for file_id, judgement in sorted(judged.items()):
        [entry] = rows(
            context.connection, "select * from landing.files where file_id = ?", [file_id]
        )
        verdict = "rejected" if judgement.effect == Effect.REJECT else "held"
        if verdict == "rejected":
            raw.remove(context.connection, file_id, entry["raw_table"])
        else:
            is_unlinked = judgement.code == "STUDENTS_UNLINKED"
            kept = tables.in_query(KEEP_STUDENTS if is_unlinked else _KEEP_REASONS)
            context.connection.execute(kept, [file_id])
        context.connection.execute("delete from landing.cycle_files where file_id = ?", [file_id])
        _add_finding(context, cycle_id, file_id, judgement)
        changed = {
            "verdict": verdict,
            "code": judgement.code,
            "detail": " ".join(filter(None, [judgement.sentence, entry["detail"]])),
            "are_removals_held": False,
        }
        add_file(context, entry | changed)
    note(context, "job_found", str(context.job_id), f"cycle={cycle_id} found={len(judged)}")
    note(context, "cycle_judged", str(cycle_id), f"kept_out={len(judged)}")


def _judge(tables: Tables, contracts: Contracts, file: _File) -> Judgement | None:
    connection = tables.connection
    limits = contracts.sources[file.source_id].limits
    [layout] = [
        layout for layout in contracts.versions(file.feed) if layout.version == file.layout_version
    ]
    found = connection.execute(
        tables.in_query(_VIOLATED), [file.file_id, "OPTIONAL_VALUE_IGNORED"]
    ).fetchall()
    stored = f"(from landing.{layout.raw_table} where file_id = {literal(file.file_id)})"
    for raw_column, _, record_numbers in found:
        if record_numbers and len(record_numbers) >= limits.floor_count:
            unreadable = _read(connection, stored, layout, raw_column, record_numbers)
            if unreadable.count > unreadable.filled * _MOST:
                sentence = _describe(connection, stored, unreadable)
                return Judgement("TYPE_CHANGED", sentence, Effect.REJECT)
    share = file.rejected_count * 100 / max(file.judged_count, 1)
    is_mass = file.rejected_count >= limits.floor_count and share > limits.max_rejected_percent
    if not (is_mass or (file.rejected_count and not file.accepted_count)):
        return None
    names = dict(zip(layout.raw_columns, layout.names, strict=True))
    columns = [names.get(raw_column, raw_column) for raw_column, errors, _ in found if errors]
    where = ", ".join(f"'{name}'" for name in columns)
    reasons = list(_reasons(tables, stored, layout, file.file_id))
    return Judgement(
        "MASS_REJECTION",
        f"{file.rejected_count} of {file.judged_count} records are rejected ({share:.1f} %, "
        f"limit {limits.max_rejected_percent:g} %)"
        + (f"; look at {where}. " if where else ". ")
        + " ".join(reasons[:_MOST_REASONS])
        + (f" And {len(reasons) - _MOST_REASONS} more." * (len(reasons) > _MOST_REASONS)),
        Effect.HOLD,
    )


def _reasons(tables: Tables, stored: str, layout: Layout, file_id: str) -> Iterator[str]:
    """Yield why records are rejected, the most frequent first: how the first value is written."""
    connection = tables.connection
    for code, raw_column, count, line, number in connection.execute(
        tables.in_query(_REASONS), [file_id, file_id]
    ).fetchall():
        times = f"{count} times, first in line {line}" if count > 1 else f"once, in line {line}"
        if raw_column not in layout.raw_columns:
            yield f"{code} {times}."
            continue
        value = value_of(connection, stored, raw_column, number)
        yield f"{code} in '{column_of(layout, raw_column).name}' {times}: {value}" + (
            f"; {wanted}." if (wanted := wanted_of(layout, raw_column)) else "."
        )


def column_of(layout: Layout, raw_column: str) -> Column:
    """Return the column of a layout that lands in a raw column."""
    return layout.columns[layout.raw_columns.index(raw_column)]


def wanted_of(layout: Layout, raw_column: str) -> str:
    """Say what a column may hold; nothing where anything goes."""
    column = column_of(layout, raw_column)
    if column.allowed_values:
        return f"allowed: {', '.join(column.allowed_values)}"
    return f"expected: {column.format}" if column.format else ""


def value_of(
    connection: duckdb.DuckDBPyConnection, stored: str, raw_column: str, record_number: int
) -> str:
    """Say how a value is written, never what it is."""
    [(text,)] = connection.execute(
        f"select {identifier(raw_column)} from {stored} where record_number = ?", [record_number]
    ).fetchall()
    return f"written '{shape(text)}'" if text and text.strip() else "blank"


def _read(
    connection: duckdb.DuckDBPyConnection,
    stored: str,
    layout: Layout,
    raw_column: str,
    record_numbers: list[int],
) -> _Unreadable:
    """Find the column of the layout, and count its filled values."""
    place = layout.raw_columns.index(raw_column)
    filled = connection.execute(
        f"select count({trimmed(identifier(raw_column))}) from {stored}"
    ).fetchone()
    return _Unreadable(
        layout.columns[place], raw_column, filled[0] if filled else 0, sorted(record_numbers)
    )


def _describe(connection: duckdb.DuckDBPyConnection, stored: str, unreadable: _Unreadable) -> str:
    column = unreadable.column
    fitting = list(_fitting(connection, stored, unreadable))
    first = unreadable.record_numbers[0]
    [(line,)] = connection.execute(
        f"select line_number from {stored} where record_number = ?", [first]
    ).fetchall()
    sentence = (
        f"{unreadable.count} of {unreadable.filled} values of '{column.name}' are not written as "
        f"{column.format or column.data_type}, the first in line {line} "
        f"({value_of(connection, stored, unreadable.raw_column, first)})"
    )
    if len(fitting) > 1:
        return f"{sentence}; {' and '.join(fitting)} both fit, so nothing may be guessed."
    if fitting:
        return f"{sentence}; all of them fit {fitting[0]}."
    return f"{sentence}; no known format fits them all."


def _fitting(
    connection: duckdb.DuckDBPyConnection, stored: str, unreadable: _Unreadable
) -> Iterator[str]:
    """Yield the formats that every value of the column fits which the declared one does not."""
    value, kind = trimmed(identifier(unreadable.raw_column)), unreadable.column.data_type
    candidates = [
        (words, f"try_strptime({value}, {literal(form)}) is not null")
        for words, form in _OTHER_FORMATS.get(kind, ())
        if form != unreadable.column.format
    ] + [
        (words, f"regexp_full_match({value}, {literal(form)})")
        for words, form in _OTHER_FORMS.get(kind, ())
    ]
    if not candidates:
        return
    fits = ", ".join(f"bool_and({condition})" for _, condition in candidates)
    found = connection.execute(
        f"select {fits} from {stored} where list_contains(?::bigint[], record_number)",
        [unreadable.record_numbers],
    ).fetchone()
    for (words, _), is_fitting in zip(candidates, found or (), strict=True):
        if is_fitting:
            yield words
