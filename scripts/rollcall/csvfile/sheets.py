"""Sheets: the cells of a workbook (`.xlsx`) as a person who opens it sees them.

A workbook is a zip of XML files: the sheets, the texts that cells share, and the formats of
numbers. What a cell holds is read as it stands there, digit by digit; `shown.py` writes numbers by
their format. Only stored values count: nothing is computed.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import IO, BinaryIO, cast
from xml.etree import ElementTree
from xml.parsers import expat

from rollcall.csvfile.shown import BUILT_IN, shown

MOST_UNPACKED_BYTES = 512 << 20
"""How much the files of a workbook may take together once they are unpacked."""
_MOST_SHOWN = 2 * MOST_UNPACKED_BYTES
"""How many characters the cells of a sheet may show, which may share one long text."""
_MOST_ROWS, _MOST_COLUMNS = 1 << 20, 1 << 14
"""Those of the format; a sheet numbers its rows and columns from 1."""
_MOST_TEXTS, _MOST_STYLES = 1 << 22, 1 << 16
"""How many texts cells may share, and how many styles, formats, sheets and parts there may be."""
_MOST_PARTS, _MOST_DEPTH = 1 << 18, 64
"""How many elements one row or text may have, and how deep they may stand in each other."""
_MOST_SILENT_BYTES = 4 << 20
"""How long one text or tag may be."""
_MOST_OF_FORMAT = 255
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT_RELATION = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_LETTERS = re.compile("[A-Z]+")
_CHUNK_BYTES = 1 << 16
_UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, ElementTree.ParseError, expat.ExpatError, EOFError),
    *(LookupError, ValueError, NotImplementedError, RuntimeError),
)
_TRUE = ("1", "true")
_Event = tuple[str, ElementTree.Element]


class SheetError(Exception):
    """A workbook or a sheet cannot be read; `code` is that of `error_codes.csv`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class _Styles:
    """The number format of each style, and whether days count from 1904."""

    formats: tuple[str, ...]
    is_from_1904: bool


