"""Run the mutants of `tests/python/mutants.toml`: small defects, each of which a test must catch.

Usage: python tests/python/mutants.py FOLDER [NAME...]   (FOLDER is made, and may be thrown away)
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_COPIED = (
    *("macros", "models", "profiles", "sample_district", "sample_exports", "scripts", "seeds"),
    *("snapshots", "tests"),
    *("dbt_project.yml", "selectors.yml", "pyproject.toml"),
)
_PYTEST_FAILED, _DBT_FAILED = 1, {"fail"}


@dataclass(frozen=True)
class Mutant:
    """A defect: what stands once in a file, and what stands there instead; who catches it."""

    name: str
    file: str
    original: str
    replacement: str
    test: str
    promise: int

    @property
    def is_python(self) -> bool:
        """Whether its test is one of pytest, not a unit test of dbt."""
        return "::" in self.test


def load() -> list[Mutant]:
    """Read all mutants."""
    path = ROOT / "tests" / "python" / "mutants.toml"
    return [Mutant(name, **row) for name, row in tomllib.loads(path.read_text("utf-8")).items()]


@dataclass(frozen=True)
class Copy:
    """A copy of the project in which mutants are tried."""

    folder: Path

    def prepare(self, needs_dbt: bool) -> None:
        """Copy the project and, for dbt, build every relation empty."""
        for name in _COPIED:
            if (ROOT / name).is_dir():
                ignored = shutil.ignore_patterns(
                    "__pycache__", "*.egg-info", "dbt_packages", ".rollcall"
                )
                shutil.copytree(ROOT / name, self.folder / name, ignore=ignored)
            else:
                shutil.copyfile(ROOT / name, self.folder / name)
        if needs_dbt:
            command = "from rollcall.cli.commands import main; main()"
            self._run([sys.executable, "-c", command, "init"]).check_returncode()
            kinds = ("--exclude-resource-type", "unit_test")
            self._run([_tool("dbt"), "--quiet", "build", "--empty", *kinds]).check_returncode()

    @contextmanager
    def mutated(self, mutant: Mutant) -> Iterator[None]:
        """Apply a mutant, and take it back."""
        path = self.folder / mutant.file
        text = path.read_text(encoding="utf-8")
        if text.count(mutant.original) != 1:
            raise ValueError(f"{mutant.name}: its original must stand once in {mutant.file}")
        path.write_text(text.replace(mutant.original, mutant.replacement), encoding="utf-8")
        try:
            yield
        finally:
            path.write_text(text, encoding="utf-8")

    def passes(self, mutants: Iterable[Mutant]) -> bool:
        """Run the tests of mutants; raises when one could not be run at all."""
        mutants = list(mutants)
        outcomes = [self._passes_pytest({m.test for m in mutants if m.is_python})]
        outcomes.append(self._passes_dbt({m.test for m in mutants if not m.is_python}))
        return all(outcomes)

    def _passes_pytest(self, tests: set[str]) -> bool:
        if not tests:
            return True
        named = [f"tests/python/{test}" for test in sorted(tests)]
        options = ("-q", "-x", "-p", "no:cacheprovider")
        done = self._run([sys.executable, "-B", "-m", "pytest", *options, *named])
        if done.returncode not in (0, _PYTEST_FAILED):
            raise RuntimeError(done.stdout + done.stderr)
        return done.returncode == 0

    def _passes_dbt(self, tests: set[str]) -> bool:
        if not tests:
            return True
        done = self._run([_tool("dbt"), "test", "--select", *sorted(tests)])
        results = json.loads((self.folder / "target" / "run_results.json").read_text("utf-8"))
        found = {
            result["unique_id"].split(".")[-1]: result["status"] for result in results["results"]
        }
        if set(found) != tests or not set(found.values()) <= _DBT_FAILED | {"pass"}:
            raise RuntimeError(re.sub(r"\x1b\[\d*m", "", done.stdout))
        return set(found.values()) == {"pass"}

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {
            "ROLLCALL_HOME": str(self.folder / "home"),
            "DBT_PROFILES_DIR": str(self.folder / "profiles"),
            "DBT_TARGET_PATH": str(self.folder / "target"),
            "DBT_LOG_PATH": str(self.folder / "logs"),
            "PYTHONPATH": str(self.folder / "scripts"),
        }
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )


def _tool(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def main(folder: Path, names: set[str]) -> int:
    """Try mutants; returns how many survive."""
    mutants = [mutant for mutant in load() if not names or mutant.name in names]
    copy = Copy(folder)
    copy.prepare(any(not mutant.is_python for mutant in mutants))
    if not copy.passes(mutants):
        raise SystemExit("The tests fail without any mutant.")
    survivor_count = 0
    for mutant in mutants:
        with copy.mutated(mutant):
            is_caught = not copy.passes([mutant])
        survivor_count += not is_caught
        print("caught  " if is_caught else "SURVIVES", mutant.name, flush=True)
    print(f"{len(mutants)} mutants, {survivor_count} survive.")
    return survivor_count


if __name__ == "__main__":
    sys.exit(min(main(Path(sys.argv[1]), set(sys.argv[2:])), 1))
