"""Isolation: one bad thing in the inbox stops nothing else, is named, and is tried again."""

import gzip
import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pyarrow as pa
import pytest
from conftest import (
    LONG_AGO,
    MANIFEST,
    ORG_ROWS,
    ORGS,
    ROLLCALL,
    District,
    Project,
    in_place_of_this,
    packed,
    read_csv,
)
from mastery_district import ENROLLMENTS, LINE_ITEMS, RESULTS, USERS
from test_assessments import STUDENTS, as_csv
from test_assessments import declare as declare_assessments
from test_framings import declare, declare_source

from rollcall.contracts import project
from rollcall.contracts.project import Contracts
from rollcall.csvfile.columns import record_batches
from rollcall.csvfile.framing import MAX_RECORD_BYTES
from rollcall.landing import raw, verdicts
from rollcall.landing.archive import keep
from rollcall.landing.entries import Entry, open_part, signature_of
from rollcall.landing.turn_of_term import StoredFile
from rollcall.landing.volume_checks import judge_school_year
from rollcall.ledger import ledger
from rollcall.project import PROJECT_DIR

CATEGORIES = "sourcedId,status,dateLastModified,title\nc1,,,Tests\n"
TERMS = (
    "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear\n"
)
CONTRACTS = Contracts.load(PROJECT_DIR / "seeds" / "contracts")


def of_day(day: int, what: str = "") -> str:
    return f"2026-09-{day:02d}T010000Z{what}"


def codes(district: District, *arguments: str, now: str) -> tuple[int, dict[str, str | None]]:
    """Land; give the exit code, and the code of each file that is named, by its delivery."""
    done = district.land(*arguments, now=now)
    files = {file["delivery_name"]: file["code"] for file in done.json["files"]}
    return done.code, files


def refuse_orgs(district: District, *, again: bool) -> None:
    """Have the database refuse an org that is there already, or take it again."""
    with duckdb.connect(str(district.home / "landing.duckdb")) as connection:
        if again:
            connection.execute("drop index raw_oneroster.one_org")
        else:
            connection.execute('create unique index one_org on raw_oneroster.orgs ("sourcedId")')


@pytest.fixture
def obstructed(district: District) -> District:
    """Give a district in which the second delivery of orgs cannot be stored."""
    assert district.run("init").code == 0
    refuse_orgs(district, again=False)
    district.deliver(of_day(1), {"orgs.csv": ORGS + ORG_ROWS})
    district.deliver(of_day(2), {"categories.csv": CATEGORIES, "orgs.csv": ORGS + ORG_ROWS})
    district.deliver(of_day(3), {"categories.csv": CATEGORIES})
    district.deliver(of_day(4), {"categories.csv": CATEGORIES + "c2,,,More\n"}, "lms")
    return district


