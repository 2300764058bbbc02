"""Landing against a bare DuckDB load of the same file, in one run.

Baseline: `create table as select * from read_csv(...)` with explicit text columns into a file
database. Measured: `rollcall land` of the same bytes in a process of its own, archive, framing,
ledger and raw table included; clean, and with 1 % malformed records.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb

HEADER = (
    "sourcedId,status,dateLastModified,lineItemSourcedId,studentSourcedId,scoreStatus,score,"
    "scoreDate,comment,textScore,classSourcedId,inProgress,incomplete,late,missing"
)
ROW = (
    b"res-%09d,active,2026-09-01T01:%02d:%02d.000Z,li-%06d,stu-%07d,fully graded,%d.5,"
    b"2026-08-%02d,,,cls-%05d,false,false,false,false\n"
)
BAD = (b'x"y', b"short\n", b"\xff", b'"a"b')


def write_results(path: Path, records: int, malformed_every: int = 0) -> None:
    """Write a results.csv of that many records; every n-th is malformed, in turn by kind."""
    with path.open("wb") as stream:
        stream.write(HEADER.encode() + b"\n")
        for start in range(0, records, 100_000):
            stream.write(b"".join(_rows(start, min(start + 100_000, records), malformed_every)))


def _rows(start: int, stop: int, malformed_every: int) -> Iterator[bytes]:
    for i in range(start, stop):
        row = ROW % (
            (i, i % 60, i // 60 % 60, i % 50_000, i % 100_000, i % 100, i % 28 + 1, i % 9_999)
        )
        if malformed_every and i % malformed_every == 0:
            row = row.replace(b"fully graded", BAD[i // malformed_every % len(BAD)], 1)
        yield row


def bare_load(path: Path, folder: Path) -> float:
    """Seconds that DuckDB takes to load the file into a fresh file database."""
    columns = ", ".join(f"'{name}': 'varchar'" for name in HEADER.split(","))
    started = time.perf_counter()
    with duckdb.connect(str(folder / "bare.duckdb")) as connection:
        connection.execute(
            "create table results as select * from read_csv(?, header = true, "
            f"auto_detect = false, delim = ',', quote = '\"', escape = '\"', "
            f"columns = {{{columns}}})",
            [str(path)],
        )
    return time.perf_counter() - started


def landing(path: Path, folder: Path) -> tuple[float, float]:
    """Seconds that `rollcall land` takes in a fresh home, and its peak memory in MB."""
    inbox = folder / "inbox" / "lms" / "2026-09-01T160000Z"
    inbox.mkdir(parents=True)
    os.link(path, inbox / "results.csv")
    for written in (path, inbox):  # long ago: waiting for an upload to settle is no work
        os.utime(written, (1_700_000_000, 1_700_000_000))
    started = time.perf_counter()
    subprocess.run(
        [
            Path(sys.executable).with_name("rollcall"),
            *("land", "--home", folder / "home", "--inbox", folder / "inbox", "--json"),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    seconds = time.perf_counter() - started
    return seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=5_000_000)
    records = parser.parse_args().records
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        for what, every, limit in (("clean", 0, 2.0), ("1 % malformed", 100, 2.5)):
            path = work / "results.csv"
            write_results(path, records, every)
            clean = path
            if every:
                clean = work / "clean.csv"
                write_results(clean, records)
            folder = work / "run"
            folder.mkdir()
            baseline = bare_load(clean, folder)
            seconds, memory = landing(path, folder)
            print(
                f"landing {records:,} records, {what} ({path.stat().st_size / 1e6:.0f} MB): "
                f"{seconds:.1f} s; bare load {baseline:.1f} s; ratio {seconds / baseline:.2f} "
                f"(limit {limit}); peak memory {memory:.0f} MB (limit 1500)"
            )
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
