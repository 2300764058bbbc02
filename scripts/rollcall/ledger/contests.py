"""What sources say differently of one student, and whose word stands."""

from dataclasses import dataclass
from datetime import datetime

from rollcall.errors import UsageError
from rollcall.home import Home
from rollcall.ledger.sql import rows


@dataclass(frozen=True, slots=True)
class Contest:
    """A field of which one source says other things of students than the one whose word stands.

    `rule` says why it stands; `student_keys` are the students, in order. `since_at` is the cut-off,
    UTC, from which on the oldest of them is contested, and `age_days` are the whole days from then
    to the last good cycle.
    """

    field_name: str
    winner_source_id: str
    loser_source_id: str
    rule: str
    since_at: datetime
    age_days: int
    student_keys: list[str]


def read_contests(home: Home, source: str | None = None) -> list[Contest]:
    """Read what is contested, those with most students first; values are in the table alone.

    Args:
        home: the data directory.
        source: the only source that is wanted, as winner or loser; all by default.

    Raises:
        UsageError: no cycle has been published, or no source has students of its own.
    """
    with home.published() as connection:
        there = connection.execute(
            "select 1 from duckdb_tables() where table_name = 'recon_contest'"
        ).fetchall()
        if not there:
            raise UsageError("No source of the last good cycle has students with ids of its own.")
        found = rows(
            connection,
            "select field_name, winner_source_id, loser_source_id, rule, "
            "min(since_at) as since_at, max(age_days) as age_days, "
            "list(student_key order by student_key) as student_keys "
            "from reconciliation.recon_contest "
            "where coalesce($1 in (winner_source_id, loser_source_id), true) "
            "group by field_name, winner_source_id, loser_source_id, rule "
            "order by count(*) desc, field_name, winner_source_id, "
            "loser_source_id, rule",
            [source],
        )
    return [Contest(**row) for row in found]