class Sheet:
    """One sheet of a workbook; `rows` gives the texts of its cells.

    Args:
        stream: the workbook, which has to seek.
        name: which sheet; blank where there is but one.

    Raises:
        SheetError: the workbook cannot be read, it is not said which sheet is meant, or cells of it
            hold what nobody can tell.
    """

    def __init__(self, stream: BinaryIO, name: str) -> None:
        try:
            self._archive = zipfile.ZipFile(stream)
            self._check_size()
            self._part, is_from_1904 = self._find(name)
            self._texts = list(self._shared_texts())
            self._styles = _Styles(tuple(self._formats()), is_from_1904)
            self._check_cells()
        except _UNREADABLE as error:
            raise SheetError(
                "WORKBOOK_UNREADABLE",
                f"It is no workbook (.xlsx) that can be read ({type(error).__name__}): damaged, "
                "locked by a password, or of another kind.",
            ) from error

    def _check_size(self) -> None:
        if sum(info.file_size for info in self._archive.infolist()) > MOST_UNPACKED_BYTES:
            raise _unreadable(f"It would unpack to more than {MOST_UNPACKED_BYTES} bytes.")

    def _find(self, name: str) -> tuple[str, bool]:
        """Return the file of the sheet, and whether days count from 1904."""
        sheets: dict[str, str | None] = {}
        is_from_1904 = False
        for element in self._each("xl/workbook.xml", ("sheet", "workbookPr"), _MOST_STYLES):
            if _tag(element) == "sheet":
                relation = element.get(_RELATION) or element.get(_STRICT_RELATION)
                sheets[element.get("name", "")] = relation
            else:
                is_from_1904 = element.get("date1904") in _TRUE
        if not name and len(sheets) != 1:
            raise SheetError(
                "SHEET_UNREADABLE",
                f"The workbook has {len(sheets)} sheets, hidden ones included; name the one with "
                "the records as sheet of its layout in framings.csv.",
            )
        if name and name not in sheets:
            raise SheetError("SHEET_UNREADABLE", f"The workbook has no sheet '{name}'.")
        targets = {
            item.get("Id"): item.get("Target", "")
            for item in self._each("xl/_rels/workbook.xml.rels", ("Relationship",), _MOST_STYLES)
        }
        target = targets[sheets[name] if name else next(iter(sheets.values()))]
        return target.lstrip("/") if target.startswith("/") else f"xl/{target}", is_from_1904

    def _shared_texts(self) -> Iterator[str]:
        if "xl/sharedStrings.xml" in self._archive.namelist():
            for element in self._each("xl/sharedStrings.xml", ("si",), _MOST_TEXTS):
                yield _text_of(element)

    def _each(self, part: str, wanted: tuple[str, ...], most: int) -> Iterator[ElementTree.Element]:
        """Yield the elements of a part one by one; those that have been seen are forgotten.

        Raises:
            SheetError: there are more than `most` of them, or one is larger than any needs to be.
        """
        with self._archive.open(part) as stream:
            _check_beginning(stream)
        around: list[ElementTree.Element] = []
        kept_count = found_count = 0
        with self._archive.open(part) as stream:
            for event, element in _events(stream):
                is_wanted = _tag(element) in wanted
                if event == "start":
                    around.append(element)
                    kept_count += bool(kept_count) or is_wanted
                    if kept_count > _MOST_PARTS or len(around) > _MOST_DEPTH:
                        raise _unreadable("An element of it has more parts than any needs.")
                    continue
                around.pop()
                if is_wanted:
                    found_count += 1
                    if found_count > most:
                        raise _unreadable(f"It has more than {most} elements of a kind.")
                    yield element
                    kept_count = 0
                if around and not kept_count:
                    around[-1].clear()

    def _formats(self) -> Iterator[str]:
        """Yield the number format of each style of cells; one that is too long is `General`."""
        if "xl/styles.xml" not in self._archive.namelist():
            return
        known = dict(BUILT_IN)
        styles: list[int] = []
        for element in self._each("xl/styles.xml", ("numFmt", "cellXfs"), _MOST_STYLES):
            if _tag(element) == "cellXfs":
                styles += [int(style.get("numFmtId", "0")) for style in element]
            else:
                code = element.get("formatCode", "General")
                is_short = len(code) <= _MOST_OF_FORMAT
                known[int(element.get("numFmtId", "0"))] = code if is_short else "General"
        for style in styles:
            yield known.get(style, "General")

    def _check_cells(self) -> None:
        """Raise where cells are merged, stand nowhere, or hold what nobody can tell."""
        row = shown_count = 0
        for element in self._each(self._part, ("row", "mergeCell"), 2 * _MOST_ROWS):
            if _tag(element) == "mergeCell":
                raise SheetError(
                    "SHEET_UNREADABLE",
                    f"Its cells {element.get('ref')} are merged, so nobody can tell to which "
                    "record they belong; ask for a sheet without merged cells.",
                )
            before, row = row, int(element.get("r") or row + 1)
            if not before < row <= _MOST_ROWS:
                raise _unreadable(f"Its row {row} stands behind row {before}.")
            column = -1
            for cell in element:
                left, column = column, _column(cell.get("r"), column + 1)
                if not left < column < _MOST_COLUMNS:
                    raise _unreadable(f"A cell of its row {row} stands where no cell can be.")
                parts = {_tag(child): child.text for child in cell}
                if "f" in parts and not parts.get("v") and cell.get("t") != "str":
                    raise SheetError(
                        "SHEET_UNREADABLE",
                        f"Cell {cell.get('r')} holds a formula without its value; open the "
                        "workbook, save it and deliver it again, or ask for values.",
                    )
                shown_count += len(self._text(cell))
            if shown_count > _MOST_SHOWN:
                raise _unreadable(f"Its cells show more than {_MOST_SHOWN} characters.")

    def rows(self) -> Iterator[tuple[int, dict[int, str]]]:
        """Yield the rows with anything in them: their number, and their texts by column from 0."""
        number = 0
        for element in self._each(self._part, ("row",), _MOST_ROWS):
            number = int(element.get("r") or number + 1)
            column = -1
            texts: dict[int, str] = {}
            for cell in element:
                column = _column(cell.get("r"), column + 1)
                text = self._text(cell)
                if text:
                    texts[column] = text
            if texts:
                yield number, texts

    def formulas(self) -> Iterator[tuple[int, int]]:
        """Yield the row, from 1, and the column, from 0, of each cell that holds a formula."""
        number = 0
        for element in self._each(self._part, ("row",), _MOST_ROWS):
            number = int(element.get("r") or number + 1)
            column = -1
            for cell in element:
                column = _column(cell.get("r"), column + 1)
                if any(_tag(part) == "f" for part in cell):
                    yield number, column

    def _text(self, cell: ElementTree.Element) -> str:
        """Return the text of a cell as it is shown."""
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            return "".join(_text_of(part) for part in cell if _tag(part) == "is")
        value = next((part.text or "" for part in cell if _tag(part) == "v"), "")
        if kind == "s":
            return self._texts[_place(value)] if value else ""
        if kind == "b":
            return {"1": "TRUE", "0": "FALSE"}.get(value, value)
        if kind != "n" or not value:
            return _unescaped(value)
        style = _place(cell.get("s", "0"))
        known = self._styles.formats
        number_format = known[style] if style < len(known) else "General"
        return shown(value, number_format, is_from_1904=self._styles.is_from_1904)


