"""What a trace looks like on the terminal; nothing that came from outside can steer it."""

import textwrap
from typing import Any

from rich.cells import chop_cells

from rollcall.cli.screen import say
from rollcall.clock import iso
from rollcall.sanitize import readable_name
from rollcall.trace.mastery import MasteryTrace, Override, number
from rollcall.trace.records import Place, Version
from rollcall.trace.rows import RecordTrace

_WIDTH = 80
_LINE_MARK = "    | "
_SHOWN_VERSIONS = 12
_DISPOSITIONS = {
    "usable": "it counts",
    "withdrawn": "withdrawn by the source",
    "exempt": "the student is exempt",
    "not_submitted": "not submitted",
    "ungraded": "not fully graded",
    "unresolved_line_item": "its line item has not come yet",
    "line_item_withdrawn": "its line item has been withdrawn",
    "no_objective": "its line item is aligned with no objective",
    "no_range": "its line item has no range of scores",
    "out_of_range": "the score is out of range",
    "duplicate": "a newer result of the same work counts",
    "in_future": "it is dated later than its export and the cut-off",
    "too_old": "older than the rule allows",
}
_SUPPORTS = {
    "score": "its score for this objective:",
    "alignment": "aligned with the objective by",
    "range": "range of scores:",
}
_OUTCOMES = {
    "newest": "accepted; it is the newest version, which the warehouse holds",
    "superseded": "accepted, then superseded by a newer version",
    "outdated": "accepted, but older than what was known already; it changed nothing",
    "raw_only": "accepted; its feed is kept as delivered and not staged",
    "duplicate": "a duplicate of another record of its file; it changed nothing",
    "malformed": "malformed: it breaks the grammar of CSV",
    "structural": "structural: no record of the feed, so its layout passes it over",
    "rejected": "rejected",
    "held": "held: its file waits for a decision",
    "replaced": "replaced: another delivery has replaced its file",
    "waiting": "waiting: no published cycle has seen its file",
}
_NEXT = {
    "malformed": "rollcall rejects {file_id}    writes it for the sender",
    "rejected": "rollcall rejects {file_id}    writes it for the sender",
    "held": "rollcall release {file_id} --reason '...'    or refuse",
    "waiting": "rollcall cycle",
}
_PRESENCE = {
    "active": "is active",
    "deleted": "is no longer active: its source has deleted it",
    "absent": "is no longer active: it is absent from the latest bulk",
}


def show_mastery(trace: MasteryTrace) -> None:
    """Print the chain from a state to the lines it rests on."""
    state = trace.state
    _say(
        f"Student {_person(trace.student_id, trace.names)} of {trace.roster_source_id}, "
        f"objective {trace.objective_id}: {state['state'].upper()}"
    )
    until = state["evidence_until"]
    _say(
        f"Unchanged since {iso(state['since'])}, as of {iso(state['as_of'])}"
        + (f"; scores exported until {iso(until)}." if until else ".")
    )
    if state["is_provisional"]:
        _say(f"PROVISIONAL: {', '.join(state['missing_feeds'])} was due and has not come.")
    _title("Step by step, the last one first")
    for step in trace.steps:
        _say(f"{step.step:<11} {step.outcome}: {step.why}", 2, 14)
    if trace.rule:
        _show_rule(trace.rule)
    if trace.overrides:
        _title("Decisions of teachers, the newest last")
        for override in trace.overrides:
            _show_override(override, trace.names)
    _title("Evidence, in the order in which it happened")
    for piece in trace.evidence:
        percent = "no percent" if piece.percent is None else f"{number(piece.percent)} percent"
        counts = (
            "counts" if piece.disposition == "usable" else f"IGNORED, {_why(piece.disposition)}"
        )
        _say(f"{iso(piece.event_at)}  {percent}  {counts}  {piece.evidence_id}", 2, 4)
        if piece.line_item_id:
            _say(
                f"{number(piece.score) or 'no score'} in the range of {piece.line_item_id}, "
                f"{number(piece.score_min)} to {number(piece.score_max)}",
                4,
                6,
            )
        _show_place(piece.record)
        for support in piece.supports:
            _say(f"{_SUPPORTS[support.role]} {support.key}", 4, 6)
            _show_place(support.record)
    if not trace.evidence:
        _say("There is none.", 2)
    _title("History")
    for row in trace.history:
        score = number(row["score_percent"]) or "no score"
        _say(
            f"{iso(row['valid_from'])} to {iso(row['valid_to']) or 'now':<20}  {row['state']}, "
            f"{score}",
            2,
            4,
        )
    _title("What changed last, and why")
    for point in trace.last_change:
        _say(
            f"cycle {point.cycle_id}  {point.step}  {point.field}: "
            f"{point.before_value or 'nothing'} -> {point.after_value or 'nothing'} "
            f"({point.reason})",
            2,
            4,
        )
    _show_gates(trace.gates)
    if trace.evidence:
        newest = trace.evidence[-1]
        _title("Go on with")
        record = newest.record
        say(f"  rollcall trace --file {record.file_id} --record {record.record_number}")
        _say(f"every version of {newest.evidence_id}, and what rests on it", 6)


def show_record(trace: RecordTrace) -> None:
    """Print what a record says, what became of it and what rests on it."""
    version = trace.version
    _say(f"{trace.feed or 'A record'} {trace.key or 'without a key that can be read'}")
    _show_place(version.record)
    _say(f"columns: {', '.join(trace.columns)}", 4, 6)
    _title("What became of it")
    _say(_OUTCOMES[version.status or version.verdict], 2, 4)
    for reason in version.reasons:
        where = f" ({reason.column_name})" if reason.column_name else ""
        _say(f"{reason.code}{where}: {reason.sentence or 'see docs/faults.md'}", 2, 4)
    if version.verdict in _NEXT:
        _say(f"next: {_NEXT[version.verdict].format(file_id=version.record.file_id)}", 2, 4)
    if trace.presence:
        _say(f"In the last good cycle, {trace.key} {_PRESENCE[trace.presence]}.", 2, 4)
    if trace.made:
        _say(f"rows made of it: {', '.join(trace.made)}", 2, 4)
    for row in trace.referring:
        _say(f"named by {row['row_count']} rows of {row['table']} ({row['column']})", 2, 4)
    for row in trace.evidence:
        percent = "" if row["percent"] is None else f", {number(row['percent'])} percent"
        counts = "" if row["disposition"] == "usable" else "ignored: "
        counts += _why(row["disposition"])
        _say(f"evidence for {row['student_id']} {row['objective_id']}{percent}; {counts}", 2, 4)
    for row in trace.overrides:
        current = "current" if row["is_current"] else "not current"
        _say(
            f"decision ({row['action']}) on {row['student_id']} {row['objective_id']}, {current}",
            2,
            4,
        )
    if trace.outcomes:
        _title("States that rest on it")
        for row in trace.outcomes:
            score = number(row["score_percent"]) or "no score"
            _say(f"{row['student_id']} {row['objective_id']}: {row['state']}, {score}", 2, 4)
    _show_gates(trace.gates)
    if trace.decisions:
        _title("What was decided of its file")
        for row in trace.decisions:
            by = f" by {row['decided_by']}: {row['reason']}" if "decided_by" in row else ""
            _say(f"{iso(row['decided_at'])}  {row['decision']}{by}", 2, 4)
    if len(trace.versions) > 1:
        _show_versions(trace.versions)


def _show_rule(rule: dict[str, Any]) -> None:
    scope = " ".join(str(rule[part]) for part in ("scope", "scope_id") if rule[part])
    asks = [
        f"{column} {number(rule[column])}"
        for column in (
            *("method", "weight_percent", "needed_count", "threshold_percent"),
            *("minimum_evidence", "maximum_age_days", "rounding_digits"),
        )
        if rule[column] is not None
    ]
    kept = "mastery can be lost" if rule["can_be_lost"] else "mastery once shown is kept"
    _say(
        f"rule        {rule['rule_id']} version {rule['rule_version']} ({scope}): "
        f"{', '.join(asks)}; {kept}",
        2,
        14,
    )


def _show_override(override: Override, names: dict[str, str]) -> None:
    what = f"set {override.state}" if override.action == "set" else "cleared"
    current = "current" if override.is_current else "not current"
    current += "" if override.is_active else ", withdrawn by its source"
    _say(
        f"{iso(override.effective_at)}  {what}  {override.override_id} "
        f"by {_person(override.teacher_id, names)}  {current}",
        2,
        4,
    )
    if override.reason:
        _say(f"in their words: {override.reason}", 4)
    if override.findings:
        _say(f"speaks against it: {', '.join(override.findings)}", 4)
    _show_place(override.record)


def _show_gates(gates: list[dict[str, Any]]) -> None:
    if gates:
        _title("Steps of learning paths that rest on it")
    for row in gates:
        blocked = f", blocked by {', '.join(row['blocked_by'])}" if row["blocked_by"] else ""
        whose = f"{row['student_id']} " if "student_id" in row else ""
        _say(f"{whose}{row['path_id']} step {row['step_number']}: {row['gate']}{blocked}", 2, 4)


def _show_versions(versions: list[Version]) -> None:
    """Print the records of one key; of very many, the newest."""
    _title("Every stored record that names it, by export time")
    more = len(versions) - _SHOWN_VERSIONS
    if more > 0:
        _say(f"({more} older ones are left out; --json lists them all)", 2)
    for version in versions[-_SHOWN_VERSIONS:]:
        codes = " ".join(dict.fromkeys(reason.code for reason in version.reasons))
        record = version.record
        _say(
            f"{iso(record.exported_at)}  {version.status or version.verdict}"
            f"{' ' * bool(codes)}{codes}  {record.file} record {record.record_number}",
            2,
            4,
        )


def _show_place(record: Place) -> None:
    """Print where a record stands and, behind a mark, the record itself as delivered."""
    _say(
        f"{record.file}, record {record.record_number}, line {record.line_number}, "
        f"exported {iso(record.exported_at)}",
        4,
        6,
    )
    _say(f"sha256 {record.sha256}", 4, 6)
    if record.archive_sha256:
        _say(f"inside {record.archive_sha256}", 4, 6)
    for part in chop_cells(readable_name(record.line or ""), _WIDTH - len(_LINE_MARK)):
        say(_LINE_MARK + part)


def _why(disposition: str) -> str:
    return _DISPOSITIONS.get(disposition, disposition)


def _person(person_id: str, names: dict[str, str]) -> str:
    return f"{person_id} ({names[person_id]})" if person_id in names else person_id


def _title(text: str) -> None:
    say("")
    say(text)


def _say(text: str, indent: int = 0, hanging: int | None = None) -> None:
    """Print a paragraph, folded and indented, with control characters as escapes."""
    folded = textwrap.wrap(
        readable_name(text),
        _WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent if hanging is None else hanging),
        break_on_hyphens=False,
    )
    for line in folded or [""]:
        say(line)
