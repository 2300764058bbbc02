"""Trace: where an outcome comes from, step by step, down to the lines of files.

The other ways to ask, from a row of a mart or from a line, are in `rows.py`.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from rollcall.clock import iso
from rollcall.contracts.project import Contracts
from rollcall.errors import UsageError
from rollcall.home import Home
from rollcall.sanitize import readable_name
from rollcall.trace.evidence import Evidence, Subject, read_evidence, with_records
from rollcall.trace.reader import Reader, reading
from rollcall.trace.records import Place

OVERRIDES = "audit.audit_override"
"""The table of teachers' decisions, which is there where a source has the family `overrides`."""
_SUBJECT = "student_key = ? and objective_id = ?"
_FIELDS = (
    *("evidence_count", "score_percent", "threshold_percent", "automatic_state"),
    *("override_action", "state", "is_completed", "gate"),
)
"""The fields of checkpoints, in the order of the steps that decide them."""
_AS_GRADED = {
    "reached": "{score_percent} percent reach the threshold of {threshold_percent}",
    "below": "{score_percent} percent are below the threshold of {threshold_percent}",
    "kept": "the threshold was reached before, and by the rule mastery is kept",
    "asserted": "the source itself asserts it",
    "nothing_asserted": "the source itself asserts nothing",
    "too_little": "it takes a score, and {minimum_evidence} pieces of evidence or more",
    "no_evidence": "nothing counts",
    "no_rule": "no rule applies",
}
"""Why the rule gives its state, by what the state rests on."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the evaluation: what it decided, and why in a sentence."""

    step: str
    outcome: str
    why: str


@dataclass(frozen=True, slots=True)
class Override:
    """A teacher's decision, what speaks against it, and the record it comes from."""

    source_id: str
    override_id: str
    action: str
    state: str | None
    teacher_id: str
    effective_at: datetime
    reason: str | None
    is_active: bool
    is_current: bool
    findings: list[str]
    record: Place


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What one step made of one field in one cycle; of a gate also the step of the path."""

    cycle_id: int
    changed_at: datetime
    step: str
    field: str
    before_value: str | None
    after_value: str | None
    reason: str
    path_id: str | None = None
    step_number: int | None = None


@dataclass(frozen=True, slots=True)
class MasteryTrace:
    """The chain from a state to the lines it rests on.

    `steps` begins with the last one. `state`, `rule`, `history` and `gates` are rows of the
    warehouse. The words of teachers and `names` (id -> name) are there when asked for.
    """

    roster_source_id: str
    student_id: str
    objective_id: str
    state: dict[str, Any]
    steps: list[Step]
    rule: dict[str, Any] | None
    overrides: list[Override]
    evidence: list[Evidence]
    history: list[dict[str, Any]]
    last_change: list[Checkpoint]
    gates: list[dict[str, Any]]
    names: dict[str, str]


def trace_mastery(
    home: Home,
    contracts: Contracts,
    student_id: str,
    objective_id: str,
    source_id: str | None,
    *,
    with_names: bool,
) -> MasteryTrace:
    """Trace the state of a student and objective in the last good cycle.

    Args:
        home: the data directory.
        contracts: the contracts of the project.
        student_id: the student, by the id of the roster's source.
        objective_id: the objective.
        source_id: the roster's source, where more than one knows the student.
        with_names: add the names of persons and the words of teachers.

    Raises:
        UsageError: there is no such outcome; the message says which there are.
        RollcallError: the archive does not hold a file as it was delivered.
    """
    with reading(home, contracts) as reader:
        state = _state(reader, student_id, objective_id, source_id)
        subject = (state["student_key"], objective_id)
        rules = reader.rows(
            "select * from good.rules.mastery_rules where rule_id = ? and rule_version = ?",
            state["rule_id"],
            state["rule_version"],
        )
        rule = rules[0] if rules else None
        overrides = _overrides(reader, subject, with_names=with_names)
        people = [student_id, *(override.teacher_id for override in overrides)]
        return MasteryTrace(
            roster_source_id=state["roster_source_id"],
            student_id=student_id,
            objective_id=objective_id,
            state=state if with_names else _without_words(state),
            steps=_steps(state, rule),
            rule=rule,
            overrides=overrides,
            evidence=read_evidence(
                reader, subject, state["as_of"], rule["maximum_age_days"] if rule else None
            ),
            history=_history(reader, subject, with_names=with_names),
            last_change=_last_change(reader, subject),
            gates=gates(reader, subject),
            names=names(reader, state["roster_source_id"], people) if with_names else {},
        )


def _state(
    reader: Reader, student_id: str, objective_id: str, source_id: str | None
) -> dict[str, Any]:
    """Return the row of fct_mastery.

    Raises:
        UsageError: there is none, or two sources have one.
    """
    found = reader.rows(
        "select * from good.progression.fct_mastery where student_id = ? and objective_id = ? "
        "and roster_source_id = coalesce(?, roster_source_id) order by roster_source_id",
        student_id,
        objective_id,
        source_id,
    )
    if len(found) == 1:
        return found[0]
    if found:
        sources = ", ".join(row["roster_source_id"] for row in found)
        raise UsageError(f"Several sources know this student: {sources}; name one with --source.")
    known = reader.rows(
        "select objective_id, max_by(state, valid_from) as state, "
        "case when bool_and(valid_to is not null) then max(valid_to) end as ended_at "
        "from good.progression.fct_mastery_history "
        "where student_id = ? and roster_source_id = coalesce(?, roster_source_id) "
        "group by objective_id order by objective_id",
        student_id,
        source_id,
    )
    for row in known:
        if row["objective_id"] == objective_id:
            raise UsageError(
                f"The state of this student and objective ended at {iso(row['ended_at'])}, as "
                f"{row['state']}: nothing has been known about them since."
            )
    if known:
        listed = ", ".join(
            readable_name(row["objective_id"]) for row in known if not row["ended_at"]
        )
        raise UsageError(
            f"Nothing is known of this student and '{readable_name(objective_id)}'; "
            f"there are outcomes for {listed}."
        )
    raise UsageError(
        f"There is no outcome of a student '{readable_name(student_id)}'. "
        + nearest(reader, "core.dim_user", "user_id", student_id)
    )


def nearest(reader: Reader, table: str, key: str, wanted: str) -> str:
    """Say which ids in a table, of which `key` is the SQL, resemble one that was not found."""
    found = reader.rows(
        f"select distinct {key} as id from good.{table} where {key} is not null "
        "order by jaro_winkler_similarity(id, ?) desc, id limit 3",
        wanted,
    )
    listed = ", ".join(readable_name(row["id"]) for row in found)
    return f"{table} has ids like {listed}." if found else f"{table} is empty."


def _steps(state: dict[str, Any], rule: dict[str, Any] | None) -> list[Step]:
    """Say what each step decided and why, the last one first."""
    if state["is_override"]:
        decided = f"teacher {state['override_teacher_id']} set it by {state['override_id']}"
    elif state["override_id"]:
        decided = f"{state['override_id']} cleared what a teacher had set, so the rule decides"
    else:
        decided = "no teacher has decided, so the rule decides"
    facts = {name: number(value) for name, value in {**(rule or {}), **state}.items()}
    left_out = [
        f"{state[count]} {what}"
        for count, what in (("ignored_count", "ignored"), ("expired_count", "too old"))
        if state[count]
    ]
    return [
        Step("overridden", state["state"], decided),
        Step("graded", state["automatic_state"], _AS_GRADED[state["basis"]].format(**facts)),
        Step(
            "scored",
            facts["score_percent"] or "no score",
            f"{state['method']} of what counts" if state["method"] else "no rule applies",
        ),
        Step(
            "gathered",
            str(state["evidence_count"]),
            "pieces of evidence count; " + (", ".join(left_out) or "none is left out"),
        ),
    ]


def _overrides(reader: Reader, subject: Subject, *, with_names: bool) -> list[Override]:
    """List the teachers' decisions, the newest last."""
    if not reader.has(OVERRIDES):
        return []
    found = reader.rows(
        "select source_id, override_id, action, state, teacher_id, effective_at, "
        f"{'reason' if with_names else 'null as reason'}, is_active, is_current, findings, "
        f"file_id, record_number from good.{OVERRIDES} where {_SUBJECT} "
        "order by effective_at, source_id, override_id",
        *subject,
    )
    return [Override(**row, record=record) for row, record in with_records(reader, found)]


