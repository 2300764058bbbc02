"""Landing against a bare DuckDB load, and bad files against clean ones, each in one run.

Baseline: `create table as select * from read_csv(...)` with explicit text columns into a file
database. Measured: `rollcall land` of the same bytes in a process of its own, archive, framing,
ledger and raw table included; clean, and with 1 % malformed records.

A file without a good record is measured against as many clean ones, in processor seconds; and what
it costs to hash archived bytes once more, where they stand there already, against their landing.
"""

import argparse
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from rollcall.archived import flaw

HEADER = (
    "sourcedId,status,dateLastModified,lineItemSourcedId,studentSourcedId,scoreStatus,score,"
    "scoreDate,comment,textScore,classSourcedId,inProgress,incomplete,late,missing"
)
ROW = (
    b"res-%09d,active,2026-09-01T01:%02d:%02d.000Z,li-%06d,stu-%07d,fully graded,%d.5,"
    b"2026-08-%02d,,,cls-%05d,false,false,false,false\n"
)
BAD = (b'x"y', b"short\n", b"\xff", b'"a"b')
MALFORMED = {
    "a comma too many": b"fully graded,",
    "a quote inside": BAD[0],
    "a quote that opens": b'"fully graded',
    "bytes that are no text": BAD[2],
}
"""What makes a record malformed where it stands for a status, each in its own way."""


def write_results(
    path: Path, records: int, malformed_every: int = 0, bad: Sequence[bytes] = BAD
) -> None:
    """Write a results.csv of that many records; every n-th is malformed, in turn by kind."""
    with path.open("wb") as stream:
        stream.write(HEADER.encode() + b"\n")
        for start in range(0, records, 100_000):
            stop = min(start + 100_000, records)
            stream.write(b"".join(_rows(start, stop, malformed_every, bad)))


def _rows(start: int, stop: int, malformed_every: int, bad: Sequence[bytes]) -> Iterator[bytes]:
    for i in range(start, stop):
        row = ROW % (
            (i, i % 60, i // 60 % 60, i % 50_000, i % 100_000, i % 100, i % 28 + 1, i % 9_999)
        )
        if malformed_every and i % malformed_every == 0:
            row = row.replace(b"fully graded", bad[i // malformed_every % len(bad)], 1)
        yield row


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process cost: seconds by the clock, processor seconds, and its peak memory in MB."""

    seconds: float
    processor_seconds: float
    memory: float


def bare_load(path: Path, folder: Path) -> float:
    """Seconds that DuckDB takes to load the file into a fresh file database."""
    columns = ", ".join(f"'{name}': 'varchar'" for name in HEADER.split(","))
    started = time.perf_counter()
    with duckdb.connect(str(folder / "bare.duckdb")) as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute(
            "create table results as select * from read_csv(?, header = true, "
            f"auto_detect = false, delim = ',', quote = '\"', escape = '\"', "
            f"columns = {{{columns}}})",
            [str(path)],
        )
    return time.perf_counter() - started


def landing(path: Path, folder: Path, expected_code: int = 0) -> Cost:
    """Measure `rollcall land` of a file in a fresh home; its bytes stay in the archive there."""
    inbox = folder / "inbox" / "lms" / "2026-09-01T160000Z"
    inbox.mkdir(parents=True)
    os.link(path, inbox / "results.csv")
    for written in (path, inbox):  # long ago: waiting for an upload to settle is no work
        os.utime(written, (1_700_000_000, 1_700_000_000))
    started = time.perf_counter()
    command = Path(sys.executable).with_name("rollcall")
    child = subprocess.Popen(
        [command, "land", "--home", folder / "home", "--inbox", folder / "inbox", "--json"],
        stdout=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != expected_code:
        raise SystemExit(f"landing {path.name} ended with {child.returncode}")
    seconds = time.perf_counter() - started
    return Cost(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def hashing(home: Path) -> float:
    """Processor seconds that it takes to hash what is archived once more."""
    archived = [path for path in (home / "archive").rglob("*") if path.is_file()]
    started = time.process_time()
    if any(flaw(path, path.name) for path in archived):
        raise SystemExit("the archive is damaged")
    return time.process_time() - started


def measure_landing(work: Path, records: int) -> None:
    """Print what landing costs, against a bare load by a process of its own."""
    path, clean = work / "results.csv", work / "clean.csv"
    write_results(clean, records)
    for what, every, limit in (("clean", 0, 2.0), ("1 % malformed", 100, 2.5)):
        write_results(path, records, every)
        with fresh(work) as folder:
            # The system counts the memory of a parent as its child's: let this one stay small.
            spawned = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(1, mp_context=spawned) as baseline:
                bare = baseline.submit(bare_load, clean, folder).result()
            cost = landing(path, folder)
            print(
                f"landing {records:,} records, {what} ({path.stat().st_size / 1e6:.0f} MB): "
                f"{cost.seconds:.1f} s; bare load {bare:.1f} s; ratio {cost.seconds / bare:.2f} "
                f"(limit {limit}); peak memory {cost.memory:.0f} MB (limit 1500)"
            )
            again = hashing(folder / "home")
            print(
                f"hashing what is archived once more: {again:.2f} of "
                f"{cost.processor_seconds:.1f} processor seconds; "
                f"{again * 100 / cost.processor_seconds:.1f} % (limit 3)"
            )


def measure_malformed(work: Path, records: int, expected_code: int) -> None:
    """Print what files without a good record cost, against as many clean records.

    With so many that they are only counted, the command ends with 3.
    """
    path = work / "results.csv"
    write_results(path, records)
    with fresh(work) as folder:
        clean = landing(path, folder)
    for what, bad in MALFORMED.items():
        write_results(path, records, 1, (bad,))
        with fresh(work) as folder:
            cost = landing(path, folder, expected_code)
        ratio = cost.processor_seconds / clean.processor_seconds
        print(
            f"landing {records:,} records, each malformed by {what}: {cost.processor_seconds:.1f} "
            f"processor seconds; clean ones {clean.processor_seconds:.1f}; ratio {ratio:.2f} "
            f"(limit 3); peak memory {cost.memory:.0f} MB (limit 500)"
        )


@contextmanager
def fresh(work: Path) -> Iterator[Path]:
    """Give a folder for a data directory, and remove it with what was written."""
    folder = work / "run"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=5_000_000)
    parser.add_argument("--counted", type=int, default=1_000_000)
    parser.add_argument("--kept", type=int, default=500_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        measure_landing(Path(name), arguments.records)
        measure_malformed(Path(name), arguments.counted, 3)
        measure_malformed(Path(name), arguments.kept, 0)


if __name__ == "__main__":
    main()
