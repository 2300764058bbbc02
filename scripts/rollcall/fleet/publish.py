"""Unite the marts of many districts in one database, with a page on the state of each."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import duckdb
import jinja2

from rollcall.clock import now as clock_now
from rollcall.cycle.warehouse import STORED_AS
from rollcall.errors import RollcallError, UsageError, needing_room
from rollcall.fleet.districts import District, DistrictState, read_state
from rollcall.folders import sync
from rollcall.home import wal_of
from rollcall.ledger.sql import literal
from rollcall.project import PUBLIC_SCHEMAS
from rollcall.sanitize import without_values

_STATE = """
    create table main.district (
        district varchar primary key, last_cycle_id bigint, cutoff_at timestamp,
        failed_cycle_id bigint, stale_sources integer, late_feeds integer, held_files integer,
        problem varchar
    )
"""
_TEMPLATE = Path(__file__).parent / "templates" / "state.html.j2"
_STYLE = Path(__file__).parents[1] / "report" / "templates" / "report.css"


@dataclass(frozen=True, slots=True)
class PublishedState:
    """What was published: the database, its page, and the state of every district."""

    database: Path
    page: Path
    districts: list[DistrictState]

    @property
    def needs_attention(self) -> bool:
        """Whether somebody has to look at a district."""
        return any(state.needs_attention for state in self.districts)


def publish_state(districts: Sequence[District], database: Path) -> PublishedState:
    """Unite the public tables of districts in a database, which takes its place in one rename.

    Each row says of which district it is. Columns that tables are joined by begin with the district
    too, so that one column joins as in the warehouse of a district: `*_key`, `*_keys`, `file_id`.
    Numbers of cycles are those of the district. A district that cannot be read is left out, and
    `main.district` says why.

    Args:
        districts: the districts, by name.
        database: the file; it replaces the state that was published there before.

    Raises:
        UsageError: the file is something else than a state that was published before.
        NoRoomError: the disk is full.
    """
    database = database.resolve()
    _need_own(database)
    making = database.with_name(f".{database.name}.making")
    states = []
    with needing_room(database.parent):
        for path in (making, wal_of(making)):
            path.unlink(missing_ok=True)
        with duckdb.connect() as connection:
            connection.execute("set timezone = 'UTC'")
            connection.execute(f"attach {literal(str(making))} as state ({STORED_AS})")
            connection.execute("use state")
            connection.execute(_STATE)
            for district in districts:
                state = read_state(district)
                if state.last_cycle_id is not None:
                    state = replace(state, problem=_add(connection, district) or state.problem)
                states.append(state)
                row = asdict(state)
                marks = ", ".join("?" * len(row))
                connection.execute(f"insert into main.district values ({marks})", [*row.values()])
            connection.execute("checkpoint state")
        making.chmod(0o400)
        page = _write_page(database, states)
        sync(making)
        making.replace(database)
        sync(database.parent)
    return PublishedState(database, page, states)


def _need_own(database: Path) -> None:
    """Raise where a file stands in the way that no state was published to."""
    if not database.exists():
        return
    try:
        with duckdb.connect(str(database), read_only=True) as connection:
            connection.execute("select district, cutoff_at, problem from main.district limit 0")
    except duckdb.Error as error:
        raise UsageError(
            f"{database} is something else than a state that was published before; name a new file."
        ) from error


def _add(connection: duckdb.DuckDBPyConnection, district: District) -> str:
    """Add the tables of a district, all or none; says why it could not be done."""
    try:
        home = district.home()
        if not home.warehouse_db.exists():
            return str(home.has_no_warehouse())
        home.attach(connection, home.warehouse_db, "one")
        try:
            connection.execute("begin")
            united = _tables(connection, "state")
            for table, columns in _tables(connection, "one").items():
                _unite(connection, district.name, table, columns, united.get(table))
            connection.execute("commit")
        except duckdb.Error:
            connection.execute("rollback")
            raise
        finally:
            connection.execute("detach one")
    except RollcallError as error:
        return str(error)
    except duckdb.Error as error:
        reason = without_values(str(error).splitlines()[0])
        return f"Its tables cannot be read, or not be united with those of others: {reason}"
    return ""


def _tables(connection: duckdb.DuckDBPyConnection, catalog: str) -> dict[str, dict[str, str]]:
    """Return the columns of each public table of a database, with their types, by its name.

    Marts of a district's own project are not among them: they are that district's.
    """
    found = connection.execute(
        "select schema_name || '.' || table_name as name, "
        "list((column_name, data_type) order by column_index) "
        "from duckdb_columns() where database_name = ? and schema_name in ? "
        "group by name order by name",
        [catalog, list(PUBLIC_SCHEMAS)],
    ).fetchall()
    return {name: dict(columns) for name, columns in found}


def _unite(
    connection: duckdb.DuckDBPyConnection,
    district: str,
    table: str,
    columns: Mapping[str, str],
    known: Mapping[str, str] | None,
) -> None:
    """Add the rows of one table of a district; a table has the columns of all districts.

    `known` are the columns that it has so far, if it is there.
    """
    name = literal(district)
    selected = ", ".join(_of_district(name, column, kind) for column, kind in columns.items())
    rows = f"select {name} as district, {selected} from one.{table}"
    if known is None:
        connection.execute(f"create schema if not exists {table.partition('.')[0]}")
        connection.execute(f"create table {table} as {rows}")
        return
    for column, kind in columns.items():
        if column not in known:
            connection.execute(f'alter table {table} add column "{column}" {kind}')
    connection.execute(f"insert into {table} by name {rows}")


def _of_district(name: str, column: str, kind: str) -> str:
    """Select a column; one that joins tables begins with the name of the district."""
    is_key = column.endswith(("_key", "file_id")) and column != "record_key"
    if kind == "VARCHAR" and is_key:
        return f"""{name} || ':' || "{column}" as "{column}\""""
    if kind == "VARCHAR[]" and column.endswith("_keys"):
        return f"""list_transform("{column}", lambda key: {name} || ':' || key) as "{column}\""""
    return f'"{column}"'


def _write_page(database: Path, states: Sequence[DistrictState]) -> Path:
    """Write the page on the state of every district beside the database."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    page = database.with_suffix(".html")
    making = page.with_name(f".{page.name}.making")
    making.write_text(
        template.render(
            states=states,
            style=_STYLE.read_text(encoding="utf-8"),
            database=database.name,
            now=clock_now(),
        ),
        encoding="utf-8",
    )
    making.replace(page)
    return page
