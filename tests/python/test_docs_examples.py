"""What README, docs/connect.md and docs/schedule.md show is run, and what they name is there."""

import configparser
import re
import shlex
import shutil
import stat
import subprocess
import sys
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import openpyxl
import pytest
from conftest import MANIFEST, ORG_ROWS, ORGS, PUBLIC_SCHEMAS, SAMPLE_PROJECT, District

from rollcall.project import PROJECT_DIR
from sample_district.people import decide

pytestmark = pytest.mark.more

DOCS = PROJECT_DIR / "docs"
EXAMPLES = DOCS / "examples"
README = (PROJECT_DIR / "README.md").read_text(encoding="utf-8")
CONNECT = (DOCS / "connect.md").read_text(encoding="utf-8")
SCHEDULE = (DOCS / "schedule.md").read_text(encoding="utf-8")
CRONTAB = (EXAMPLES / "rollcall.crontab").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"^```python\n(.*?)^```", CONNECT, re.M | re.S)
SHOWN = ("rollcall.crontab", "rollcall.service", "rollcall.timer", "rollcall_dag.py")
PLACE = "/srv/rollcall"
SampleRun = tuple[District, list[int]]


# ---------------------------------------------------------------- pages and what they name


@pytest.mark.parametrize("name", SHOWN)
def test_the_page_on_schedules_shows_the_examples_as_they_are(name: str) -> None:
    shown = re.findall(r"^```\w*\n(.*?)^```", SCHEDULE, re.M | re.S)
    assert (EXAMPLES / name).read_text(encoding="utf-8") in shown


@pytest.mark.parametrize(
    "page", [PROJECT_DIR / "README.md", PROJECT_DIR / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]
)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    linked = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    missing = [name for name in linked if not (page.parent / name).exists()]
    named = re.findall(r"`(docs/[\w./]+\.\w+)`", text)
    missing += [name for name in named if not (PROJECT_DIR / name).exists()]
    assert not missing


@pytest.mark.parametrize("page", [README, SCHEDULE])
def test_the_exit_codes_are_said_in_full(page: str) -> None:
    assert re.findall(r"^\| ([0-5]) \| \S", page, re.M) == list("012345")


def test_the_readme_lists_every_public_table_but_the_audit_ones(sample_run: SampleRun) -> None:
    listed = set(re.findall(r"`((?:core|progression|reconciliation)\.\w+)`", README))
    found = sample_run[0].warehouse(
        "select table_schema || '.' || table_name from information_schema.tables "
        "where table_schema in ('core', 'progression', 'reconciliation')"
    )
    assert listed == {name for (name,) in found}


def test_the_output_in_the_readme_is_that_of_the_sample(sample_run: SampleRun) -> None:
    district, _ = sample_run
    shown = README.split("## What you get")[1].split("![")[0]
    [balance] = district.warehouse(
        "select count(*), sum(record_count), sum(malformed_count), sum(rejected_count), "
        "sum(duplicate_count), sum(accepted_count), bool_and(is_balanced) "
        "from reconciliation.recon_file_balance"
    )
    assert re.search(r"^ +" + r" +".join(str(value) for value in balance) + "$", shown, re.M)
    details = {detail for (detail,) in district.ledger("select detail from landing.files")}
    [held] = re.findall(r"MASS_DELETION: (.+?)\n\n", shown, re.S)
    assert " ".join(held.split()) in details


