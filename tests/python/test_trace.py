"""Trace: from an outcome, a row or a line along the chain, in both directions."""

import gzip
import json
import re
import shutil
import zipfile
from dataclasses import fields
from typing import Any

import pytest
from conftest import FAULTS, SAMPLE, District, personal_values, without_archived_lines
from typer.testing import CliRunner

from rollcall.cli.commands import app
from rollcall.contracts.project import Contracts
from rollcall.errors import UsageError
from rollcall.home import Home
from rollcall.project import PROJECT_DIR
from rollcall.trace.evidence import Evidence, Support
from rollcall.trace.mastery import Checkpoint, MasteryTrace, Override, Step, trace_mastery
from rollcall.trace.records import Place, Reason, Version
from rollcall.trace.rows import RecordTrace, trace_line

CONTRACTS = Contracts.load(PROJECT_DIR / "seeds" / "contracts")
SampleRun = tuple[District, list[int]]


def traced(district: District, *arguments: str) -> Any:
    """Run a trace within this process; return what `--json` prints."""
    command = ["trace", "--home", str(district.home), "--json", *arguments]
    return json.loads(CliRunner().invoke(app, command, catch_exceptions=False).output)


def delivered(night: int, where: str, line: int) -> str:
    """Return a line of the sample as it was delivered."""
    return (SAMPLE / f"night_{night}" / where).read_bytes().decode().splitlines()[line - 1]


def outcomes_of(trace: dict[str, Any]) -> list[tuple[str, int]]:
    """Return what became of each record of a key, with its number."""
    return [
        (version["status"] or version["verdict"], version["record"]["record_number"])
        for version in trace["versions"]
    ]


def test_a_state_is_traced_to_the_bytes_of_every_record_it_is_made_of(
    sample_run: SampleRun,
) -> None:
    district, _ = sample_run
    trace = traced(district, "--student", "ST-000006", "--objective", "MATH.5.OA.1")
    assert [(step["step"], step["outcome"]) for step in trace["steps"]] == [
        ("overridden", "mastered"),
        ("graded", "not_mastered"),
        ("scored", "54.54"),
        ("gathered", "4"),
    ]
    assert trace["rule"]["rule_id"] == trace["state"]["rule_id"] == "district-default"
    *_, newest = trace["evidence"]
    place = newest["record"]
    assert place["file"] == "lms/2026-09-05T160000Z/results.csv"
    assert place["line"] == delivered(5, "lms/2026-09-05T160000Z/results.csv", 4)
    score, scored_in = newest["supports"]
    assert (score["role"], scored_in["role"]) == ("score", "range")
    assert score["record"]["line"].split(",")[6] == "10.5" != place["line"].split(",")[6]
    assert scored_in["record"]["line"].split(",")[10:12] == ["0", "20"]
    assert float(newest["percent"]) == 100 * 10.5 / 20
    [first, *_] = trace["evidence"]
    assert [support["role"] for support in first["supports"]] == ["alignment", "range"]
    [override] = trace["overrides"]
    assert override["is_current"]
    assert override["record"]["line"].startswith("OV-0004,active,")


def test_where_a_record_stands_is_where_its_bytes_are(sample_run: SampleRun) -> None:
    """File hash, offset and length of every record on a chain cut the same bytes by hand."""
    district, _ = sample_run
    trace = traced(district, "--student", "ST-000002", "--objective", "MATH.5.OA.1")
    places = [piece["record"] for piece in trace["evidence"] + trace["overrides"]]
    assert len(places) == 6
    for place in places:
        archived = district.home / "archive" / place["sha256"][:2] / place["sha256"]
        start = place["byte_offset"]
        assert archived.read_bytes()[start:][: place["byte_length"]].decode() == place["line"]
        before = archived.read_bytes()[:start].decode()
        assert len(before.splitlines()) + 1 == place["line_number"]


