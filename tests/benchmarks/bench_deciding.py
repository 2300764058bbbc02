"""What it costs to decide on a bulk: landing it with its checks against landing it without.

A bulk of enrollments is landed and built by a cycle; then the bulk of the next night, of which 1 %
is missing, 1 % changed and 1 % new, is landed twice into copies of that home: as it is (values,
removals, renamed ids, changes compared with the last good cycle), and with all of that left out.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from rollcall.contracts.project import Contracts
from rollcall.home import Home
from rollcall.landing import file
from rollcall.landing.inbox import land as land_inbox
from rollcall.project import PROJECT_DIR

HEADER = (
    "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,"
    "beginDate,endDate\n"
)
MANIFEST = (
    "propertyName,value\nmanifest.version,1.0\noneroster.version,1.1\nfile.enrollments,bulk\n"
)
LIMIT = 0.4


def rows(count: int, night: int) -> Iterator[str]:
    """Yield the records of a night: the second lacks, changes and adds one in a hundred."""
    for number in range(count):
        key = number + count if night == 2 and number % 100 == 1 else number
        day = 16 if night == 2 and number % 100 == 2 else 15
        if not (night == 2 and number % 100 == 3):
            yield (
                f"enr-{key:09d},,,cls-{number % 40_000:06d},sch-{number % 60:03d},"
                f"usr-{number % 250_000:07d},student,false,2026-08-{day},\n"
            )


def deliver(inbox: Path, count: int, night: int) -> None:
    """Write a delivery, as if it had arrived a while ago."""
    folder = inbox / "sis" / f"2026-09-0{night}T010000Z"
    folder.mkdir(parents=True)
    with (folder / "enrollments.csv").open("w", encoding="utf-8") as stream:
        stream.write(HEADER)
        stream.writelines(rows(count, night))
    (folder / "manifest.csv").write_text(MANIFEST, encoding="utf-8")
    for path in (*folder.iterdir(), folder):
        os.utime(path, (1_700_000_000, 1_700_000_000))


def land(home: Path, inbox: Path) -> float:
    """Seconds that landing takes."""
    contracts = Contracts.load(PROJECT_DIR / "seeds" / "contracts")
    district = Home(home)
    started = time.perf_counter()
    with district.lock():
        report = land_inbox(district, inbox, contracts, datetime(2026, 9, 2, 2))
    assert all(file.verdict == "accepted" for file in report.files), report.files
    return time.perf_counter() - started


def land_without_deciding(home: Path, inbox: Path) -> float:
    """Seconds that landing takes when no record is compared with anything."""
    judge, file._judge_records = file._judge_records, lambda *_: []
    try:
        return land(home, inbox)
    finally:
        file._judge_records = judge


def main() -> None:
    """Print the figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    count = parser.parse_args().records
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        deliver(work / "first", count, 1)
        deliver(work / "second", count, 2)
        command = [Path(sys.executable).with_name("rollcall"), "cycle", "--inbox", work / "first"]
        environment = os.environ | {
            "ROLLCALL_HOME": str(work / "home"),
            "ROLLCALL_NOW": "2026-09-01T02:00:00Z",
        }
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
        timings: dict[str, list[float]] = {"deciding": [], "landing": []}
        for turn in range(3):
            for what, run in (("landing", land_without_deciding), ("deciding", land)):
                home = work / f"{what}_{turn}"
                shutil.copytree(work / "home", home)
                timings[what].append(run(home, work / "second"))
                shutil.rmtree(home)
        baseline, seconds = min(timings["landing"]), min(timings["deciding"])
        print(
            f"deciding on a bulk of {count:,} records: landing {seconds:.2f} s with its checks, "
            f"{baseline:.2f} s without; {seconds / baseline - 1:.0%} more (limit {LIMIT:.0%})"
        )


if __name__ == "__main__":
    main()
