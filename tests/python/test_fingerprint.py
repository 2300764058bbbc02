"""A fingerprint sees every difference of content and nothing else."""

import duckdb
import pytest

from rollcall.cycle.fingerprint import combined, fingerprints

ROWS = "(values (1, 'a', 1.50, [1, 2]), (2, null, 2.25, null), (3, 'c', 0.00, []))"
TABLE = f"select k, t, d, l, k::varchar as job_id from {ROWS} as rows (k, t, d, l)"


def taken(*statements: str) -> dict[str, str]:
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as warehouse")
        connection.execute("use warehouse")
        connection.execute(f"create table things as {TABLE}")
        for statement in statements:
            connection.execute(statement)
        return fingerprints(connection)


@pytest.mark.parametrize(
    "change",
    [
        "create or replace table things as from things order by k desc",
        "update things set job_id = 'another'",
        "create or replace table things as select l, d, t, k, job_id from things",
        "alter table things drop job_id",
        "alter table things rename to stored; create view things as from stored; "
        "create schema aside; create table aside.other as from stored; drop schema aside cascade",
        "set timezone = 'Asia/Tokyo'",
    ],
)
def test_neither_order_nor_layout_nor_facts_of_a_run_count(change: str) -> None:
    assert taken(change)["main.things"] == taken()["main.things"]


@pytest.mark.parametrize(
    "change",
    [
        "update things set t = 'A' where k = 1",
        "update things set t = '' where k = 2",
        "update things set t = 'null' where k = 2",
        "update things set l = null where k = 3",
        "update things set l = [2, 1] where k = 1",
        "update things set d = 1.51 where k = 1",
        "delete from things where k = 3",
        "insert into things from things where k = 3",
        "create or replace table things as select things.* from things cross join range(3)",
        "update things set t = case k when 1 then 'c' else 'a' end where k in (1, 3)",
        "alter table things rename t to u",
        "alter table things alter d type double",
        "alter table things add column more integer",
    ],
)
def test_any_other_content_has_another_fingerprint(change: str) -> None:
    assert taken(change)["main.things"] != taken()["main.things"]


def test_a_table_more_or_less_changes_the_whole() -> None:
    assert combined(taken("create table more (k integer)")) != combined(taken())
    assert combined(taken("alter table things rename to other")) != combined(taken())
