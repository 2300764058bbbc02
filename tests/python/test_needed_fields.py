"""Who needs which column of a source, and a pilot that stages no other."""

import shutil
from pathlib import Path

import pytest
from conftest import SAMPLE_PROJECT

from rollcall.contracts.project import Contracts
from rollcall.contracts.reading import ContractError
from rollcall.project import PROJECT_DIR, SHIPPED

CONTRACTS = SHIPPED.contracts()


@pytest.fixture
def pilot(tmp_path: Path) -> Path:
    """Give seeds of the sample district in which MAP Growth is a pilot."""
    shutil.copytree(SAMPLE_PROJECT / "seeds", tmp_path / "seeds")
    contracts = tmp_path / "seeds" / "contracts"
    change(contracts / "sources.csv", "assessment,live", "assessment,pilot")
    return contracts


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def refusal(contracts: Path) -> str:
    with pytest.raises(ContractError) as refused:
        Contracts.load(contracts, PROJECT_DIR / "seeds" / "contracts")
    return str(refused.value)


def test_a_pilot_stages_what_is_needed_and_nothing_else(pilot: Path) -> None:
    contracts = Contracts.load(pilot, PROJECT_DIR / "seeds" / "contracts")
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
    Contracts.load(pilot, PROJECT_DIR / "seeds" / "contracts")


def test_what_a_pilot_ignores_is_not_staged_by_it(pilot: Path) -> None:
    needed = pilot / "needed_fields.csv"
    rows = needed.read_text(encoding="utf-8").splitlines(keepends=True)
    needed.write_text("".join(row for row in rows if ",nwea/students," not in row), "utf-8")
    assert "of nwea/students as" in refusal(pilot)
    [name] = [feed.file_name for feed in CONTRACTS.feeds if feed.feed == "nwea/students"]
    change(pilot / "sources.csv", "168,comma,,delta", f"168,comma,{name.upper()},delta")
    contracts = Contracts.load(pilot, PROJECT_DIR / "seeds" / "contracts")
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
