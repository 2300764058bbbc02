"""Texts from exports made harmless: whatever they hold, people see it as text."""

import re

from rollcall.ledger.sql import literal

_UNSEEN = (
    (0x0000, 0x001F),  # control characters, the escape of terminals among them
    (0x007F, 0x009F),
    (0x061C, 0x061C),  # marks that turn the direction of reading
    (0x200B, 0x200B),
    (0x200E, 0x200F),
    (0x2028, 0x202E),
    (0x2060, 0x2069),
    (0xFEFF, 0xFEFF),
    (0xE0000, 0xE007F),  # tags
)
_LONGEST_SHAPE = 30
_SEEN_INSTEAD = "\N{REPLACEMENT CHARACTER}"
_UNSEEN_PATTERN = re.compile(f"[{''.join(f'{chr(a)}-{chr(b)}' for a, b in _UNSEEN)}]")
_UNSEEN_SQL = "[" + "".join(rf"\x{{{a:04X}}}-\x{{{b:04X}}}" for a, b in _UNSEEN) + "]"
_FORMULA = r"(\A|[;\t\r\n])([\s\"']*)(=|\+|-|@|＋|－|＝|＠)"  # noqa: RUF001 - wide ones count
"""Where a spreadsheet, by whatever separator, would begin a formula; Python and DuckDB read it."""
_FORMULA_BYTES = re.compile(_FORMULA.encode())

_OF_DATABASE = re.compile(r"\b([A-Z][A-Za-z]*(?: (?:[a-z]+|[A-Z][a-z]*))*) Error: ")
_OF_CODE = frozenset(
    {"Binder", "Catalog", "Connection", "IO", "Out of Memory", "Parser"}
    | {"Permission", "Syntax", "TransactionContext"}
)
_QUOTED = re.compile(r"""(["']).*\1""", re.DOTALL)
_WITH_DIGITS = re.compile(r"(?<![^\s(])(?!U?INT\d+\W?(?!\S))[^\s(]*\d\S*")


def plain(text: str) -> str:
    """Replace what cannot be seen, or changes how the rest is seen, by a sign that can be seen."""
    return _UNSEEN_PATTERN.sub(_SEEN_INSTEAD, text)


def plain_sql(column: str) -> str:
    """Write `plain` as SQL, with an apostrophe before what a spreadsheet takes for a formula."""
    text = f"regexp_replace(cast({column} as varchar), '{_UNSEEN_SQL}', '{_SEEN_INSTEAD}', 'g')"
    return f"regexp_replace({text}, {literal(_FORMULA)}, '\\1\\2''\\3', 'g')"


def guarded(record: bytes) -> tuple[bytes, bool]:
    """Put an apostrophe before what a spreadsheet takes for a formula; say whether any was."""
    safe, count = _FORMULA_BYTES.subn(rb"\1\2'\3", record)
    return safe, count > 0


def shape(text: str) -> str:
    """Write how a text is written without what it says: `A` and `a` for letters, 9 for digits."""
    signs = (
        "9"
        if letter.isdecimal()
        else ("A" if letter.isupper() else "a")
        if letter.isalpha()
        else letter
        if letter.isascii() and letter.isprintable()
        else _SEEN_INSTEAD
        for letter in text[:_LONGEST_SHAPE]
    )
    return "".join(signs) + ("..." if len(text) > _LONGEST_SHAPE else "")


def without_values(text: str) -> str:
    """Leave out of an error of the database what it quotes of the data: texts and numbers.

    Errors of code, such as a column that is not there, and what is no error of the database stay
    whole.
    """
    found = _OF_DATABASE.search(text)
    if found is None or found[1] in _OF_CODE:
        return text
    [said, *_] = _QUOTED.sub("'...'", text[found.end() :]).splitlines() or [""]
    return text[: found.end()] + _WITH_DIGITS.sub("...", said)


def readable_name(name: str) -> str:
    """Write a file's name so that any program can store and show it; odd characters as escapes."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )
