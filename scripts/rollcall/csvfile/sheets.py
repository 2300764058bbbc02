"""Sheets: the cells of a workbook (`.xlsx`) as a person who opens it sees them.

A workbook is a zip of XML files: the sheets, the texts that cells share, and the formats of
numbers. What a cell holds is read as it stands there, digit by digit; `shown.py` writes numbers by
their format. Only stored values count: nothing is computed.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import BinaryIO
from xml.etree import ElementTree

from rollcall.csvfile.shown import BUILT_IN, shown

MOST_UNPACKED_BYTES = 512 << 20
"""How much the files of a workbook may take together once they are unpacked."""
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT_RELATION = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_LETTERS = re.compile("[A-Z]+")
_DECLARES = b"<!DOCTYPE"
_BEGINNING_BYTES = 4096
_UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, ElementTree.ParseError, EOFError),
    *(KeyError, IndexError, ValueError, NotImplementedError, RuntimeError),
)
_TRUE = ("1", "true")


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
        infos = self._archive.infolist()
        if sum(info.file_size for info in infos) > MOST_UNPACKED_BYTES:
            raise SheetError(
                "WORKBOOK_UNREADABLE",
                f"It would unpack to more than {MOST_UNPACKED_BYTES} bytes.",
            )
        for info in infos:
            with self._archive.open(info) as part:
                if _DECLARES in part.read(_BEGINNING_BYTES):
                    raise SheetError(
                        "WORKBOOK_UNREADABLE", "It declares XML entities, which no workbook needs."
                    )

    def _find(self, name: str) -> tuple[str, bool]:
        """Return the file of the sheet, and whether days count from 1904."""
        book = _root(self._archive, "xl/workbook.xml")
        sheets = {
            sheet.get("name", ""): sheet.get(_RELATION) or sheet.get(_STRICT_RELATION)
            for sheet in _all(book, "sheet")
        }
        if not name and len(sheets) != 1:
            raise SheetError(
                "SHEET_UNREADABLE",
                f"The workbook has {len(sheets)} sheets, hidden ones included; name the one with "
                "the records as sheet of its layout in framings.csv.",
            )
        if name and name not in sheets:
            raise SheetError("SHEET_UNREADABLE", f"The workbook has no sheet '{name}'.")
        relation = sheets[name] if name else next(iter(sheets.values()))
        targets = {
            item.get("Id"): item.get("Target", "")
            for item in _root(self._archive, "xl/_rels/workbook.xml.rels")
        }
        target = targets[relation]
        part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        properties = next(_all(book, "workbookPr"), None)
        return part, properties is not None and properties.get("date1904") in _TRUE

    def _shared_texts(self) -> Iterator[str]:
        if "xl/sharedStrings.xml" in self._archive.namelist():
            for element in self._each("xl/sharedStrings.xml", "sst", ("si",)):
                yield _text_of(element)

    def _each(
        self, part: str, parent: str, wanted: tuple[str, ...]
    ) -> Iterator[ElementTree.Element]:
        """Yield the elements of a part one by one; a parent forgets those that have been seen."""
        around: ElementTree.Element | None = None
        with self._archive.open(part) as stream:
            for event, element in ElementTree.iterparse(stream, ("start", "end")):  # noqa: S314
                tag = _tag(element)
                if event == "start":
                    around = element if tag == parent else around
                elif tag in wanted:
                    yield element
                    if around is not None:
                        around.clear()

    def _formats(self) -> Iterator[str]:
        """Yield the number format of each style of cells."""
        if "xl/styles.xml" not in self._archive.namelist():
            return
        styles = _root(self._archive, "xl/styles.xml")
        known: Mapping[int, str] = BUILT_IN | {
            int(item.get("numFmtId", "0")): item.get("formatCode", "General")
            for item in _all(styles, "numFmt")
        }
        for cells in _all(styles, "cellXfs"):
            for style in cells:
                yield known.get(int(style.get("numFmtId", "0")), "General")

    def _check_cells(self) -> None:
        """Raise where cells are merged, or hold a formula that nobody has computed."""
        for element in self._each(self._part, "sheetData", ("row", "mergeCell")):
            if _tag(element) == "mergeCell":
                raise SheetError(
                    "SHEET_UNREADABLE",
                    f"Its cells {element.get('ref')} are merged, so nobody can tell to which "
                    "record they belong; ask for a sheet without merged cells.",
                )
            for cell in element:
                parts = {_tag(child): child.text for child in cell}
                if "f" in parts and not parts.get("v") and cell.get("t") != "str":
                    raise SheetError(
                        "SHEET_UNREADABLE",
                        f"Cell {cell.get('r')} holds a formula without its value; open the "
                        "workbook, save it and deliver it again, or ask for values.",
                    )

    def rows(self) -> Iterator[tuple[int, dict[int, str]]]:
        """Yield the rows with anything in them: their number, and their texts by column from 0."""
        number = 0
        for element in self._each(self._part, "sheetData", ("row",)):
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

    def _text(self, cell: ElementTree.Element) -> str:
        """Return the text of a cell as it is shown."""
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            return "".join(_text_of(part) for part in cell if _tag(part) == "is")
        value = next((part.text or "" for part in cell if _tag(part) == "v"), "")
        if kind == "s":
            return self._texts[int(value)] if value else ""
        if kind == "b":
            return {"1": "TRUE", "0": "FALSE"}.get(value, value)
        if kind != "n" or not value:
            return _unescaped(value)
        style = int(cell.get("s", "0"))
        known = self._styles.formats
        number_format = known[style] if style < len(known) else "General"
        return shown(value, number_format, is_from_1904=self._styles.is_from_1904)


def _root(archive: zipfile.ZipFile, name: str) -> ElementTree.Element:
    with archive.open(name) as part:
        return ElementTree.parse(part).getroot()  # noqa: S314 - declares no entities


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _all(root: ElementTree.Element, tag: str) -> Iterator[ElementTree.Element]:
    return (element for element in root.iter() if _tag(element) == tag)


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
    place = 0
    for letter in letters:
        place = place * 26 + ord(letter) - ord("A") + 1
    return place - 1


def _column(reference: str | None, following: int) -> int:
    """Return the column of a cell from 0: `B7` is 1; without a reference it is the next one."""
    found = _LETTERS.match(reference or "")
    return _column_of(found[0]) if found else following
