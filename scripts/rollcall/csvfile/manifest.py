"""Manifests: small files that say of a delivery what it holds, one property a line."""

import codecs
import io
from typing import BinaryIO

from rollcall.csvfile.framing import Framer, leading_fields

VERSION_PROPERTY = "oneroster.version"
_MOST_BYTES = 1 << 20


def read_properties(stream: BinaryIO) -> dict[str, str]:
    """Read a manifest: property -> value.

    Raises:
        HeaderError: its first line cannot be read.
    """
    text = stream.read(_MOST_BYTES).removeprefix(codecs.BOM_UTF8)
    delimiter = Framer(io.BytesIO(text)).header.delimiter
    properties = {}
    for line in text.splitlines():
        fields = leading_fields(line, "utf-8", delimiter, most=2)
        if len(fields) == 2:
            name, value = (field.strip() for field in fields)
            is_version = name.lower() == VERSION_PROPERTY
            properties[VERSION_PROPERTY if is_version else name] = value
    return properties
