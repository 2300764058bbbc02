"""A district's own project: what `rollcall new` writes, and that it counts wherever it is used.

Cycles of such a project, and their replay, are in `test_replay.py`.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ORGS, SAMPLE_PROJECT, District, Project

from rollcall.contracts.project import Contracts
from rollcall.cycle.built_from import code_version
from rollcall.home import Home
from rollcall.new_project import write_project
from rollcall.project import PROJECT_DIR, SHIPPED, open_project, version
from rollcall.project import Project as DbtProject


def test_a_project_is_a_few_files_that_name_no_path_of_this_machine(own_project: Project) -> None:
    files = [path for path in own_project.project.rglob("*") if path.is_file()]
    assert len(files) <= 16
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert str(PROJECT_DIR) not in text
        assert str(own_project.project) not in text
    requirements = own_project.project / "requirements.txt"
    assert requirements.read_text(encoding="utf-8") == f"rollcall=={version()}\n"


def test_every_manifest_is_believed_but_by_the_district_that_says_otherwise(
    own_project: Project,
) -> None:
    for path in (own_project.project, PROJECT_DIR):
        sources = DbtProject(path).contracts().sources.values()
        assert {source.mode_authority for source in sources} == {"manifest"}
    seeds = (path / "seeds" / "contracts" for path in (SAMPLE_PROJECT, PROJECT_DIR))
    district = Contracts.load(*seeds).sources
    assert {key: source.mode_authority for key, source in district.items()} == {
        "lms": "rows",
        "map": "manifest",
        "sis": "manifest",
    }


@pytest.mark.parametrize("name", ["9th", "rollcall", "---"])
def test_a_project_needs_a_name_that_dbt_takes(
    district: District, tmp_path: Path, name: str
) -> None:
    done = district.run("new", str(tmp_path / name))
    assert done.code == 2
    assert "gives no name for a dbt project" in done.err
    assert not (tmp_path / name).exists()


def test_the_sample_district_builds_its_tables_as_a_new_project_does(own_project: Project) -> None:
    macros = Path("macros", "rollcall.sql")
    sample = SAMPLE_PROJECT / macros
    assert sample.read_bytes() == (own_project.project / macros).read_bytes()


def test_nothing_is_written_over(district: District, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep", encoding="utf-8")
    done = district.run("new", str(tmp_path / "mine"))
    assert (done.code, "holds something already" in done.err) == (2, True)
    exported = district.run("export", "--parquet", str(tmp_path / "mine"))
    assert (exported.code, "something else than an export" in exported.err) == (2, True)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]


def test_a_folder_without_a_project_is_named(district: District, tmp_path: Path) -> None:
    done = district.run("--project", str(tmp_path / "nowhere"), "status")
    assert done.code == 2
    assert f"{tmp_path / 'nowhere'} holds no dbt_project.yml; `rollcall new" in done.err


def test_a_clone_of_it_is_known_by_its_packages_and_linked_again(
    own_project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (own_project.project / ".rollcall").unlink()
    shutil.rmtree(own_project.project / "dbt_packages")
    monkeypatch.chdir(own_project.project)
    assert own_project.unnamed("init").code == 0
    assert open_project(Path()).rollcall.resolve() == PROJECT_DIR
    assert Home(own_project.home).filled_by == own_project.project


def test_a_data_directory_knows_the_project_that_fills_it(own_project: Project) -> None:
    contracts = own_project.project / "seeds" / "contracts" / "sources.csv"
    assert own_project.run("init").code == 0
    contracts.write_text(contracts.read_text(encoding="utf-8") + "broken\n", encoding="utf-8")
    said = own_project.unnamed("status")
    assert (said.code, "sources.csv, line 4" in said.err) == (2, True)
    moved = own_project.project.rename(own_project.project.with_name("elsewhere"))
    said = own_project.unnamed("status")
    assert said.code == 2
    assert f"is filled by the project in {own_project.project}. Has it moved" in said.err
    contracts = moved / "seeds" / "contracts" / "sources.csv"
    contracts.write_text(contracts.read_text(encoding="utf-8").replace("broken\n", ""), "utf-8")
    assert own_project.unnamed("--project", str(moved), "init").code == 0
    assert own_project.unnamed("init").code == own_project.unnamed("status").code == 0
    assert Home(own_project.home).filled_by == moved
    write_project(own_project.project)
    said = own_project.run("status")
    assert said.code == 2
    assert f"is filled by the project in {moved}. Has it moved, or shall another" in said.err
    # back to Rollcall's own, which somebody says
    assert own_project.unnamed("--project", str(PROJECT_DIR), "init").code == 0
    assert Home(own_project.home).filled_by is None


@pytest.mark.parametrize("switched_off", ["fitness_limits: {+enabled: false}", "+enabled: false"])
def test_a_seed_in_place_of_a_shipped_one_must_switch_that_off(
    own_project: Project, switched_off: str
) -> None:
    rules = own_project.project / "seeds" / "rules"
    shutil.copyfile(PROJECT_DIR / "seeds/rules/fitness_limits.csv", rules / "fitness_limits.csv")
    (rules / "mine.csv").write_text("a\n1\n", encoding="utf-8")
    done = own_project.run("cycle")
    assert done.code == 2
    line = "write `fitness_limits: {+enabled: false}` into dbt_project.yml, below `seeds:`, "
    assert "seeds/rules/fitness_limits.csv takes the place of the shipped" in done.err
    assert f"{line}`rollcall:`, `rules:`." in done.err
    settings = own_project.project / "dbt_project.yml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("rules:\n", f"rules:\n      {switched_off}\n", 1), "utf-8")
    assert own_project.run("init").code == 0


def test_its_limits_layouts_and_feeds_stand_beside_the_shipped_ones(own_project: Project) -> None:
    contracts = own_project.project / "seeds" / "contracts"
    with (contracts / "district_limits.csv").open("a", encoding="utf-8") as stream:
        stream.write("sis,max_removed_percent,20,Schools close this year.\n")
    (contracts / "district_feeds.csv").write_text(
        (PROJECT_DIR / "seeds/contracts/district_feeds.csv").read_text(encoding="utf-8")
        + "bus/riders,bus,riders.csv,Riders,false,,,,Who takes which bus; kept raw only.\n",
        encoding="utf-8",
    )
    with (contracts / "district_layouts.csv").open("a", encoding="utf-8") as stream:
        stream.write("bus/riders,1,1,rider,id,,yes,,false,,true,indirect,,The student.\n")
        stream.write("bus/riders,1,2,bus,string,,no,,false,,false,none,,The bus.\n")
    found = DbtProject(own_project.project).contracts()
    shipped = SHIPPED.contracts()
    assert found.sources["sis"].limits.max_removed_percent == 20
    assert found.sources["sis"].limits.max_members == shipped.sources["sis"].limits.max_members
    assert found.sources["lms"].limits == shipped.sources["lms"].limits
    assert {*found.layouts} - {*shipped.layouts} == {*found.versions("bus/riders")}
    own_project.declare("oneroster|overrides", "bus")
    own_project.declare("oneroster/results", "bus/riders")
    files = {"riders.csv": "rider,bus\nann,7\n"}
    own_project.deliver("2026-09-01T160000Z", files, source="lms")
    done = own_project.land()
    assert done.code == 0, done.out + done.err
    assert own_project.ledger("select rider, bus from raw_bus.riders") == [("ann", "7")]


def test_a_draft_of_a_layout_is_read_from_both(own_project: Project, tmp_path: Path) -> None:
    (tmp_path / "orgs.csv").write_text(ORGS.replace("identifier", "number"), encoding="utf-8")
    done = own_project.run("layouts", "diff", str(tmp_path / "orgs.csv"))
    assert "district_layouts.csv" in done.out
    draft = [line for line in done.out.splitlines() if line.startswith("oneroster/orgs,")]
    path = own_project.project / "seeds" / "contracts" / "district_layouts.csv"
    path.write_text(path.read_text(encoding="utf-8") + "\n".join(draft) + "\n", encoding="utf-8")
    known = own_project.run("layouts", "diff", str(tmp_path / "orgs.csv"))
    assert "The header is that of oneroster/orgs 1.1-2." in known.out


def test_what_is_hashed_as_code_includes_project_and_packages(own_project: Project) -> None:
    project = DbtProject(own_project.project)
    other = own_project.project / "dbt_packages" / "other"
    changes = (
        own_project.project / "models" / "marts" / "mine.sql",
        own_project.project / "more" / "snapshots.sql",
        own_project.project / "macros" / "mine.sql",
        own_project.project / "seeds" / "contracts" / "district_limits.csv",
        other / "dbt_project.yml",
        other / "models" / "theirs.sql",
    )
    settings = own_project.project / "dbt_project.yml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text + "snapshot-paths: [more]\n", encoding="utf-8")
    seen = {code_version(project)}
    for path in changes:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("name: other\n" if path.suffix == ".yml" else "select 1\n")
        seen.add(code_version(project))
    assert len(seen) == 1 + len(changes)
    assert "dbt_packages/rollcall/models/marts/core/dim_org.sql" in dict(
        project.files(("model-paths",))
    )


def test_a_package_of_another_version_is_named(own_project: Project) -> None:
    package = own_project.project / "dbt_packages" / "rollcall"
    package.unlink()
    package.mkdir()
    settings = (PROJECT_DIR / "dbt_project.yml").read_text(encoding="utf-8")
    (package / "dbt_project.yml").write_text(settings, encoding="utf-8")
    open_project(own_project.project)
    other = settings.replace(f'version: "{version()}"', 'version: "0.0.9"')
    (package / "dbt_project.yml").write_text(other, encoding="utf-8")
    done = own_project.run("status")
    assert done.code == 2
    assert f"is Rollcall 0.0.9, this command is {version()}" in done.err


@pytest.mark.more
def test_an_installed_rollcall_writes_a_project_that_dbt_builds(tmp_path: Path) -> None:
    """From a wheel, without the checkout: new, init, and dbt as an engineer runs it."""
    source, site = tmp_path / "source", tmp_path / "site"
    left_out = shutil.ignore_patterns(
        ".*", "warehouse", "build", "logs", "target", "inbox", "sample_exports", "__pycache__"
    )
    shutil.copytree(PROJECT_DIR, source, ignore=left_out, symlinks=True)
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    options = ("--no-deps", "--no-build-isolation", "--no-index")
    subprocess.run([*pip, "install", *options, "--target", site, source], check=True)
    shutil.rmtree(source)
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(site),
        "DBT_PROFILES_DIR": ".rollcall/profiles",
    }

    def run(*command: str | Path, code: int = 0) -> str:
        done = subprocess.run(
            command, env=environment, cwd=tmp_path / "plainfield", capture_output=True, text=True
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    (tmp_path / "plainfield").mkdir()
    rollcall = (sys.executable, "-c", "from rollcall.cli.commands import main; main()")
    written = run(*rollcall, "new", ".")
    assert "models/marts/mastery_by_school.sql" in written
    models = tmp_path / "plainfield" / "models"
    (models / "stg_bus__riders.sql").write_text("select 1 as rider", encoding="utf-8")
    dbt = Path(sys.executable).with_name("dbt")
    without = ("--exclude-resource-type=test", "--exclude-resource-type=unit_test")
    built = ("build", "--empty", "--select", "+mastery_by_school", *without)
    said = run(dbt, *built, code=2)
    assert "There is no data directory in warehouse yet; run `rollcall init`" in said
    assert "Traceback" not in said
    run(*rollcall, "init")
    assert (tmp_path / "plainfield" / ".rollcall").resolve() == site / "rollcall" / "dbt"
    printed = run(dbt, *built)
    assert "WARN=0 ERROR=0 SKIP=0" in printed
    assert "WARNING" not in printed
    listed = ("--quiet", "ls", "--resource-type", "seed", "--output", "name")
    seeds = run(dbt, *listed, "--select", "sources", "district_feeds").split()
    assert sorted(seeds) == ["district_feeds", "sources"]
    # a feed that the project stages and compares with nothing is an error
    test = "every_staged_feed_is_compared"
    said = run(dbt, "build", "--empty", "--select", "feeds", "district_feeds", test, code=1)
    assert f"FAIL 1 {test}" in said
    assert "ERROR=1 SKIP=0" in said
