"""A workbook that people have filled in, read back and recorded: all of it, or nothing.

Every cell that Rollcall wrote is compared with what the mapping says now, so that nobody approves
what is no longer so, and no approval lands on another column.
"""

import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import duckdb
from xlsxwriter.utility import xl_rowcol_to_cell

from rollcall.contracts.project import Contracts
from rollcall.csvfile.sheets import Sheet, SheetError
from rollcall.errors import CANNOT_BE_READ, UsageError
from rollcall.home import Home
from rollcall.ledger import ledger
from rollcall.ledger.decisions import who
from rollcall.mapping.approvals import Review, Reviewed, read_reviews, with_reviews
from rollcall.mapping.fields import Mapping, read_mapping
from rollcall.mapping.words import Words
from rollcall.mapping.workbook import (
    COVER,
    FILLED,
    FINGERPRINT,
    GIVEN,
    HEADER_ROW,
    PASSING,
    REVIEWS,
    SOURCE,
    FeedSheet,
    feed_sheets,
    fingerprint,
    given_texts,
)
from rollcall.sanitize import plain

_MOST_UNPACKED_BYTES = 64 << 20
"""How much a workbook may hold unpacked; that of two thousand columns is a hundredth."""
_HEAD = (*GIVEN, *FILLED)
_COLUMNS = {label: number for number, label in enumerate(_HEAD)}
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_YES, _NO = ("yes", "y"), ("no", "n")
_LONGEST_NAME, _LONGEST_QUESTION = 100, 1_000
_EARLIEST = date(2000, 1, 1)
_Cells = dict[int, str]


@dataclass(frozen=True, slots=True)
class RecordedReviews:
    """What a workbook came to: how many approvals, refusals and questions were new."""

    source_id: str
    approved_count: int
    refused_count: int
    asked_count: int
    unchanged_count: int


def approve_mapping(home: Home, contracts: Contracts, path: Path, at: datetime) -> RecordedReviews:
    """Record what people have filled into a workbook; what is recorded already is passed over.

    Args:
        home: the data directory, locked by the caller.
        contracts: the contracts of the project.
        path: the workbook.
        at: the present, UTC.

    Raises:
        UsageError: the workbook is damaged or no longer that of the mapping, or a cell of it cannot
            be read; the message names sheet and cell, and nothing is recorded.
    """
    words = Words(home.project)
    with ExitStack() as stack:
        stream = stack.enter_context(_opened(path))
        book = _Book(path.name, stream)
        source_id, marked, until = book.cover()
        connection = stack.enter_context(home.landing())
        ledger.prepare(connection, contracts)
        if source_id not in contracts.sources:
            raise book.wrong(COVER, "", f"there is no source '{plain(source_id)}' in sources.csv")
        mapping = read_mapping(contracts, words, source_id, connection)
        known, before = (read_reviews(connection, source_id, last) for last in (None, until))
        said = list(book.reviews(mapping, with_reviews(mapping, known), marked, at.date()))
        news = [r for r in said if r not in (known.get(_key(r)), before.get(_key(r)))]
        with ledger.transaction(connection):
            _record(connection, source_id, news, at)
    counts = Counter(review.decision for review in news)
    return RecordedReviews(
        source_id,
        approved_count=counts["approve"],
        refused_count=counts["refuse"],
        asked_count=counts["ask"],
        unchanged_count=len(said) - len(news),
    )


def _key(review: Review) -> tuple[str, str, str]:
    return review.feed, review.layout_version, review.column_name


