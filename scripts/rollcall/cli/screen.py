"""What people read on the terminal: tables of at most 80 columns, colour only on a terminal."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from rollcall.clock import iso
from rollcall.contracts.codes import advice
from rollcall.cycle.backup import BackupReport
from rollcall.cycle.built_from import named
from rollcall.cycle.reconcile import Reconciliation
from rollcall.cycle.replay import ReplayReport, RestoreReport
from rollcall.cycle.reported import CycleReport
from rollcall.cycle.verify import VerifyReport
from rollcall.doctor import Check
from rollcall.errors import ExitCode
from rollcall.export import Export
from rollcall.fleet.cycles import DistrictCycle
from rollcall.fleet.districts import DistrictState
from rollcall.fleet.publish import PublishedState
from rollcall.landing.job import FileReport, LandReport
from rollcall.landing.reprocessing import Reprocessed
from rollcall.ledger.contests import Contest
from rollcall.ledger.identities import IdentityReport
from rollcall.ledger.stages import StageReport
from rollcall.ledger.status import StatusReport
from rollcall.mapping.approvals import Approvals
from rollcall.mapping.export import ExportedMapping
from rollcall.mapping.filled import RecordedReviews
from rollcall.new_project import NewProject
from rollcall.project import REFERENCE_DIR, version
from rollcall.promotion.gate import PromotionCheck, SeenEffect, said
from rollcall.report import RenderedReport
from rollcall.report.reasons import REASONS
from rollcall.sanitize import plain
from rollcall.scaffold.writer import Scaffold
from rollcall.trace.layout_changes import LayoutChange, as_csv

_WIDTH = 80
_REJECTED_SHOWN = 20
_FILES_SHOWN = 20
_WAITING_SHOWN = 20
_FAILURES_SHOWN = 3
_CONTESTED_SHOWN = 5
_ENDED: dict[int, str] = {
    ExitCode.DONE: "done",
    ExitCode.ATTENTION: "done; somebody has to look",
    ExitCode.BUSY: "NOT RUN; another program holds its data directory",
}
"""How the cycle of a district has ended, by its exit code."""
_COUNTS = ("records", "structural", "malformed", "rejected", "duplicates", "accepted")
"""What is counted of the records of a delivery."""


def _console() -> Console:
    if sys.stdout.isatty():
        return Console(highlight=False, markup=False, emoji=False)
    return Console(highlight=False, markup=False, emoji=False, width=_WIDTH, no_color=True)


def say(line: str) -> None:
    """Print one line as it is; what would steer the terminal is shown as a sign."""
    text = plain(line)
    indent = len(text) - len(text.lstrip(" "))
    # a padded text without a word prints no line at all
    _console().print(
        Padding(Text(text.lstrip(" ")), (0, 0, 0, indent), expand=False) if text else ""
    )


def warn(line: str) -> None:
    """Print a line for whoever runs the command, apart from what it answers."""
    print(f"rollcall: {plain(line)}", file=sys.stderr, flush=True)


class TerminalProgress:
    """Follows a long command on standard error when it is a terminal."""

    def __init__(self, bar: Progress | None) -> None:
        self._bar = bar
        self._task = bar.add_task("starting", total=None) if bar else None

    def say(self, line: str) -> None:
        """Show what happens now."""
        if self._bar and self._task is not None:
            self._bar.update(self._task, description=line[:48])

    def nodes(self, done: int, total: int, name: str) -> None:
        """Show how many dbt nodes are done."""
        if self._bar and self._task is not None:
            self._bar.update(self._task, completed=done, total=total, description=name[:48])


@contextmanager
def progress(*, quiet: bool) -> Iterator[TerminalProgress]:
    """Open a progress line on a terminal; elsewhere stay silent."""
    if quiet or not sys.stderr.isatty():
        yield TerminalProgress(None)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield TerminalProgress(bar)


def show_table(title: str, rows: Sequence[dict[str, Any]]) -> None:
    """Print rows that share their keys as a table."""
    table = _table(title, list(rows[0]) if rows else [])
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    _console().print(table)


def show_landing(report: LandReport) -> None:
    """Print what landed, what was rejected and why, and what was left alone."""
    show_in_future(report.in_future)
    for line in report.mended:
        say(
            f"MENDED {line}: its bytes stood damaged in the archive and are again what was "
            "delivered. Look at the disk; `rollcall verify` checks the rest."
        )
    if report.last_good_flaw:
        say(f"NOT COMPARED with the last good cycle: {report.last_good_flaw}")
    if report.deliveries_landed or report.deliveries_rejected:
        say(
            f"Landed {_deliveries(report.deliveries_landed)}"
            + (f", rejected {report.deliveries_rejected}" if report.deliveries_rejected else "")
            + "."
        )
    else:
        again = f" ({report.deliveries_again} known deliveries)" if report.deliveries_again else ""
        say(f"Nothing new in the inbox{again}.")
    for file in report.files:
        if file.needs_attention:
            show_file(file)
    show_questions(report.questions)
    for line in report.findings:
        say(f"  note: {line}")
    for line in report.left_alone:
        say(f"  left alone: {line}")
    for line in report.unknown:
        say(f"  not understood: {line}")


def show_questions(questions: Sequence[dict[str, Any]]) -> None:
    """Say what deliveries have left open, and what answers it."""
    for row in questions:
        say(f"  QUESTION {row['source_id']}/{row['delivery_name']}: {row['file_name']}")
        say(f"    {row['code']}: {row['detail']}")
        say(f"    to do: {advice(REFERENCE_DIR)[row['code']]}")


def show_in_future(deliveries: Sequence[dict[str, Any]]) -> None:
    """Say of which deliveries the export time has not come yet, and how to be rid of them."""
    for row in deliveries:
        say(
            f"IN FUTURE {row['source_id']}/{row['delivery_name']}: its export time "
            f"{iso(row['exported_at'])} has not come yet, so no cycle takes it."
        )
        say("    Is it wrong? Deliver it under the right time, and refuse what is there:")
        for file_id in row["file_ids"]:
            say(f"    rollcall refuse {file_id} --reason '...'")


def _show_cutoff_ahead(cutoff_at: datetime | None) -> None:
    """Say that the newest cut-off lies far ahead, and how to be rid of it."""
    if cutoff_at:
        say(f"AHEAD: the newest cut-off, {iso(cutoff_at)}, has not come yet: a clock was ahead.")
        say("    Data is said to be as of then. Is the clock right again? Take it back:")
        say("    rollcall cycle --skip-ahead --reason '...'")


def _deliveries(count: int) -> str:
    return "1 delivery" if count == 1 else f"{count} deliveries"


def show_file(file: FileReport) -> None:
    """Print the verdict of one file and, where a person has to decide, how."""
    verdict = "REMOVALS HELD" if file.are_removals_held else file.verdict.upper()
    say(f"  {verdict} {file.source_id}/{file.delivery_name}: {file.file_name}")
    if file.code:
        say(f"    {file.code}: {file.detail}")
        if file.verdict != "accepted":
            say(f"    to do: {advice(REFERENCE_DIR)[file.code]}")
    if file.verdict == "held" or file.are_removals_held:
        _show_choice(file.file_id)


def show_reprocessed(report: Reprocessed) -> None:
    """Print what became of a file judged again, and of those judged with it what needs a person."""
    show_file(report.file)
    if report.beside:
        say(f"  Judged again with it, other files of the delivery: {len(report.beside)}")
    for file in report.beside:
        if file.needs_attention:
            show_file(file)


def _show_choice(file_id: str) -> None:
    say(f"    decide: rollcall release {file_id} --reason '...'   (or refuse)")


def show_cycle(report: CycleReport) -> None:
    """Print what a cycle did: files, rejected records, and whether the warehouse is good."""
    show_landing(report.landed)
    for row in report.waiting:
        say("  STILL WAITING, from an earlier night:")
        _show_held(row)
    if report.balances:
        has_structural = any(row["structural"] for row in report.balances)
        counts = [count for count in _COUNTS if count != "structural" or has_structural]
        table = _table("Deliveries seen", ["delivery", *counts])
        for row in report.balances:
            name = f"{row['source_id']} {row['delivery_name']}"
            table.add_row(_cell(name), *(_cell(row[count]) for count in counts))
        _console().print(table)
    if report.rejected_records:
        table = _table("Records rejected", ["file", "from line", "times", "code", "column"])
        for row in report.rejected_records:
            table.add_row(
                _cell(f"{row['source_id']} {row['file_name']}"),
                _cell(row["first_line"]),
                _cell(row["record_count"]),
                row["code"],
                _cell(row["column_name"]),
            )
        _console().print(table)
    if report.changed:
        say(f"Changed since the last good cycle: {named(report.changed)}.")
    for cycle in report.reported:
        say(f"Cycle {cycle.cycle_id} published; data as of {iso(cycle.cutoff_at)}.")
    if report.overruled:
        say("It was published although these checks failed; tell those who rely on the data:")
        for failure in report.overruled:
            say(f"  {failure.name}: {failure.message}")
    for failure in report.warnings:
        stored = f" All rows are in {failure.stored_in}." if failure.stored_in else ""
        say(f"WARNING {failure.name}: {failure.message}{stored}")
    for source_id, failures in report.failed_pilots.items():
        say(f"Pilot {source_id} could not be built; its schema keeps its last good state:")
        for sentence in failures[:_FAILURES_SHOWN]:
            say(f"  {sentence}")
    if report.failed:
        say(f"Cycle {report.failed.cycle_id} FAILED; nothing was published.")
        if report.has_last_good:
            say("Readers keep the last good warehouse.")
        for failure in report.failures:
            say(f"  {failure.kind} {failure.name}: {failure.message}")
        _show_way_out(report.failed_files)
        if all(failure.kind == "test" for failure in report.failures):
            say("Must the data go out as it is? `rollcall cycle --publish-anyway --reason '...'`.")
    elif not report.completed:
        say("No cycle was needed: there is nothing that the warehouse has not seen.")
    for row in report.after_cutoff:
        say(
            f"NOT YET {row['source_id']}/{row['delivery_name']}: exported at "
            f"{iso(row['exported_at'])}, after the cut-off; a later cycle takes it."
        )
    _show_cutoff_ahead(report.cutoff_ahead)
    feeds: dict[tuple[str, datetime, datetime], list[str]] = {}
    for export in report.missing:
        when = (export.source_id, export.expected_at, export.due_at)
        feeds.setdefault(when, []).append(export.feed)
    for (source_id, expected_at, due_at), missing in feeds.items():
        say(
            f"MISSING {source_id}: the export of {iso(expected_at)} was due by {iso(due_at)}; "
            f"without it: {', '.join(missing)}."
        )
    if report.report:
        show_report(report.report)
    if report.report_failure:
        say(report.report_failure)


def _show_way_out(files: Sequence[dict[str, Any]]) -> None:
    """Say by which commands a cycle that failed is published after all."""
    say("Correct the cause, then run `rollcall cycle` again; it repeats the same cycle.")
    if files:
        say("Is a file at fault? The cycle goes on without it. New in this cycle:")
        for row in files[:_FILES_SHOWN]:
            say(f"  {row['source_id']}/{row['delivery_name']}/{row['file_name']}")
            say(f"    rollcall refuse {row['file_id']} --reason '...'")
        if len(files) > _FILES_SHOWN:
            say(f"  ... and {len(files) - _FILES_SHOWN} more; `rollcall status --json` has all.")
        say("Has the vendor mended it, for the same export time? Take the new one in its place:")
        say("    rollcall land --supersede SOURCE/DELIVERY --reason '...'")
    say("Has a later export come that is right? `rollcall cycle --skip-failed --reason '...'`.")


def show_status(report: StatusReport) -> None:
    """Print the state of a data directory and what to do next."""
    if report.last_cycle:
        say(
            f"Last good cycle: {report.last_cycle['cycle_id']}, "
            f"cut-off {iso(report.last_cycle['cutoff_at'])}."
        )
        if report.published_because:
            say(f"It was published although checks failed: {report.published_because}")
    else:
        say("No cycle has completed yet.")
    if report.unfinished_cycle:
        say(
            f"Cycle {report.unfinished_cycle['cycle_id']} is {report.unfinished_cycle['status']}; "
            "nothing of it is published."
        )
        for sentence in report.unfinished_because[:_FAILURES_SHOWN]:
            say(f"  {sentence}")
        _show_way_out(report.unfinished_cycle["files"])
    if report.waiting_files:
        say(f"{report.waiting_files} landed files wait for the next cycle.")
    if report.changed_files:
        say(f"Changed since then, and used by the next cycle: {named(report.changed_files)}.")
    table = _table(
        "Sources",
        ["source", "stage", "last export (UTC)", "hours old", "target", "files", "rejected"],
    )
    for source in report.sources:
        table.add_row(
            source.source_id,
            source.stage,
            _minute(source.last_exported_at) or "never",
            _cell(source.age_hours) + (" stale" if source.is_stale else ""),
            _cell(source.latency_target_hours),
            _cell(source.file_count),
            _cell(source.rejected_count),
        )
    _console().print(table)
    due = _table("Due feeds (UTC)", ["source", "feed", "newest export", "due by", "status"])
    for feed in report.feeds:
        due.add_row(
            feed.source_id,
            feed.feed,
            _minute(feed.newest_exported_at) or "never",
            _minute(feed.due_at),
            feed.status,
        )
    _console().print(due)
    show_in_future(report.in_future)
    _show_cutoff_ahead(report.cutoff_ahead)
    for upload in report.unfinished_uploads:
        say(f"unfinished upload: {upload['delivery']}, since {iso(upload['first_seen_at'])}")
    for row in report.held_files:
        _show_held(row)
    show_questions(report.questions)
    for row in report.rejected_files[:_REJECTED_SHOWN]:
        say(f"rejected: {row['source_id']}/{row['delivery_name']}/{row['file_name']}")
        say(f"    {row['code']}: {row['detail']}")
        say(f"    to do: {advice(REFERENCE_DIR)[row['code']]}")
    if len(report.rejected_files) > _REJECTED_SHOWN:
        say(
            f"... and {len(report.rejected_files) - _REJECTED_SHOWN} more; the report has them all."
        )
    if report.report:
        say(f"Report: {report.report}")


def _show_held(row: dict[str, Any]) -> None:
    what = "held" if row["verdict"] == "held" else "removals held"
    say(f"{what}: {row['source_id']}/{row['delivery_name']}/{row['file_name']}")
    say(f"    {row['code']}: {row['detail']}")
    _show_choice(row["file_id"])


def show_new_project(written: NewProject) -> None:
    """Say what was written, and what comes next."""
    say(f"{written.path} is a dbt project that uses Rollcall {version()}:")
    for name in written.files:
        say(f"  {name}")
    say("")
    say("Say in seeds/contracts/sources.csv which systems export, put their files into")
    say(f"inbox/<source>/, and run: rollcall --project {written.path} cycle")


def show_export(export: Export) -> None:
    """Print what was exported, and where it is."""
    say(f"{export.table_count} public tables, {export.row_count} rows: {export.path}")


def show_compared(files: list[str], *, is_check: bool) -> None:
    """Print which files of the comparison with exports were written, or would be."""
    if not files:
        say("Every staged feed is compared as its layouts say.")
        return
    for file in files:
        say(file)
    say("Not current; run `rollcall layouts compare`." if is_check else "Written.")


def show_report(report: RenderedReport) -> None:
    """Print the first answer of a report, and where it is."""
    say(report.headline)
    say(f"Report: {report.path}")


def show_identities(report: IdentityReport, worklist: Path | None) -> None:
    """Say how many students of each source are linked, and who waits."""
    for source_id, outcomes in report.outcomes.items():
        counted = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())
        say(f"{source_id}: {counted}.")
    if not report.waiting:
        say("Nobody waits.")
        return
    say("")
    say(f"{len(report.waiting)} wait for a decision:")
    for waiting in report.waiting[:_WAITING_SHOWN]:
        found = f"; found: {waiting.found_student_key}" if waiting.found_student_key else ""
        counted = f"{waiting.outcome}, {waiting.waiting_count} results"
        held = f"; its file is held: {waiting.file_id}" if waiting.file_id else ""
        say(f"  {waiting.source_student_key}: {counted}{found}{held}")
        if waiting.witnesses:
            say(f"    since cycle {waiting.since_cycle_id}: {', '.join(waiting.witnesses)}")
    if len(report.waiting) > _WAITING_SHOWN:
        say(f"  and {len(report.waiting) - _WAITING_SHOWN} more; --worklist FILE writes all.")
    if worklist:
        say(f"Written to {worklist}.")
    say("Decide with `rollcall link SOURCE ID STUDENT` or `rollcall unlink SOURCE ID`.")


def show_contests(contests: Sequence[Contest]) -> None:
    """Say of which fields sources say different things, and whose word stands; no value."""
    if not contests:
        say("No source says anything else of a student than the one whose word stands.")
        return
    for contest in contests:
        shown = ", ".join(contest.student_keys[:_CONTESTED_SHOWN])
        more = len(contest.student_keys) - _CONTESTED_SHOWN
        say(
            f"{contest.field_name}: {contest.loser_source_id} says something else than "
            f"{contest.winner_source_id} of {len(contest.student_keys)} students; "
            f"{contest.winner_source_id} stands ({contest.rule}). The oldest is open since "
            f"{_minute(contest.since_at)} UTC, {contest.age_days} days."
        )
        say(f"    {shown}" + f" and {more} more" * (more > 0))
    say("Their values are in reconciliation.recon_contest; correct the source that is wrong.")


def show_exported_mapping(exported: ExportedMapping) -> None:
    """Say where a mapping was written, and how far it is approved."""
    say(
        f"{exported.needed_count} columns of {exported.source_id} to review, "
        f"{exported.approved_count} of them approved; {exported.unused_count} are kept and not "
        f"used: {exported.written_to}"
    )


def show_recorded_reviews(recorded: RecordedReviews) -> None:
    """Say what a filled workbook came to."""
    say(
        f"{recorded.source_id}: {recorded.approved_count} columns approved, "
        f"{recorded.refused_count} refused, {recorded.asked_count} asked; "
        f"{recorded.unchanged_count} were recorded before."
    )
    say(f"`rollcall mapping status {recorded.source_id}` says what is missing.")


def show_approvals(approvals: Approvals) -> None:
    """Say how far a mapping is approved, and why the rest is not."""
    say(
        f"{approvals.source_id}: {approvals.approved_count} of {approvals.needed_count} columns "
        "are approved."
    )
    reviewed = [missing for missing in approvals.missing if missing.status != "open"]
    for missing in reviewed[:_WAITING_SHOWN]:
        say(f"  {missing.feed} {missing.layout_version}, {missing.column_name}")
        say(f"    {missing.code + ': ' if missing.code else ''}{missing.reason}")
    if len(reviewed) > _WAITING_SHOWN:
        say(f"  and {len(reviewed) - _WAITING_SHOWN} more; --json lists all.")
    if unseen := len(approvals.missing) - len(reviewed):
        say(f"{unseen} columns were reviewed by nobody.")
    if approvals.missing:
        say(f"`rollcall mapping export {approvals.source_id}` writes the workbook to fill in.")


def show_stage(report: StageReport) -> None:
    """Say what was decided of a source, and what comes of it."""
    say(
        f"Recorded: {report.source_id}, {report.stage_before} until now, is {report.stage}. "
        f"{report.effect}"
    )


def show_promotion_check(found: PromotionCheck) -> None:
    """Say of every criterion whether it holds, and how anybody can ask the same."""
    for checked in found.criteria:
        say(f"{'holds' if checked.has_passed else 'FAILS'}: {said(checked)}.")
        if checked.detail:
            say(f"    {checked.detail}")
        for line in checked.query.splitlines():
            say(f"    {line}")
    say("")
    failed = len(found.failed)
    if failed:
        say(f"{failed} of {len(found.criteria)} criteria fail; {found.source_id} stays a pilot.")
    else:
        say(f"All hold. Promote it: rollcall promote {found.source_id} --reason '...'")


def show_seen_effect(seen: SeenEffect) -> None:
    """Say who has seen the effect of a pilot, and how long that counts."""
    say(f"Recorded: {seen.seen_by} has seen what {seen.source_id} would change.")
    say("It counts until that changes: until a cycle brings other students or outcomes.")


def show_scaffold(written: Scaffold) -> None:
    """Say what was drafted, and what a person has to decide."""
    malformed = f", and {written.malformed_count} malformed ones" if written.malformed_count else ""
    say(f"{written.feed}, drafted from {written.record_count} records{malformed}:")
    for name in written.files:
        say(f"  {name}")
    say("")
    say("To decide:")
    for decision in written.decisions:
        say(f"- {decision}")
    say("")
    print(written.source_row)
    say("")
    say(written.next_step)


def show_layout_change(change: LayoutChange, *, is_written: bool = False) -> None:
    """Print how a header differs, and what to add to the contracts once it is reviewed."""
    if change.code is None:
        say(change.summary)
        return
    say(f"{change.code}: the header differs from {change.feed} {change.nearest_version}.")
    for difference in change.differences:
        say(f"  {difference.code}: {difference.sentence}")
    if not change.differences:
        say(f"  {change.summary}")
    if change.draft_rows:
        say("")
        where = "seeds/contracts/district_layouts.csv"
        say(
            f"Draft of version {change.draft_version}{f', in {where}' if is_written else ''}. "
            f"Review it, {'' if is_written else f'add it to {where}, '}"
            "then `rollcall reprocess` the file:"
        )
        say("")
        print(as_csv(change.draft_rows))


_MOST_UNEXPLAINED = 20


def show_reconciliation(report: Reconciliation) -> None:
    """Print what the next cycle will bring, what differs and why, and whether that is all."""
    say(f"Compared with cycle {report.cycle_id}, cut-off {iso(report.cutoff_at)}.")
    if report.coming:
        title = "The next cycle will bring (before records are checked)"
        show_table(title, report.coming)
    else:
        say("Nothing has landed since.")
    if report.reasons:
        table = _table(
            "Differences with a reason",
            ["reason", "missing", "unexpected", "diverging", "in words"],
        )
        for row in report.reasons:
            table.add_row(*(_cell(value) for value in row.values()), REASONS[row["reason"]])
        _console().print(table)
        if any(row["reason"] == "rejected" for row in report.reasons):
            say("`rollcall rejects` says what was rejected, and why.")
    for row in report.unexplained_differences[:_MOST_UNEXPLAINED]:
        where = f"record {row['record_number']} of file {row['file_id']}"
        say(
            f"UNEXPLAINED {row['kind']}: {row['source_id']} {row['feed']} {row['record_key']} "
            f"({row['column_name']}), {where}; look at the layer {row['suspected_layer']} first."
        )
    if report.unexplained > _MOST_UNEXPLAINED:
        say(f"... and {report.unexplained - _MOST_UNEXPLAINED} more; --json lists them all.")
    for row in report.unequal_sums:
        say(
            f"UNEQUAL: the sum of {row['column_name']} in {row['source_id']} {row['feed']} "
            "differs by more than that."
        )
    if report.exit_code:
        say("This is a fault of the warehouse, not of a source: do not rely on it, and report it.")
    else:
        say("Nothing is unexplained.")


def show_verification(report: VerifyReport) -> None:
    """Print what was verified, what is wrong, and the head to keep elsewhere."""
    say(f"{report.event_count} events and {report.archived_count} archived files checked.")
    for problem in report.problems:
        say(f"  WRONG: {problem}")
    if not report.problems:
        say("Nothing has been changed. Keep this head elsewhere and check it with --head:")
    if report.event_count:
        say(report.head)
    if report.fingerprint:
        say(f"Fingerprint of {len(report.fingerprints)} tables; --json prints each of them:")
        say(report.fingerprint)
    if report.differing_tables:
        say(f"DIFFERENT: {', '.join(report.differing_tables)}.")
    if report.replay:
        _show_replay(report.replay)


def _show_replay(report: ReplayReport) -> None:
    if report.other_code_cycles:
        cycles = ", ".join(map(str, report.other_code_cycles))
        say(
            f"Other code built cycles {cycles}; where a table differs, it shows what this code "
            "changes."
        )
    if report.first is None:
        say(f"{report.cycle_count} cycles replayed: all {report.table_count} tables are equal.")
        return
    first = report.first
    say(
        f"{report.cycle_count} cycles replayed: {len(report.differing_tables)} of "
        f"{report.table_count} tables differ. The first is {first.table}: {first.recorded_count} "
        f"rows only in the data directory, {first.replayed_count} only in the replay"
        + (f", such as {first.example}." if first.example else ".")
    )
    say(f"DIFFERENT: {', '.join(report.differing_tables)}.")


def show_restored(report: RestoreReport) -> None:
    """Print what was built again, and what comes next."""
    if report.other_code_cycles:
        cycles = ", ".join(map(str, report.other_code_cycles))
        say(f"Other code had built cycles {cycles}: tables are as this code makes them.")
    say(
        f"The warehouse of cycle {report.cycle_id} is back, rebuilt from "
        f"{report.cycle_count} cycles. `rollcall report` renders its report."
    )


def show_backup(report: BackupReport) -> None:
    """Print what a backup holds, and what is wrong."""
    for problem in report.problems:
        say(f"  WRONG: {problem}")
    if report.is_taken:
        say(
            f"{report.path} holds the ledger up to {report.head}, {report.archived_count} archived "
            f"files ({report.copied_count} of them new) and the project"
            + (", with the last good warehouse." if report.has_warehouse else ".")
        )
    else:
        say(f"No backup was made; what was in {report.path} before stands.")


def say_district(cycle: DistrictCycle) -> None:
    """Say how the cycle of one district of many has ended."""
    ended = _ENDED.get(cycle.exit_code, "FAILED; nothing was published")
    where = f"; what it said: {cycle.screen}" if cycle.screen and cycle.exit_code else ""
    say(f"{cycle.district}: {ended}{where}")
    if cycle.problem:
        say(f"    {cycle.problem}")


def show_districts(states: Sequence[DistrictState]) -> None:
    """Print the state of every district, those first that wait for somebody."""
    table = _table(
        "Districts",
        ["district", "data as of (UTC)", "not published", "stale sources", "late feeds", "held"],
    )
    for state in sorted(states, key=lambda state: not state.needs_attention):
        table.add_row(
            state.district,
            _minute(state.cutoff_at) or "never",
            *(
                _cell(count or None)
                for count in (
                    state.failed_cycle_id,
                    state.stale_sources,
                    state.late_feeds,
                    state.held_files,
                )
            ),
        )
    _console().print(table)
    for state in states:
        if state.problem:
            say(f"{state.district}: {state.problem}")


def show_published_state(published: PublishedState) -> None:
    """Print the state of every district, and where their tables are united."""
    show_districts(published.districts)
    say(f"Tables of all districts: {published.database}. Their state: {published.page}.")


def show_checks(checks: Sequence[Check]) -> None:
    """Print what the doctor found."""
    for check in checks:
        say(f"{'ok ' if check.is_good else 'BAD'} {check.name}: {check.detail}")


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(
        title=f"\n{title}",
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _minute(instant: datetime | None) -> str:
    return instant.strftime("%Y-%m-%d %H:%M") if instant else ""


def _cell(value: object) -> str:
    return "" if value is None else plain(str(value))
