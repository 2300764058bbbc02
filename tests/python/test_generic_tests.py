"""The tests are tested: each generic test has rows it must catch and rows it must pass."""

import re

import duckdb
import jinja2
import pytest

from rollcall.home import PROJECT_DIR


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
