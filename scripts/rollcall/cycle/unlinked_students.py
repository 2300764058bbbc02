"""Students of new files who are nobody's: whether too many are, and which column would find more.

dbt says whose each student is; this counts it by file. What a person has decided of a student is no
question any more, and a source of which identity_columns.csv says nothing is not asked.
"""

import duckdb

from rollcall.contracts.project import Contracts
from rollcall.cycle.tables import Tables
from rollcall.landing.verdicts import Effect, Judgement
from rollcall.ledger.sql import identifier, trimmed

_BETTER_PERCENT = 10
"""How many more of a file's students another column must find to be named."""
_NEW_FILES = """
    select distinct file_id
    from landing.landing.cycle_files inner join {results} using (file_id)
    where
        cycle_id = ?
        and source_id in (select source_id from {identities})
        and file_id not in (
            select file_id from landing.landing.decisions where decision = 'release'
        )
    order by file_id
"""
_COUNTED = """
    with students as (
        select distinct
            source_id, feed, layout_version, raw_table, roster_source_id,
            coalesce(source_student_key, cast(record_number as varchar)) as student,
            source_student_key
        from {results}
        inner join landing.landing.files using (file_id, source_id, feed)
        where file_id = ?
    )
    select
        students.source_id, students.feed, layout_version, raw_table, students.roster_source_id,
        count(*),
        count(*) filter (not coalesce(is_usable or is_by_hand, false)),
        count(student_key)
    from students left join {links} as links using (source_student_key)
    group by all
"""
_FOUND = """
    with said as (
        unpivot (
            select record_number, {{columns}} from landing.{{raw_table}} where file_id = $file
        ) on * exclude (record_number) into name raw_column value id_value
    ),
    named as (
        select distinct raw_column, id_value, source_student_key
        from said
        inner join {results} as results
            on results.file_id = $file and said.record_number = results.record_number
        where id_value is not null and source_student_key is not null
    ),
    roster as (
        unpivot (
            select user_key, user_id as "sourcedId", identifier, username, email
            from {users} where source_id = $roster and role = 'student'
        ) on "sourcedId", identifier, username, email into name roster_column value id_value
    ),
    found as (
        select
            raw_column, roster_column, source_student_key,
            bool_and(
                coalesce(witnesses.birth_date = students.birth_date, true)
                and coalesce(witnesses.family_name = students.family_name, true)
                and coalesce(left(witnesses.given_name, 1) = left(students.given_name, 1), true)
            ) as is_uncontradicted
        from named
        inner join roster using (id_value)
        inner join {students} as students using (user_key)
        left join {witnesses} as witnesses using (source_student_key)
        group by all
    )
    select raw_column, roster_column, count(*) from found where is_uncontradicted
    group by all order by count(*) desc, raw_column, roster_column
"""
_COLUMNS_OF_CANVAS = {"sourcedId": "user_id", "username": "login_id"}
"""What the columns of OneRoster are called where the roster is that of Canvas."""
_DECLARED = """
    select theirs.column_name, ours.column_name
    from landing.landing.files
    inner join {identities} as theirs using (source_id, feed)
    left join {identities} as ours
        on ours.source_id = $2 and theirs.assigner = ours.assigner and theirs.id_kind = ours.id_kind
    where file_id = $1
"""
KEEP_STUDENTS = """
    insert into landing.unlinked_students by name
    select
        results.file_id, source_student_key, links.roster_source_id, outcome, found_student_key,
        count(*) as result_count
    from building.{results} as results
    inner join building.{links} as links using (source_student_key)
    where results.file_id = ? and not is_usable and not is_by_hand
    group by all
"""
"""SQL: keep which students of a file wait, from the warehouse in the making."""


def judge_students(
    tables: Tables, contracts: Contracts, cycle_id: int
) -> list[tuple[str, Judgement]]:
    """Say of which new files too many students are nobody's, and where another column finds more.

    Args:
        tables: those of the warehouse in the making, in which students are linked, with the
            landing database attached as `landing`.
        contracts: layouts and limits.
        cycle_id: the cycle.

    Returns:
        Files and judgements, of each file at most one: `STUDENTS_UNLINKED` holds it, and
        `IDENTITY_COLUMN_SUSPECT` is noted.
    """
    judged = []
    connection = tables.connection
    for (file_id,) in connection.execute(tables.in_query(_NEW_FILES), [cycle_id]).fetchall():
        [(source_id, feed, version, raw_table, roster, count, unlinked, found)] = (
            connection.execute(tables.in_query(_COUNTED), [file_id]).fetchall()
        )
        limits = contracts.sources[source_id].limits
        if unlinked < limits.floor_count:
            continue
        better = ""
        if unlinked * 100 >= _BETTER_PERCENT * count:
            better = _better(
                tables, contracts, (feed, version), raw_table, file_id, roster, count, found
            )
        if unlinked * 100 > limits.max_unlinked_percent * count:
            sentence = (
                f"{unlinked} of {count} students are nobody's on the roster of {roster}, or not "
                f"for certain ({unlinked * 100 / count:.1f} %, limit "
                f"{limits.max_unlinked_percent:g} %). {better}"
            ).rstrip()
            judged.append((file_id, Judgement("STUDENTS_UNLINKED", sentence, Effect.HOLD)))
        elif better:
            judged.append((file_id, Judgement("IDENTITY_COLUMN_SUSPECT", better, Effect.NOTE)))
    return judged


def has_new_students(connection: duckdb.DuckDBPyConnection, cycle_id: int) -> bool:
    """Say whether new files of a cycle are of families that know students by ids of their own."""
    found = connection.execute(
        "select 1 from landing.cycle_files inner join landing.files using (file_id) "
        "where cycle_id = ? and split_part(feed, '/', 1) not in ('oneroster', 'overrides') limit 1",
        [cycle_id],
    ).fetchall()
    return bool(found)


def _better(
    tables: Tables,
    contracts: Contracts,
    layout_of: tuple[str, str],
    raw_table: str,
    file_id: str,
    roster: str,
    count: int,
    found: int,
) -> str:
    """Name the column of ids that finds many more students than are found; blank without one."""
    connection = tables.connection
    feed, version = layout_of
    [layout] = [item for item in contracts.versions(feed) if item.version == version]
    names = {
        raw_column: column.name
        for raw_column, column in zip(layout.raw_columns, layout.columns, strict=True)
        if column.data_type == "id"
    }
    is_of_canvas = "oneroster" not in contracts.sources[roster].families
    known_as = _COLUMNS_OF_CANVAS if is_of_canvas else {}
    columns = ", ".join(
        f"{trimmed(identifier(raw_column))} as {identifier(raw_column)}" for raw_column in names
    )
    declared = connection.execute(tables.in_query(_DECLARED), [file_id, roster]).fetchall()
    rows = connection.execute(
        tables.in_query(_FOUND).format(columns=columns, raw_table=raw_table),
        {"file": file_id, "roster": roster},
    ).fetchall()
    named = [(names[theirs], known_as.get(ours, ours), count) for theirs, ours, count in rows]
    pairs = [pair for pair in named if pair[:2] not in declared]
    if not pairs or (pairs[0][2] - found) * 100 < _BETTER_PERCENT * count:
        return ""
    name, roster_column, found_by_pair = pairs[0]
    of_feed = ", ".join(sorted({f"'{column}'" for column, _ in declared})) or "no such column"
    return (
        f"'{name}' finds {found_by_pair} of {count} students by '{roster_column}' of the roster "
        f"and no name or birth date contradicts; identity_columns.csv declares {of_feed}, by which "
        f"{found} are found."
    )
