"""The workbook in which people review a mapping: a cover, a sheet a feed, and what is not used.

The same mapping and the same reviews give the same bytes. Everything is written as text, so that
nothing of an export or of a contract is ever a formula or a link.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from rollcall.errors import needing_room
from rollcall.folders import keep_to_owner
from rollcall.mapping.approvals import Reviewed
from rollcall.mapping.fields import Mapping
from rollcall.sanitize import plain

COVER = "cover"
NOT_USED = "kept, not used"
SOURCE, FINGERPRINT, REVIEWS = "source", "mapping", "reviews until"
"""Labels of the cover, in its first column, beside which stands which mapping it is, and the number
of the last review that stands in it."""
HEADER_ROW = 3
"""The row of the names of the columns, from 0; below it stands a row for each column."""
GIVEN = {
    "layout": 9,
    "column": 24,
    "meaning": 40,
    "shapes of values": 22,
    "needed by": 24,
    "where it goes": 36,
    "what is done to it": 44,
    "personal data": 10,
    "as reviewed so far": 36,
}
"""What the workbook says of a column, with the width of each; a person changes nothing of it."""
PASSING = ("shapes of values", "as reviewed so far")
"""What of it is not compared when the workbook comes back: values and reviews go on meanwhile."""
FILLED = {"question?": 36, "approve?": 10, "name": 18, "date": 12}
"""What people fill in."""
_HOW = (
    "For each column, read what it means, who needs it, where it goes and what is done to it.",
    "approve? - write yes or no. question? - ask instead, and leave approve? blank.",
    "name and date - who says so, and when, as 2026-09-01. Both are needed with either.",
    "Leave a row blank to say nothing of it; a no takes back a yes. Change nothing else.",
    "Shapes show how values are written and never a value: A and a are letters, 9 is a digit.",
    "When done, give the file back to those who run Rollcall: rollcall mapping approve FILE.",
)
_LONGEST_SHEET_NAME = 31
_LONGEST_CELL = 32_767
_EPOCH = datetime(2000, 1, 1)
_DATE = "yyyy-mm-dd"


@dataclass(frozen=True, slots=True)
class FeedSheet:
    """The sheet of a feed: its name, its title and its columns, one a row."""

    name: str
    title: str
    rows: tuple[Reviewed, ...]


def feed_sheets(mapping: Mapping, reviewed: Sequence[Reviewed]) -> Iterator[FeedSheet]:
    """Yield the sheet of each feed; numbers tell feeds of two families apart."""
    source = mapping.source
    for number, item in enumerate(mapping.staged, 1):
        feed = item.feed
        rows = tuple(column for column in reviewed if column.field.feed == feed.feed)
        name = f"{number} {feed.feed.split('/')[-1]}"[:_LONGEST_SHEET_NAME]
        yield FeedSheet(name, f"{feed.label or feed.feed} ({feed.feed}) of {source.name}", rows)


def given_texts(item: Reviewed) -> dict[str, str]:
    """Return what the cells of a column's row say, by the names of `GIVEN`."""
    field, review = item.field, item.review
    texts = (
        field.layout_version,
        field.column_name,
        field.meaning,
        " | ".join(field.shapes),
        ", ".join(field.needed_by),
        field.staged_as,
        field.done or f"Not said: {field.problem}.",
        field.personal_data,
        item.reason or (f"Approved by {review.reviewed_by}." if review else ""),
    )
    return {label: plain(text)[:_LONGEST_CELL] for label, text in zip(GIVEN, texts, strict=True)}


def fingerprint(sheets: Iterable[FeedSheet]) -> str:
    """Hash all that people review, so that a workbook knows whether it is of today."""
    digest = hashlib.sha256()
    for sheet in sheets:
        for item in sheet.rows:
            texts = given_texts(item)
            for text in (sheet.name, *(texts[label] for label in texts if label not in PASSING)):
                digest.update(b"%d:" % len(text.encode()) + text.encode())
    return digest.hexdigest()