def test_a_landing_that_somebody_stops_has_rejected_nothing(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database takes the exception for a failure of the stream that it reads."""
    for day in (1, 2):
        district.deliver(of_day(day), {"orgs.csv": ORGS + ORG_ROWS})

    def stopped() -> Iterator[pa.RecordBatch]:
        os.kill(os.getpid(), signal.SIGINT)
        yield from ()

    def batches(*arguments: Any) -> pa.RecordBatchReader:
        return pa.RecordBatchReader.from_batches(record_batches(*arguments).schema, stopped())

    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # workers ignore it
    try:
        with monkeypatch.context() as patch:
            patch.setattr(raw, "record_batches", batches)
            done = district.land(now="2026-09-05T00:00:00Z")
    finally:
        signal.signal(signal.SIGINT, handler)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("rollcall: Stopped; nothing half-done is kept.")
    assert district.ledger("from landing.deliveries") == []
    assert codes(district, now="2026-09-05T00:00:00Z") == (0, {of_day(1): None, of_day(2): None})


def test_a_delivery_that_fails_stops_no_other_of_any_source(obstructed: District) -> None:
    code, files = codes(obstructed, now="2026-09-05T00:00:00Z")
    assert (code, files[of_day(2)]) == (3, "LANDING_FAILED")
    assert {of_day(1), of_day(3), of_day(4)} < files.keys()
    assert obstructed.ledger(
        "select source_id, delivery_name, verdict from landing.deliveries order by all"
    ) == [
        ("lms", of_day(4), "accepted"),
        ("sis", of_day(1), "accepted"),
        ("sis", of_day(2), "rejected"),
        ("sis", of_day(3), "accepted"),
    ]
    assert obstructed.ledger(
        "select count(*) from raw_oneroster.categories "
        "where file_id not in (select file_id from landing.files where verdict = 'accepted')"
    ) == [(0,)], "the good file beside the bad one is rolled back with it"
    log = (obstructed.home / "logs" / "rollcall.log").read_text()
    assert f"sis/{of_day(2)}" in log
    assert "ConstraintException" in log
    [(detail,)] = obstructed.ledger("select detail from landing.files where verdict = 'rejected'")
    assert "ConstraintException" in detail
    assert obstructed.run("verify").code == 0


def test_what_failed_is_named_on_the_screen(obstructed: District) -> None:
    done = obstructed.run("land", "--inbox", str(obstructed.inbox), now="2026-09-05T00:00:00Z")
    assert done.code == 3
    assert "Landed 3 deliveries, rejected 1" in done.out
    assert f"REJECTED sis/{of_day(2)}" in done.out
    assert "LANDING_FAILED" in done.out


def test_what_failed_is_tried_again_without_piling_up(obstructed: District) -> None:
    tables = ("deliveries", "files", "findings", "inbox_entries", "unfinished_uploads")
    counted = ", ".join(f"(select count(*) from landing.{table})" for table in tables)
    first = codes(obstructed, now="2026-09-05T00:00:00Z")
    before = obstructed.ledger(f"select {counted}")
    for day in (6, 7):
        again = codes(obstructed, now=f"2026-09-{day:02d}T00:00:00Z")
        assert again == (3, {of_day(2): "LANDING_FAILED"}), "it is said until it is mended"
    assert obstructed.ledger(f"select {counted}") == before
    assert first[0] == 3
    refuse_orgs(obstructed, again=True)
    code, files = codes(obstructed, now="2026-09-08T00:00:00Z")
    assert (code, set(files)) == (0, {of_day(2)})
    assert obstructed.run("status", "--json").json["rejected_files"] == []
    assert codes(obstructed, now="2026-09-09T00:00:00Z") == (0, {})
    assert obstructed.run("verify").code == 0


def test_what_fails_before_its_bytes_are_known_is_one_entry_too(district: District) -> None:
    district.deliver(of_day(1), {"orgs.csv": ORGS + ORG_ROWS})
    district.deliver(of_day(2), {"categories.csv": CATEGORIES}, "lms")
    sha256 = keep_elsewhere(ORGS + ORG_ROWS, district.home.parent)
    assert district.run("init").code == 0
    obstacle = district.home / "archive" / sha256[:2]
    obstacle.write_text("a file where a folder must be")
    for day in (3, 4):
        code, files = codes(district, now=f"2026-09-{day:02d}T00:00:00Z")
        assert (code, files[of_day(1)]) == (3, "LANDING_FAILED")
    assert district.ledger("select count(*), count(distinct verdict) from landing.deliveries") == [
        (2, 2)
    ]
    obstacle.unlink()
    assert codes(district, now="2026-09-05T00:00:00Z")[0] == 0
    assert district.run("status", "--json").json["rejected_files"] == []


def keep_elsewhere(text: str, folder: Path) -> str:
    """Return the hash that some text has in the archive."""
    path = folder / "some.csv"
    path.write_text(text)
    with path.open("rb") as stream, tempfile.TemporaryDirectory() as archive:
        return keep(Path(archive), stream).sha256


def as_workbook(rows: list[str]) -> bytes:
    """Write a workbook with a header."""
    book = openpyxl.Workbook()
    for row in ("Id,Score", *rows):
        book.active.append(row.split(","))
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def of_every_form(count: int) -> dict[str, tuple[str, str | bytes | dict[str, str | bytes]]]:
    """Write a delivery of every form, each with so many records in one of its files.

    Returns:
        By source: what its delivery is called behind its time, and its bytes or files.
    """
    ids = [str(number) for number in range(count)]
    categories = CATEGORIES.splitlines()[0] + "\n" + "".join(f"{key},,,Tests\n" for key in ids)
    manifest = MANIFEST + "file.categories,bulk\n" + "file.orgs,absent\n" * count
    overrides = {
        "mastery_overrides.csv": "sourcedId,status,dateLastModified,studentSourcedId,"
        "learningObjectiveId,action,state,effectiveAt,teacherSourcedId,reason\n"
        + "".join(f"{key},,,s,o,set,mastered,2026-08-20T10:00:00Z,t,shown\n" for key in ids)
    }
    canvas = {
        "users.csv": "user_id,login_id,first_name,last_name,status\n"
        + "".join(f"{key},{key},A,B,active\n" for key in ids),
        "sections.csv": "section_id,course_id,name,status\nSEC-1,MATH,Math,active\n",
    }
    grid = "Student;ID;SIS User ID;SIS Login ID;Section;Poster (1)\n    Points Possible;;;;;20,00\n"
    return {
        "plain": ("", {"categories.csv": categories}),
        "loose": ("_categories.csv", categories),
        "packed": ("_categories.csv.gz", gzip.compress(categories.encode())),
        "zipped": (".zip", packed({"categories.csv": categories})),
        "listed": ("", {"categories.csv": CATEGORIES, "manifest.csv": manifest}),
        "decided": ("", dict(overrides)),
        "canvas": (".zip", packed(canvas)),
        "grid": ("", {"Gradebook.csv": grid + "".join(f"A;{key};{key};a;S;1\n" for key in ids)}),
        "tab": ("", {"tab.csv": "Id\tScore\n" + "".join(f"{key}\t5\n" for key in ids)}),
        "semicolon": ("", {"semicolon.csv": "Id;Score\n" + "".join(f"{key};5\n" for key in ids)}),
        "fixed": ("", {"fixed.dat": "".join(f"{key:>3}5\n" for key in ids)}),
        "jsonl": ("", {"jsonl.jsonl": "".join(f'{{"Id": "{key}"}}\n' for key in ids)}),
        "xlsx": ("", {"xlsx.xlsx": as_workbook([f"{key},5" for key in ids])}),
    }


@pytest.mark.more
def test_a_failing_landing_of_every_form_stops_no_other(own_project: Project) -> None:
    """The database takes one record a file, and a property of a manifest once: a second one fails.

    Each source sends a delivery that fails before one that does not.
    """
    families = {"decided": "overrides", "canvas": "canvas", "grid": "canvas"}
    for source in of_every_form(1):
        framing = {"tab": ("csv", "tab"), "semicolon": ("csv", "semicolon")}.get(source)
        if source in ("tab", "semicolon", "fixed", "jsonl", "xlsx"):
            kind, delimiter = framing or (source, "")
            suffix = {"csv": "csv", "fixed": "dat"}.get(kind, kind)
            columns = {"fixed": ("Id|3", "Score"), "jsonl": ("Id",)}.get(kind, ("Id", "Score"))
            declare(
                own_project,
                f"{source}/{source}",
                columns,
                kind=kind,
                delimiter=delimiter,
                file_name=f"{source}.{suffix}",
            )
            families[source] = source
        policy = "by_name" if source == "canvas" else "strict"
        declare_source(own_project, source, families.get(source, "oneroster"), header_policy=policy)
        (own_project.inbox / source).mkdir()
    for day, count in ((1, 2), (2, 1)):
        for source, (ending, content) in of_every_form(count).items():
            if isinstance(content, dict):
                own_project.deliver(of_day(day), content, source)
            else:
                path = own_project.inbox / source / of_day(day, ending)
                path.write_bytes(content.encode() if isinstance(content, str) else content)
                os.utime(path, LONG_AGO)
    assert own_project.run("init").code == 0
    with duckdb.connect(str(own_project.home / "landing.duckdb")) as connection:
        tables = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() "
            "where starts_with(schema_name, 'raw_') order by all"
        ).fetchall()
        for number, (table,) in enumerate(tables):
            once = 'file_id, "propertyName"' if table == "raw_oneroster.manifest" else "file_id"
            connection.execute(f"create unique index once_{number} on {table} ({once})")
    assert codes(own_project, now="2026-09-05T00:00:00Z")[0] == 3
    landed = own_project.ledger(
        "select distinct source_id, exported_at, verdict, code is not distinct from "
        "'LANDING_FAILED' from landing.files order by source_id, exported_at"
    )
    expected = [
        (source, datetime(2026, 9, day, 1), *outcome)
        for source in sorted(of_every_form(1))
        for day, outcome in ((1, ("rejected", True)), (2, ("accepted", False)))
    ]
    assert landed == expected
    for (table,) in tables:
        kept = own_project.ledger(
            f"select count(*) from {table} where file_id not in "
            "(select file_id from landing.files where verdict = 'accepted')"
        )
        assert kept == [(0,)], table
    with duckdb.connect(str(own_project.home / "landing.duckdb")) as connection:
        for number, (table,) in enumerate(tables):
            connection.execute(f"drop index {table.split('.')[0]}.once_{number}")
    assert codes(own_project, now="2026-09-06T00:00:00Z")[0] == 0
    assert own_project.ledger("select distinct verdict from landing.files") == [("accepted",)]
    assert own_project.run("verify").code == 0


def test_a_delivery_too_large_for_the_disk_stops_no_other(district: District) -> None:
    """No file may grow beyond the limit, which is said as of a full disk; others are smaller."""
    large = packed({"orgs.csv": ORGS + ORG_ROWS * 700_000})
    (district.inbox / "lms" / of_day(1, ".zip")).write_bytes(large)
    os.utime(district.inbox / "lms" / of_day(1, ".zip"), LONG_AGO)
    district.deliver(of_day(2), {"orgs.csv": ORGS + ORG_ROWS})
    done = subprocess.run(
        ["bash", "-c", f'ulimit -f 20000; exec {ROLLCALL} land --inbox "$0"', district.inbox],
        env=os.environ | {"ROLLCALL_HOME": str(district.home), "ROLLCALL_NOW": "2026-09-05"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert "The disk has too little room for it" in " ".join(done.stdout.split())
    assert district.ledger(
        "select source_id, verdict, code from landing.deliveries order by source_id"
    ) == [("lms", "rejected", "LANDING_FAILED"), ("sis", "accepted", None)]
    assert not list((district.home / "spool").iterdir())


def test_an_unreadable_source_stops_only_that_source(district: District) -> None:
    district.deliver(of_day(1), {"orgs.csv": ORGS + ORG_ROWS})
    district.deliver(of_day(1), {"categories.csv": CATEGORIES}, "lms")
    (district.inbox / "sis").chmod(0)
    held = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.getuid() == 0 else ()
    done = subprocess.run(
        [*held, ROLLCALL, "land", "--inbox", str(district.inbox)],
        env=os.environ | {"ROLLCALL_HOME": str(district.home), "ROLLCALL_NOW": "2026-09-05"},
        capture_output=True,
        text=True,
        check=False,
    )
    (district.inbox / "sis").chmod(0o700)
    assert done.returncode == 3, done.stderr
    assert "left alone: sis: it cannot be read (Permission denied)" in done.stdout
    assert district.ledger("select source_id from landing.deliveries") == [("lms",)]


def test_an_unfinished_upload_says_since_when_and_alarms_after_a_day(district: District) -> None:
    (district.inbox / "sis" / f"{of_day(1)}.zip.part").write_bytes(b"half")
    folder = district.deliver(of_day(2), {"orgs.csv": ORGS + ORG_ROWS, "users.csv.tmp": "half"})
    name = f"sis/{folder.name}: still being written"

    def land(now: str) -> tuple[int, str]:
        done = district.land(now=now)
        [line] = [line for line in done.json["left_alone"] if folder.name in line]
        return done.code, line

    assert land("2026-09-02T18:00:00Z") == (0, name)
    assert land("2026-09-03T17:59:59Z") == (0, f"{name} since 2026-09-02T18:00:00Z")
    code, line = land("2026-09-03T18:00:00Z")
    assert code == 3
    assert line.startswith(f"{name} since 2026-09-02T18:00:00Z; ")
    upload = f"unfinished upload: sis/{folder.name}, since 2026-09-02T18:00:00Z"
    assert upload in district.run("status", now="2026-09-03T18:00:00Z").out
    (folder / "users.csv.tmp").unlink()
    (district.inbox / "sis" / f"{of_day(1)}.zip.part").unlink()
    os.utime(folder, LONG_AGO)
    assert codes(district, now="2026-09-04T18:00:00Z") == (0, {folder.name: None})
    assert district.ledger("from landing.unfinished_uploads") == []
    (folder / "users.csv.tmp").write_bytes(b"more")
    assert land("2026-09-09T18:00:00Z") == (0, name), "it is another upload"


def test_what_lies_beside_the_folders_of_sources_is_named(district: District) -> None:
    (district.inbox / "users.csv").write_text(ORGS)
    shutil.rmtree(district.inbox / "lms")
    (district.inbox / "lms").symlink_to("/nowhere")
    (district.inbox / ".DS_Store").write_text("")
    done = district.land()
    assert done.code == 3
    assert [line.split(":")[0] for line in done.json["unknown"]] == ["lms", "users.csv"]


def test_a_time_by_hand_is_that_of_one_delivery(district: District) -> None:
    for day in (1, 2):
        rows = ORG_ROWS + f"s{day}{day},,,School {day},school,,d1\n"
        district.deliver(of_day(day), {"orgs.csv": ORGS + rows})
    assert district.land(now="2026-09-02T18:00:00Z").code == 0
    before = district.ledger("select * from landing.deliveries order by all")
    district.deliver("gradebook_final", {"categories.csv": CATEGORIES})
    district.deliver(of_day(3), {"orgs.csv": ORGS + ORG_ROWS})
    time = ("--exported-at", "2026-09-02T16:00:00Z")
    code, files = codes(district, *time, now="2026-09-03T18:00:00Z")
    assert (code, set(files)) == (0, {"gradebook_final", of_day(3)})
    assert before == [
        row
        for row in district.ledger("select * from landing.deliveries order by all")
        if row in before
    ], "known deliveries stay as they are"
    assert district.ledger(
        "select delivery_name, strftime(exported_at, '%d %H') from landing.deliveries "
        "where job_id = (select max(job_id) from landing.deliveries) order by all"
    ) == [(of_day(3), "03 01"), ("gradebook_final", "02 16")]


def test_a_time_by_hand_is_refused_where_it_is_not_clear_whose_it_is(district: District) -> None:
    time = ("--exported-at", "2026-09-02T16:00:00Z")
    district.deliver(of_day(1), {"orgs.csv": ORGS + ORG_ROWS})
    assert district.land(now="2026-09-02T18:00:00Z").code == 0
    done = district.land(*time, now="2026-09-03T18:00:00Z")
    assert (done.code, "0 lack one" in done.err) == (2, True)
    done = district.land(*time, "--delivery", f"sis/{of_day(1)}", now="2026-09-03T18:00:00Z")
    assert (done.code, "was landed before" in done.err) == (2, True)
    district.deliver("one", {"categories.csv": CATEGORIES})
    district.deliver("two", {"categories.csv": CATEGORIES + "c2,,,More\n"})
    done = district.land(*time, now="2026-09-03T18:00:00Z")
    assert (done.code, "2 lack one (sis/one, sis/two)" in done.err) == (2, True)
    assert district.ledger("select count(*) from landing.deliveries") == [(1,)]
    done = district.land(*time, "--delivery", "sis/three", now="2026-09-03T18:00:00Z")
    assert (done.code, "no delivery 'sis/three'" in done.err) == (2, True)
    assert district.land("--delivery", "sis/two").code == 2
    done = district.land(*time, "--delivery", "sis/two", now="2026-09-03T18:00:00Z")
    assert {file["delivery_name"]: file["code"] for file in done.json["files"]} == {
        "one": "EXPORT_TIME_UNKNOWN",
        "two": None,
    }
    os.utime(district.inbox / "sis" / "two" / "categories.csv")
    late = ("--exported-at", "2026-09-03T16:00:00Z")
    done = district.land(*late, "--delivery", "sis/two", now="2026-09-03T18:00:00Z")
    assert done.json["deliveries_landed"] == 0, "what was landed keeps its time"


def test_the_advice_for_a_name_without_a_time_can_be_followed(district: District) -> None:
    district.deliver("tonight's", {"categories.csv": CATEGORIES})
    [file] = district.land().json["files"]
    assert file["code"] == "EXPORT_TIME_UNKNOWN"
    command = shlex.split(file["detail"].partition("exported: rollcall ")[2])
    command[command.index("TIME")] = "2026-09-01T01:00:00Z"
    done = district.run(*command, "--inbox", str(district.inbox), "--json")
    assert (done.code, done.json["deliveries_landed"]) == (0, 1)


def test_bytes_rejected_every_night_are_one_entry_of_a_source_without_times(
    project: Project,
) -> None:
    project.redeclare("lms", "name,", "receipt,")
    (project.inbox / "lms" / "export.zip").write_bytes(b"PK\x03\x04 cut short")
    counted = "(select count(*) from landing.files), (select count(*) from landing.findings)"
    for day in (1, 2, 3):
        project.land(now=f"2026-09-0{day}T18:00:00Z")
        assert project.ledger(
            f"select count(*), strftime(max(exported_at), '%d'), {counted} from landing.deliveries"
        ) == [(1, "01", 1, 1)]


@pytest.mark.parametrize("last_day", ["10000-01-01", "0000-01-01", "20270-06-30"])
def test_a_term_without_end_in_any_calendar_is_compared(last_day: str) -> None:
    [feed] = [feed for feed in CONTRACTS.feeds if feed.feed == "oneroster/academic_sessions"]
    [layout] = [
        layout
        for layout in CONTRACTS.layouts
        if (layout.feed, layout.version) == (feed.feed, "1.1")
    ]
    with duckdb.connect() as connection:
        ledger.prepare(connection, CONTRACTS)
        connection.execute(
            "attach ':memory:' as good; create schema good.core; "
            "create table good.core.dim_term as select 'sis' as source_id, 'y27' as term_id, "
            "true as is_active, date '2027-06-12' as end_date, "
            "timestamp '2026-09-01' as exported_at"
        )
        for number, text in enumerate((last_day, "2026-06-12"), 1):
            connection.execute(
                f"insert into {layout.raw_table} by name select 'f' as file_id, "
                "'1.1' as layout_version, ? as record_number, ? as line_number, "
                '0 as byte_offset, ? as "sourcedId", ? as "endDate"',
                [number, number, f"y{number}", text],
            )
        at = datetime(2026, 9, 2)
        file = StoredFile("f", CONTRACTS.sources["sis"], feed, layout, "bulk", at, 2, 0)
        found = list(judge_school_year(connection, file))
    assert [judgement.code for judgement in found] == ["SCHOOL_YEAR_MISMATCH"]
    assert "ended on 2026-06-12, but terms until 2027-06-12" in found[0].sentence


@pytest.mark.parametrize(
    ("content", "code", "word"),
    [
        (b"PK\x03\x04\x14" + bytes(60), "NOT_A_CSV", "zip"),
        (bytes(4096), "NOT_A_CSV", "zero bytes"),
        (ORGS.encode("utf-16-le"), "WRONG_ENCODING", "UTF-16"),
        (ORGS.encode("utf-16-be"), "WRONG_ENCODING", "UTF-16"),
        (ORGS.encode("utf-16"), "WRONG_ENCODING", "UTF-16"),
        (b"sourcedId," + b"x" * MAX_RECORD_BYTES + b"\na,b\n" * 9, "HEADER_UNREADABLE", "bytes"),
        (b"sourcedId," + b"x," * (3 << 20) + b"\na,b\n" * 9, "HEADER_UNREADABLE", "bytes"),
    ],
)
def test_what_is_no_csv_is_called_what_it_is(
    district: District, content: bytes, code: str, word: str
) -> None:
    district.deliver(of_day(1), {"orgs.csv": content, "categories.csv": CATEGORIES})
    files = {file["file_name"]: file for file in district.land().json["files"]}
    assert files["categories.csv"]["verdict"] == "accepted"
    assert files["orgs.csv"]["code"] == code
    assert word in files["orgs.csv"]["detail"]
    assert files["orgs.csv"]["record_count"] is None, "what is not read is not counted"


@pytest.mark.parametrize("swapped", ["the file", "its folder", "a pipe"])
def test_no_link_is_followed_between_check_and_copy(tmp_path: Path, swapped: str) -> None:
    district = District(tmp_path / "home", tmp_path / "inbox")
    folder = district.deliver(of_day(1), {"orgs.csv": ORGS + ORG_ROWS})
    path = folder / "orgs.csv"
    entry = Entry("sis", folder, "folder", signature_of(folder))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "orgs.csv").write_text(ORGS + "secret,,,Secret,school,,\n")
    open_part(entry, path).close()
    if swapped == "the file":
        path.unlink()
        path.symlink_to(elsewhere / "orgs.csv")
    elif swapped == "its folder":
        shutil.rmtree(folder)
        folder.symlink_to(elsewhere)
    else:
        path.unlink()
        os.mkfifo(path)
    with pytest.raises(FileNotFoundError):
        open_part(entry, path)


def test_too_many_files_in_a_folder_are_refused_like_those_of_a_zip(district: District) -> None:
    most = int(CONTRACTS.sources["sis"].limits.max_members)
    district.deliver(of_day(1), {f"{number}.csv": "" for number in range(most + 1)})
    assert codes(district, now="2026-09-02T00:00:00Z") == (3, {of_day(1): "ARCHIVE_TOO_LARGE"})
    assert not [path for path in (district.home / "archive").rglob("*") if path.is_file()]


COURSES = (
    "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId,"
    "subjects,subjectCodes\n"
)
CLASSES = (
    "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,"
    "schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods\n"
)
ROWS = {
    "a comma too many": "r{0},,,li,s,fully graded,7,2026-09-01,a,b\n",
    "no comma": "x\n",
    "a quote inside": 'r{0},,,li"x,s,fully graded,7,2026-09-01,\n',
    "a quote that opens": 'r{0},,,"li,s,fully graded,7,2026-09-01,\n',
    "a field behind the last": "r{0},,,li,s,fully graded,7,2026-09-01,,\n",
    "a sign that is not seen": "r\x01{0},,,li,s,fully graded,7,2026-09-01,\n",
    "no text": "r{0},,,li,s,fully graded,7,2026-09-01,\xff\n",
}
CLEAN = "r{0},,,li,s,fully graded,7,2026-09-01,\n"


def run_alone(district: District, command: str, now: str) -> tuple[int, float, int, Any]:
    """Run a command that reads the inbox in a process of its own.

    Returns:
        The exit code, processor seconds, peak memory in MiB, and what it said.
    """
    folder = district.home.parent
    peak = folder / "status"
    measured = folder / "measured.py"  # a file: DuckDB takes `python -c` for a person at a screen
    measured.write_text(
        "import shutil; from rollcall.cli.commands import main\n"
        f"try: main()\nfinally: shutil.copyfile('/proc/self/status', {str(peak)!r})\n",
        encoding="utf-8",
    )
    with (folder / "out.json").open("wb") as out:
        child = subprocess.Popen(
            [sys.executable, measured, command, "--inbox", str(district.inbox), "--json"],
            env=os.environ | {"ROLLCALL_HOME": str(district.home), "ROLLCALL_NOW": now},
            stdout=out,
        )
        _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    seconds = used.ru_utime + used.ru_stime
    # The system counts the parent's memory as the child's, as it was before its program began.
    [kilobytes] = re.findall(r"^VmHWM:\s+(\d+) kB", peak.read_text(), re.M)
    said = json.loads((folder / "out.json").read_text())
    return child.returncode, seconds, int(kilobytes) >> 10, said


def landed_alone(folder: Path, row: str, count: int) -> tuple[int, float, int, dict[str, object]]:
    """Land one file of results in a process of its own.

    Returns:
        The exit code, processor seconds, peak memory in MiB and the report of the file.
    """
    district = District(folder / "home", folder / "inbox")
    text = "".join(row.format(number) for number in range(count))
    district.deliver(of_day(1), {"results.csv": (RESULTS + text).encode("latin-1")}, "lms")
    *measured, said = run_alone(district, "land", "2026-09-02")
    [file] = said["files"]
    return *measured, file


@pytest.mark.long
def test_many_records_that_dbt_rejects_cost_no_more_than_clean_ones(project: Project) -> None:
    """First none; then one in eleven, which are counted and left out; then all, with the file."""
    count, night, costs = 200_000, 1, []
    sources = read_csv(project.project / "seeds" / "contracts" / "sources.csv")
    for source in ("lms", "sis"):
        [feeds] = [row["due_feeds"] for row in sources if row["source_id"] == source]
        project.redeclare(source, f",{feeds},", ",,")
    project.deliver(of_day(night), {"orgs.csv": ORGS + ORG_ROWS})
    assert project.cycle("2026-09-01T18:00:00Z").code == 0
    for every, expected in ((0, (0, None)), (11, (0, None)), (1, (3, "TYPE_CHANGED"))):
        night += 1
        dates = ("2026-09-01", "09/01/2026")
        text = "".join(
            CLEAN.format(number).replace(dates[0], dates[bool(every) and number % every == 0])
            for number in range(count)
        )
        project.deliver(of_day(night), {"results.csv": RESULTS + text}, "lms")
        with in_place_of_this(project.project):
            code, *cost, said = run_alone(project, "cycle", f"2026-09-{night:02d}T18:00:00Z")
        costs.append(cost)
        assert said["failures"] == []
        [file] = said["landed"]["files"]
        assert (code, file["code"]) == expected
        if every == 11:
            [rejected] = said["rejected_records"]
            assert (rejected["code"], rejected["record_count"]) == ("INVALID_DATE", 18_182)
    (clean_seconds, clean_memory), *others = costs
    for seconds, memory in others:
        assert memory < min(900, 1.5 * clean_memory)
        assert seconds < 3 * clean_seconds


@pytest.mark.long
def test_no_cycle_compares_every_record_of_a_student_with_every_other(project: Project) -> None:
    """One student has all enrollments and all results, and a vendor calls all students alike."""
    count = 20_000
    declare_assessments(project, {"map": ("nwea", "bulk")})
    project.add(
        "rules/identity_columns.csv", "map,nwea/students,StudentID,district,district,1,,,\n"
    )
    project.add("contracts/limits.csv", "map,max_unlinked_percent,100,All of them may wait\n")
    numbers = range(count)
    roster: dict[str, str | bytes] = {
        "orgs.csv": ORGS + ORG_ROWS,
        "academicSessions.csv": TERMS + "y,,,Year,schoolYear,2026-08-01,2027-06-30,,2027\n",
        "demographics.csv": as_csv(
            "oneroster/demographics",
            "1.1",
            [{"sourcedId": f"u{number}", "birthDate": "2010-01-01"} for number in numbers],
        ),
        "users.csv": USERS
        + "".join(f"u{n},,,true,s1,student,u{n},,A,B,,,,,,,09,\n" for n in numbers),
        "courses.csv": COURSES + "c,,,y,Course,C,09,s1,,\n",
        "classes.csv": CLASSES + "k,,,Class,09,c,K,scheduled,,s1,y,,,\n",
        "enrollments.csv": ENROLLMENTS
        + "".join(f"e{number},,,k,s1,u0,student,,,\n" for number in numbers),
        "lineItems.csv": LINE_ITEMS
        + "".join(f"l{n},,,L,,2026-08-20,2026-08-21,k,c,y,0,100\n" for n in numbers),
        "results.csv": RESULTS
        + "".join(f"r{n},,,l{n},u0,fully graded,7,2026-08-25,\n" for n in numbers),
    }
    manifest = MANIFEST + "".join(f"file.{name[:-4]},bulk\n" for name in roster)
    project.deliver(of_day(1), roster | {"manifest.csv": manifest})
    alike = {"TermName": "Fall 2026-2027", "SchoolName": "North", "StudentFirstName": "A"}
    alike |= {"StudentLastName": "B", "StudentDateOfBirth": "01/01/2010"}
    listed = [alike | {"StudentID": f"x{number}"} for number in numbers]
    project.deliver(of_day(1), {"StudentBySchool.csv": as_csv(STUDENTS, "11", listed)}, "map")
    with in_place_of_this(project.project):
        code, seconds, memory, said = run_alone(project, "cycle", "2026-09-01T18:00:00Z")
    assert (code, said["failures"]) == (3, []), "lms has sent nothing"
    assert project.warehouse(
        "select disposition, count(*) from progression.fct_evidence group by all"
    ) == [("usable", count)]
    assert project.warehouse(
        "select outcome, count(*) from transform.int_student_links group by all"
    ) == [("ambiguous", count)]
    assert seconds < 120
    assert memory < 800


@pytest.mark.long
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_million_malformed_records_need_little_memory_and_time(tmp_path: Path, row: str) -> None:
    (tmp_path / "clean").mkdir()
    (tmp_path / "bad").mkdir()
    _, usual, _, _ = landed_alone(tmp_path / "clean", CLEAN, 1_000_000)
    code, seconds, memory, file = landed_alone(tmp_path / "bad", row, 1_000_000)
    assert (code, file["code"], file["verdict"]) == (3, "TOO_MANY_MALFORMED", "rejected")
    assert (file["record_count"], file["malformed_count"]) == (1_000_000, 1_000_000)
    assert memory < 500
    assert seconds < 3 * usual


@pytest.mark.long
def test_twenty_megabytes_of_short_lines_need_little_memory(tmp_path: Path) -> None:
    code, _, memory, file = landed_alone(tmp_path, "x\n", 10_000_000)
    assert (code, file["malformed_count"]) == (3, 10_000_000)
    assert memory < 500


def test_many_malformed_records_need_little_memory(tmp_path: Path) -> None:
    code, _, memory, file = landed_alone(tmp_path, ROWS["a comma too many"], 200_000)
    assert (code, file["verdict"], file["malformed_count"]) == (0, "accepted", 200_000)
    assert memory < 400
    district = District(tmp_path / "home", tmp_path / "inbox")
    assert district.ledger(
        "select count(*), count(distinct record_key), min(record_key), min(code) "
        "from landing.malformed_records"
    ) == [(200_000, 200_000, "r0", "TOO_MANY_FIELDS")]
    assert district.run("verify").code == 0


def test_a_file_of_more_malformed_records_than_the_limit_is_only_counted(project: Project) -> None:
    limits = project.project / "seeds" / "contracts" / "limits.csv"
    limits.write_text(
        limits.read_text().replace("max_malformed_records,500000", "max_malformed_records,3")
    )
    rows = "c{0},,,Tests,too many\n"
    files = {
        "categories.csv": CATEGORIES + "".join(rows.format(number) for number in range(4)),
        "orgs.csv": ORGS + ORG_ROWS + "short\n" * 3,
    }
    project.deliver(of_day(1), files)
    done = project.land()
    assert {
        file["file_name"]: (file["code"], file["record_count"], file["malformed_count"])
        for file in done.json["files"]
    } == {"categories.csv": ("TOO_MANY_MALFORMED", 5, 4), "orgs.csv": (None, 5, 3)}
    assert project.ledger("select count(*) from raw_oneroster.categories") == [(0,)]
    assert project.ledger("select count(*) from landing.malformed_records") == [(3,)]
    [file_id] = [file["file_id"] for file in done.json["files"] if file["code"]]
    limits.write_text(
        limits.read_text().replace("max_malformed_records,3", "max_malformed_records,4")
    )
    again = project.run("reprocess", file_id, "--json")
    assert (again.code, again.json["malformed_count"]) == (0, 4)
    assert project.run("verify").code == 0


@pytest.mark.parametrize("name", ["metadata.c{0}", "c{0}", ""])
def test_too_many_columns_are_refused_with_a_code(district: District, name: str) -> None:
    header = RESULTS.strip() + "".join(f",{name.format(number)}" for number in range(50_000))
    row = CLEAN.format(1).strip() + "," * 50_000 + "\n"
    district.deliver(of_day(1), {"results.csv": f"{header}\n{row}", "orgs.csv": ORGS + ORG_ROWS})
    files = {file["file_name"]: file for file in district.land().json["files"]}
    assert files["orgs.csv"]["verdict"] == "accepted"
    assert (files["results.csv"]["code"], files["results.csv"]["record_count"]) == (
        "TOO_MANY_COLUMNS",
        1,
    )


def test_a_manifest_of_any_length_is_read_once_and_leaves_few_findings(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of its lines is looked at a few times, not once for every other line."""
    looked_at = []

    def plain_name(name: str) -> str:
        looked_at.append(name)
        return project.plain_name(name)

    monkeypatch.setattr(verdicts, "plain_name", plain_name)
    lines = "".join(f"file.thing{number},bulk\n" for number in range(2_000))
    district.deliver(of_day(1), {"orgs.csv": ORGS + ORG_ROWS, "manifest.csv": MANIFEST + lines})
    assert district.land().code == 0
    assert len(looked_at) < 5 * 2_000
    [(count,)] = district.ledger("select count(*) from landing.findings")
    assert count < 200


def test_the_digest_of_entries_knows_each_of_them_and_no_order() -> None:
    def digest(*numbers: int) -> str:
        with duckdb.connect() as connection:
            ledger.prepare(connection, CONTRACTS)
            for number in numbers:
                connection.execute(
                    "insert into landing.malformed_records values ('f', ?, 1, 1, 1, 'X', 'k')",
                    [number],
                )
            return ledger.digests(connection, "file", "f")["f"]

    same = {digest(1, 2, 3), digest(3, 1, 2)}
    assert len(same) == 1
    others = [digest(1, 2), digest(1, 2, 4), digest(1, 2, 3, 3), digest(1, 2, 3, 4)]
    assert len(same | {*others}) == 1 + len(others)