def test_history_and_the_last_change_are_those_of_the_marts(sample_run: SampleRun) -> None:
    district, _ = sample_run
    subjects = district.warehouse(
        "with newest as (from progression.fct_checkpoint qualify changed_at = "
        "max(changed_at) over (partition by student_key, objective_id)) "
        "select distinct roster_source_id, student_id, objective_id from (select newest.* from "
        "newest semi join progression.fct_mastery using (student_key, objective_id) "
        "qualify row_number() over (partition by field order by student_id, objective_id) = 1) "
        "order by all"
    )
    names = [field.name for field in fields(Checkpoint)]
    fields_seen = set()
    for source_id, student_id, objective_id in subjects:
        of_subject = (
            f"where roster_source_id = '{source_id}' and student_id = '{student_id}' "
            f"and objective_id = '{objective_id}'"
        )
        trace = trace_mastery(
            Home(district.home), CONTRACTS, student_id, objective_id, source_id, with_names=False
        )
        changed = [
            tuple(getattr(point, name) for name in names)
            for point in sorted(trace.last_change, key=repr)
        ]
        wanted = district.warehouse(
            f"select {', '.join(names)} from progression.fct_checkpoint {of_subject} "
            "qualify changed_at = max(changed_at) over ()"
        )
        assert sorted(changed, key=repr) == sorted(wanted, key=repr)
        fields_seen |= {point.field for point in trace.last_change}
        [(state, count)] = district.warehouse(
            f"select state, evidence_count from progression.fct_mastery {of_subject}"
        )
        assert trace.state["state"] == trace.steps[0].outcome == trace.history[-1]["state"] == state
        assert len([piece for piece in trace.evidence if piece.disposition == "usable"]) == count
    assert {"score_percent", "state", "is_completed", "override_action", "gate"} <= fields_seen


def test_every_planted_fault_with_a_line_is_traced_to_its_verdict(sample_run: SampleRun) -> None:
    district, _ = sample_run
    faults = [fault for fault in FAULTS if fault["line_number"]]
    assert len(faults) > 20
    for fault in faults:
        trace = trace_line(
            Home(district.home),
            CONTRACTS,
            f"{fault['source_id']}/{fault['delivery_name']}/{fault['file_name']}",
            int(fault["line_number"]),
            None,
            with_names=False,
        )
        assert trace.version.verdict == fault["verdict"], fault
        assert fault["code"] in ["", *(reason.code for reason in trace.version.reasons)], fault
        assert trace.key == (fault["record_key"] or None), fault
        assert trace.version.record.line, fault


def test_a_withdrawn_result_and_its_return(sample_run: SampleRun) -> None:
    district, _ = sample_run
    trace = traced(district, "--file", "lms/2026-09-05T160000Z/results.csv", "--line", "273")
    assert ",tobedeleted," in trace["version"]["record"]["line"]
    assert outcomes_of(trace) == [("superseded", 150), ("superseded", 272), ("newest", 165)]
    assert (trace["presence"], trace["made"], trace["evidence"]) == ("active", [], [])
    gone = traced(district, "--table", "core.dim_user", "--key", "ST-000058")
    assert gone["presence"] == "absent"
    assert {row["table"]: row["row_count"] for row in gone["referring"]} == {
        "core.fct_enrollment": 4,
        "core.fct_result": 34,
    }


def test_a_late_correction_and_a_stale_resend(sample_run: SampleRun) -> None:
    district, _ = sample_run
    late = traced(district, "--table", "core.fct_result", "--key", "RS-00024-05-000058")
    assert late["version"]["record"]["line_number"] == 167
    assert [outcome for outcome, _ in outcomes_of(late)] == ["superseded", "newest"]
    assert late["made"] == ["core.fct_result"]
    assert [row["objective_id"] for row in late["outcomes"]] == ["CRS-SOC-09"]
    stale = traced(district, "--file", "lms/2026-09-06T160000Z/results.csv", "--line", "168")
    assert [outcome for outcome, _ in outcomes_of(stale)] == ["newest", "outdated"]
    assert stale["evidence"] == []


