"""Nights of files that are no plain CSV: they balance, are traced, judged again and replayed."""

import csv
import io
from pathlib import Path

import pytest
from conftest import ODD_FOLDER, Project, read_csv
from mastery_district import night
from test_framings import declare, declare_source
from test_scaffold import skills

from rollcall.new_project import write_project

pytestmark = pytest.mark.more

FIRST = "2026-09-02T030000Z"
SECOND = "2026-09-03T030000Z"
THIRD = "2026-09-04T030000Z"
NOTHING = "No scores found\n"


def with_totals(text: str) -> str:
    """Write a preamble before the header and totals behind the records."""
    return f"District 9\nas of today\n{text}Total\t80\nTotal of all\n"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Tell three nights: a whole file, a correction of it, and one that says there is nothing."""
    folder = tmp_path_factory.mktemp("framed") / ODD_FOLDER
    write_project(folder / "project")
    (folder / "inbox").mkdir()
    project = Project(folder / "home", folder / "inbox")
    file = folder / "skills.txt"
    file.write_text(skills(20), encoding="utf-8")
    drafted = project.run("scaffold", str(file), "--feed", "acme/skills", "--json")
    assert drafted.code == 0, drafted.out + drafted.err
    framings = project.project / "seeds" / "contracts" / "district_framings.csv"
    with framings.open("r+", encoding="utf-8", newline="") as stream:
        header = next(csv.reader([stream.readline()]))
        stream.seek(0, io.SEEK_END)
        csv.DictWriter(stream, header).writerow(
            {
                "feed": "acme/skills",
                "layout_version": "1",
                "kind": "csv",
                "delimiter": "tab",
                "preamble_lines": "2",
                "structural_pattern": "^Total",
                "nothing_pattern": "^No scores found$",
                "meaning": "With totals.",
            }
        )
    declare(project, "acme/fixed", ("Id|3", "Rest"), kind="fixed", file_name="fixed.dat")
    declare(project, "acme/ids", ("student.id", "code"), kind="jsonl", file_name="ids.jsonl")
    declare_source(project, "acme", "acme")
    assert project.run("layouts", "compare").code == 0
    corrected = skills(20).replace("\tMATH\t201\t", "\tMATH\t209\t").replace("0003\t", "0003 x")
    nights = {
        FIRST: {
            "skills.txt": with_totals(skills(20)),
            "fixed.dat": "001one\n00\n002two\n",
            "ids.jsonl": '{"student": {"id": 7}, "code": "0012"}\n[]\n',
        },
        SECOND: {"skills.txt": with_totals(corrected)},
        THIRD: {"skills.txt": f"a\nb\n{skills(0)}{NOTHING}"},
    }
    for place, (name, files) in enumerate(nights.items(), 2):
        project.deliver(name, files, source="acme")
        done = project.cycle(night(place))
        assert done.code in (0, 3), done.out + done.err
    return project


def test_every_file_balances_with_what_is_passed_over(told: Project) -> None:
    balances = told.warehouse(
        "select delivery_name, file_name, record_count, structural_count, malformed_count, "
        "accepted_count, is_balanced from reconciliation.recon_file_balance order by all"
    )
    assert balances == [
        (FIRST, "fixed.dat", 3, 0, 1, 2, True),
        (FIRST, "ids.jsonl", 2, 0, 1, 1, True),
        (FIRST, "skills.txt", 44, 4, 0, 40, True),
        (SECOND, "skills.txt", 44, 4, 2, 38, True),
        (THIRD, "skills.txt", 3, 3, 0, 0, True),
    ]
    assert told.warehouse("select sum(structural_count) from audit.audit_cycle_log") == [(11,)]


def test_a_file_that_says_that_there_is_nothing_removes_nothing(told: Project) -> None:
    assert told.ledger(
        "select verdict, code, are_removals_held from landing.files order by exported_at desc "
        "limit 1"
    ) == [("accepted", "NO_RECORDS", True)]
    assert told.warehouse("select count(*) from district.fct_acme_skills where is_active") == [
        (38,)
    ]


def test_what_is_passed_over_can_be_traced(told: Project) -> None:
    file = f"acme/{SECOND}/skills.txt"
    for line, text in ((1, "District 9"), (44, "Total\t80")):
        done = told.run("trace", "--file", file, "--line", str(line), "--json")
        assert done.code == 0, done.err
        assert done.json["version"]["record"]["line"] == text
        assert [version["verdict"] for version in done.json["versions"]] == ["structural"]
    record = told.run("trace", "--file", file, "--line", "4", "--json")
    assert record.json["version"]["record"]["record_number"] == 3
    for name, line in (("fixed.dat", 1), ("ids.jsonl", 1)):
        done = told.run("trace", "--file", f"acme/{FIRST}/{name}", "--line", str(line), "--json")
        assert done.json["versions"][0]["verdict"] == "accepted", done.err


def test_rejected_records_come_back_with_their_header(told: Project, tmp_path: Path) -> None:
    out = tmp_path / "rejects.csv"
    done = told.run("rejects", f"acme/{SECOND}/skills.txt", "--out", str(out), "--json")
    assert (done.code, done.json["rejected_count"]) == (0, 2), done.err
    header, *rejected = read_csv(out)
    assert (header["line_number"], header["record"]) == ("3", skills(0).strip())
    assert {row["code"] for row in rejected} == {"TOO_FEW_FIELDS"}


@pytest.mark.long
def test_nights_are_replayed_and_a_file_is_judged_again_alike(told: Project) -> None:
    """What was passed over is so again, entry by entry."""
    before = told.ledger("select * from landing.structural_records order by all")
    done = told.run("reprocess", f"acme/{FIRST}/skills.txt", "--json")
    assert (done.code, done.json["structural_count"]) == (0, 4), done.err
    assert told.ledger("select * from landing.structural_records order by all") == before
    assert told.run("verify").code == 0
    assert told.cycle(night(5)).code in (0, 3)
    replayed = told.run("verify", "--replay", "--json", now=night(6))
    assert replayed.code == 0, replayed.out + replayed.err
