"""The rules of framing again, one byte after the other: slow, plain, and written apart.

It reads a whole file held in memory and says what every record is. Nothing of the product is used.
"""

from dataclasses import dataclass

BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class OracleRecord:
    """One record: where it stands, its fields (None for a blank), or what is wrong with it."""

    number: int
    line: int
    offset: int
    length: int
    code: str | None
    fields: tuple[str | None, ...]


def read(content: bytes, encoding: str, width: int, max_bytes: int) -> list[OracleRecord]:
    """Read the records behind the header, which is taken to be well-formed.

    A Ctrl-Z as the last byte of the file is the mark of its end, and part of no record.
    """
    content = content.removesuffix(b"\x1a")
    position = len(BOM) if content.startswith(BOM) else 0
    start = position
    _, _, stop = read_record(content, position, len(content))
    _, position = line_end(content, stop)
    line, number = 1 + count_line_ends(content[start:position]), 0
    records = []
    while position < len(content):
        end, following = line_end(content, position)
        if end == position:
            position, line = following, line + 1
            continue
        number += 1
        code, fields, stop = read_record(content, position, max_bytes)
        if code is None:
            end, following = line_end(content, stop)
            if len(fields) != width:
                extra = fields[width:]
                code = "TOO_FEW_FIELDS" if len(fields) < width else "TOO_MANY_FIELDS"
                if extra and not any((part or b"").strip(b' \t,"') for part in extra):
                    code = "EXTRA_BLANK_FIELD"
        texts: tuple[str | None, ...] = ()
        if code is None:
            try:
                content[position:end].decode(encoding)
                texts = tuple(None if part is None else part.decode(encoding) for part in fields)
            except UnicodeDecodeError:
                code = "BAD_BYTES"
        records.append(OracleRecord(number, line, position, end - position, code, texts))
        line += count_line_ends(content[position:following])
        position = following
    return records


def line_end(content: bytes, position: int) -> tuple[int, int]:
    """Return where the line's content ends and where the next line starts."""
    for place in range(position, len(content)):
        if content[place : place + 2] == b"\r\n":
            return place, place + 2
        if content[place : place + 1] in (b"\r", b"\n"):
            return place, place + 1
    return len(content), len(content)


def count_line_ends(text: bytes) -> int:
    """Count LF, CRLF and CR, each as one."""
    return len(text.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")) - 1


def read_record(
    content: bytes, start: int, max_bytes: int
) -> tuple[str | None, list[bytes | None], int]:
    """Read one record: what is wrong with it, its fields, and where its last line can be found."""
    first_end, _ = line_end(content, start)
    if first_end - start > max_bytes:
        return "RECORD_TOO_LONG", [], start
    fields: list[bytes | None] = []
    field = bytearray()
    state = "start"
    place = start
    while True:
        char = content[place : place + 1]
        at_end = char in (b"", b"\r", b"\n")
        if state == "inside":
            if char == b"":
                return "UNCLOSED_QUOTE", [], start
            if char == b'"':
                if quote_line_end(content, place) - start > max_bytes:
                    return "UNCLOSED_QUOTE", [], start
                if content[place + 1 : place + 2] == b'"':
                    field += b'"'
                    place += 1
                else:
                    state = "after"
            else:
                field += char
        elif at_end:
            fields.append(None if state == "start" else bytes(field))
            return None, fields, place
        elif char == b",":
            fields.append(None if state == "start" else bytes(field))
            field, state = bytearray(), "start"
        elif state == "after":
            return "TEXT_AFTER_QUOTE", [], start
        elif char == b'"':
            if state == "plain":
                return "STRAY_QUOTE", [], start
            state = "inside"
        else:
            state = "plain"
            field += char
        place += 1


def quote_line_end(content: bytes, place: int) -> int:
    """Return where the line ends on which a quote stands."""
    return line_end(content, place)[0]
