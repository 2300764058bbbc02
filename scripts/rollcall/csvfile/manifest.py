"""Manifests: small files that say of a delivery what it holds, one property a line."""

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
    text = stream.read(_MOST_BYTES)
    delimiter = Framer(io.BytesIO(text)).header.delimiter
    properties = {}
    for line in text.splitlines():
        name, *rest = leading_fields(line, "utf-8", delimiter)
        if rest:
            is_version = name.strip().lower() == VERSION_PROPERTY
            properties[VERSION_PROPERTY if is_version else name.strip()] = rest[0].strip()
    return properties
