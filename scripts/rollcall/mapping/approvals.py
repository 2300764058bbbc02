"""Which columns of a mapping are approved, as the ledger has it.

A review is an entry of the ledger, bound to a hash over what was reviewed. The newest one of a
column counts; an approval of anything else than what the mapping says now is void.
"""

from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

import duckdb

from rollcall.contracts.project import Contracts
from rollcall.ledger.sql import rows
from rollcall.mapping.fields import Field, Mapping, read_mapping
from rollcall.mapping.words import Words

Status = Literal["approved", "stale", "refused", "asked", "open", "unsaid"]
STALE = "MAPPING_APPROVAL_STALE"
_NEWEST = """
    select
        feed, layout_version, column_name, staged_as, done, personal_data, mapping_sha256, decision,
        question, reviewed_by, reviewed_on, review_id
    from landing.mapping_reviews
    where source_id = $1 and review_id <= coalesce($2, review_id)
    qualify row_number() over (
        partition by feed, layout_version, column_name order by review_id desc
    ) = 1
"""
_BOUND = {"staged_as": "where it goes", "done": "what is done to it", "personal_data": "its class"}
"""What an approval is bound to besides layout and name, as people read it."""


@dataclass(frozen=True, slots=True)
class Review:
    """What a person said last of a column: `decision` is approve, refuse or ask.

    `review_id` is its number in the ledger; two that say the same are equal without it.
    """

    feed: str
    layout_version: str
    column_name: str
    staged_as: str
    done: str
    personal_data: str
    mapping_sha256: str
    decision: str
    question: str | None
    reviewed_by: str
    reviewed_on: date
    review_id: int = field(default=0, compare=False)

    def status_of(self, column: Field) -> Status:
        """Say what the review makes of the column as the mapping has it now."""
        if self.decision == "approve":
            return "approved" if self.mapping_sha256 == column.sha256 else "stale"
        return "refused" if self.decision == "refuse" else "asked"

    def changed(self, column: Field) -> str:
        """Say what of a column is no longer as it was reviewed."""
        return " and ".join(
            words for name, words in _BOUND.items() if getattr(self, name) != getattr(column, name)
        )


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A column of a mapping, what was said of it last, and where that leaves it.

    `code` is that of `error_codes.csv` where there is one; `reason` says why it is not approved.
    """

    field: Field
    review: Review | None
    status: Status
    reason: str

    @property
    def code(self) -> str:
        """The code of an approval that is void."""
        return STALE if self.status == "stale" else ""


@dataclass(frozen=True, slots=True)
class NotApproved:
    """A column that lacks an approval: `status` and `reason` say why, `code` where it has one."""

    feed: str
    layout_version: str
    column_name: str
    status: Status
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Approvals:
    """How far the mapping of a source is approved.

    Every column that is staged is needed, which the contracts see to. `approved_count` are those
    whose approval is current, `missing` the others.
    """

    source_id: str
    needed_count: int
    approved_count: int
    missing: tuple[NotApproved, ...]


def read_reviews(
    connection: duckdb.DuckDBPyConnection | None, source_id: str, until: int | None = None
) -> dict[tuple[str, str, str], Review]:
    """Return the newest review of each column of a source, by feed, layout and column.

    Args:
        connection: the ledger in use; None where there is none yet.
        source_id: the source.
        until: the number of the last review that counts; all count by default.
    """
    if connection is None:
        return {}
    found = (Review(**row) for row in rows(connection, _NEWEST, [source_id, until]))
    return {(review.feed, review.layout_version, review.column_name): review for review in found}


def with_reviews(
    mapping: Mapping, reviews: Map[tuple[str, str, str], Review]
) -> tuple[Reviewed, ...]:
    """Return the staged columns of a mapping, each with what was said of it last."""
    return tuple(_reviewed(field, reviews.get(field.key)) for field in mapping.fields)


def _reviewed(field: Field, review: Review | None) -> Reviewed:
    if field.problem:
        return Reviewed(field, review, "unsaid", f"Nobody can say what is done: {field.problem}.")
    if review is None:
        return Reviewed(field, None, "open", "Nobody has reviewed it.")
    status = review.status_of(field)
    said = f"by {review.reviewed_by} on {review.reviewed_on}"
    reason = {
        "approved": "",
        "stale": f"Approved {said}, and since then {review.changed(field)} has changed.",
        "refused": f"Refused {said}.",
        "asked": f"Asked {said}: {review.question}",
    }[status]
    return Reviewed(field, review, status, reason)


def read_approvals(
    connection: duckdb.DuckDBPyConnection, contracts: Contracts, words: Words, source_id: str
) -> Approvals:
    """Count the needed columns of a source, and those whose approval is current.

    Args:
        connection: the ledger in use.
        contracts: the contracts of the project.
        words: what its base views do, `Words(project)`.
        source_id: the source.

    Raises:
        UsageError: there is no such source, or it sends nothing that is staged.
    """
    mapping = read_mapping(contracts, words, source_id, connection)
    return approvals_of(source_id, with_reviews(mapping, read_reviews(connection, source_id)))


def approvals_of(source_id: str, reviewed: Sequence[Reviewed]) -> Approvals:
    """Count the staged columns of a mapping, and those whose approval is current."""
    missing = tuple(
        NotApproved(*item.field.key, item.status, item.code, item.reason)
        for item in reviewed
        if item.status != "approved"
    )
    return Approvals(source_id, len(reviewed), len(reviewed) - len(missing), missing)
