"""Who needs which column of a source, and a pilot that stages no other."""

import shutil
from pathlib import Path

import openpyxl
import pytest
from conftest import SAMPLE_PROJECT, Project

from rollcall.contracts.project import Contracts
from rollcall.contracts.reading import ContractError
from rollcall.ledger.stages import check_pilots
from rollcall.project import PROJECT_DIR, SHIPPED

CONTRACTS = SHIPPED.contracts()


@pytest.fixture
def pilot(tmp_path: Path) -> Path:
    """Give seeds of the sample district, in which MAP Growth begins as a pilot."""
    shutil.copytree(SAMPLE_PROJECT / "seeds", tmp_path / "seeds")
    return tmp_path / "seeds" / "contracts"


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def load(contracts: Path) -> Contracts:
    """Read contracts as a command does that has no ledger yet."""
    loaded = Contracts.load(contracts, PROJECT_DIR / "seeds" / "contracts")
    check_pilots(None, loaded)
    return loaded


def refusal(contracts: Path) -> str:
    with pytest.raises(ContractError) as refused:
        load(contracts)
    return str(refused.value)


def test_a_pilot_stages_what_is_needed_and_nothing_else(pilot: Path) -> None:
    contracts = load(pilot)
    assert {feed.feed for feed in contracts.feeds_of("map")} == {
        "nwea/assessment_results",
        "nwea/students",
    }
    needed = pilot / "needed_fields.csv"
    rows = needed.read_text(encoding="utf-8").splitlines(keepends=True)
    [goal] = [row for row in rows if ",Goal1Name," in row]
    needed.write_text("".join(row for row in rows if row != goal), encoding="utf-8")
    said = refusal(pilot)
    with (PROJECT_DIR / "seeds/contracts/layouts.csv").open(encoding="utf-8") as stream:
        lines = [
            n
            for n, line in enumerate(stream, 1)
            if line.startswith("nwea/") and ",Goal1Name," in line
        ]
    assert said.startswith(f"layouts.csv, line {lines[0]}: the pilot map stages 'Goal1Name'")
    assert f"({len(lines)} columns of the pilot are like that)" in said
    needed.unlink()
    assert "the pilot map stages 'SchoolName'" in refusal(pilot), (
        "without the seed nothing is needed"
    )
    change(pilot / "sources.csv", "168,comma,,delta", "168,comma,*Results*|students*,delta")
    change(pilot / "sources.csv", "assessment,pilot", "assessment,live")
    load(pilot)


def test_what_a_pilot_ignores_is_not_staged_by_it(pilot: Path) -> None:
    needed = pilot / "needed_fields.csv"
    rows = needed.read_text(encoding="utf-8").splitlines(keepends=True)
    needed.write_text("".join(row for row in rows if ",nwea/students," not in row), "utf-8")
    assert "of nwea/students as" in refusal(pilot)
    [name] = [feed.file_name for feed in CONTRACTS.feeds if feed.feed == "nwea/students"]
    change(pilot / "sources.csv", "168,comma,,delta", f"168,comma,{name.upper()},delta")
    contracts = load(pilot)
    assert [feed.feed for feed in contracts.feeds_of("map")] == ["nwea/assessment_results"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            "map,nwea/students,Shoe,identity,x",
            "identity needs 'Shoe' of nwea/students, and no layout",
        ),
        ("map,nwea/students,DistrictName,page:a,x", "and no layout stages it"),
        ("map,nwea/shoes,Grade,identity,x", "map sends no feed 'nwea/shoes' that is staged"),
        ("mop,nwea/students,Grade,identity,x", "sources.csv has no source 'mop'"),
        (
            "map,nwea/students,Grade,identity,x",
            "'Grade' of map and nwea/students has a row already",
        ),
        ("sis,oneroster/users,grades,,x", "say who needs 'grades'"),
        ("sis,oneroster/users,grades,page:a,", "and why (reason)"),
        ("sis,oneroster/users,grades,page:,x", "'page:' is none of rule:ID, gate:PATH"),
        ("sis,oneroster/users,grades,wish,x", "'wish' is none of rule:ID, gate:PATH"),
        ("sis,oneroster/users,grades,rule:none,x", "mastery_rules.csv has no rule_id 'none'"),
        (
            "sis,oneroster/users,grades,page:a|gate:none,x",
            "learning_paths.csv has no path_id 'none'",
        ),
    ],
)
def test_a_need_names_what_is_there(pilot: Path, row: str, said: str) -> None:
    needed = pilot / "needed_fields.csv"
    line = len(needed.read_text(encoding="utf-8").splitlines()) + 1
    with needed.open("a", encoding="utf-8") as stream:
        stream.write(f"{row}\n")
    refused = refusal(pilot)
    assert refused.startswith(f"needed_fields.csv, line {line}: ")
    assert said in refused


def test_the_ledger_says_which_source_is_a_pilot(project: Project) -> None:
    """A stage in sources.csv is where a source begins; a source that was live keeps what it has."""
    project.redeclare("lms", ",live,", ",draft,")
    assert project.land().code == 0
    refused = project.run("promote", "lms", "--reason", "we try it out", "--json")
    assert refused.code == 2
    assert "the pilot lms stages" in refused.err
    assert project.ledger("select count(*) from landing.stage_decisions where stage = 'pilot'") == [
        (0,)
    ]
    project.redeclare("lms", ",oneroster|overrides,", ",overrides,")
    needed = project.project / "seeds" / "contracts" / "needed_fields.csv"
    columns = ("learningObjectiveId", "action", "state", "effectiveAt", "reason")
    with needed.open("a", encoding="utf-8") as stream:
        for column in columns:
            stream.write(f"lms,overrides/mastery_overrides,{column},page:mastery,Shown there.\n")
    promoted = project.run("promote", "lms", "--reason", "we try it out", "--json")
    assert promoted.json["stage"] == "pilot", promoted.out + promoted.err

    workbook = project.home.parent / "mapping.xlsx"
    assert project.run("mapping", "export", "lms", "--out", str(workbook)).code == 0
    cover = openpyxl.load_workbook(workbook).worksheets[0]
    facts = {row[0].value: row[1].value for row in cover.iter_rows(max_col=2)}
    assert facts["stage"] == "pilot", "sources.csv says draft"

    change(needed, "lms,overrides/mastery_overrides,reason,page:mastery,Shown there.\n", "")
    said = "the pilot lms stages 'reason'"
    for command in ("land", "mapping"):
        done = project.land() if command == "land" else project.run("mapping", "status", "lms")
        assert done.code == 2
        assert said in done.err
    pilots = [
        one for one in project.run("doctor", "--json").json["checks"] if one["name"] == "pilots"
    ]
    assert [said in one["detail"] for one in pilots] == [True]
    assert project.run("demote", "sis", "--reason", "its ids have changed").code == 0
