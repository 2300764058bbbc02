"""What a failed test or model says: which rows, by key, file and line, and never who."""

from collections.abc import Iterator

import duckdb
import pytest
from conftest import Project

from rollcall.cycle.failing_rows import NOTHING_EXAMINED, Examined, named_rows, remedies
from rollcall.sanitize import without_values

USERS = Examined("", "email", "core.dim_user", ("user_key",), frozenset({"email", "login_id"}))

DBT_WRITES = ("logs/dbt.log", "target/run_results.json")


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


@pytest.mark.parametrize(
    ("sql", "kept"),
    [
        ("select cast(x as integer)", "Conversion Error: Could not convert string '...' to INT32"),
        ("select cast(x as decimal(18, 6))", "Conversion Error: Could not convert string '...'"),
        ("select cast(x as date)", "Conversion Error: "),
        ("select cast(x as timestamp)", "Conversion Error: "),
        ("select strptime(x, '%Y')", "Invalid Input Error: "),
        ("select [x]::struct(a integer)[]", "Conversion Error: Type VARCHAR with value '...'"),
        (
            "select cast(n as decimal(18, 6)) * 2000000",
            "Out of Range Error: Overflow in multiplication of",
        ),
        ("select cast(n as bigint)::smallint", "Conversion Error: Type INT64 with value ... can't"),
        (
            "select cast('999999-01-01' as date)::timestamp",
            "Conversion Error: Type INT32 with value",
        ),
        ("select no_such_column", 'Binder Error: Referenced column "no_such_column" not found'),
        (
            "select no_such_function(x)",
            "Catalog Error: Scalar Function with name no_such_function does",
        ),
    ],
)
@pytest.mark.parametrize("canary", ["O'Hara-77", 'Ada "Lovelace" 77', "two\nLINES 77 'of it'"])
def test_an_error_of_the_database_is_told_without_the_value(
    sql: str, kept: str, canary: str
) -> None:
    """Quote nothing of the data, but the kind of error and names of code."""
    with duckdb.connect() as connection:
        connection.execute("create table data as select ? as x, 777777777777 as n", [canary])
        with pytest.raises(duckdb.Error) as failed:
            connection.execute(f"with data as (from data) {sql} from data").fetchall()
    said = without_values(f"Runtime Error in model m (models/m.sql)\n  {failed.value}")
    assert said.startswith("Runtime Error in model m (models/m.sql)\n  ")
    assert kept in said
    for word in ("O'Hara", "Ada", "Lovelace", "two", "LINES", "of it", "77", "999999"):
        assert word not in said, said


@pytest.mark.more
def test_what_dbt_keeps_of_a_model_that_fails_quotes_no_value(project: Project) -> None:
    """Look where people look: at the message, dbt's log and the results of its nodes."""
    assert project.land().code == 0
    text = "select cast(reverse('ecalevoL') as integer) as number\n"
    (project.project / "models" / "intermediate" / "broken.sql").write_text(text, "utf-8")
    [node] = project.dbt("run", "--select", "broken")
    assert node.status == "error"
    told = [(project.home / name).read_text("utf-8") for name in DBT_WRITES]
    for said in (node.message, *told):
        assert "Conversion Error: Could not convert string '...' to INT32" in said
        assert "Lovelace" not in said