def test_the_story_of_a_pilot_is_that_of_the_sample(sample_run: SampleRun, tmp_path: Path) -> None:
    """What people do, what they see in the night before, and what became of it in the last."""
    guide = (PROJECT_DIR / "docs" / "pilot.md").read_text(encoding="utf-8")
    story = guide.split("## The sample district tries")[1]
    ran: list[list[str]] = []

    def run(*arguments: str | Path, now: str) -> None:
        words = [text for text in map(str, arguments) if text != "--out"]
        ran.append([text.removeprefix(f"{tmp_path}/") for text in words])

    with patch("sample_district.people.fill_in"):
        for night in ("1", "2", "3"):
            decide(night, tmp_path, run)
    commands = [shlex.split(line) for line in re.findall(r"^rollcall (.+)$", story, re.M)]
    assert [words for words in ran if words[:2] != ["mapping", "export"]] == [
        words for words in commands if words[:2] != ["mapping", "export"]
    ]
    assert ran[1] == [*commands[1], "mapping_map.xlsx"]

    district, _ = sample_run
    after_night_2 = District(district.home.parent / "night_2", district.inbox)
    shown = re.findall(r"^```sql\n(.*?)^```\n\n((?:\|[^\n]*\n)+)", story, re.M | re.S)
    assert len(shown) == story.count("```sql") == 3
    for query, table in shown:
        asked = after_night_2 if "pilot_map" in query else district
        rows = [
            [value.strip() for value in line[1:-2].split("|")] for line in table.splitlines(True)
        ]
        assert [[str(value) for value in row] for row in asked.warehouse(query)] == rows[2:]


# ---------------------------------------------------------------- connecting


@pytest.fixture
def data_directory(sample_run: SampleRun, tmp_path: Path) -> Path:
    """Give a directory with `warehouse/warehouse.duckdb`, as the page names it."""
    (tmp_path / "warehouse").mkdir()
    copy = tmp_path / "warehouse" / "warehouse.duckdb"
    shutil.copyfile(sample_run[0].home / "warehouse.duckdb", copy)
    copy.chmod(0o400)
    return tmp_path


@pytest.mark.parametrize(
    ("snippet", "result"), list(zip(SNIPPETS, ("rows", "by_class"), strict=True))
)
def test_what_the_page_on_connecting_shows_gives_rows(
    data_directory: Path, monkeypatch: pytest.MonkeyPatch, snippet: str, result: str
) -> None:
    monkeypatch.chdir(data_directory)
    names: dict[str, Any] = {}
    exec(compile(snippet, "docs/connect.md", "exec"), names)  # noqa: S102 - our own page
    assert len(names[result])


def test_the_copy_for_bi_holds_the_public_tables_row_by_row(data_directory: Path) -> None:
    warehouse, target = data_directory / "warehouse" / "warehouse.duckdb", data_directory / "bi"
    target.write_text("the copy of yesterday", encoding="utf-8")
    script = [sys.executable, str(EXAMPLES / "copy_for_bi.py"), str(warehouse), str(target)]
    subprocess.run(script, check=True, capture_output=True)
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert {path.name for path in data_directory.iterdir()} == {"warehouse", "bi"}
    with duckdb.connect() as connection:
        connection.execute("attach ? as published (read_only)", [str(warehouse)])
        connection.execute("attach ? as copied (read_only)", [str(target)])
        tables = connection.execute(
            "select table_schema, table_name from information_schema.tables "
            "where table_catalog = 'copied'"
        ).fetchall()
        assert {schema for schema, _ in tables} == set(PUBLIC_SCHEMAS)
        for schema, table in tables:
            [differing] = connection.execute(
                f"select count(*) from (from published.{schema}.{table} "
                f"except all from copied.{schema}.{table})"
            ).fetchall()
            assert differing == (0,), table


def test_an_open_reader_keeps_its_cycle_until_it_connects_again(data_directory: Path) -> None:
    published = data_directory / "warehouse" / "warehouse.duckdb"
    question = "select max(as_of) from progression.fct_mastery"
    with duckdb.connect(str(published), read_only=True) as reader:
        before = reader.execute(question).fetchall()
        building = published.with_name("building.duckdb")
        with duckdb.connect(str(building)) as cycle:
            cycle.execute("create schema progression")
            cycle.execute(
                "create table progression.fct_mastery as select timestamp '2027-01-01' as as_of"
            )
        building.replace(published)
        assert reader.execute(question).fetchall() == before
    with duckdb.connect(str(published), read_only=True) as reader:
        assert reader.execute(question).fetchall() != before


# ---------------------------------------------------------------- schedules


