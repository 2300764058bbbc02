"""What the warehouse must say of a small district, worked out in plain Python from its files.

Nothing of the product is used: files are read by the csv module, and every rule is written down
once more, as simply as it can be said, over all files at once. It knows orgs, line items and
results of OneRoster 1.1, in UTF-8, with the default rule of mastery.
"""

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

DELETING = ("tobedeleted", "inactive")
STATUSES = ("", "active", *DELETING)
ORG_TYPES = ("department", "district", "local", "national", "school", "state")
SCORE_STATUSES = ("exempt", "fully graded", "not submitted", "partially graded", "submitted")
ZONE = ZoneInfo("America/Chicago")
"""Where days end."""
NINE_PLACES, TWO_PLACES = Decimal("1e-9"), Decimal("0.01")
Row = dict[str, str]
Key = tuple[str, str]


@dataclass(frozen=True)
class File:
    """A file that a cycle may see, and what was decided of it: mode and held removals."""

    file_id: str
    source: str
    feed: str
    mode: str
    exported_at: datetime
    are_removals_held: bool
    text: str


@dataclass(frozen=True)
class Version:
    """An accepted record: its values, when it counts from, and the file that brought it."""

    values: tuple[Any, ...]
    is_deleted: bool
    version_at: datetime
    file: File


@dataclass
class Expected:
    """The state: per feed, (source, key) -> values and whether it is active; and what counts."""

    core: dict[str, dict[Key, tuple[Any, ...]]] = field(default_factory=lambda: defaultdict(dict))
    mastery: dict[tuple[str, str, str], tuple[Any, ...]] = field(default_factory=dict)
    counts: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """file_id -> records, malformed, rejected, duplicate, accepted."""
    held: set[str] = field(default_factory=set)
    """Files of which not one record can be used: they wait for a person, and say nothing."""


