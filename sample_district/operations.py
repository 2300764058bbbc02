"""What a row of `faults.csv` can do: a closed set of operations, by name.

An edit changes a file: it takes the file, the chosen records (the header and all records where none
are chosen), and the row's `column` and `value`, and returns the records that it leaves. A resending
changes a delivery: it returns what is sent instead, the last of which the next rows change.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from sample_district.deliveries import Delivery, manifest_of
from sample_district.district import instant_of
from sample_district.sheets import Record, Sheet

Records = list[Record]


def note(sheet: Sheet, chosen: Records, column: str, value: bytes) -> Records:
    """Change nothing: the row keeps records, or enters what other rows do as a fault."""
    return chosen


def set_value(sheet: Sheet, chosen: Records, column: str, value: bytes) -> Records:
    """Set `column` to `value`, as it is, without quoting."""
    for record in chosen:
        sheet.set(record, column, value)
    return chosen


def substitute(sheet: Sheet, chosen: Records, column: str, value: bytes) -> Records:
    """Replace by `value`, `PATTERN -> REPLACEMENT`, in `column` or, if blank, in the whole line."""
    pattern, _, replacement = value.partition(b" ->")
    total = 0
    for record in chosen:
        text = sheet.get(record, column) if column else record.data
        text, count = re.subn(pattern, replacement.removeprefix(b" "), text)
        total += count
        if column:
            sheet.set(record, column, text)
        else:
            record.data = text
    if not total:
        raise ValueError("the pattern matches nothing")
    return chosen


def add_field(sheet: Sheet, chosen: Records, column: str, value: bytes) -> Records:
    """Add a field `value` at the end."""
    for record in chosen:
        record.write([*record.fields, value])
    return chosen


def drop_fields(sheet: Sheet, chosen: Records, column: str, value: bytes) -> Records:
    """Drop the last `value` fields."""
    for record in chosen:
        record.write(record.fields[: -int(value)])
    return chosen


def drop_records(sheet: Sheet, chosen: Records, column: str, value: bytes) -> Records:
    """Take the records out of the file."""
    dropped = {id(record) for record in chosen}
    sheet.records = [record for record in sheet.records if id(record) not in dropped]
    return chosen


def duplicate_record(sheet: Sheet, chosen: Records, column: str, value: bytes) -> Records:
    """Put each record once more after itself; returns the twins."""
    twins = []
    for record in chosen:
        twins.append(Record(record.data, is_touched=True))
        sheet.records.insert(sheet.records.index(record) + 1, twins[-1])
    return twins


def append_records(sheet: Sheet, chosen: Records, column: str, value: bytes) -> Records:
    """Put kept records at the end."""
    added = [Record(record.data, is_touched=True) for record in chosen]
    sheet.records += added
    return added


def append_missing(sheet: Sheet, chosen: Records, column: str, value: bytes) -> Records:
    """Put kept records at the end whose keys the file does not hold; of one key, the last."""
    present = {record.key for record in sheet.records}
    newest = {record.key: record for record in chosen if record.key not in present}
    return append_records(sheet, list(newest.values()), column, value)


def append_text(sheet: Sheet, chosen: Records, column: str, value: bytes) -> Records:
    """Put the line `value` at the end."""
    return append_records(sheet, [Record(value + b"\n")], column, value)


def insert_text(sheet: Sheet, chosen: Records, column: str, value: bytes) -> Records:
    """Put `value` before everything else in the file."""
    sheet.header.data = value + sheet.header.data
    return chosen


def replace_file(sheet: Sheet, chosen: Records, column: str, value: bytes) -> Records:
    """Put `value` in place of the whole file."""
    sheet.header.data, sheet.records = value, []
    return []


def rename_column(sheet: Sheet, chosen: Records, column: str, value: bytes) -> Records:
    """Call `column` in the header as `value` says."""
    sheet.set(sheet.header, column, value)
    sheet.columns = [value.decode() if name == column else name for name in sheet.columns]
    return chosen


def move_column(sheet: Sheet, chosen: Records, column: str, value: bytes) -> Records:
    """Put `column` before the column `value`, in every record."""
    places = [place for place in range(len(sheet.columns)) if place != sheet.place(column)]
    places.insert(places.index(sheet.place(value.decode())), sheet.place(column))
    for record in chosen:
        fields = record.fields
        record.write(fields[place] for place in places)
    sheet.columns = [sheet.columns[place] for place in places]
    return chosen


def truncate(delivery: Delivery, file: str, value: str) -> list[Delivery]:
    """Send the first `value` percent of a zip's bytes."""
    return [replace(delivery, kept_percent=int(value))]


def deliver_on(delivery: Delivery, file: str, value: str) -> list[Delivery]:
    """Put the delivery into the inboxes of the nights `value`, not of its own."""
    return [replace(delivery, arrivals=tuple(int(night) for night in value.split()))]


def send_apart(delivery: Delivery, file: str, value: str) -> list[Delivery]:
    """Send the file alone, not within the delivery."""
    apart = replace(delivery, container="csv", files={file: delivery.files.pop(file)})
    _announce(delivery)
    return [delivery, apart]


def send_copy(delivery: Delivery, file: str, value: str) -> list[Delivery]:
    """Send a copy of the file besides, as what was exported on the night `value`."""
    content = b"".join(delivery.files[file])
    delivery.files[file] = [content]
    files: dict[str, Iterable[bytes]] = {"manifest.csv": [], file: [content]}
    boundary = instant_of(int(value), delivery.boundary.hour)
    copy = replace(delivery, boundary=boundary, files=files)
    _announce(copy)
    return [delivery, copy]


def rename_file(delivery: Delivery, file: str, value: str) -> list[Delivery]:
    """Send the file under the name `value`."""
    files = {value if name == file else name: data for name, data in delivery.files.items()}
    return [replace(delivery, files=files)]


def _announce(delivery: Delivery) -> None:
    names = [name for name in delivery.files if name != "manifest.csv"]
    delivery.files["manifest.csv"] = [manifest_of(delivery.source_id, names)]


EDITS: dict[str, Callable[[Sheet, Records, str, bytes], Records]] = {
    edit.__name__: edit
    for edit in (
        *(note, set_value, substitute, add_field, drop_fields, drop_records, duplicate_record),
        *(append_records, append_missing, append_text, insert_text, replace_file),
        *(rename_column, move_column),
    )
}
RESENDINGS: dict[str, Callable[[Delivery, str, str], list[Delivery]]] = {
    resending.__name__: resending
    for resending in (truncate, deliver_on, send_apart, send_copy, rename_file)
}