def _history(reader: Reader, subject: Subject, *, with_names: bool) -> list[dict[str, Any]]:
    found = reader.rows(
        "select * exclude (student_key, roster_source_id, student_id, objective_id, unresolved) "
        f"from good.progression.fct_mastery_history where {_SUBJECT} order by valid_from",
        *subject,
    )
    return found if with_names else [_without_words(row) for row in found]


def _last_change(reader: Reader, subject: Subject) -> list[Checkpoint]:
    """List what the newest change of any field brought, in the order of the steps."""
    found = reader.rows(
        "select checkpoints.cycle_id, changed_at, step, field, before_value, after_value, reason, "
        "path_id, step_number from good.progression.fct_checkpoint as checkpoints "
        f"where {_SUBJECT} qualify changed_at = max(changed_at) over () "
        "order by list_position(?, field), path_id, step_number",
        *subject,
        list(_FIELDS),
    )
    return [Checkpoint(**row) for row in found]


def gates(reader: Reader, subject: Subject) -> list[dict[str, Any]]:
    """Return the steps of learning paths that rest on a student's mastery of an objective."""
    return reader.rows(
        "select path_id, path_version, step_number, gate, blocked_by, since "
        f"from good.progression.fct_progression where {_SUBJECT} order by path_id, step_number",
        *subject,
    )


def names(reader: Reader, roster_source_id: str, user_ids: list[str]) -> dict[str, str]:
    """Return the names of persons: id -> name."""
    found = reader.rows(
        "select user_id, name from good.core.dim_user where user_key in "
        "(select ? || ':' || unnest(?)) order by user_id",
        roster_source_id,
        user_ids,
    )
    return {row["user_id"]: row["name"] for row in found}


def number(value: object) -> str:
    """Write a number without idle zeros, and anything else as text; null as nothing."""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return "" if value is None else str(value)


def _without_words(row: dict[str, Any]) -> dict[str, Any]:
    """Leave out what a teacher wrote."""
    return {column: value for column, value in row.items() if column != "override_reason"}
