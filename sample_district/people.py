"""What people of the sample district do between its nights: they review a pilot and promote it."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import openpyxl

from rollcall.mapping.workbook import FILLED, GIVEN, HEADER_ROW

PILOT, REVIEWER = "map", "Ada Lee"
DECIDED_AFTER_NIGHT = "2"
DECIDED_AT = "2026-09-03T09:00:00Z"


def decide(night: str, folder: Path, run: Callable[..., None]) -> None:
    """Do what people do between a night and the next: after the second, they let the pilot count.

    Args:
        night: the night that was last.
        folder: where the workbook is written and filled in.
        run: runs `rollcall` with arguments, at a time; raises where it ends with anything but 0 or,
            for a check, 3.
    """
    if night != DECIDED_AFTER_NIGHT:
        return
    workbook = folder / f"mapping_{PILOT}.xlsx"
    run("promote", PILOT, "--check", now=DECIDED_AT)
    run("mapping", "export", PILOT, "--out", workbook, now=DECIDED_AT)
    fill_in(workbook, REVIEWER, DECIDED_AT[:10])
    run("mapping", "approve", workbook, now=DECIDED_AT)
    run("promote", PILOT, "--seen-by", REVIEWER, now=DECIDED_AT)
    run("promote", PILOT, "--reason", "its tests are read rightly", now=DECIDED_AT)


def fill_in(workbook: Path, name: str, day: str) -> None:
    """Approve every column in a workbook of a mapping, as a person does it."""
    book = openpyxl.load_workbook(workbook)
    places = {label: len(GIVEN) + number for number, label in enumerate(FILLED, 1)}
    said = {"approve?": "yes", "name": name, "date": date.fromisoformat(day)}
    for sheet in book.worksheets[1:-1]:
        for row in range(HEADER_ROW + 2, sheet.max_row + 1):
            for label, value in said.items():
                sheet.cell(row, places[label], value)
    book.save(workbook)