class _Workbook:
    """A workbook in the making, with its formats."""

    def __init__(self, path: Path, title: str) -> None:
        self.book = xlsxwriter.Workbook(
            path,
            {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
        )
        self.book.set_properties({"title": title, "created": _EPOCH})
        add = self.book.add_format
        self._bold = add({"bold": True})
        self._head = add({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        self._given = add({"text_wrap": True, "valign": "top"})
        filled = {"text_wrap": True, "valign": "top", "bg_color": "#fff8dc", "locked": False}
        self._filled = add(filled)
        self._date = add(filled | {"num_format": _DATE})

    def cover(self, mapping: Mapping, reviewed: Sequence[Reviewed]) -> None:
        """Write what this is, how far it is reviewed, what is asked, and what to do."""
        sheet = self._sheet(COVER, f"Mapping of {mapping.source.name}")
        sheet.set_column(0, 0, 26)
        sheet.set_column(1, 1, 100)
        counts = Counter(item.status for item in reviewed)
        facts = {
            SOURCE: mapping.source.source_id,
            "stage": mapping.source.stage,
            "feeds": ", ".join(item.feed.feed for item in mapping.staged),
            "columns to review": str(len(reviewed)),
            "approved": str(counts["approved"]),
            "approved, but changed since": str(counts["stale"]),
            "refused": str(counts["refused"]),
            "asked": str(counts["asked"]),
            "not reviewed": str(counts["open"] + counts["unsaid"]),
            "kept, not used": str(len(mapping.unused)),
            FINGERPRINT: fingerprint(feed_sheets(mapping, reviewed)),
            REVIEWS: str(
                max((item.review.review_id for item in reviewed if item.review), default=0)
            ),
        }
        for line, (label, value) in enumerate(facts.items(), 2):
            self._write(sheet, line, 0, label, self._given)
            self._write(sheet, line, 1, value, self._given)
        line = len(facts) + 3
        self._write(sheet, line, 0, "Open questions", self._bold)
        questions = [item for item in reviewed if item.status in ("asked", "unsaid")]
        for item in questions:
            line += 1
            self._write(sheet, line, 0, f"{item.field.feed}: {item.field.column_name}", self._given)
            self._write(sheet, line, 1, item.reason, self._given)
        if not questions:
            self._write(sheet, line, 1, "There is none.", self._given)
        self._write(sheet, line + 2, 0, "How to fill it in", self._bold)
        for number, sentence in enumerate(_HOW):
            self._write(sheet, line + 2 + number, 1, sentence, self._given)

    def feed(self, page: FeedSheet) -> None:
        """Write a feed: what is said of each column, and cells to fill in."""
        sheet = self._table(page.name, page.title, "Fill in the yellow cells.", GIVEN | FILLED)
        first, last = HEADER_ROW + 1, HEADER_ROW + max(len(page.rows), 1)
        for line, item in enumerate(page.rows, first):
            for number, text in enumerate(given_texts(item).values()):
                self._write(sheet, line, number, text, self._given)
            self._prefill(sheet, line, item)
        approve = len(GIVEN) + list(FILLED).index("approve?")
        choice = {"validate": "list", "source": ["yes", "no"]}
        sheet.data_validation(first, approve, last, approve, choice)

    def _prefill(self, sheet: Worksheet, line: int, item: Reviewed) -> None:
        """Write what was said of a column before, where it still holds."""
        review = item.review if item.status in ("approved", "refused", "asked") else None
        word = {"approved": "yes", "refused": "no"}.get(item.status, "")
        texts = (review.question or "", word, review.reviewed_by) if review else ("", "", "")
        for number, text in enumerate(texts, len(GIVEN)):
            self._write(sheet, line, number, text, self._filled)
        if review:
            sheet.write_datetime(line, len(GIVEN) + 3, review.reviewed_on, self._date)
        else:
            sheet.write_blank(line, len(GIVEN) + 3, None, self._date)

    def unused(self, mapping: Mapping) -> None:
        """Write what is kept as it was delivered, and read by nothing."""
        meaning = (
            "Kept as they were delivered: no table has a column of them. Some are looked at to see "
            "that a result was changed; birth dates of demographics say whose a record is."
        )
        head = {"feed": 30, "layout": 9, "column": 36, "meaning": 60, "personal data": 14}
        sheet = self._table(NOT_USED, "Kept, not used", meaning, head)
        for line, field in enumerate(mapping.unused, HEADER_ROW + 1):
            texts = (field.feed, field.layout_version, field.column_name, field.meaning)
            for number, text in enumerate((*texts, field.personal_data)):
                self._write(sheet, line, number, text, self._given)

    def _sheet(self, name: str, title: str) -> Worksheet:
        sheet = self.book.add_worksheet(name)
        sheet.protect("", {"format_columns": True, "format_rows": True})
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        self._write(sheet, 0, 0, title, self._bold)
        return sheet

    def _table(self, name: str, title: str, meaning: str, head: dict[str, int]) -> Worksheet:
        sheet = self._sheet(name, title)
        self._write(sheet, 1, 0, meaning)
        for number, (label, width) in enumerate(head.items()):
            sheet.set_column(number, number, width)
            self._write(sheet, HEADER_ROW, number, label, self._head)
        sheet.freeze_panes(HEADER_ROW + 1, 2)
        sheet.repeat_rows(HEADER_ROW)
        return sheet

    def _write(
        self, sheet: Worksheet, line: int, column: int, text: str, style: Format | None = None
    ) -> None:
        if text:
            sheet.write_string(line, column, plain(text)[:_LONGEST_CELL], style)
        else:
            sheet.write_blank(line, column, None, style)


def write_mapping(mapping: Mapping, reviewed: Sequence[Reviewed], path: Path) -> None:
    """Write the workbook of a mapping, which only the account that writes can read.

    Args:
        mapping: the mapping of a source.
        reviewed: its staged columns with what was said of them, as `with_reviews` returns them.
        path: where to; what is there is written over.
    """
    with needing_room(path.parent):
        made = _Workbook(path, f"Mapping of {mapping.source.source_id}")
        made.cover(mapping, reviewed)
        for page in feed_sheets(mapping, reviewed):
            made.feed(page)
        made.unused(mapping)
        made.book.close()
        keep_to_owner(path)
