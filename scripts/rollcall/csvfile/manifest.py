"""Manifests: small files that say of a delivery what it holds, one property a line."""

import codecs
import io
from typing import BinaryIO

from rollcall.csvfile.blanks import trimmed
from rollcall.csvfile.framing import Framer, leading_fields

VERSION_PROPERTY = "oneroster.version"
_COLUMNS = ("propertyname", "value")
_MOST_BYTES = 1 << 20


def read_properties(stream: BinaryIO) -> list[tuple[str, str]]:
    """Read a manifest: (property, value) line by line; a property may stand there twice.

    Raises:
        HeaderError: its first line cannot be read.
    """
    text = stream.read(_MOST_BYTES).removeprefix(codecs.BOM_UTF8)
    header = Framer(io.BytesIO(text)).header
    names = [name.lower() for name in header.names]
    places = [names.index(name) if name in names else place for place, name in enumerate(_COLUMNS)]
    most = max(places) + 1
    properties = []
    for line in text.splitlines():
        fields = leading_fields(line, "utf-8", header.delimiter, most=most)
        if len(fields) == most:
            name, value = (trimmed(fields[place]) for place in places)
            is_version = name.lower() == VERSION_PROPERTY
            properties.append((VERSION_PROPERTY if is_version else name, value))
    return properties