def instant(text: str) -> datetime | None:
    if is_zero_point(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if len(text) == len("2026-09-01"):
        moment = (moment + timedelta(days=1)).replace(tzinfo=ZONE)
    if moment.tzinfo:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment


def is_zero_point(text: str) -> bool:
    """Say whether a program wrote where its clock begins, since it knew no date."""
    return text.startswith("0001")


def day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def read_org(row: Row) -> tuple[bool, tuple[Any, ...]]:
    is_right = bool(row["name"]) and row["type"] in ORG_TYPES
    return is_right, (row["name"] or None, row["type"] or None, row["parentSourcedId"] or None)


def read_line_item(row: Row) -> tuple[bool, tuple[Any, ...]]:
    low, high = number(row["resultValueMin"]), number(row["resultValueMax"])
    is_right = bool(row["title"]) and low is not None and high is not None
    return is_right, (row["title"] or None, row["classSourcedId"] or None, low, high)


def read_result(row: Row) -> tuple[bool, tuple[Any, ...]]:
    score, scored_on = number(row["score"]), day(row["scoreDate"])
    item, student = row["lineItemSourcedId"] or None, row["studentSourcedId"] or None
    is_graded = row["scoreStatus"] in ("fully graded", "partially graded")
    is_right = (
        row["scoreStatus"] in SCORE_STATUSES
        and None not in (scored_on, item, student)
        and (score is not None or not (is_graded or row["score"]))
    )
    return is_right, (item, student, row["scoreStatus"] or None, score, scored_on)


READERS: dict[str, Callable[[Row], tuple[bool, tuple[Any, ...]]]] = {
    "oneroster/orgs": read_org,
    "oneroster/line_items": read_line_item,
    "oneroster/results": read_result,
}


def expect(files: Iterable[File]) -> Expected:
    """Work out the state that a set of files comes to, whatever their order."""
    expected = Expected()
    by_feed: dict[Key, list[File]] = defaultdict(list)
    for file in files:
        by_feed[file.source, file.feed].append(file)
    counting_from: dict[Key, datetime] = {}
    for (source, feed), found in by_feed.items():
        versions: dict[str, list[Version]] = defaultdict(list)
        named: dict[str, list[File]] = defaultdict(list)
        for file in found:
            read_file(file, versions, named, expected)
        used = [file for file in found if file.file_id not in expected.held]
        bulks = [
            file.exported_at
            for file in used
            if file.mode == "bulk"
            and not file.are_removals_held
            and expected.counts[file.file_id][0]
        ]
        latest_bulk = max(bulks, default=None)
        for key, known in versions.items():
            newest = max(known, key=lambda v: (v.version_at, v.file.exported_at))
            active = is_active(newest, named[key], latest_bulk)
            expected.core[feed][source, key] = (*newest.values, active)
            if feed == "oneroster/results":
                counting_from[source, key] = newest.version_at
    expected.mastery = master(expected.core, counting_from)
    return expected


def read_file(
    file: File,
    versions: dict[str, list[Version]],
    named: dict[str, list[File]],
    expected: Expected,
) -> None:
    """Sort the records of a file into malformed, rejected, duplicate and accepted ones."""
    keys: list[str] = []
    header, *records = csv.reader(io.StringIO(file.text, newline=""))
    tally: Counter[str] = Counter()
    accepted: dict[str, list[Version]] = defaultdict(list)
    for record in records:
        key = record[0].strip()
        if len(record) != len(header):
            tally["malformed"] += 1
            keys += [key] if key and file.mode == "bulk" else []
            continue
        row = {name: value.strip() for name, value in zip(header, record, strict=True)}
        deleted = row["status"] in DELETING
        keys += [key] if key and not deleted else []
        modified_at = instant(row["dateLastModified"])
        is_said = row["dateLastModified"] != "" and not is_zero_point(row["dateLastModified"])
        is_unreadable = is_said and modified_at is None
        is_right, values = READERS[file.feed](row)
        is_wrong = not key or row["status"] not in STATUSES or not (is_right or deleted)
        if is_wrong or (is_unreadable and file.mode == "delta"):
            tally["rejected"] += 1
            continue
        counts_from = min(modified_at or file.exported_at, file.exported_at)
        whole = (*values, modified_at)
        accepted[key].append(Version(whole, deleted, counts_from, file))
    for key, repeats in accepted.items():
        if len({(version.values, version.is_deleted) for version in repeats}) > 1:
            tally["rejected"] += len(repeats)
            continue
        tally["duplicate"] += len(repeats) - 1
        tally["accepted"] += 1
        first = repeats[0]
        kept = Version(first.values[:-1], first.is_deleted, first.version_at, file)
        versions[key].append(kept)
    names = ("malformed", "rejected", "duplicate", "accepted")
    expected.counts[file.file_id] = (len(records), *(tally[name] for name in names))
    if records and not tally["accepted"]:
        expected.held.add(file.file_id)
        return
    for key in keys:
        named[key].append(file)


def is_active(newest: Version, naming: list[File], latest_bulk: datetime | None) -> bool:
    """Deleted by its newest version unless a later bulk names it; or absent since the bulk."""
    naming = [
        file
        for file in naming
        if (file.mode == "bulk" if latest_bulk is None else file.exported_at >= latest_bulk)
    ]
    bulk = max((file.exported_at for file in naming if file.mode == "bulk"), default=None)
    exported_at = newest.file.exported_at
    is_deleted = newest.is_deleted and not newest.file.are_removals_held
    if is_deleted and (bulk is None or bulk <= exported_at):
        return False
    return latest_bulk is None or bool(naming)


def master(
    core: dict[str, dict[Key, tuple[Any, ...]]], counting_from: dict[Key, datetime]
) -> dict[tuple[str, str, str], Any]:
    """Give state, number of pieces and score by the default rule, per student and course.

    Class `c1` is of course `algebra`; no other class exists. Pieces stand in the order in which
    they happened, then in which they count. Of one line item the last counts; of those of the same
    time, the one with the smallest id.
    """
    pieces: dict[tuple[str, str, str], dict[str, Any]] = defaultdict(dict)
    for (source, key), result in core["oneroster/results"].items():
        item, student, status, score, scored_on, is_kept = result
        line_item = core["oneroster/line_items"].get((source, item))
        if line_item is None or line_item[1] != "c1":
            continue
        _, _, low, high, is_item_kept = line_item
        found = pieces[source, student, "algebra"]
        is_usable = is_kept and status == "fully graded" and is_item_kept and high > low
        if is_usable and low <= score <= 2 * high - low:
            percent = ((score - low) * 100 / (high - low)).quantize(NINE_PLACES, ROUND_HALF_UP)
            piece = (scored_on, counting_from[source, key], key, percent)
            last = found.setdefault(item, piece)
            if (piece[:2], last[2]) > (last[:2], key):
                found[item] = piece
    return {subject: judge(list(found.values())) for subject, found in pieces.items()}


def judge(found: list[Any]) -> tuple[str, int, Decimal | None]:
    """Weigh the newest piece with 65 percent and the mean of all before it with 35."""
    if not found:
        return "not_evaluated", 0, None
    *before, newest = [percent for *_, percent in sorted(found)]
    exact = newest
    if before:
        mean = (sum(before) / len(before)).quantize(NINE_PLACES, ROUND_HALF_UP)
        exact = Decimal("0.01") * (65 * newest + 35 * mean)
    score = exact.quantize(NINE_PLACES, ROUND_HALF_UP).quantize(TWO_PLACES, ROUND_HALF_UP)
    return "mastered" if score >= 70 else "not_mastered", len(found), score
