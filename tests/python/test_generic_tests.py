"""The tests are tested: each generic test has rows it must catch and rows it must pass."""

import re

import duckdb
import jinja2
import pytest

from rollcall.project import PROJECT_DIR


def offenders(test: str, values: str, **arguments: object) -> list[tuple[object, ...]]:
    """Run a generic test on rows `(a, b)` and return what it finds."""
    text = (PROJECT_DIR / "tests" / "generic" / f"{test}.sql").read_text(encoding="utf-8")
    body = re.sub(r"{% (end)?test.*?%}", "", text)
    sql = jinja2.Template(body).render(model=f"(values {values}) as rows (a, b)", **arguments)
    with duckdb.connect() as connection:
        return connection.execute(sql).fetchall()


@pytest.mark.parametrize(
    ("values", "count"),
    [
        ("(1, 1), (1, 2), (2, 1)", 0),
        ("(1, 1), (1, 1)", 1),
        ("(1, 1), (1, 1), (2, 2), (2, 2), (2, 2)", 2),
        ("(1, null), (2, 1)", 1),
        ("(null, null), (null, null)", 1),
    ],
)
def test_one_row_per_finds_repeats_and_blanks(values: str, count: int) -> None:
    assert len(offenders("one_row_per", values, columns=["a", "b"])) == count


@pytest.mark.parametrize(
    ("intervals", "count"),
    [
        ("('k', 1, 2), ('k', 2, 3), ('k', 3, null), ('l', 1, null)", 0),
        ("('k', 1, 2), ('k', 4, null)", 0),  # gone for a while
        ("('k', 1, 2), ('k', 2, 2)", 1),  # no length
        ("('k', 1, 3), ('k', 2, null)", 1),  # overlap
        ("('k', 1, null), ('k', 2, null)", 1),  # two open
        ("('k', 3, 1)", 1),  # ends before it begins
        ("(null, 1, 2)", 1),
    ],
)
def test_clean_intervals_finds_overlaps_and_empty_or_open_ones(intervals: str, count: int) -> None:
    text = (PROJECT_DIR / "tests" / "generic" / "clean_intervals.sql").read_text(encoding="utf-8")
    body = re.sub(r"{% (end)?test.*?%}", "", text)
    rows = (
        "(select k, to_timestamp(start) at time zone 'UTC' as valid_from, "
        "to_timestamp(stop) at time zone 'UTC' as valid_to "
        f"from (values {intervals}) as v (k, start, stop)) as intervals"
    )
    with duckdb.connect() as connection:
        found = connection.execute(jinja2.Template(body).render(model=rows, keys=["k"])).fetchall()
    assert len(found) == count