def test_lines_that_were_rejected_lead_to_the_one_that_was_taken(sample_run: SampleRun) -> None:
    district, _ = sample_run
    results = "lms/2026-09-05T160000Z/results.csv"
    malformed = traced(district, "--file", results, "--line", "44")
    assert malformed["version"]["reasons"][0]["code"] == "UNCLOSED_QUOTE"
    assert outcomes_of(malformed) == [("malformed", 43), ("newest", 153)]
    assert malformed["version"]["record"]["line"] == delivered(5, results, 44)
    roster = "sis/2026-09-03T010000Z.zip/enrollments.csv"
    duplicate = traced(district, "--file", roster, "--line", "110")
    assert duplicate["version"]["verdict"] == "duplicate"
    assert duplicate["made"] == ["audit.audit_rejected_record"]
    by_number = traced(district, "--file", roster, "--record", "109")
    assert by_number == duplicate
    undated = traced(district, "--file", "lms/2026-09-08T160000Z.zip/results.csv", "--record", "6")
    assert undated["version"]["reasons"][0]["code"] == "TYPE_CHANGED"
    assert outcomes_of(undated) == [("superseded", 6), ("rejected", 6), ("newest", 158)]


@pytest.mark.parametrize(("line", "record", "first_line"), [(5, 4, 5), (6, 4, 5), (7, 5, 7)])
def test_a_line_behind_a_quoted_newline_is_the_right_one(
    sample_run: SampleRun, line: int, record: int, first_line: int
) -> None:
    file = "lms/2026-09-02T160000Z/lineItems.csv"
    place = traced(sample_run[0], "--file", file, "--line", str(line))["version"]["record"]
    assert (place["record_number"], place["line_number"]) == (record, first_line)
    assert delivered(2, file, line) in place["line"].splitlines()