def _unreadable(message: str) -> SheetError:
    return SheetError("WORKBOOK_UNREADABLE", message)


def _place(text: str) -> int:
    """Read a place in a list, from 0.

    Raises:
        ValueError: it is no place.
    """
    place = int(text)
    if place < 0:
        raise ValueError("a place before the first")
    return place


def _check_beginning(stream: IO[bytes]) -> None:
    """Raise where a part declares entities, which it can before its first element alone."""
    begun: list[str] = []

    def declares(*_: object) -> None:
        if not begun:
            raise _unreadable("It declares XML entities, which no workbook needs.")

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = declares
    parser.StartElementHandler = lambda name, _: begun.append(name)
    while not begun and (chunk := stream.read(_CHUNK_BYTES)):
        parser.Parse(chunk)


def _events(stream: IO[bytes]) -> Iterator[_Event]:
    """Yield where elements start and end, as the part is read."""
    parser = ElementTree.XMLPullParser(("start", "end"))
    silent_count = 0
    while chunk := stream.read(_CHUNK_BYTES):
        parser.feed(chunk)
        silent_count += len(chunk)
        for found in parser.read_events():
            silent_count = 0
            yield cast(_Event, found)
        if silent_count > _MOST_SILENT_BYTES:
            raise _unreadable(f"A text or tag of it has more than {_MOST_SILENT_BYTES} bytes.")
    parser.close()
    yield from (cast(_Event, found) for found in parser.read_events())


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _text_of(element: ElementTree.Element) -> str:
    """Join the texts of an element; how it is pronounced is none of them."""
    parts = []
    for child in element:
        if _tag(child) == "t":
            parts.append(child.text or "")
        elif _tag(child) == "r":
            parts += [part.text or "" for part in child if _tag(part) == "t"]
    return _unescaped("".join(parts))


def _unescaped(text: str) -> str:
    if "_x" not in text:
        return text
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


@cache
def _column_of(letters: str) -> int:
    if len(letters) > 3:
        return _MOST_COLUMNS
    place = 0
    for letter in letters:
        place = place * 26 + ord(letter) - ord("A") + 1
    return place - 1


def _column(reference: str | None, following: int) -> int:
    """Return the column of a cell from 0: `B7` is 1; without a reference it is the next one."""
    found = _LETTERS.match(reference or "")
    return _column_of(found[0]) if found else following
