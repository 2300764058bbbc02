"""The codes that a delivery, a file or a record can get, as `error_codes.csv` explains them."""

import csv
from functools import cache

from rollcall.home import PROJECT_DIR


@cache
def advice() -> dict[str, str]:
    """Return what to do about each code."""
    path = PROJECT_DIR / "seeds" / "reference" / "error_codes.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        return {row["code"]: row["advice"] for row in csv.DictReader(stream)}
