"""Opening: a file as what cuts it into records, by what its layout declares."""

from typing import BinaryIO

from rollcall.csvfile.fixed import FixedFramer
from rollcall.csvfile.form import Form
from rollcall.csvfile.framing import MAX_RECORD_BYTES, Framer
from rollcall.csvfile.grid import GridFramer
from rollcall.csvfile.jsonl import JsonFramer
from rollcall.csvfile.workbook import WorkbookFramer

FRAMERS: dict[str, type[Framer]] = {
    "csv": Framer,
    "fixed": FixedFramer,
    "grid": GridFramer,
    "jsonl": JsonFramer,
    "xlsx": WorkbookFramer,
}


def open_records(
    stream: BinaryIO,
    encoding: str,
    form: Form | None = None,
    max_record_bytes: int = MAX_RECORD_BYTES,
    block_bytes: int | None = None,
) -> Framer:
    """Open a file to be read record by record.

    Args:
        stream: its bytes, from their beginning.
        encoding: one of SUPPORTED_ENCODINGS.
        form: what its layout declares, if anything.
        max_record_bytes: a longer record is malformed.
        block_bytes: how much is framed at once, where that matters.

    Raises:
        HeaderError: it cannot be read as what it should be.
    """
    framer = FRAMERS[form.kind if form else "csv"]
    size = {} if block_bytes is None else {"block_bytes": block_bytes}
    return framer(stream, encoding, max_record_bytes=max_record_bytes, form=form, **size)
