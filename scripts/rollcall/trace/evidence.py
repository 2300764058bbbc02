"""The evidence of a student and objective, with every record that its percent is made of."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from rollcall.ledger.sql import literal
from rollcall.trace.reader import Reader
from rollcall.trace.records import Place, places

Subject = tuple[str, str]
"""The key of a student and an objective."""

_EVIDENCE = """
    select evidence.source_id, evidence.evidence_id, evidence.percent, evidence.event_at,
        evidence.alignment, evidence.class_key, evidence.course_id,
        case
            when evidence.disposition = 'usable' and evidence.event_at < ? - to_days(?)
                then 'too_old'
            else evidence.disposition
        end as disposition,
        results.line_item_id, results.score, coalesce(results.score_min, 0) as score_min,
        results.score_max, evidence.file_id, evidence.record_number
    from (
        from good.progression.fct_evidence where student_key = ? and objective_id = ?
    ) as evidence
    left join good.core.fct_result as results on evidence.evidence_key = results.result_key
    order by evidence.event_at, evidence.version_at, evidence.source_id, evidence.evidence_id
"""
_SUPPORT = """
    select '{role}' as role, source_id, {supported} as supported_id, {key} as key, {score} as score,
        file_id, record_number
    from good.{table}
    where {supported} in ({ids}){condition} and is_active
    qualify row_number() over (
        partition by source_id, supported_id order by version_at desc, exported_at desc, key
    ) = 1
"""
_SUPPORTS = {
    "score": ("evidence_id", "oneroster/result_learning_objective_ids", "result_id"),
    "alignment": ("line_item_id", "oneroster/line_item_learning_objective_ids", "line_item_id"),
    "range": ("line_item_id", "oneroster/line_items", "line_item_id"),
}
"""What else a percent rests on: the id that a piece of evidence gives, a feed, and its column."""
_SUPPORT_OF_ALIGNMENT = {"score": "result", "alignment": "line_item"}
"""Where a support takes part only in one way of aligning evidence, that way."""


@dataclass(frozen=True, slots=True)
class Support:
    """Another record that the percent of a piece of evidence is made of.

    `role` is range (of the line item), alignment (of the line item with the objective) or score
    (of the result for this objective alone, which replaces that of the whole result).
    """

    role: str
    key: str
    record: Place


@dataclass(frozen=True, slots=True)
class Evidence:
    """One piece of evidence and the records it rests on.

    `disposition` is usable, or the reason why it does not count. A result has a line item, its
    range and the score from which `percent` is computed.
    """

    source_id: str
    evidence_id: str
    percent: Decimal | None
    event_at: datetime
    alignment: str | None
    class_key: str | None
    course_id: str | None
    disposition: str
    line_item_id: str | None
    score: Decimal | None
    score_min: Decimal | None
    score_max: Decimal | None
    record: Place
    supports: list[Support]


def read_evidence(
    reader: Reader, subject: Subject, as_of: datetime, maximum_age_days: int | None
) -> list[Evidence]:
    """List the evidence in the order in which it happened.

    Args:
        reader: the data directory.
        subject: key of the student, and objective.
        as_of: the cut-off of the last good cycle.
        maximum_age_days: how old evidence may be by the current rule; None for no limit.

    Raises:
        RollcallError: the archive does not hold a file as it was delivered.
    """
    found = with_records(reader, reader.rows(_EVIDENCE, as_of, maximum_age_days, *subject))
    supports = _supports(reader, [row for row, _ in found], subject[1])
    evidence = []
    for row, record in found:
        known = [
            supports[where]
            for role, (id_column, _, _) in _SUPPORTS.items()
            if _SUPPORT_OF_ALIGNMENT.get(role, row["alignment"]) == row["alignment"]
            and (where := (role, row["source_id"], row[id_column])) in supports
        ]
        scores = [score for support, score in known if support.role == "score"]
        score = scores[0] if scores else row["score"]
        evidence.append(
            Evidence(**row | {"score": score, "record": record, "supports": [s for s, _ in known]})
        )
    return evidence


def _supports(
    reader: Reader, evidence: list[dict[str, Any]], objective_id: str
) -> dict[tuple[str, str, str], tuple[Support, Decimal | None]]:
    """Find what evidence rests on besides its own records, by role, source and supported id.

    Each comes with the score that it gives in place of that of the result, if any.
    """
    queries = []
    for role, (id_column, feed, supported) in _SUPPORTS.items():
        ids = sorted({row[id_column] for row in evidence if row[id_column]})
        mart = reader.mart(feed)
        if ids and mart:
            is_of_objective = f" and objective_id = {literal(objective_id)}"
            queries.append(
                _SUPPORT.format(
                    role=role,
                    supported=supported,
                    key=mart.key,
                    score="score" if role == "score" else "null",
                    table=mart.table,
                    ids=", ".join(literal(text) for text in ids),
                    condition=is_of_objective if role in _SUPPORT_OF_ALIGNMENT else "",
                )
            )
    rows = reader.rows(" union all ".join(f"({query})" for query in queries)) if queries else []
    return {
        (row["role"], row["source_id"], row["supported_id"]): (
            Support(row["role"], row["key"], record),
            row["score"],
        )
        for row, record in with_records(reader, rows)
    }


def with_records(reader: Reader, rows: list[dict[str, Any]]) -> list[tuple[dict[str, Any], Place]]:
    """Pair each row with the record that its lineage names, with its line.

    Raises:
        RollcallError: the archive does not hold a file as it was delivered.
    """
    pointers = [reader.stored(row.pop("file_id"), row.pop("record_number")) for row in rows]
    return list(zip(rows, places(reader, pointers, with_lines=True), strict=True))
