"""The `rollcall` command: parse, call, print."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from rollcall import doctor
from rollcall.cli import screen, trace_screen
from rollcall.clock import now, parse_instant
from rollcall.comparison import generator
from rollcall.cycle import verify
from rollcall.cycle.backup import back_up
from rollcall.cycle.built_from import changed_since_last_good
from rollcall.cycle.cycle import FailedCycle, run_cycle
from rollcall.cycle.reconcile import reconcile
from rollcall.cycle.replay import replay, restore
from rollcall.databases import damages, is_last_good_readable
from rollcall.errors import (
    DamagedBytesError,
    ExitCode,
    NoRoomError,
    RollcallError,
    UsageError,
    heed_stop,
    is_out_of_room,
    reraise_stop,
    was_stopped,
)
from rollcall.export import export_parquet
from rollcall.fleet.cycles import DistrictCycle, fold, run_cycles
from rollcall.fleet.districts import find_districts, read_state
from rollcall.fleet.publish import publish_state
from rollcall.home import PATIENCE_SECONDS, Home, Patience
from rollcall.landing import reprocessing
from rollcall.landing.inbox import ByHand, land
from rollcall.landing.job import Supersede
from rollcall.ledger import contests, decisions, identities, ledger, stages, status
from rollcall.mapping.export import export_mapping, mapping_status
from rollcall.mapping.filled import approve_mapping
from rollcall.new_project import write_project
from rollcall.project import SHIPPED, Project, open_project, uses_rollcall
from rollcall.promotion import gate
from rollcall.report import render_report
from rollcall.sample import write_sample
from rollcall.scaffold import writer
from rollcall.trace import layout_changes, mastery, rejects, rows

_STOPPED = "Stopped; nothing half-done is kept. Run the same command again."

app = typer.Typer(
    help="Make batch exports trustworthy: every record in every export is accounted for.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@dataclass(slots=True)
class _Call:
    """What this call works with: the dbt project, and the data directory for the log of a failure.

    `is_chosen` when the call says which project, by --project or by the working directory; else it
    is the one that fills the data directory. With --project data directory and inbox are in it.
    `patience` is what it has with other programs that hold a database.
    """

    project: Project = SHIPPED
    is_chosen: bool = False
    folder: Path = Path()
    home: Path = Path("warehouse")
    patience: Patience = field(default_factory=Patience)


_call = _Call()


@app.callback()
def _choose_project(
    project: Annotated[
        Path | None,
        typer.Option(
            "--project",
            envvar="ROLLCALL_PROJECT",
            help="The district's dbt project; that of the working directory by default.",
        ),
    ] = None,
) -> None:
    _call.is_chosen = project is not None or uses_rollcall(Path())
    _call.folder = project or Path()
    _call.project = open_project(_call.folder) if _call.is_chosen else SHIPPED
    _call.home = _call.folder / "warehouse"
    _call.patience = Patience(say=screen.warn)


def _be_patient(seconds: int) -> int:
    _call.patience.seconds = seconds
    return seconds


HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home", envvar="ROLLCALL_HOME", help="The data directory; warehouse by default."
    ),
]
WaitOption = Annotated[
    int,
    typer.Option(
        "--wait",
        metavar="SECONDS",
        min=0,
        callback=_be_patient,
        help="Wait so long in all while other programs have a database open.",
    ),
]
InboxOption = Annotated[
    Path | None,
    typer.Option(
        "--inbox", help="Folder with one folder of deliveries per source; inbox by default."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
FileArgument = Annotated[
    str,
    typer.Argument(
        metavar="FILE", help="A landed file: its id, or source/delivery/file or the end of it."
    ),
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept with the decision.")]


@app.command(epilog="Example: rollcall new plainfield")
def new(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.")],
    as_json: JsonOption = False,
) -> None:
    """Write the dbt project of a district, which uses Rollcall as a package."""
    written = write_project(folder)
    _print(as_json, asdict(written), lambda: screen.show_new_project(written))


@app.command(epilog="Example: rollcall init --home warehouse")
def init(
    home: HomeOption = None,
    wait: WaitOption = PATIENCE_SECONDS,
    as_json: JsonOption = False,
) -> None:
    """Prepare a data directory: its folders, the ledger and every raw table, all empty."""
    _call.home = home or _call.home
    district = _open_home(_call.project) if _call.is_chosen else _home(home)
    district.prepare()
    with district.lock(), district.landing() as connection:
        ledger.prepare(connection, district.project.contracts())
    _print(
        as_json,
        {"home": str(district.path)},
        lambda: screen.say(f"The data directory {district.path} is ready."),
    )


@app.command(name="land", epilog="Example: rollcall land --inbox inbox")
def land_command(
    inbox: InboxOption = None,
    home: HomeOption = None,
    wait: WaitOption = PATIENCE_SECONDS,
    exported_at: Annotated[
        str | None,
        typer.Option(
            "--exported-at", metavar="TIME", help="Export time of one delivery, given by hand."
        ),
    ] = None,
    delivery: Annotated[
        str | None,
        typer.Option(
            "--delivery",
            metavar="DELIVERY",
            help="Which delivery (source/name) that is; by default the one without a time.",
        ),
    ] = None,
    supersede: Annotated[
        str | None,
        typer.Option(
            "--supersede",
            metavar="DELIVERY",
            help="Delivery (source/name) that replaces the one with the same export time.",
        ),
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why it takes the place.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Land what is new in the inbox, untouched, with a verdict for every file."""
    if bool(supersede) != bool(reason and reason.strip()):
        raise UsageError("--supersede and --reason go together; give both or neither.")
    if delivery and not exported_at:
        raise UsageError("--delivery says of which delivery --exported-at is the time; give both.")
    time = _instant(exported_at, "--exported-at")
    district = _home(home)
    district.prepare()
    with district.lock(), screen.progress(quiet=as_json) as progress:
        report = land(
            district,
            _inbox(inbox),
            district.project.contracts(),
            now(),
            dated=ByHand(time, delivery or supersede) if time else None,
            supersede=Supersede(supersede, reason or "", decisions.who()) if supersede else None,
            say=progress.say,
        )
    _print(as_json, asdict(report), lambda: screen.show_landing(report))
    raise typer.Exit(ExitCode.ATTENTION if report.needs_attention else ExitCode.DONE)