def _opened(path: Path) -> BinaryIO:
    """Open a workbook, unless it is none or would unpack to more than any needs.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        stream = path.open("rb")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    try:
        with zipfile.ZipFile(stream) as archive:
            size = sum(info.file_size for info in archive.infolist())
    except (*CANNOT_BE_READ, OSError):
        size = -1
    if not 0 <= size <= _MOST_UNPACKED_BYTES:
        stream.close()
        reason = "would unpack to far more than a mapping" if size > 0 else "is no workbook (.xlsx)"
        raise UsageError(
            f"{path.name} {reason}; give the file that `rollcall mapping export` wrote, filled in."
        )
    return stream


class _Book:
    """A filled workbook; what is wrong with it is said with its sheet and cell."""

    def __init__(self, name: str, stream: BinaryIO) -> None:
        self._name, self._stream = name, stream

    def wrong(self, sheet: str, cell: str, what: str) -> UsageError:
        """Say what is wrong where; nothing of the workbook is recorded then."""
        place = f"sheet '{sheet}'" + f", cell {cell}" * bool(cell)
        return UsageError(f"{self._name}, {place}: {what}. Nothing of it is recorded.")

    def cover(self) -> tuple[str, str, int]:
        """Return the source of the mapping, its hash, and the last review that stands in it."""
        said: dict[str, str] = {}
        for cells in self._sheet(COVER).values():
            said.setdefault(cells.get(0, ""), cells.get(1, ""))
        for label in (SOURCE, FINGERPRINT, REVIEWS):
            if not said.get(label):
                raise self.wrong(COVER, "", f"beside '{label}' nothing stands; export it again")
        if not re.fullmatch(r"\d{1,12}", said[REVIEWS], re.ASCII):
            raise self.wrong(COVER, "", f"beside '{REVIEWS}' stands no number; export it again")
        return said[SOURCE], said[FINGERPRINT], int(said[REVIEWS])

    def _sheet(self, name: str) -> dict[int, _Cells]:
        """Return the texts of a sheet without white space around them, by row from 0."""
        try:
            sheet = Sheet(self._stream, name)
            for row, column in sheet.formulas():
                cell = xl_rowcol_to_cell(row - 1, column)
                raise self.wrong(name, cell, "it holds a formula; write the value")
            return {
                row - 1: {column: text.strip() for column, text in cells.items() if text.strip()}
                for row, cells in sheet.rows()
            }
        except SheetError as error:
            message = str(error).removesuffix(".")
            raise self.wrong(name, "", f"{message[:1].lower()}{message[1:]}") from error

    def reviews(
        self, mapping: Mapping, reviewed: tuple[Reviewed, ...], marked: str, today: date
    ) -> Iterator[Review]:
        """Yield what is filled in.

        Raises:
            UsageError: a cell is not what it was, or cannot be read.
        """
        sheets = list(feed_sheets(mapping, reviewed))
        is_of_today = marked == fingerprint(sheets)
        filled = [(sheet, self._compared(sheet, is_of_today=is_of_today)) for sheet in sheets]
        if not is_of_today:
            raise self.wrong(COVER, "", _again("some of it"))
        for sheet, rows in filled:
            for line, item in enumerate(sheet.rows, HEADER_ROW + 1):
                review = self._review(sheet.name, line, rows.get(line, {}), item, today)
                if review:
                    yield review

    def _compared(self, sheet: FeedSheet, *, is_of_today: bool) -> dict[int, _Cells]:
        """Return the rows of a sheet, after a look at every cell that nobody should change."""
        rows = self._sheet(sheet.name)
        wanted = {HEADER_ROW: dict(zip(_HEAD, _HEAD, strict=True))}
        wanted |= {line: given_texts(item) for line, item in enumerate(sheet.rows, HEADER_ROW + 1)}
        for line, texts in wanted.items():
            for label, text in texts.items():
                found = rows.get(line, {}).get(_COLUMNS[label], "")
                if label not in PASSING * (line > HEADER_ROW) and not _are_alike(found, text):
                    cell = xl_rowcol_to_cell(line, _COLUMNS[label])
                    raise self.wrong(sheet.name, cell, _differs(label, text, is_of_today))
        for line, cells in rows.items():
            outside = [n for n in cells if line > HEADER_ROW and n >= len(_HEAD)]
            beyond = list(cells) if line > HEADER_ROW + len(sheet.rows) else outside
            if beyond:
                cell = xl_rowcol_to_cell(line, min(beyond))
                what = "it stands outside of the list" if is_of_today else _again("the list")
                raise self.wrong(sheet.name, cell, f"{what}; clear it" if is_of_today else what)
        return rows

    def _review(
        self, sheet: str, line: int, cells: _Cells, item: Reviewed, today: date
    ) -> Review | None:
        """Return what is filled into a row, or None where nothing is."""

        def at(label: str) -> tuple[str, str]:
            column = _COLUMNS[label]
            return " ".join(cells.get(column, "").split()), xl_rowcol_to_cell(line, column)

        (question, question_cell), (word, word_cell) = at("question?"), at("approve?")
        (name, name_cell), (day, day_cell) = at("name"), at("date")
        if not word and not question:
            return None
        if word.lower() not in (*_YES, *_NO, ""):
            raise self.wrong(sheet, word_cell, "write yes or no, or leave it blank")
        decision = "ask" if not word else "approve" if word.lower() in _YES else "refuse"
        if question and word:
            raise self.wrong(
                sheet, question_cell, f"it asks and {word_cell} decides; clear one of the two"
            )
        if decision == "approve" and item.field.problem:
            what = "nobody can say what is done to the column, so it cannot be approved"
            raise self.wrong(sheet, word_cell, what)
        if len(question) > _LONGEST_QUESTION:
            raise self.wrong(sheet, question_cell, f"write at most {_LONGEST_QUESTION} characters")
        if not any(letter.isalpha() for letter in name) or len(name) > _LONGEST_NAME:
            raise self.wrong(sheet, name_cell, "write the name of the one who says so")
        reviewed_on = _day(day)
        if not reviewed_on or not _EARLIEST <= reviewed_on <= today + timedelta(days=1):
            what = "write the day on which it was reviewed, like 2026-09-01, and none to come"
            raise self.wrong(sheet, day_cell, what)
        field = item.field
        return Review(
            *field.key,
            field.staged_as,
            field.done,
            field.personal_data,
            field.sha256,
            decision,
            plain(question) or None,
            plain(name),
            reviewed_on,
        )


def _are_alike(found: str, wanted: str) -> bool:
    return found.split() == wanted.split()


def _differs(label: str, wanted: str, is_of_today: bool) -> str:
    if not is_of_today:
        return _again(f"'{label}'")
    said = f"'{wanted if len(wanted) <= 60 else wanted[:57] + '...'}'"
    return (
        f"'{label}' was changed, or its row or column was moved; {said} stood there. Put it back, "
        "or export the mapping again"
    )


def _again(what: str) -> str:
    return f"{what} is not what the mapping says now, which has changed; export it again"


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def _record(
    connection: duckdb.DuckDBPyConnection, source_id: str, news: list[Review], at: datetime
) -> None:
    """Add reviews to the ledger, those of one workbook as one event."""
    if not news:
        return
    job_id = ledger.next_job(connection)
    [(last,)] = connection.execute(
        "select coalesce(max(review_id), 0) from landing.mapping_reviews"
    ).fetchall()
    for number, review in enumerate(news, last + 1):
        entry = asdict(review) | {"review_id": number, "job_id": job_id, "source_id": source_id}
        recorded = {"recorded_by": who(), "recorded_at": at}
        ledger.put(connection, "mapping_reviews", entry | recorded)
    ledger.note(
        connection,
        job_id=job_id,
        at=at,
        kind="mapping_reviewed",
        subject=str(job_id),
        detail=f"{source_id}: {len(news)} columns",
    )
