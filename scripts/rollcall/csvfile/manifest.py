"""Manifests: small files that say of a delivery what it holds, one property a line."""

import codecs
import io
from typing import BinaryIO

from rollcall.csvfile.framing import Framer, leading_fields

VERSION_PROPERTY = "oneroster.version"
_COLUMNS = ("propertyname", "value")
_MOST_BYTES = 1 << 20


def read_properties(stream: BinaryIO) -> dict[str, str]:
    """Read a manifest: property -> value, or `value and value` where it says two.

    Raises:
        HeaderError: its first line cannot be read.
    """
    text = stream.read(_MOST_BYTES).removeprefix(codecs.BOM_UTF8)
    delimiter = Framer(io.BytesIO(text)).header.delimiter
    lines = text.splitlines()
    header = [name.strip().lower() for name in leading_fields(lines[0], "utf-8", delimiter)]
    places = [
        header.index(name) if name in header else place for place, name in enumerate(_COLUMNS)
    ]
    properties: dict[str, str] = {}
    for line in lines:
        fields = leading_fields(line, "utf-8", delimiter, most=max(places) + 1)
        if len(fields) > max(places):
            name, value = (fields[place].strip() for place in places)
            is_version = name.lower() == VERSION_PROPERTY
            said = properties.get(name, value)
            is_other = said.lower() != value.lower() and not is_version
            properties[VERSION_PROPERTY if is_version else name] = (
                f"{said} and {value}" if is_other else value
            )
    return properties
