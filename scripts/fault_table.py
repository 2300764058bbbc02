"""Write docs/faults.md: every fault, its code, what happens and what a person should do.

Made from seeds/reference/error_codes.csv and sample_exports/faults.csv; a test holds the page to
them. Usage: python scripts/fault_table.py
"""

import csv
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "faults.md"
CONSEQUENCES = {
    (
        "delivery",
        "error",
    ): "The delivery is archived and not read; the last good data stays in place.",
    ("delivery", "warning"): "Noted as a finding; what came is taken.",
    ("delivery", "notice"): "Noted as a finding, once; what came is taken.",
    ("file", "error"): "The file is rejected, the others of the delivery are taken; "
    "the last good data of its feed stays in place.",
    ("file", "hold"): "It waits for `rollcall release` or `refuse`; "
    "the next good bulk makes the choice pointless.",
    ("file", "warning"): "The file is taken; noted as a finding.",
    ("malformed", "error"): "The record is set aside with its line; its neighbours are taken.",
    ("record", "error"): "The record is rejected; its last good version stays in place.",
    ("record", "warning"): "The record is taken, with a warning.",
    ("record", "notice"): "The record is counted and not taken twice.",
    ("cycle", "error"): "Nothing is published; readers keep the last good warehouse.",
    ("cycle", "warning"): "The cycle is published; noted as a finding.",
    ("mapping", "warning"): "The column counts as not approved; its data is taken as before.",
}
TITLES = {
    "delivery": "Deliveries",
    "file": "Files",
    "malformed": "Records that break the grammar of CSV",
    "record": "Records that break a rule",
    "cycle": "Cycles",
    "mapping": "Mappings that people approve",
}
HEAD = """# What can go wrong, and what to do

Every fault that Rollcall detects: its code, what happens by itself, and what a person should
do. `error` rejects, `hold` waits for a person, `warning` keeps, `notice` informs. The last column
names the faults planted in `sample_exports/faults.csv`, where you can see each of them happen.

This page is made by `python scripts/fault_table.py`; do not edit it.
"""


def render() -> str:
    """Return the page."""
    with (ROOT / "seeds/reference/error_codes.csv").open(encoding="utf-8", newline="") as stream:
        codes = list(csv.DictReader(stream))
    planted: dict[str, list[str]] = defaultdict(list)
    with (ROOT / "sample_exports/faults.csv").open(encoding="utf-8", newline="") as stream:
        for fault in csv.DictReader(stream):
            planted[fault["code"]].append(fault["fault_id"])
    parts = [HEAD]
    for scope, title in TITLES.items():
        parts.append(f"\n## {title}\n")
        parts.append("| fault | code | severity | what happens | what to do | planted |")
        parts.append("|---|---|---|---|---|---|")
        for row in codes:
            if row["scope"] == scope:
                happens = CONSEQUENCES[scope, row["severity"]]
                cells = (
                    row["explanation"],
                    f"`{row['code']}`",
                    row["severity"],
                    happens,
                    row["advice"],
                    " ".join(planted[row["code"]]),
                )
                parts.append(f"| {' | '.join(cells)} |")
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
