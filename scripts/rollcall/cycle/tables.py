"""Where the tables are by which files are judged: those of live sources, or those of a pilot."""

from dataclasses import dataclass

import duckdb

from rollcall.ledger.sql import identifier

_TABLES = {
    "files": "staging.stg_landing__files",
    "counts": "transform.int_file_record_counts",
    "results": "transform.int_assessment_results",
    "links": "transform.int_student_links",
    "students": "transform.int_roster_students",
    "witnesses": "transform.int_student_witnesses",
    "users": "core.dim_user",
    "identities": "rules.identity_columns",
}


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of a warehouse; of a pilot its own, and live ones where it has none.

    `pilot` is the schema of the pilot, and `database` the name of the warehouse where it is not
    the database in use.
    """

    connection: duckdb.DuckDBPyConnection
    pilot: str | None = None
    database: str | None = None

    def in_query(self, query: str) -> str:
        """Put the tables into a query that names them in braces."""
        own = self._own()
        places = {
            name: f"{identifier(str(self.pilot))}.{table}" if table in own else f"{schema}.{table}"
            for name, (schema, _, table) in (
                (name, place.partition(".")) for name, place in _TABLES.items()
            )
        }
        for name, place in places.items():
            query = query.replace(f"{{{name}}}", place)
        return query.replace("{{", "{").replace("}}", "}")

    def _own(self) -> set[str]:
        if self.pilot is None:
            return set()
        found = self.connection.execute(
            "select table_name from duckdb_tables() "
            "where database_name = coalesce($1, current_database()) and schema_name = $2",
            [self.database, self.pilot],
        ).fetchall()
        return {name for (name,) in found}
