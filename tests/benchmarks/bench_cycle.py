"""A night of the demo against a `dbt build` with nothing new, in one run."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "sample_exports"
BIN = Path(sys.executable).parent


def timed(command: list[str | Path], environment: dict[str, str]) -> float:
    """Seconds that a command takes; it may end with 0 or 3."""
    started = time.perf_counter()
    code = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, check=False
    ).returncode
    if code not in (0, 3):
        sys.exit(f"{command} ended with {code}")
    return time.perf_counter() - started


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name) / "home"
        environment = os.environ | {
            "ROLLCALL_HOME": str(home),
            "DBT_PROFILES_DIR": str(ROOT / "profiles"),
            "DBT_TARGET_PATH": str(home / "target"),
            "DBT_LOG_PATH": str(home / "logs"),
        }
        nights = []
        for night in range(1, 8):
            environment["ROLLCALL_NOW"] = f"2026-09-{night:02d}T18:00:00Z"
            inbox = SAMPLE / f"night_{night}"
            nights.append(timed([BIN / "rollcall", "cycle", "--inbox", inbox], environment))
        shutil.copyfile(home / "warehouse.duckdb", home / "building.duckdb")
        (home / "building.duckdb").chmod(0o600)
        build: list[str | Path] = [
            *(BIN / "dbt", "--quiet", "build", "--target", "cycle"),
            *("--exclude-resource-type", "unit_test"),
        ]
        nothing_new = min(timed(build, environment) for _ in range(2))
        parse = min(timed([BIN / "dbt", "--quiet", "parse"], environment) for _ in range(2))
        start = min(timed([BIN / "dbt", "--version"], environment) for _ in range(2))
        manifest = json.loads((home / "target" / "manifest.json").read_text(encoding="utf-8"))
        nodes = len(manifest["nodes"])
    print(
        f"nights: first {nights[0]:.1f} s, then {min(nights[1:]):.1f} to {max(nights[1:]):.1f} s; "
        f"dbt build with nothing new {nothing_new:.1f} s; "
        f"ratio {max(nights[1:]) / nothing_new:.2f} (limit 2.5)"
    )
    print(f"dbt: start {start:.1f} s, start and parse {parse:.1f} s, {nodes} nodes")


if __name__ == "__main__":
    main()
