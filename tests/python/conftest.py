"""What the tests share: a home, an inbox, exports written by hand, and the real command."""

import csv
import fcntl
import filecmp
import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import (
    contextmanager,
    nullcontext,
    redirect_stderr,
    redirect_stdout,
    suppress,
)
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar, Self
from unittest.mock import patch

import duckdb
import pytest
from xdist.scheduler import LoadScopeScheduling

from rollcall.cli.commands import main
from rollcall.cycle.dbt_run import DbtRun, NodeResult
from rollcall.cycle.fingerprint import FACTS_OF_A_RUN, fingerprints
from rollcall.cycle.warehouse import Change, start_from_last_good
from rollcall.home import Home
from rollcall.new_project import write_project
from rollcall.project import PROJECT_DIR, SHIPPED
from rollcall.project import Project as RollcallProject
from sample_district.people import decide

if TYPE_CHECKING:
    from stories import Tellings

PUBLIC_SCHEMAS = ("core", "progression", "audit", "reconciliation")
ROLLCALL = Path(sys.executable).with_name("rollcall")
ORGS = "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\n"
ORG_ROWS = "d1,,,Plainfield Schools,district,100,\ns1,,,North School,school,101,d1\n"
ODD_FOLDER = "O'Brien's [a-z] {b} $HOME 100%"
"""The name of a folder that SQL, patterns, templates and shells would read otherwise."""
LONG_AGO = (1_000_000_000, 1_000_000_000)
"""When files of a delivery were written, so that landing does not wait for them to settle."""
MANIFEST = "propertyName,value\nmanifest.version,1.0\noneroster.version,1.1\n"


LONGEST = (
    *("sample_faults", "stories", "properties", "cycle", "replay", "own_feeds", "recipes"),
    *("odd_values", "crashes", "operations", "report"),
)
"""The files that run the most cycles; the first of them runs the sample, which others read."""
SHARES_NOTHING = ("damage", "fuzz", "framing", "isolation", "landing", "verify")
"""Files whose tests may run on any worker: they share nothing that takes long to make."""
TELL_STORIES = (
    *("codes", "exports_files", "exports_times", "exports_values", "judged_again", "judgement"),
    *("exports_leaving", "limits", "mastery"),
    *("privacy", "reconciliation", "schedule"),
)
READ_THE_COMPILED = ("determinism", "lineage", "mastery_guide", "personal_data")
SHARES_WITH = {
    "report_browser": "report",
    **dict.fromkeys(TELL_STORIES, "stories"),
    **dict.fromkeys(READ_THE_COMPILED, "compiled"),
}
"""The home of hostile exports, that in which stories are told, and what dbt compiles."""


def group_of(path: str) -> str:
    """Name the group of a file of tests."""
    name = Path(path).stem.removeprefix("test_")
    return SHARES_WITH.get(name, name)


class Groups(LoadScopeScheduling):  # type: ignore[misc]
    """Hand the tests of a group to one worker, and those that share nothing one by one.

    The marks of `--dist loadgroup` would do as much, but pytest-xdist 3.8 loses them in pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        group = group_of(nodeid.split("::")[0])
        return nodeid if group in SHARES_NOTHING else group


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Groups:
    """Spread tests over workers by groups."""
    return Groups(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest."""
    ranks = {group: rank for rank, group in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(group_of(item.path.name), len(ranks)))


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What `--json` printed."""
        return json.loads(self.out)


@pytest.fixture(scope="session", autouse=True)
def _parsed_once(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Let all workers share what dbt makes of the project, which takes it longer than a night."""
    District.parsed = shared_root(request, tmp_path_factory) / "parsed"


