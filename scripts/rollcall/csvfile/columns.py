"""Columns: a frame's fields as Arrow columns that point into its bytes.

Fields become `string_view` values: a length, then the text itself when it has at most 12 bytes,
else its first 4 bytes and where it stands in a buffer. The buffer is the block as delivered, so
nothing is copied or parsed a second time. The layout is that of the Arrow columnar format.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rollcall.csvfile.framing import (
    PADDING,
    Frame,
    Framer,
    MalformedRecords,
    StructuralRecords,
    TextFrame,
)
from rollcall.csvfile.records import Positions

_QUOTE = 34
_NONE: Positions = np.empty(0, np.int64)
_INLINE_BYTES = 12
_PREFIX_BYTES = 4
_LOW_MASKS = np.array([(1 << (8 * n)) - 1 for n in range(_PREFIX_BYTES + 1)], np.uint64)
_HIGH_MASKS = np.array([(1 << (8 * n)) - 1 for n in range(9)], np.uint64)

_Fields = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.bool_]]


def record_batches(
    framer: Framer,
    malformed: list[MalformedRecords],
    most_malformed: int | None = None,
    structural: list[StructuralRecords] | None = None,
) -> pa.RecordBatchReader:
    """Return the well-formed records of a file as a stream of batches.

    Columns: `record_number`, `line_number`, `byte_offset` (int64), then `c0`, `c1`, ... one for
    each column of the header, text or null. A blank field is null; a quoted blank is empty text.
    Malformed records are appended to `malformed` on the way, those that are passed over to
    `structural`. Once there are more than `most_malformed` of either, the rest of the file is only
    counted.
    """
    schema = _schema(len(framer.header.names))
    passed_over: list[StructuralRecords] = [] if structural is None else structural
    batches = _batches(framer, malformed, passed_over, schema, most_malformed)
    return pa.RecordBatchReader.from_batches(schema, batches)


def _schema(width: int) -> pa.Schema:
    numbers = [(name, pa.int64()) for name in ("record_number", "line_number", "byte_offset")]
    return pa.schema([*numbers, *((f"c{place}", pa.string_view()) for place in range(width))])


def _batches(
    framer: Framer,
    malformed: list[MalformedRecords],
    structural: list[StructuralRecords],
    schema: pa.Schema,
    most_malformed: int | None,
) -> Iterator[pa.RecordBatch]:
    for frame in framer:
        aside = max(framer.malformed_count, framer.structural_count)
        if most_malformed is not None and aside > most_malformed:
            continue
        if len(frame.malformed):
            malformed.append(frame.malformed)
        if len(frame.structural):
            structural.append(frame.structural)
        if len(frame.record_number):
            yield to_batch(frame, schema)


def to_batch(frame: Frame | TextFrame, schema: pa.Schema) -> pa.RecordBatch:
    """Turn one frame into a batch of that schema."""
    if isinstance(frame, TextFrame):
        numbers = (frame.record_number, frame.line_number, frame.byte_offset)
        texts = [pa.array(column, pa.string_view()) for column in frame.columns]
        return pa.record_batch([*map(_numbers, numbers), *texts], schema=schema)
    words = _words(frame.data)
    octets = np.frombuffer(frame.data, np.uint8)
    block = pa.py_buffer(frame.data)
    columns = [
        _numbers(values) for values in (frame.record_number, frame.line_number, frame.byte_offset)
    ]
    fields = [_content(octets, frame, place) for place in range(len(frame.bounds) - 1)]
    doubled = _doubled_quotes(octets, fields) if frame.has_quotes else _NONE
    for starts, ends, is_null in fields:
        buffers = [block]
        views = _views(words, starts, ends)
        if len(doubled):
            unescaped = _unescape(frame.data, views, doubled, starts, ends)
            if unescaped:
                buffers.append(pa.py_buffer(unescaped))
        columns.append(_string_views(views, is_null, buffers))
    return pa.record_batch(columns, schema=schema)


def _numbers(values: Positions) -> pa.Array:
    """Wrap numbers without a copy; `pa.array` would load pandas to see whether they are its own."""
    block = pa.py_buffer(np.ascontiguousarray(values, np.int64))
    return pa.Int64Array.from_buffers(pa.int64(), len(values), [None, block])


def _content(octets: NDArray[np.uint8], frame: Frame, place: int) -> _Fields:
    """Return where the content of a column's fields starts and ends, and which are blank.

    Quotes around a field are not content; a field of two quotes is empty, not blank.
    """
    starts, ends = frame.bounds[place] + frame.gap, frame.bounds[place + 1]
    is_null = starts == ends
    if frame.has_quotes:
        is_quoted = octets[starts] == _QUOTE
        starts = starts + is_quoted
        ends = ends - is_quoted
    return starts, ends, is_null


def _doubled_quotes(octets: NDArray[np.uint8], fields: list[_Fields]) -> Positions:
    """Find pairs of quotes, unless all of them are fields without content."""
    pairs = np.flatnonzero((octets[:-1] == _QUOTE) & (octets[1:] == _QUOTE))
    if not len(pairs):
        return pairs
    empty_count = sum(
        int(np.count_nonzero((starts == ends) & ~is_null)) for starts, ends, is_null in fields
    )
    return _NONE if empty_count == len(pairs) else pairs


def _unescape(
    data: bytes,
    views: NDArray[np.uint64],
    doubled: Positions,
    starts: NDArray[np.int32],
    ends: NDArray[np.int32],
) -> bytes:
    """Point the views of fields with doubled quotes to texts without the doubling."""
    following = np.append(doubled, len(data))[np.searchsorted(doubled, starts)]
    rows = np.flatnonzero(following < ends)
    if not len(rows):
        return b""
    texts = [
        data[start:end].replace(b'""', b'"')
        for start, end in zip(starts[rows].tolist(), ends[rows].tolist(), strict=True)
    ]
    text_ends = np.cumsum([len(text) for text in texts])
    text_starts = text_ends - [len(text) for text in texts]
    unescaped = b"".join(texts) + b"\0" * PADDING
    views[rows] = _views(_words(unescaped), text_starts, text_ends, buffer=1)
    return unescaped


def _words(data: bytes) -> NDArray[np.uint64]:
    """View the 8 bytes that start at every position of the data as one little-endian number."""
    return np.ndarray((len(data) - 7,), "<u8", buffer=data, strides=(1,))


def _views(
    words: NDArray[np.uint64],
    starts: NDArray[np.integer[Any]],
    ends: NDArray[np.integer[Any]],
    buffer: int = 0,
) -> NDArray[np.uint64]:
    """Build string views: uint64 [n, 2] - length and first 4 bytes, then 8 bytes or a pointer."""
    lengths = ends - starts
    views = np.empty((len(starts), 2), np.uint64)
    prefix = words[starts] & _LOW_MASKS[np.minimum(lengths, _PREFIX_BYTES)]
    views[:, 0] = lengths.astype(np.uint64) | (prefix << np.uint64(32))
    tails = np.clip(lengths - _PREFIX_BYTES, 0, 8)
    is_long = lengths > _INLINE_BYTES
    views[:, 1] = words[np.where(tails > 0, starts + _PREFIX_BYTES, 0)] & _HIGH_MASKS[tails]
    if is_long.any():
        pointers = np.uint64(buffer) | (starts[is_long].astype(np.uint64) << np.uint64(32))
        views[is_long, 1] = pointers
    return views


def _string_views(
    views: NDArray[np.uint64], is_null: NDArray[np.bool_], buffers: list[pa.Buffer]
) -> pa.Array:
    null_count = int(np.count_nonzero(is_null))
    validity = None
    if null_count:
        validity = pa.py_buffer(np.packbits(~is_null, bitorder="little"))
    return pa.Array.from_buffers(
        pa.string_view(),
        len(views),
        [validity, pa.py_buffer(views), *buffers],
        null_count=null_count,
    )
