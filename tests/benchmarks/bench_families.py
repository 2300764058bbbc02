"""A night of the sample with files of every family against the same night with OneRoster alone.

Both are measured in processor seconds of `rollcall cycle`, over the second and third night of the
sample district; in one data directory each vendor has a source that brings files in both nights.
The first night, in which dbt parses the project, is not counted.
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "python")]

from conftest import Project, copy_of_the_project  # noqa: E402
from test_assessments import NIGHTS, declare  # noqa: E402

BIN = Path(sys.executable).parent
SAMPLE = ROOT / "sample_exports"
LIMIT = 1.6
SOURCES = {
    "map": ("nwea", "bulk"),
    "iready": ("iready", "delta"),
    "star": ("star", "delta"),
    "canvas": ("canvas", "bulk"),
    "gradebook": ("canvas", "delta"),
    "canvas_sis": ("canvas", "bulk"),
    "colorado": ("state", "delta"),
    "indiana": ("state", "delta"),
}


def nights(project: Project, sources: dict[str, tuple[str, str]]) -> float:
    """Return the processor seconds of the second and the third night."""
    spent = 0.0
    for number in (1, 2, 3):
        for kind in ("sis", "lms"):
            arrived = SAMPLE / f"night_{number}" / kind
            if arrived.is_dir():
                shutil.copytree(arrived, project.inbox / kind, dirs_exist_ok=True)
        for source in sources if number > 1 else ():
            files = NIGHTS[number - 2].get(source)
            if files:
                project.deliver(f"2026-09-{number:02d}T010000Z", dict(files), source=source)
        environment = os.environ | {
            "ROLLCALL_HOME": str(project.home),
            "ROLLCALL_NOW": f"2026-09-{number:02d}T18:00:00Z",
        }
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [BIN / "rollcall", "--project", project.project, "cycle", "--inbox", project.inbox],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in (0, 3):
            sys.exit(done.stdout + done.stderr)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        night = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(f"    night {number}: {night:.1f} s of processor")
        spent += night if number > 1 else 0
    return spent


def main() -> None:
    """Print the figures."""
    figures = []
    for name, sources in (("OneRoster alone", {}), ("every family", SOURCES)):
        with tempfile.TemporaryDirectory() as folder:
            project = copy_of_the_project(Path(folder))
            if sources:
                declare_beside(project, sources)
            print(name)
            figures.append(nights(project, sources))
    alone, every = figures
    print(
        f"two nights: OneRoster alone {alone:.1f} s, every family {every:.1f} s of processor, "
        f"ratio {every / alone:.2f} (limit {LIMIT})"
    )


def declare_beside(project: Project, sources: dict[str, tuple[str, str]]) -> None:
    """Declare the sources of vendors beside those of the sample."""
    path = project.project / "seeds" / "contracts" / "sources.csv"
    before = path.read_text(encoding="utf-8").splitlines()
    declare(project, sources)
    after = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([*before, *after[2:]]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
