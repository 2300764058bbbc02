"""Framing against a walk with Python's `csv.reader` over the same file, in one run."""

import argparse
import csv
import tempfile
import time
from pathlib import Path

from bench_landing import write_results

from rollcall.csvfile.framing import Framer


def walk_with_csv(path: Path) -> float:
    """Seconds that a bare walk with the csv module takes."""
    started = time.perf_counter()
    with path.open(encoding="utf-8", newline="") as stream:
        for _ in csv.reader(stream, strict=True):
            pass
    return time.perf_counter() - started


def frame(path: Path, records: int) -> float:
    """Seconds that framing takes; every record must be found."""
    started = time.perf_counter()
    with path.open("rb") as stream:
        framer = Framer(stream)
        for _ in framer:
            pass
    seconds = time.perf_counter() - started
    if (framer.record_count, framer.malformed_count) != (records, 0):
        raise SystemExit(f"{framer.record_count} records framed, {records} written")
    return seconds


def quote_every_field(source: Path, target: Path) -> None:
    """Write the same records with every field quoted."""
    with source.open("rb") as lines, target.open("wb") as quoted:
        for line in lines:
            quoted.write(b'"' + line.rstrip(b"\n").replace(b",", b'","') + b'"\n')


def main() -> None:
    """Print the figures; the best of three runs of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    records = parser.parse_args().records
    with tempfile.TemporaryDirectory() as name:
        plain, quoted = Path(name) / "plain.csv", Path(name) / "quoted.csv"
        write_results(plain, records)
        quote_every_field(plain, quoted)
        for what, path, limit in (("unquoted", plain, 5), ("every field quoted", quoted, 3)):
            walk = min(walk_with_csv(path) for _ in range(3))
            framing = min(frame(path, records) for _ in range(3))
            print(
                f"framing {records:,} records, {what} ({path.stat().st_size / 1e6:.0f} MB): "
                f"{framing:.2f} s; csv.reader {walk:.2f} s; {walk / framing:.1f} times as fast "
                f"(at least {limit})"
            )


if __name__ == "__main__":
    main()