@app.command(epilog="Example: rollcall cycle --inbox inbox --cutoff 2026-09-01T18:00:00Z")
def cycle(
    inbox: InboxOption = None,
    home: HomeOption = None,
    wait: WaitOption = PATIENCE_SECONDS,
    cutoff: Annotated[
        str | None,
        typer.Option("--cutoff", help="See exports up to this moment (UTC); now by default."),
    ] = None,
    publish_anyway: Annotated[
        bool,
        typer.Option(
            "--publish-anyway", help="Publish the cycle that failed, whatever its tests find."
        ),
    ] = False,
    skip_failed: Annotated[
        bool,
        typer.Option(
            "--skip-failed", help="Leave the cycle that failed behind; the next takes its files."
        ),
    ] = False,
    skip_ahead: Annotated[
        bool,
        typer.Option(
            "--skip-ahead",
            help="Take back the cycles whose cut-off lies ahead because a clock was.",
        ),
    ] = False,
    reason: Annotated[
        str | None, typer.Option("--reason", help="Why it is published all the same, or skipped.")
    ] = None,
    rebuild: Annotated[
        bool,
        typer.Option("--rebuild", help="Build every table whole, even when nothing is new."),
    ] = False,
    no_report: Annotated[
        bool,
        typer.Option("--no-report", help="Render no report; `rollcall report` does it."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Run one sync: land, build, test, publish."""
    options: dict[Literal["publish", "skip", "skip_ahead"], bool] = {
        "publish": publish_anyway,
        "skip": skip_failed,
        "skip_ahead": skip_ahead,
    }
    decided = [decision for decision, is_given in options.items() if is_given]
    names = "--publish-anyway, --skip-failed or --skip-ahead"
    if len(decided) > 1:
        raise UsageError(f"Give {names}, one at a time.")
    if bool(decided) != bool(reason and reason.strip()):
        raise UsageError(f"--reason goes with {names}; give both or neither.")
    failed = FailedCycle(decided[0], reason or "", decisions.who()) if decided else None
    district = _home(home)
    with screen.progress(quiet=as_json) as progress:
        report = run_cycle(
            district,
            _inbox(inbox),
            district.project.contracts(),
            progress,
            now(),
            _instant(cutoff, "--cutoff"),
            failed,
            rebuild=rebuild,
            with_report=not no_report,
        )
    machine = asdict(report) | {"exit_code": int(report.exit_code)}
    _print(as_json, machine, lambda: screen.show_cycle(report))
    raise typer.Exit(report.exit_code)


@app.command(name="status", epilog="Example: rollcall status --json")
def status_command(
    home: HomeOption = None,
    wait: WaitOption = PATIENCE_SECONDS,
    as_json: JsonOption = False,
) -> None:
    """Say what has arrived, what was rejected and how old the data is."""
    district = _home(home)
    report = status.read(district, district.project.contracts(), now())
    report.changed_files = changed_since_last_good(district)
    _print(as_json, asdict(report), lambda: screen.show_status(report))


@app.command(name="report", epilog="Example: rollcall report --home warehouse")
def report_command(
    names: Annotated[
        bool,
        typer.Option("--names", help="Name students, and show personal values that differ."),
    ] = False,
    home: HomeOption = None,
    wait: WaitOption = PATIENCE_SECONDS,
    as_json: JsonOption = False,
) -> None:
    """Render the report of the last good cycle: pages, a workbook and CSVs."""
    district = _home(home)
    district.prepare()
    with district.lock():
        report = render_report(district, district.project.contracts(), names=names)
    _print(as_json, asdict(report), lambda: screen.show_report(report))


@app.command(name="export", epilog="Example: rollcall export --parquet /srv/bi/rollcall")
def export_command(
    parquet: Annotated[
        Path, typer.Option("--parquet", help="Folder to write; it replaces an older export.")
    ],
    home: HomeOption = None,
    wait: WaitOption = PATIENCE_SECONDS,
    as_json: JsonOption = False,
) -> None:
    """Write the public tables as Parquet, one folder a table, for tools that read no DuckDB."""
    exported = export_parquet(_home(home), parquet)
    _print(as_json, asdict(exported), lambda: screen.show_export(exported))


@app.command(name="doctor", epilog="Example: rollcall doctor")
def doctor_command(
    home: HomeOption = None,
    wait: WaitOption = PATIENCE_SECONDS,
    as_json: JsonOption = False,
) -> None:
    """Say what is installed, configured and out of order."""
    checks = doctor.examine(_home(home))
    _print(as_json, {"checks": [asdict(c) for c in checks]}, lambda: screen.show_checks(checks))
    raise typer.Exit(
        ExitCode.DONE if all(check.is_good for check in checks) else ExitCode.ATTENTION
    )


layouts_app = typer.Typer(rich_markup_mode=None)
app.add_typer(layouts_app, name="layouts", help="The known layouts, and how a file differs.")


@layouts_app.callback(invoke_without_command=True, epilog="Example: rollcall layouts")
def layouts_command(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the known layouts: feeds, versions, columns and where they land."""
    if context.invoked_subcommand:
        return
    known = [
        {
            "feed": layout.feed,
            "version": layout.version,
            "kind": layout.framing.kind,
            "columns": len(layout.columns),
            "raw_table": layout.raw_table,
        }
        for layout in _call.project.contracts().layouts
    ]
    _print(as_json, {"layouts": known}, lambda: screen.show_table("Layouts", known))


@layouts_app.command(name="diff", epilog="Example: rollcall layouts diff users.csv")
def layouts_diff(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A CSV on disk, or a landed file by id or name.")
    ],
    feed: Annotated[
        str | None, typer.Option("--feed", help="Its feed, where its name does not tell.")
    ] = None,
    home: HomeOption = None,
    wait: WaitOption = PATIENCE_SECONDS,
    as_json: JsonOption = False,
) -> None:
    """Say how a file's header differs from the layouts, and draft the rows of a new version."""
    district = _home(home)
    change = layout_changes.diff_file(district, district.project.contracts(), file, feed)
    _print(as_json, asdict(change), lambda: screen.show_layout_change(change))


@layouts_app.command(name="compare", epilog="Example: rollcall layouts compare --check")
def layouts_compare(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail where something would be written.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Write the SQL that compares each staged feed of the project with its mart."""
    project = _call.project
    make = generator.outdated if check else generator.write
    changed = make(project.contracts(), project)
    files = [str(path.relative_to(project.path)) for path in changed]
    _print(as_json, {"files": files}, lambda: screen.show_compared(files, is_check=check))
    raise typer.Exit(ExitCode.ATTENTION if check and files else ExitCode.DONE)


@app.command(epilog="Example: rollcall scaffold skills.txt --feed acme/skills")
def scaffold(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file as the system exports it.")],
    feed: Annotated[str, typer.Option("--feed", help="What to call it: family/name.")],
    key: Annotated[
        list[str] | None,
        typer.Option("--key", help="A column that tells records apart; once for each."),
    ] = None,
    variant: Annotated[
        bool, typer.Option("--variant", help="Add its header to a known feed, as a new layout.")
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draft a feed from one of its files: contracts, models, tests, and what is to be decided."""
    project = _call.project
    contracts = project.contracts()
    if variant:
        change = layout_changes.diff_file(
            Home(home or _call.home, project), contracts, str(file), feed
        )
        writer.write_variant(project, change.draft_rows)
        _print(as_json, asdict(change), lambda: screen.show_layout_change(change, is_written=True))
        return
    written = writer.write_feed(project, contracts, file, feed, key or ())
    _print(as_json, asdict(written), lambda: screen.show_scaffold(written))


def _decide(file: str, decision: str, reason: str, home: Path | None, as_json: bool) -> None:
    district = _home(home)
    district.prepare()
    with district.lock():
        contracts = district.project.contracts()
        report = decisions.decide_hold(district, contracts, file, decision, reason, now())
    _print(
        as_json,
        asdict(report),
        lambda: screen.say(f"Recorded: {report.decision} {report.file}. {report.effect}"),
    )


SourceArgument = Annotated[str, typer.Argument(metavar="SOURCE", help="A source of sources.csv.")]
IdArgument = Annotated[
    str, typer.Argument(metavar="ID", help="The student's id in that source, or the whole key.")
]


@app.command("identities", epilog="Example: rollcall identities --worklist waiting.csv")
def show_identities(
    source: Annotated[str | None, typer.Option("--source", help="One source only.")] = None,
    worklist: Annotated[
        Path | None, typer.Option("--worklist", help="Write who waits to this CSV file.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say how students of other sources are linked to the roster, and whose results wait."""
    district = _home(home)
    report = identities.read_identities(district, source)
    if worklist:
        identities.write_worklist(report, worklist)
    _print(as_json, asdict(report), lambda: screen.show_identities(report, worklist))


@app.command("contests", epilog="Example: rollcall contests --source map")
def show_contests(
    source: Annotated[str | None, typer.Option("--source", help="One source only.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say where sources say different things of one student, and whose word stands."""
    found = contests.read_contests(_home(home), source)
    machine = {"contests": [asdict(contest) for contest in found]}
    _print(as_json, machine, lambda: screen.show_contests(found))


def _link(
    source: str, id_value: str, student: str | None, reason: str, home: Path | None, as_json: bool
) -> None:
    district = _home(home)
    district.prepare()
    with district.lock():
        contracts = district.project.contracts()
        report = identities.decide_link(
            district, contracts, source, id_value, student, reason, now()
        )
    _print(
        as_json,
        asdict(report),
        lambda: screen.say(
            f"Recorded: {report.decision} {report.source_student_key}"
            f"{f' to {report.student_key}' * bool(report.student_key)}. {report.effect}"
        ),
    )


@app.command(epilog="Example: rollcall link map 605000 STU-1 --reason 'seen in the office'")
def link(
    source: SourceArgument,
    id_value: IdArgument,
    student: Annotated[
        str, typer.Argument(metavar="STUDENT", help="The student's id in the roster.")
    ],
    reason: ReasonOption,
    home: HomeOption = None,
    wait: WaitOption = PATIENCE_SECONDS,
    as_json: JsonOption = False,
) -> None:
    """Say whose a student of a source is, whatever ids and names say.

    Where SOURCE is the roster itself, ID and STUDENT are one student from the next cycle on.
    """
    _link(source, id_value, student, reason, home, as_json)


@app.command(epilog="Example: rollcall unlink map 605000 --reason 'a visitor, not ours'")
def unlink(
    source: SourceArgument,
    id_value: IdArgument,
    reason: ReasonOption,
    home: HomeOption = None,
    wait: WaitOption = PATIENCE_SECONDS,
    as_json: JsonOption = False,
) -> None:
    """Say that a student of a source is none of the roster's, or that two of the roster are two."""
    _link(source, id_value, None, reason, home, as_json)


mapping_app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
app.add_typer(mapping_app, name="mapping", help="Mappings that people review and approve.")


@mapping_app.command(name="export", epilog="Example: rollcall mapping export map")
def mapping_export(
    source: SourceArgument,
    out: Annotated[
        Path | None, typer.Option("--out", help="File to write; mapping_SOURCE.xlsx by default.")
    ] = None,
    format_: Annotated[
        Literal["xlsx", "odcs"],
        typer.Option("--format", help="A workbook to fill in, or a contract of ODCS 3.1.0."),
    ] = "xlsx",
    home: HomeOption = None,
    wait: WaitOption = PATIENCE_SECONDS,
    as_json: JsonOption = False,
) -> None:
    """Write what each column of a source means and what is done to it, for people to approve."""
    district = _home(home)
    exported = export_mapping(district, district.project.contracts(), source, format_, out)
    _print(as_json, asdict(exported), lambda: screen.show_exported_mapping(exported))


@mapping_app.command(name="approve", epilog="Example: rollcall mapping approve mapping_map.xlsx")
def mapping_approve(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The workbook, filled in.")],
    home: HomeOption = None,
    wait: WaitOption = PATIENCE_SECONDS,
    as_json: JsonOption = False,
) -> None:
    """Record what people have filled into the workbook of a mapping: all of it, or nothing."""
    district = _home(home)
    district.prepare()
    with district.lock():
        recorded = approve_mapping(district, district.project.contracts(), file, now())
    _print(as_json, asdict(recorded), lambda: screen.show_recorded_reviews(recorded))


@mapping_app.command(name="status", epilog="Example: rollcall mapping status map")
def mapping_status_command(
    source: SourceArgument,
    home: HomeOption = None,
    wait: WaitOption = PATIENCE_SECONDS,
    as_json: JsonOption = False,
) -> None:
    """Say how far the mapping of a source is approved, and why the rest is not."""
    district = _home(home)
    approvals = mapping_status(district, district.project.contracts(), source)
    _print(as_json, asdict(approvals), lambda: screen.show_approvals(approvals))
    raise typer.Exit(ExitCode.ATTENTION if approvals.missing else ExitCode.DONE)


fleet_app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
app.add_typer(fleet_app, name="fleet", help="Many districts on one machine.")

HomesOption = Annotated[
    Path,
    typer.Option(
        "--homes", metavar="DIR", help="Folder in which each district has a folder of its own."
    ),
]


@fleet_app.command(name="cycle", epilog="Example: rollcall fleet cycle --homes districts --jobs 4")
def fleet_cycle(
    homes: HomesOption,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", min=1, help="Districts at a time; one for each core by default."),
    ] = None,
    no_report: Annotated[bool, typer.Option("--no-report", help="Render no reports.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Run one sync in every district; one that fails stops no other."""
    districts = find_districts(homes)

    def say(cycle: DistrictCycle) -> None:
        if not as_json:
            screen.say_district(cycle)

    options = ("--no-report",) * no_report
    ended = run_cycles(districts, jobs or os.cpu_count() or 1, options, say)
    states = [read_state(district) for district in districts]
    code = fold(ended)
    machine = {
        "cycles": [asdict(cycle) for cycle in ended],
        "districts": [asdict(state) for state in states],
        "exit_code": int(code),
    }
    _print(as_json, machine, lambda: screen.show_districts(states))
    raise typer.Exit(code)


@fleet_app.command(name="publish", epilog="Example: rollcall fleet publish --homes districts")
def fleet_publish(
    homes: HomesOption,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="The database; state.duckdb in DIR by default."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Unite the public tables of all districts in one database, with a page on each one's state."""
    published = publish_state(find_districts(homes), out or homes / "state.duckdb")
    _print(as_json, asdict(published), lambda: screen.show_published_state(published))
    raise typer.Exit(ExitCode.ATTENTION if published.needs_attention else ExitCode.DONE)


def _decide_stage(
    source: str, decision: str, reason: str, home: Path | None, as_json: bool
) -> None:
    district = _home(home)
    district.prepare()
    with district.lock():
        contracts = district.project.contracts()
        report = stages.decide(district, contracts, source, decision, reason, now())
    _print(as_json, asdict(report), lambda: screen.show_stage(report))


@app.command(epilog="Example: rollcall promote map --check")
def promote(
    source: SourceArgument,
    reason: Annotated[
        str, typer.Option("--reason", help="Why; kept with the decision.", show_default=False)
    ] = "",
    is_check: Annotated[
        bool,
        typer.Option("--check", help="Say what must hold of a pilot, and whether it does."),
    ] = False,
    seen_by: Annotated[
        str | None,
        typer.Option("--seen-by", metavar="NAME", help="Record who has seen its effect."),
    ] = None,
    home: HomeOption = None,
    wait: WaitOption = PATIENCE_SECONDS,
    as_json: JsonOption = False,
) -> None:
    """Make a draft a pilot, or a pilot live if every criterion of `--check` holds.

    A retired source begins again as a pilot.
    """
    if is_check + (seen_by is not None) + bool(reason) > 1:
        raise UsageError("--check, --seen-by and --reason are three commands; run one at a time.")
    district = _home(home)
    district.prepare()
    with district.lock():
        contracts = district.project.contracts()
        if is_check:
            found = gate.check(district, contracts, source, now())
        elif seen_by is not None:
            seen = gate.see_effect(district, contracts, source, seen_by, now())
        else:
            report = gate.promote(district, contracts, source, reason, now())
    if is_check:
        _print(as_json, asdict(found), lambda: screen.show_promotion_check(found))
        raise typer.Exit(ExitCode.ATTENTION if found.failed else ExitCode.DONE)
    if seen_by is not None:
        _print(as_json, asdict(seen), lambda: screen.show_seen_effect(seen))
    else:
        _print(as_json, asdict(report), lambda: screen.show_stage(report))


@app.command(epilog="Example: rollcall demote map --reason 'its levels have changed'")
def demote(
    source: SourceArgument,
    reason: ReasonOption,
    home: HomeOption = None,
    wait: WaitOption = PATIENCE_SECONDS,
    as_json: JsonOption = False,
) -> None:
    """Make a live source a pilot again; live tables keep what they have of it until now."""
    _decide_stage(source, "demote", reason, home, as_json)


@app.command(epilog="Example: rollcall retire map --reason 'the contract has ended'")
def retire(
    source: SourceArgument,
    reason: ReasonOption,
    home: HomeOption = None,
    wait: WaitOption = PATIENCE_SECONDS,
    as_json: JsonOption = False,
) -> None:
    """Expect nothing of a source any more; what live tables have of it stays."""
    _decide_stage(source, "retire", reason, home, as_json)


@app.command(epilog="Example: rollcall release 3f0c2ab1d4e5f607 --reason 'North closed'")
def release(
    file: FileArgument,
    reason: ReasonOption,
    home: HomeOption = None,
    wait: WaitOption = PATIENCE_SECONDS,
    as_json: JsonOption = False,
) -> None:
    """Let in what is held: a whole file, or the removals of one."""
    _decide(file, "release", reason, home, as_json)


@app.command(epilog="Example: rollcall refuse 3f0c2ab1d4e5f607 --reason 'last year again'")
def refuse(
    file: FileArgument,
    reason: ReasonOption,
    home: HomeOption = None,
    wait: WaitOption = PATIENCE_SECONDS,
    as_json: JsonOption = False,
) -> None:
    """Keep out what is held, for good."""
    _decide(file, "refuse", reason, home, as_json)


@app.command(epilog="Example: rollcall reprocess sis/2026-09-03T010000Z.zip/users.csv")
def reprocess(
    file: FileArgument,
    home: HomeOption = None,
    wait: WaitOption = PATIENCE_SECONDS,
    as_json: JsonOption = False,
) -> None:
    """Judge a landed file again, from the archive, by the contracts of today."""
    district = _home(home)
    district.prepare()
    with district.lock():
        report = reprocessing.reprocess(district, district.project.contracts(), file, now())
    _print(as_json, report.as_json(), lambda: screen.show_reprocessed(report))
    raise typer.Exit(ExitCode.ATTENTION if report.needs_attention else ExitCode.DONE)


@app.command(name="rejects", epilog="Example: rollcall rejects lms/2026-09-05T160000Z/results.csv")
def rejects_command(
    file: FileArgument,
    out: Annotated[
        Path | None, typer.Option("--out", help="Where to write; in the data directory by default.")
    ] = None,
    home: HomeOption = None,
    wait: WaitOption = PATIENCE_SECONDS,
    as_json: JsonOption = False,
) -> None:
    """Write the rejected records of a file, as delivered, for the one who sent it."""
    district = _home(home)
    report = rejects.write_rejects(district, district.project.contracts(), file, out)
    _print(
        as_json,
        asdict(report),
        lambda: screen.say(
            f"{report.rejected_count} rejected records of {report.file} "
            f"written to {report.written_to}."
        ),
    )


@app.command(name="reconcile", epilog="Example: rollcall reconcile --json")
def reconcile_command(
    home: HomeOption = None,
    wait: WaitOption = PATIENCE_SECONDS,
    as_json: JsonOption = False,
) -> None:
    """Compare the newest landed exports with the processed state; nothing is rebuilt."""
    district = _home(home)
    with screen.progress(quiet=as_json) as progress:
        report = reconcile(district, district.project.contracts(), progress.nodes)
    _print(as_json, asdict(report), lambda: screen.show_reconciliation(report))
    raise typer.Exit(report.exit_code)


@app.command(name="verify", epilog="Example: rollcall verify --replay")
def verify_command(
    head: Annotated[
        str | None,
        typer.Option("--head", help="Hash noted earlier, which the chain must still hold."),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option("--against", help="A data directory or a saved --json with equal tables."),
    ] = None,
    is_replayed: Annotated[
        bool,
        typer.Option("--replay", help="Rebuild every cycle from the archive and compare."),
    ] = False,
    home: HomeOption = None,
    wait: WaitOption = PATIENCE_SECONDS,
    as_json: JsonOption = False,
) -> None:
    """Check that nobody has changed the ledger, the archive or, with --replay, a table."""
    with screen.progress(quiet=as_json) as progress:
        report = verify.verify(_home(home), head, against, progress.nodes)
        if is_replayed:
            try:
                report.replay = replay(_home(home), progress)
            except DamagedBytesError as error:
                report.problems.append(str(error))
    _print(as_json, asdict(report), lambda: screen.show_verification(report))
    raise typer.Exit(report.exit_code)


@app.command(name="restore", epilog="Example: rollcall restore")
def restore_command(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Build a lost or damaged warehouse again from archive and ledger, history included."""
    district = _home(home)
    if not district.path.is_dir():
        raise UsageError(f"There is no data directory {district.path}; name another with --home.")
    district.prepare()
    with screen.progress(quiet=as_json) as progress:
        report = restore(district, progress)
    _print(as_json, asdict(report), lambda: screen.show_restored(report))


@app.command(name="backup", epilog="Example: rollcall backup /mnt/backup/rollcall")
def backup_command(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A new folder, or the one of the last backup.")
    ],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy archive, ledger, last good warehouse and project, and check the copy."""
    with screen.progress(quiet=as_json) as progress:
        report = back_up(_home(home), folder, progress.nodes)
    _print(as_json, asdict(report), lambda: screen.show_backup(report))
    raise typer.Exit(report.exit_code)


@app.command(
    name="trace", epilog="Example: rollcall trace --student ST-000002 --objective MATH.5.OA.1"
)
def trace_command(
    student: Annotated[
        str | None, typer.Option("--student", help="A student's id; with --objective.")
    ] = None,
    objective: Annotated[
        str | None, typer.Option("--objective", help="What is mastered; with --student.")
    ] = None,
    table: Annotated[
        str | None, typer.Option("--table", help="A table, as core.fct_result; with --key.")
    ] = None,
    key: Annotated[
        str | None, typer.Option("--key", help="A row's id by its source; with --table.")
    ] = None,
    source: Annotated[
        str | None, typer.Option("--source", help="The source, where two have the same id.")
    ] = None,
    file: Annotated[
        str | None,
        typer.Option("--file", help="A landed file, by id or name; with --line or --record."),
    ] = None,
    line: Annotated[
        int | None, typer.Option("--line", min=1, help="A physical line of the file.")
    ] = None,
    record: Annotated[
        int | None, typer.Option("--record", min=1, help="A record of the file, from 1.")
    ] = None,
    names: Annotated[
        bool, typer.Option("--names", help="Add names, accounts and what people wrote.")
    ] = False,
    home: HomeOption = None,
    wait: WaitOption = PATIENCE_SECONDS,
    as_json: JsonOption = False,
) -> None:
    """Say where a value comes from, or what a line became.

    Three ways to ask: --student and --objective, --table and --key, --file and --line or --record.
    The records themselves are printed as they were delivered. They may hold personal data: keep
    what you save.
    """
    district = _home(home)
    contracts = district.project.contracts()
    match student, objective, table, key, file, line, record:
        case str() as of, str() as on, None, None, None, None, None:
            chain = mastery.trace_mastery(district, contracts, of, on, source, with_names=names)
            _print(as_json, asdict(chain), lambda: trace_screen.show_mastery(chain))
            return
        case None, None, str() as of, str() as on, None, None, None:
            found = rows.trace_row(district, contracts, of, on, source, with_names=names)
        case (None, None, None, None, str() as of, int(), None) | (
            None, None, None, None, str() as of, None, int()
        ) if source is None:  # fmt: skip
            found = rows.trace_line(district, contracts, of, line, record, with_names=names)
        case _:
            raise UsageError(
                "Say what to trace by --student and --objective, by --table and --key (both may "
                "have --source), or by --file and either --line or --record."
            )
    _print(as_json, asdict(found), lambda: trace_screen.show_record(found))


@app.command(
    epilog="Example: rollcall sample --students 60 --nights 7 --seed 1 --out exports --faults"
)
def sample(
    students: Annotated[int, typer.Option("--students", min=1, help="Number of students.")],
    nights: Annotated[int, typer.Option("--nights", min=1, help="Number of nights.")],
    seed: Annotated[int, typer.Option("--seed", help="Same seed, same bytes.")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write to.")],
    faults: Annotated[
        bool, typer.Option("--faults", help="Plant the faults that faults.csv lists.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Write the exports of a made-up district, night by night."""
    write_sample(out, students=students, nights=nights, seed=seed, faults=faults)
    _print(as_json, {"out": str(out)}, lambda: screen.say(f"Written to {out}."))


def main() -> None:
    """Run the command line; a failure is one sentence and an exit code, never a traceback.

    What it writes, here and in dbt, only the account that runs it can read.
    """
    os.umask(0o077)
    heed_stop()
    try:
        code = app(standalone_mode=False, prog_name="rollcall")
        reraise_stop()  # which typer makes a code of its own
    except typer.TyperException as error:
        _fail(error.format_message(), ExitCode.USAGE)
    except RollcallError as error:
        is_foreseen = error.exit_code != ExitCode.INTERNAL or isinstance(error, DamagedBytesError)
        if not is_foreseen and (found := damages(Home(_call.home))):
            _fail(" ".join(found), ExitCode.USAGE)
        _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        _fail(_STOPPED, ExitCode.INTERNAL)
    except Exception as error:  # the last resort: one sentence, and the trace in a file
        if was_stopped():
            _fail(_STOPPED, ExitCode.INTERNAL)
        if not isinstance(error, OSError) and (found := damages(Home(_call.home))):
            _fail(" ".join(found), ExitCode.USAGE)
        _fail(_explain(error), ExitCode.INTERNAL)
    else:
        sys.exit(code or 0)


def _home(path: Path | None) -> Home:
    """Return the data directory of this call, with the project that fills it.

    Raises:
        UsageError: another project fills it than this call names, or that one has moved.
    """
    _call.home = path or _call.home
    filled_by = Home(_call.home).filled_by
    if filled_by and not _call.is_chosen and filled_by.is_dir():
        return _open_home(open_project(filled_by))
    if filled_by and filled_by != _call.project.path:
        raise UsageError(
            f"{_call.home} is filled by the project in {filled_by}. Has it moved, or shall another "
            "one fill it? Say so once: rollcall --project DIR init."
        )
    return _open_home(_call.project)


def _open_home(project: Project) -> Home:
    return Home(_call.home, project, _call.patience)


def _inbox(path: Path | None) -> Path:
    return path or _call.folder / "inbox"


def _instant(text: str | None, option: str) -> datetime | None:
    return parse_instant(text, option) if text else None


def _print(as_json: bool, machine: Any, show: Callable[[], None]) -> None:
    if as_json:
        print(json.dumps(machine, default=str, indent=2))
    else:
        show()


def _fail(sentence: str, code: int) -> None:
    print(f"rollcall: {sentence}", file=sys.stderr)
    sys.exit(code)


def _explain(error: Exception) -> str:
    """Turn an unforeseen failure into sentences that are true; its trace goes to a file."""
    home = Home(_call.home)
    if is_out_of_room(error):
        return str(NoRoomError(home.path))
    where = f"; the details are in {home.failure_log}" if home.log_failure() else ""
    if isinstance(error, OSError) and error.strerror:
        what = f"{error.strerror}: {error.filename}" if error.filename else error.strerror
        happened = f"The system refused an operation ({what}){where}."
    else:
        happened = f"Internal error ({type(error).__name__}){where}; please report it."
    stands = is_last_good_readable(home)
    return happened + (" Readers keep the last good warehouse." if stands else "")