@dataclass(frozen=True)
class Installation:
    """A folder in the place of /srv/rollcall."""

    path: Path

    def run(self, shell: str, command: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run the command of an example here, with the few variables a scheduler gives."""
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.path), "LANG": "C.UTF-8"} | more
        return subprocess.run(
            [shell, "-c", command.replace(PLACE, str(self.path))],
            cwd=self.path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def stub(self, code: int) -> None:
        """Put a `rollcall` in place that prints what it was asked and ends with a code."""
        binary = self.path / ".venv" / "bin" / "rollcall"
        binary.parent.mkdir(parents=True, exist_ok=True)
        binary.write_text(f'#!/bin/sh\necho "asked $*"\nexit {code}\n', encoding="utf-8")
        binary.chmod(0o700)


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """Give an installation whose `rollcall` the test chooses."""
    (tmp_path / "warehouse" / "logs").mkdir(parents=True)
    return Installation(tmp_path)


def cron_command() -> str:
    """Return the command of the one job of the crontab, as cron hands it to sh."""
    [job] = re.findall(r"^(?:[\d*/,-]+ +){5}(.+)$", CRONTAB, re.M)
    assert "%" not in job, "cron reads a percent sign as a line break"
    return str(job)


def unit(name: str) -> configparser.ConfigParser:
    """Read a unit as systemd's syntax, which is that of an ini file here."""
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string((EXAMPLES / name).read_text(encoding="utf-8"))
    return parser


class Operator:
    """Stand in for Airflow's BashOperator: keeps its arguments and what comes after it."""

    made: list["Operator"]

    def __init__(self, **arguments: Any) -> None:
        self.arguments = arguments
        Operator.made.append(self)

    def __rshift__(self, other: "Operator") -> "Operator":
        self.arguments["then"] = other.arguments["task_id"]
        return other


class Dag:
    """Stand in for Airflow's DAG."""

    def __init__(self, **arguments: Any) -> None:
        self.arguments = arguments

    def __enter__(self) -> "Dag":
        return self

    def __exit__(self, *_: object) -> None:
        return


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """Read the DAG with stand-ins for Airflow, which the project does not install."""
    Operator.made = []
    for name in (
        *("airflow", "airflow.sdk", "airflow.providers", "airflow.providers.standard"),
        *("airflow.providers.standard.operators", "airflow.providers.standard.operators.bash"),
    ):
        module = types.ModuleType(name)
        module.__dict__.update(DAG=Dag, BashOperator=Operator)
        monkeypatch.setitem(sys.modules, name, module)
    source = (EXAMPLES / "rollcall_dag.py").read_text(encoding="utf-8")
    exec(compile(source, "rollcall_dag.py", "exec"), {})  # noqa: S102 - our own example
    return {made.arguments["task_id"]: made.arguments for made in Operator.made}


@pytest.mark.parametrize("code", range(6))
def test_cron_mails_the_output_of_every_night_but_a_good_one(
    installation: Installation, code: int
) -> None:
    installation.stub(code)
    done = installation.run("sh", cron_command())
    assert done.stdout == ("" if code == 0 else "asked cycle --wait 1800\n")
    assert not done.stderr


@pytest.mark.parametrize("code", range(6))
def test_systemd_takes_three_for_a_success(installation: Installation, code: int) -> None:
    installation.stub(code)
    service = unit("rollcall.service")["Service"]
    done = installation.run("sh", f"exec {service['ExecStart']}")
    accepted = {0, *(int(word) for word in service["SuccessExitStatus"].split())}
    assert done.returncode == code
    assert (code in accepted) == (code in (0, 3))


def test_systemd_accepts_the_units(installation: Installation) -> None:
    installation.stub(0)
    assert unit("rollcall.timer")["Install"]["WantedBy"] == "timers.target"
    assert shlex.split(unit("rollcall.service")["Service"]["ExecStart"])[1:3] == ["cycle", "--wait"]
    systemd = shutil.which("systemd-analyze")
    if systemd is None:
        return
    units = []
    for name in ("rollcall.service", "rollcall.timer"):
        text = (EXAMPLES / name).read_text(encoding="utf-8")
        units.append(installation.path / name)
        units[-1].write_text(text.replace(PLACE, str(installation.path)), encoding="utf-8")
    done = subprocess.run([systemd, "verify", *units], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("code", range(6))
def test_airflow_takes_three_for_a_warning_and_retries_what_failed(
    installation: Installation, tasks: dict[str, dict[str, Any]], code: int
) -> None:
    installation.stub(code)
    cycle, look = tasks["cycle"], tasks["needs_a_person"]
    assert cycle["then"] == "needs_a_person"
    done = installation.run("bash", cycle["bash_command"])
    assert done.returncode == (0 if code in (0, 3) else code)
    last_line = done.stdout.splitlines()[-1]
    assert last_line == str(code)
    if done.returncode:
        return
    installation.stub(0)
    [variable] = look["env"]
    looked = installation.run("bash", look["bash_command"], **{variable: last_line})
    assert looked.returncode == (0 if code == 3 else 99)
    assert looked.stdout == ("asked status\n" if code == 3 else "")


def test_the_examples_run_a_real_cycle(
    installation: Installation, tasks: dict[str, dict[str, Any]]
) -> None:
    (installation.path / ".venv").symlink_to(Path(sys.executable).parents[1])
    delivery = installation.path / "inbox" / "sis" / "2026-09-01T010000Z"
    delivery.mkdir(parents=True)
    (delivery / "orgs.csv").write_text(ORGS + ORG_ROWS, encoding="utf-8")
    (delivery / "manifest.csv").write_text(MANIFEST + "file.orgs,bulk\n", encoding="utf-8")
    clock = {"ROLLCALL_NOW": "2026-09-01T18:00:00Z"}
    first = installation.run("sh", cron_command(), **clock)
    published = installation.path / "warehouse" / "warehouse.duckdb"
    assert published.is_file(), first.stdout
    unchanged = published.stat().st_ino
    again = installation.run("bash", tasks["cycle"]["bash_command"], **clock)
    assert (again.returncode, published.stat().st_ino) == (0, unchanged), again.stdout
    assert again.stdout.splitlines()[-1] in ("0", "3")


# ---------------------------------------------------------------- mappings


def test_the_commands_of_the_page_on_mappings_do_what_it_says(
    sample_run: SampleRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (DOCS / "mapping.md").read_text(encoding="utf-8")
    export, approve, status, contract = re.findall(r"^```\nrollcall (mapping .*)\n```$", page, re.M)
    shutil.copytree(sample_run[0].home, tmp_path / "warehouse")
    district = District(tmp_path / "warehouse", tmp_path / "inbox")
    monkeypatch.chdir(tmp_path)
    now = "2026-09-10T18:00:00Z"
    for said, code in (("no", 3), ("yes", 0)):
        assert district.run(*export.split(), now=now).code == 0
        book = openpyxl.load_workbook("mapping_map.xlsx")
        for sheet in book.worksheets[1:-1]:
            for row in range(5, sheet.max_row + 1):
                sheet[f"K{row}"], sheet[f"L{row}"], sheet[f"M{row}"] = (
                    said,
                    "A. Reader",
                    "2026-09-10",
                )
        book.save("mapping_map.xlsx")
        assert district.run(*approve.split(), now=now).code == 0
        assert district.run(*status.split(), now=now).code == code
    done = district.run(*status.split(), now=now)
    assert (done.code, "51 of 51 columns are approved" in done.out) == (0, True), done.out
    assert district.run(*contract.split(), now=now).code == 0
    assert "apiVersion: v3.1.0" in Path("mapping_map.odcs.yaml").read_text(encoding="utf-8")
    declared = re.findall(r"^map,.*$", page, re.M)
    seed = (SAMPLE_PROJECT / "seeds/contracts/needed_fields.csv").read_text(encoding="utf-8")
    assert [row.replace('"', "") in seed.replace('"', "") for row in declared] == [True] * 3