def test_a_trace_prints_the_archived_line_and_no_other_personal_value(
    sample_run: SampleRun,
) -> None:
    """What a person may be known by stands in the record; names from tables only on request."""
    district, _ = sample_run
    for form in ((), ("--json",)):
        row = district.run("trace", "--table", "core.dim_user", "--key", "ST-000058", *form)
        assert len(personal_values(row.out)) >= 3
        assert personal_values(without_archived_lines(row.out)) == []
        subject = ("trace", "--student", "ST-000006", "--objective", "MATH.5.OA.1")
        reason = "Helped others with it"
        assert reason not in without_archived_lines(district.run(*subject, *form).out)
        with pytest.raises(AssertionError, match="a personal value was printed"):
            district.run(*subject, *form, "--names")
    named = trace_mastery(
        Home(district.home), CONTRACTS, "ST-000006", "MATH.5.OA.1", None, with_names=True
    )
    assert set(named.names) == {"ST-000006", "TE-00006"}
    assert named.overrides[0].reason == named.state["override_reason"] == reason


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--student", "ST-000002"), "--objective"),
        (("--file", "results.csv", "--line", "1", "--record", "1"), "either"),
        (("--file", "results.csv", "--line", "1"), "files are called 'results.csv'"),
        (("--file", "nothing.csv", "--line", "1"), "No landed file"),
        (("--file", "2026-09-04T160000Z_results.csv", "--line", "1"), "NOT_A_CSV"),
        (("--file", "2026-09-02T160000Z/lineItems.csv", "--line", "1"), "header"),
        (("--file", "2026-09-02T160000Z/lineItems.csv", "--line", "15"), "ends on line 14"),
        (("--file", "2026-09-02T160000Z/lineItems.csv", "--record", "13"), "12 records"),
        (("--student", "ST-000002", "--objective", "MATH"), "MATH.5.OA.1"),
        (("--student", "ST-00002", "--objective", "MATH"), "ids like ST-000002"),
        (("--table", "core.dim_user", "--key", "ST-00058"), "ids like ST-000058"),
        (("--table", "core.results", "--key", "x"), "core.fct_result"),
        (("--table", "progression.fct_mastery", "--key", "x"), "--student and --objective"),
        (("--table", "core.fct_result", "--key", "x", "--source", "sis"), "no row"),
    ],
)
def test_what_cannot_be_traced_says_what_there_is(
    sample_run: SampleRun, arguments: tuple[str, ...], message: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        traced(sample_run[0], *arguments)


def test_a_home_without_a_warehouse_says_how_to_get_one(district: District) -> None:
    asked = ("trace", "--table", "core.fct_result", "--key", "x")
    assert "rollcall cycle" in district.run(*asked).err
    district.run("init")
    done = district.run(*asked)
    assert done.code == 2
    assert "No warehouse has been published" in done.err


HOSTILE_KEY = ":boom: [bold]"
HOSTILE = "\x1b[31mRED\x1b[0m \u202egnihtyna\u202c :boom: [bold]x[/bold] \x07"


@pytest.fixture(scope="module")
def waiting(sample_run: SampleRun, tmp_path_factory: pytest.TempPathFactory) -> District:
    """Add nights to a copy of the sample: a cycle holds one file, others wait for the next."""
    home = tmp_path_factory.mktemp("waiting") / "home"
    shutil.copytree(sample_run[0].home, home)
    district = District(home, home.parent / "inbox")
    sent = (SAMPLE / "night_9/lms/2026-09-09T160000Z/results.csv").read_text(encoding="utf-8")
    header, *lines = sent.splitlines(keepends=True)
    few = header + "".join(lines[:3])
    mostly_bad = sent.replace(",fully graded,", ",graded,")
    hostile = few.replace(",,,CL-", f",{HOSTILE},,CL-", 1).replace("RS-", HOSTILE_KEY, 1)
    district.deliver("2026-09-10T160000Z", {"results.csv": mostly_bad}, source="lms")
    inbox = ("--inbox", str(district.inbox))
    assert district.run("cycle", *inbox, now="2026-09-10T18:00:00Z").code == 3
    district.deliver("2026-09-11T160000Z", {"results.csv": hostile}, source="lms")
    packed = district.inbox / "lms" / "2026-09-12T160000Z.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("results.csv", few)
    packed.with_name("2026-09-13T160000Z_results.csv.gz").write_bytes(gzip.compress(few.encode()))
    renamed = few.replace("scoreDate", "scoredOn").replace("fully graded,70", 'fully "graded,70')
    district.deliver("2026-09-14T160000Z", {"results.csv": renamed}, source="lms")
    done = district.land(now="2026-09-14T18:00:00Z")
    verdicts = [file["verdict"] for file in done.json["files"]]
    assert verdicts == ["accepted", "accepted", "accepted", "rejected"], done.out
    return district


@pytest.mark.more
@pytest.mark.parametrize(
    "file", ["2026-09-12T160000Z.zip/results.csv", "2026-09-13T160000Z_results.csv"]
)
def test_a_record_is_cut_from_what_was_delivered_packed(waiting: District, file: str) -> None:
    trace = traced(waiting, "--file", file, "--line", "3")
    assert trace["version"]["verdict"] == "waiting"
    sent = delivered(9, "lms/2026-09-09T160000Z/results.csv", 3)
    assert trace["version"]["record"]["line"] == sent


@pytest.mark.more
def test_a_malformed_line_of_a_file_rejected_whole_is_both(waiting: District) -> None:
    trace = traced(waiting, "--file", "2026-09-14T160000Z/results.csv", "--line", "4")
    assert trace["version"]["verdict"] == "malformed"
    assert [reason["code"] for reason in trace["version"]["reasons"]] == [
        "STRAY_QUOTE",
        "COLUMN_RENAMED",
    ]
    assert trace["key"] == "RS-00001-07-000006"


@pytest.mark.more
def test_a_line_of_a_replaced_delivery_says_so(waiting: District) -> None:
    file = "lms/2026-09-12T160000Z.zip/results.csv"
    name = "2026-09-12T160000Z_results.csv"
    sent = (SAMPLE / "night_9/lms/2026-09-09T160000Z/results.csv").read_bytes()
    (waiting.inbox / "lms" / name).write_bytes(sent)
    reason = ("--reason", "The zip was cut short")
    done = waiting.land("--supersede", f"lms/{name}", *reason, now="2026-09-14T18:00:00Z")
    assert done.code == 0, done.err
    trace = traced(waiting, "--file", file, "--line", "2", "--names")
    assert trace["version"]["verdict"] == "replaced"
    assert [(row["decision"], row["reason"]) for row in trace["decisions"]] == [
        ("supersede", "The zip was cut short")
    ]


@pytest.mark.more
def test_bytes_that_are_not_what_landed_are_noticed(waiting: District) -> None:
    trace = traced(waiting, "--file", "2026-09-11T160000Z/results.csv", "--line", "3")
    place = trace["version"]["record"]
    archived = waiting.home / "archive" / place["sha256"][:2] / place["sha256"]
    as_landed = archived.read_bytes()
    archived.chmod(0o600)
    start = place["byte_offset"]
    for tampered in (
        as_landed[:start] + as_landed[start:].replace(b"not submitted", b"fully graded", 1),
        None,
    ):
        archived.unlink() if tampered is None else archived.write_bytes(tampered)
        done = waiting.run("trace", "--file", place["file_id"], "--line", "3")
        assert done.code == 1
        assert "rollcall verify" in done.err
    archived.write_bytes(as_landed)


@pytest.mark.more
def test_a_line_of_a_held_file_waits_for_a_decision(waiting: District) -> None:
    held = traced(waiting, "--file", "lms/2026-09-10T160000Z/results.csv", "--line", "2")
    assert held["version"]["verdict"] == "held"
    assert held["version"]["reasons"][0]["code"] == "MASS_REJECTION"
    assert outcomes_of(held)[:2] == [("newest", 1), ("held", 1)]
    file_id = held["version"]["record"]["file_id"]
    shown = waiting.run("trace", "--file", file_id, "--line", "2").out
    assert f"rollcall release {file_id}" in shown
    waiting.run("refuse", file_id, "--reason", "Sent by mistake, says Lovelace")
    rejected = traced(waiting, "--file", file_id, "--line", "2")
    assert rejected["version"]["verdict"] == "rejected"
    assert [decision["decision"] for decision in rejected["decisions"]] == ["refuse"]


@pytest.mark.more
def test_text_from_outside_cannot_steer_the_terminal(waiting: District) -> None:
    """Control characters and right-to-left marks are shown as escapes, markup as it is."""
    file = ("--file", "lms/2026-09-11T160000Z/results.csv", "--line", "2")
    assert traced(waiting, *file)["version"]["verdict"] == "waiting"
    done = waiting.run("trace", *file)
    for line in done.out.splitlines():
        assert line.isprintable(), line
        assert len(line) <= 80, line
    shown = "".join(re.findall(r"^    \| (.*)$", done.out, re.M))
    assert r"\x1b[31mRED\x1b[0m \u202egnihtyna\u202c :boom: [bold]x[/bold] \x07" in shown
    assert done.out.startswith(f"oneroster/results {HOSTILE_KEY}")
    raw = traced(waiting, *file)["version"]["record"]["line"]
    assert HOSTILE in raw


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        (MasteryTrace, ("--student", "ST-000006", "--objective", "MATH.5.OA.1")),
        (RecordTrace, ("--table", "core.fct_result", "--key", "RS-00024-05-000058")),
    ],
)
def test_the_guide_explains_every_key_of_the_json(
    sample_run: SampleRun, kind: type[MasteryTrace] | type[RecordTrace], asked: tuple[str, ...]
) -> None:
    trace = traced(sample_run[0], *asked)
    assert list(trace) == [field.name for field in fields(kind)]
    guide = (PROJECT_DIR / "docs" / "trace.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"`(\w+)`", guide))
    parts = (Step, Checkpoint, Override, Evidence, Support, Place, Version, Reason)
    for part in (kind, *parts):
        assert {field.name for field in fields(part)} <= explained, part


def test_the_examples_of_the_guide_are_what_is_printed(sample_run: SampleRun) -> None:
    guide = (PROJECT_DIR / "docs" / "trace.md").read_text(encoding="utf-8")
    examples = re.findall(r"^    \$ rollcall (trace .*)\n((?:    .*\n|\n)+)", guide, re.M)
    assert len(examples) == 2
    for command, shown in examples:
        printed = sample_run[0].run(*command.split()).out
        position = 0
        for part in re.split(r"^    \.\.\.\n", shown.rstrip() + "\n", flags=re.M):
            wanted = re.sub(r"^    ", "", part, flags=re.M)
            position = printed.index(wanted, position) + len(wanted)
