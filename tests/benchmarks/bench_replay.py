"""A replay of the sample against the nights themselves, in one run."""

import csv
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "sample_exports"
ROLLCALL = Path(sys.executable).with_name("rollcall")


def timed(environment: dict[str, str], *arguments: str | Path) -> tuple[float, float]:
    """Seconds that a command takes: by the clock, and of the processor."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    code = subprocess.run(
        [ROLLCALL, *arguments], env=environment, stdout=subprocess.DEVNULL, check=False
    ).returncode
    elapsed, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if code not in (0, 3):
        sys.exit(f"{arguments} ended with {code}")
    return elapsed, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as name:
        environment = os.environ | {"ROLLCALL_HOME": f"{name}/home"}
        with (SAMPLE / "nights.csv").open(encoding="utf-8", newline="") as stream:
            nights = list(csv.DictReader(stream))
        taken = []
        for night in nights:
            environment["ROLLCALL_NOW"] = night["cutoff_at"]
            inbox = SAMPLE / f"night_{night['night']}"
            taken.append(timed(environment, "cycle", "--inbox", inbox))
        checked, checked_processor = timed(environment, "verify")
        replayed, replayed_processor = timed(environment, "verify", "--replay")
    original = sum(elapsed for elapsed, _ in taken)
    original_processor = sum(processor for _, processor in taken)
    print(
        f"{len(nights)} nights {original:.1f} s ({original_processor:.1f} s of processor), replay "
        f"{replayed - checked:.1f} s ({replayed_processor - checked_processor:.1f} s), verify "
        f"alone {checked:.1f} s; ratio {(replayed - checked) / original:.2f} (limit 1.2)"
    )


if __name__ == "__main__":
    main()
