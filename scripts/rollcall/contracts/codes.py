"""The codes that a delivery, a file or a record can get, as `error_codes.csv` explains them."""

import csv
from functools import cache
from pathlib import Path


@cache
def advice(directory: Path) -> dict[str, str]:
    """Return what to do about each code, from the folder of `error_codes.csv`."""
    path = directory / "error_codes.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        return {row["code"]: row["advice"] for row in csv.DictReader(stream)}
