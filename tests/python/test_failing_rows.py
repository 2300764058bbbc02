"""What a failed test says: which rows, by key, file and line, and never who."""

from collections.abc import Iterator

import duckdb
import pytest

from rollcall.cycle.failing_rows import NOTHING_EXAMINED, Examined, named_rows, remedies

USERS = Examined("", "email", "core.dim_user", ("user_key",), frozenset({"email", "login_id"}))


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    """Give three users, two of whom share an address, and the files that they came from."""
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as landing")
        connection.execute("create schema landing.landing")
        connection.execute("create schema landing.raw_oneroster")
        connection.execute(
            "create table landing.landing.files as select 'f1' as file_id, 'sis' as source_id, "
            "'2026-09-01T010000Z.zip' as delivery_name, 'users.csv' as file_name, "
            "'raw_oneroster.users' as raw_table "
            "union all select 'f2', 'sis', '2026-09-02T010000Z.zip', 'users.csv', null"
        )
        connection.execute(
            "create table landing.raw_oneroster.users as "
            "select 'f1' as file_id, range as record_number, range + 12 as line_number "
            "from range(9)"
        )
        connection.execute("create schema core")
        connection.execute(
            "create table core.dim_user as from (values "
            "('sis:c', 'c', 'ada', 'x@example.org', 'f1', 3), "
            "('sis:a', 'a', 'ada', null, 'f2', 1), "
            "('sis:b', 'b\u202e', 'eve', 'x@example.org', 'f1', 2)) "
            "as users (user_key, user_id, login_id, email, file_id, record_number)"
        )
        yield connection


UNIQUE = (
    "select email as unique_field, count(*) as n_records from core.dim_user "
    "where email is not null group by email having count(*) > 1"
)
BOTH = (
    "2 rows: user_key sis:b (sis/2026-09-01T010000Z.zip/users.csv, line 14); "
    "user_key sis:c (sis/2026-09-01T010000Z.zip/users.csv, line 15)."
)


@pytest.mark.parametrize(
    ("test", "query", "said"),
    [
        ("unique", UNIQUE, BOTH),
        ("accepted_values", "select 'x@example.org' as value_field, 2 as n_records", BOTH),
        ("relationships", "select email as from_field from core.dim_user where email > ''", BOTH),
        (
            "not_null",
            "select email from core.dim_user where email is null",
            "1 row: user_key sis:a (sis/2026-09-02T010000Z.zip/users.csv).",
        ),
        (
            "one_row_per",
            "select user_key, count(*) as row_count from core.dim_user group by all",
            "3 rows: user_key sis:a; user_key sis:b; user_key sis:c.",
        ),
    ],
)
def test_rows_of_a_generic_test_are_named_by_the_grain_of_what_it_tests(
    warehouse: duckdb.DuckDBPyConnection, test: str, query: str, said: str
) -> None:
    tested = Examined(test, USERS.column, USERS.relation, USERS.keys, USERS.hidden)
    assert named_rows(warehouse, query, tested) == said


def test_without_a_grain_ids_name_a_row_and_what_is_personal_does_not(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    tested = Examined("mine", "", USERS.relation, (), USERS.hidden)
    said = named_rows(warehouse, "select * from core.dim_user where user_key = 'sis:b'", tested)
    assert said == (
        "1 row: user_key sis:b, user_id b\N{REPLACEMENT CHARACTER} "
        "(sis/2026-09-01T010000Z.zip/users.csv, line 14)."
    )


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("select 1 as n from range(1)", "1 row."),
        ("select 1 as n from range(4)", "4 rows."),
        (
            "select range as row_id from range(5)",
            "5 rows: row_id 0; row_id 1; row_id 2; ...",
        ),
        (
            "select 'f1' as file_id, 8 as record_count",
            "1 row: sis/2026-09-01T010000Z.zip/users.csv.",
        ),
        ("with rows_found as (select 'k' as a_key) select * from rows_found", "1 row: a_key k."),
    ],
)
def test_rows_of_a_singular_test_are_named_by_what_it_returns(
    warehouse: duckdb.DuckDBPyConnection, query: str, said: str
) -> None:
    assert named_rows(warehouse, query, NOTHING_EXAMINED) == said


def test_what_a_test_says_itself_comes_first(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert remedies(warehouse, "select 'Correct line 3.' as remedy") == ("Correct line 3.",)
    assert remedies(warehouse, "select 3 as line_number") == ()
