"""The workbook: the answer and every listing as a sheet, with typed cells and filters."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from rollcall.report.listings import Table, words
from rollcall.report.site import Contents
from rollcall.sanitize import plain

SHEET_ROWS = 5_000
"""Rows of a listing that stand on a sheet; the CSV has all."""
_HEADER_ROW = 2
_WIDEST = 60
_LONGEST_SHEET_NAME = 31
_LONGEST_CELL = 32_767


class _Workbook:
    """A workbook in the making, with its formats."""

    def __init__(self, contents: Contents, path: Path) -> None:
        # Nothing that was exported is ever a formula or a link.
        self.book = xlsxwriter.Workbook(
            path,
            {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
        )
        self.book.set_properties(
            {
                "title": "Rollcall report",
                "subject": f"Cycle {contents.answer.published_id}",
                "created": contents.answer.published_at,
            }
        )
        self._bold = self.book.add_format({"bold": True})
        self._head = self.book.add_format({"bold": True, "bottom": 1, "text_wrap": True})
        self._time = self.book.add_format({"num_format": "yyyy-mm-dd hh:mm"})

    def overview(self, contents: Contents) -> None:
        """Write the answer and what there is to do."""
        answer = contents.answer
        sheet = self.book.add_worksheet("overview")
        self._line(sheet, 0, answer.headline, self._bold)
        self._line(sheet, 1, f"The data is as of {words(answer.published_at)} UTC.")
        header = ("subject", "code", "what is the matter", "what to do")
        lines = [(p.subject, p.code, p.sentence, p.to_do) for p in answer.points]
        self._rows(sheet, header, lines)

    def listing(self, table: Table) -> None:
        """Write one listing."""
        sheet = self.book.add_worksheet(table.listing.name[:_LONGEST_SHEET_NAME])
        self._line(sheet, 0, table.listing.title, self._bold)
        more = (
            f" The first {len(table.rows):,} of {table.total:,} rows; "
            f"{table.listing.name}.csv has all."
            if table.total > len(table.rows)
            else ""
        )
        self._line(sheet, 1, table.listing.meaning + more)
        header = [column.label for column in table.columns]
        rows = [list(row) for row in table.rows]
        if table.listing.command:
            header.append("to look into it, type")
            rows = [[*row, table.command(number)] for number, row in enumerate(rows)]
        self._rows(sheet, header, rows)

    def _rows(self, sheet: Worksheet, header: Any, rows: Any) -> None:
        for number, label in enumerate(header):
            longest = max((len(words(row[number])) for row in rows), default=0)
            sheet.set_column(number, number, min(max(longest, len(label), 8) + 2, _WIDEST))
            sheet.write_string(_HEADER_ROW, number, label, self._head)
        for line, row in enumerate(rows, _HEADER_ROW + 1):
            for number, value in enumerate(row):
                self._cell(sheet, line, number, value)
        sheet.freeze_panes(_HEADER_ROW + 1, 1)
        if rows:
            sheet.autofilter(_HEADER_ROW, 0, _HEADER_ROW + len(rows), len(header) - 1)

    def _cell(self, sheet: Worksheet, line: int, number: int, value: Any) -> None:
        match value:
            case None:
                pass
            case bool():
                sheet.write_boolean(line, number, value)
            case int() | float() | Decimal():
                sheet.write_number(line, number, float(value))
            case datetime() | date():
                sheet.write_datetime(line, number, value, self._time)
            case _:
                self._line(sheet, line, str(value), column=number)

    def _line(
        self,
        sheet: Worksheet,
        line: int,
        text: str,
        style: Format | None = None,
        column: int = 0,
    ) -> None:
        sheet.write_string(line, column, plain(text)[:_LONGEST_CELL], style)


def write_workbook(contents: Contents, path: Path) -> None:
    """Write the workbook; what it was made from decides every byte of it."""
    made = _Workbook(contents, path)
    made.overview(contents)
    for table in contents.reader.tables.values():
        if table.is_known:
            made.listing(table)
    made.book.close()