@dataclass(frozen=True)
class District:
    """A home and an inbox of a test, driven through the real command."""

    home: Path
    inbox: Path
    parsed: ClassVar[Path]

    @contextmanager
    def parsed_before(self) -> Iterator[None]:
        """Give a new home the project as another parsed it; `DbtRun` sees whether it fits.

        What a project of its own was parsed to lies beside the home.
        """
        target, own = self.home / "target", self.home.parent / "parsed"
        parsed = own if own.exists() else self.parsed
        if parsed.exists() and not target.exists():
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copytree(parsed, target)
        yield
        kept, fits = target / "manifest.kept", parsed / "manifest.kept"
        if kept.exists() and not (fits.exists() and filecmp.cmp(kept, fits)):
            described = (target / "manifest.json").read_bytes()
            is_own = self.parsed.exists() or b'"project_name": "rollcall"' not in described
            with TemporaryDirectory(dir=self.parsed.parent) as folder:
                shutil.copytree(target, Path(folder) / "target")
                with suppress(OSError):  # another worker was first
                    (Path(folder) / "target").rename(own if is_own else self.parsed)

    def take_parsed(self) -> None:
        """Give a new home the project as another parsed it, for a process that is started there."""
        if self.parsed.exists():
            shutil.copytree(self.parsed, self.home / "target")

    def run(self, *arguments: str, now: str = "2026-09-01T18:00:00Z") -> Done:
        """Run `rollcall` on this home, at a moment of the test's choosing, in this process."""
        environment = {"ROLLCALL_HOME": str(self.home), "ROLLCALL_NOW": now}
        with self.parsed_before() if arguments[0] == "cycle" else nullcontext():
            done = self._run_here(arguments, environment)
        assert "Traceback" not in done.err, done.err
        printed = done.out + done.err
        if arguments[0] == "trace":
            printed = without_archived_lines(printed)
        assert not personal_values(printed), "a personal value was printed"
        return done

    def _run_here(self, arguments: Iterable[str], environment: Mapping[str, str]) -> Done:
        out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
        code: Any = None
        with (
            patch.dict(os.environ, environment),
            patch.object(sys, "argv", [str(ROLLCALL), *arguments]),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            try:
                main()
            except SystemExit as ended:
                code = ended.code
        return Done(code or 0, *(_printed(stream) for stream in (out, err)))

    def land(self, *arguments: str, now: str = "2026-09-01T18:00:00Z") -> Done:
        """Land the inbox."""
        return self.run("land", "--inbox", str(self.inbox), "--json", *arguments, now=now)

    def deliver(self, name: str, files: Mapping[str, str | bytes], source: str = "sis") -> Path:
        """Put a folder delivery into the inbox."""
        folder = self.inbox / source / name
        folder.mkdir(parents=True)
        for file_name, content in files.items():
            (folder / file_name).write_bytes(
                content if isinstance(content, bytes) else content.encode()
            )
            os.utime(folder / file_name, LONG_AGO)
        os.utime(folder, LONG_AGO)
        return folder

    def copy(self, folder: Path) -> Self:
        """Copy home and inbox into a folder, where the story goes on another way."""
        shutil.copytree(self.home, folder / "home")
        shutil.copytree(self.inbox, folder / "inbox")
        return replace(self, home=folder / "home", inbox=folder / "inbox")

    def ledger(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the landing database."""
        with duckdb.connect() as connection:
            connection.execute("attach ? as store (read_only)", [str(self.home / "landing.duckdb")])
            connection.execute("use store")
            return connection.execute(sql).fetchall()

    def warehouse(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the published warehouse."""
        with duckdb.connect(str(self.home / "warehouse.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()


def _printed(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


@cache
def _known_personal_values() -> re.Pattern[str]:
    """Names, user names and addresses of the sample district, and one that tests plant."""
    found = {"Lovelace"}
    for path in sorted((PROJECT_DIR / "sample_exports").glob("night_*/sis/*.zip")):
        if not zipfile.is_zipfile(path):
            continue
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            text = archive.read("users.csv").decode() if "users.csv" in names else ""
        for row in csv.DictReader(io.StringIO(text)):
            family_name = row.get("familyName") or row.get("lastName") or ""
            found |= {family_name, row["givenName"], row["username"], row["email"]}
    words = sorted(re.escape(word) for word in found if len(word) >= 4)
    return re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)")


def personal_values(text: str) -> list[str]:
    """Return the personal values in a message or a log; there should be none."""
    return _known_personal_values().findall(text)


def without_archived_lines(printed: str) -> str:
    """Leave out the records that a trace prints as they were delivered, and nothing else of it."""
    return re.sub(r'^(    \| .*| *"line": ".*")', "", printed, flags=re.M)


def packed(files: Mapping[str, str]) -> bytes:
    """Zip files without compressing them, so that a flipped byte leaves a zip that can be read."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def empty_inbox(folder: Path) -> Path:
    """Make an inbox with the folders of the two shipped sources."""
    for source_id in ("sis", "lms"):
        (folder / "inbox" / source_id).mkdir(parents=True)
    return folder / "inbox"


@pytest.fixture
def district(tmp_path: Path) -> District:
    """Give an empty home and an inbox with the two shipped sources."""
    return District(tmp_path / "home", empty_inbox(tmp_path))


@contextmanager
def in_place_of_this(project: Path) -> Iterator[None]:
    """Let commands of this process work with another project."""
    with patch.dict(os.environ, {"ROLLCALL_PROJECT": str(project)}):
        yield


class Project(District):
    """A district with a copy of the project, whose contracts the test may change."""

    @property
    def project(self) -> Path:
        """Where the copy of the project is."""
        return self.home.parent / "project"

    def _run_here(self, arguments: Iterable[str], environment: Mapping[str, str]) -> Done:
        with in_place_of_this(self.project):
            return super()._run_here(arguments, environment)

    def unnamed(self, *arguments: str, now: str = "2026-09-01T18:00:00Z") -> Done:
        """Run `rollcall` without saying which project is meant."""
        environment = {"ROLLCALL_HOME": str(self.home), "ROLLCALL_NOW": now}
        return super()._run_here(arguments, environment)

    def dbt(self, *arguments: str) -> list[NodeResult]:
        """Run one command of dbt on the copy, for the database that a cycle builds."""
        home = Home(self.home, RollcallProject(self.project))
        return DbtRun(home, home.project.contracts().families).invoke(arguments)

    def unit_tests(self, *names: str) -> list[tuple[str, str]]:
        """Run unit tests on the copy; what they are given has the columns of the last cycle."""
        home = Home(self.home, RollcallProject(self.project))
        start_from_last_good(home, Change(is_code_new=False, must_rebuild=False))
        return [(test.status, test.message) for test in self.dbt("test", "--select", *names)]

    def cycle(self, now: str) -> Done:
        """Run a cycle."""
        return self.run("cycle", "--inbox", str(self.inbox), "--no-report", "--json", now=now)

    def add(self, seed: str, rows: str) -> None:
        """Add rows to a seed, named as in `seeds/`."""
        with (self.project / "seeds" / seed).open("a", encoding="utf-8") as stream:
            stream.write(rows)

    def add_layout(self, rows: list[dict[str, str]]) -> None:
        """Save drafted rows in the contracts."""
        path = self.project / "seeds" / "contracts" / "layouts.csv"
        with path.open("a", encoding="utf-8", newline="") as stream:
            csv.DictWriter(stream, list(rows[0]), lineterminator="\n").writerows(rows)

    def declare(self, old: str, new: str) -> None:
        """Change the declaration of the sources."""
        path = self.project / "seeds" / "contracts" / "sources.csv"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def redeclare(self, source_id: str, old: str, new: str) -> None:
        """Change the declaration of one source."""
        path = self.project / "seeds" / "contracts" / "sources.csv"
        text = path.read_text(encoding="utf-8")
        [line] = [line for line in text.splitlines() if line.startswith(f"{source_id},")]
        assert old in line
        path.write_text(text.replace(line, line.replace(old, new)), encoding="utf-8")


def failed(results: Iterable[NodeResult]) -> list[str]:
    """Say what dbt says of nodes that did not succeed."""
    good = ("success", "pass", "warn", "no-op")
    return [f"{node.name}: {node.message}" for node in results if node.status not in good]


def copy_of_the_project(folder: Path) -> Project:
    """Copy the project into a folder; gives a district that runs from the copy."""
    SHIPPED.copy_to(folder / "project")
    return Project(folder / "home", empty_inbox(folder))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Give a district that runs from a copy of the project."""
    return copy_of_the_project(tmp_path)


@pytest.fixture
def own_project(tmp_path: Path) -> Project:
    """Give a district that runs from a project of its own, as `rollcall new` writes it."""
    folder = tmp_path / ODD_FOLDER
    write_project(folder / "project")
    return Project(folder / "home", empty_inbox(folder))


@pytest.fixture
def by_name(project: Project) -> Project:
    """Give a district whose source `sis` may write its headers in any order."""
    project.declare("utf-8,strict", "utf-8,by_name")
    return project


@pytest.fixture(scope="session")
def tellings(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> "Tellings":
    """Tell the stories whose tests are to be run; gives how each of them ended."""
    from stories import SharedHome, Tellings, chosen

    folder = tmp_path_factory.mktemp("stories") / ODD_FOLDER
    told = Tellings(SharedHome(copy_of_the_project(folder)))
    told.tell(chosen(request))
    return told


@pytest.fixture(scope="session")
def dbt() -> Callable[..., str]:
    """Run dbt as an engineer would; fails the test when dbt fails."""

    def run(*arguments: str, home: Path, target_path: Path) -> str:
        environment = os.environ | {
            "ROLLCALL_HOME": str(home),
            "DBT_PROFILES_DIR": str(PROJECT_DIR / "profiles"),
            "DBT_TARGET_PATH": str(target_path),
            "DBT_LOG_PATH": str(target_path),
        }
        process = subprocess.run(
            [Path(sys.executable).with_name("dbt"), *arguments],
            cwd=PROJECT_DIR,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode == 0, process.stdout
        return process.stdout

    return run


def state(
    home: Path, database: str = "warehouse.duckdb", leaving_out: Iterable[str] = FACTS_OF_A_RUN
) -> dict[str, str]:
    """Return the fingerprint of every table and view of a database of a home.

    Views that a published warehouse has not, because they read landing, are left out everywhere.
    """
    with duckdb.connect() as connection:
        connection.execute("attach ? as landing (read_only)", [str(home / "landing.duckdb")])
        connection.execute("attach ? as published (read_only)", [str(home / "warehouse.duckdb")])
        connection.execute("attach ? as warehouse (read_only)", [str(home / database)])
        connection.execute("use warehouse")
        found = fingerprints(connection, leaving_out=leaving_out)
        aside = connection.execute("select name from published.staging.views_set_aside").fetchall()
        for name in ("staging.views_set_aside", *(name for (name,) in aside)):
            found.pop(name, None)
        return found


SAMPLE = PROJECT_DIR / "sample_exports"
SAMPLE_PROJECT = PROJECT_DIR / "sample_district" / "project"
LINKED = shutil.ignore_patterns(".rollcall", "dbt_packages")
"""What `rollcall --project` puts into a project: it leads back to the checkout, which holds it."""


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


NIGHTS = read_csv(SAMPLE / "nights.csv")
FAULTS = read_csv(SAMPLE / "faults.csv")


def shared_root(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that all workers of a run have in common."""
    root = tmp_path_factory.getbasetemp()
    return root.parent if hasattr(request.config, "workerinput") else root


@contextmanager
def built_once(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, name: str
) -> Iterator[tuple[Path, bool]]:
    """Give a folder that all workers share, and whether it is still to be filled.

    The first worker that asks fills it, any other waits until it has.
    """
    root = shared_root(request, tmp_path_factory)
    folder, mark = root / f"shared_{name}", root / f"shared_{name}.built"
    with (root / f"shared_{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not mark.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        yield folder, not mark.exists()
        mark.touch()


@pytest.fixture(scope="session")
def sample_run(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[District, list[int]]:
    """Run every night of the sample once for all workers; gives a copy and the exit codes.

    Beside its home, `night_N` keeps the warehouse as it was after night N.
    """
    with built_once(request, tmp_path_factory, "sample") as (folder, is_empty):
        if is_empty:
            shutil.copytree(SAMPLE_PROJECT, folder / "project", ignore=LINKED)
            with in_place_of_this(folder / "project"):
                codes = run_sample(District(folder / "home", SAMPLE))
            (folder / "codes.json").write_text(json.dumps(codes), encoding="utf-8")
    own = tmp_path_factory.mktemp("sample")
    shutil.copytree(folder / "home", own / "home")
    for night in NIGHTS:
        kept = Path(f"night_{night['night']}") / "warehouse.duckdb"
        (own / kept).parent.mkdir()
        (own / kept).hardlink_to(folder / kept)
    codes = json.loads((folder / "codes.json").read_text(encoding="utf-8"))
    return District(own / "home", SAMPLE), codes


def deliver_two_nights(district: District) -> None:
    """Deliver the organisations of two nights; in the second a school is gone."""
    manifest = MANIFEST + "file.orgs,bulk\n"
    files = {"orgs.csv": ORGS + ORG_ROWS, "manifest.csv": manifest}
    district.deliver("2026-09-01T010000Z", files)
    rows = "d1,,,Plainfield Unified,district,100,\n"
    district.deliver("2026-09-02T010000Z", {"orgs.csv": ORGS + rows, "manifest.csv": manifest})


@pytest.fixture(scope="session")
def one_night(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> District:
    """Land two nights and run the cycle of the first; nothing is changed in this home."""
    with built_once(request, tmp_path_factory, "one_night") as (folder, is_empty):
        district = District(folder / "home", folder / "inbox")
        if is_empty:
            deliver_two_nights(district)
            arguments = ("cycle", "--inbox", str(district.inbox), "--no-report")
            done = district.run(*arguments, now="2026-09-01T18:00:00Z")
            assert done.code == 0, done.out + done.err
    return district


@pytest.fixture(scope="session")
def compiled(
    sample_run: tuple[District, list[int]],
    dbt: Callable[..., str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Compile and describe the project as the sample's last cycle built it; gives dbt's target.

    Beside it is `building.duckdb`, with the views that the published warehouse has not.
    """
    home = Home(tmp_path_factory.mktemp("compiled") / "home")
    home.prepare()
    for name in ("landing.duckdb", "warehouse.duckdb"):
        shutil.copyfile(sample_run[0].home / name, home.path / name)
    start_from_last_good(home, Change(is_code_new=False, must_rebuild=False))
    sources = read_csv(SAMPLE_PROJECT / "seeds" / "contracts" / "sources.csv")
    families = {family for source in sources for family in source["families"].split("|")}
    variables = json.dumps({"families": sorted(families)})
    arguments = ("docs", "generate", "--static", "--target", "cycle", "--vars", variables)
    dbt(*arguments, home=home.path, target_path=home.dbt_target)
    return home.dbt_target


def run_sample(district: District) -> list[int]:
    """Run every night of the sample, the last one with a report; gives the exit codes.

    Between two nights people do what they do in the sample.
    """
    codes = []

    def by_people(*arguments: str | Path, now: str) -> None:
        done = district.run(*map(str, arguments), now=now)
        assert done.code in (0, 3), done.out + done.err

    for night in NIGHTS:
        inbox = SAMPLE / f"night_{night['night']}"
        is_last = night is NIGHTS[-1]
        options = ("--inbox", str(inbox), *(() if is_last else ("--no-report",)))
        done = district.run("cycle", *options, now=night["cutoff_at"])
        assert done.code in (0, 3), done.out + done.err
        codes.append(done.code)
        kept = district.home.parent / f"night_{night['night']}" / "warehouse.duckdb"
        kept.parent.mkdir()
        kept.hardlink_to(district.home / "warehouse.duckdb")
        decide(night["night"], district.home.parent, by_people)
    return codes


HOSTILE = (
    "<script>document.title='taken'</script>",
    '=HYPERLINK("http://bad.example","x")',
    "\u202etxt.exe\x1b[31m",
    "W" * 3000,
)
HOSTILE_FILE = "2026-09-01T020000Z_<img src=x onerror=alert(1)>\u202e[red].csv"


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> District:
    """Give a home whose exports hold markup, scripts, formulas, marks and a very long name."""
    folder = tmp_path_factory.mktemp("hostile")
    district = District(folder / "home", folder / "inbox")
    orgs = ORGS + ORG_ROWS
    for key in HOSTILE:
        quoted = key.replace('"', '""')
        orgs += f'"{quoted}",,,,school,9,d1\n'
    manifest = MANIFEST + "file.orgs,bulk\nfile.classes,bulk\n"
    classes = '"=1+1","<b>status</b>",x\n1,,\n'
    files = {"orgs.csv": orgs, "classes.csv": classes, "manifest.csv": manifest}
    district.deliver("2026-09-01T010000Z", files)
    (district.inbox / "sis" / HOSTILE_FILE).write_text("a,b\n1,2\n", encoding="utf-8")
    done = district.run("cycle", "--inbox", str(district.inbox))
    assert done.code == 3, done.out + done.err
    (folder / "cycle.txt").write_text(done.out, encoding="utf-8")
    return district
