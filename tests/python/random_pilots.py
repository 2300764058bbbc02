"""Random exports of pilots: of a vendor's tests, of a gradebook with overrides, of another roster.

Most of their records are as they should be and name what the roster of `test_pilots` has; some hold
odd values, and some files are damaged.
"""

from collections.abc import Mapping
from random import Random

from odd_values import POISON, as_csv, plain_record

from rollcall.contracts.layouts import Layout
from rollcall.contracts.project import Contracts
from rollcall.contracts.sources import Feed
from rollcall.project import PROJECT_DIR

CONTRACTS = Contracts.load(PROJECT_DIR / "seeds" / "contracts")
KINDS = ("nwea", "oneroster|overrides", "oneroster")
_KNOWN = {
    "StudentID": ("1", "2", "3", "4", "9"),
    "studentSourcedId": ("ann", "bob", "cat", "dan", "eve"),
    "userSourcedId": ("ann", "bob", "cat", "dan", "eve"),
    "identifier": ("1", "2", "3", "7"),
    "learningObjectiveId": ("SCI", "MATH"),
    "Subject": ("Science", "Mathematics"),
    "AchievementQuintile": ("HiAvg", "Low"),
    "TestStartDate": ("09/01/2021", "09/02/2021", "08/31/2021"),
    "TestStartTime": ("08:54:50", "10:00:00"),
    "TermName": ("Fall 2021-2022",),
    "TestName": ("Growth: Science 6+ TX 2017",),
    "GrowthMeasureYN": ("TRUE", "FALSE"),
}
_KEYS = ("ann", "bob", "eve", "north", "1", "2", "3", "4")
_VERSIONS = {"nwea/assessment_results": "143", "nwea/students": "11"}


def random_export(random: Random, kind: str) -> dict[str, str | bytes]:
    """Return the files of an export, by name; there is one at least."""
    feeds = [feed for feed in CONTRACTS.feeds if feed.is_staged and feed.family in kind.split("|")]
    chosen = random.sample(feeds, random.randint(1, min(4, len(feeds))))
    mode = random.choice(("bulk", "delta"))
    files: dict[str, str | bytes] = {
        feed.file_name: _file(random, _layout(feed), mode) for feed in chosen
    }
    of_roster = [feed.file_name for feed in chosen if feed.family == "oneroster"]
    if of_roster:
        modes = {name.removesuffix(".csv"): mode for name in of_roster}
        files["manifest.csv"] = _manifest(modes)
    return files


def _layout(feed: Feed) -> Layout:
    versions = {layout.version: layout for layout in CONTRACTS.versions(feed.feed)}
    wanted = _VERSIONS.get(feed.feed, "1.2.1" if "1.1" not in versions else "1.1")
    return versions.get(wanted, next(iter(versions.values())))


def _manifest(modes: Mapping[str, str]) -> str:
    lines = ["propertyName,value", "manifest.version,1.0", "oneroster.version,1.1"]
    return "\n".join([*lines, *(f"file.{name},{mode}" for name, mode in modes.items())]) + "\n"


def _file(random: Random, layout: Layout, mode: str) -> str | bytes:
    is_odd = random.random() < 0.3
    keys = random.sample(_KEYS, random.randint(1, len(_KEYS)))
    records = [_record(random, layout, mode, key, is_odd=is_odd) for key in keys]
    text = as_csv(records)
    damage = random.random()
    if damage < 0.04:
        return text.replace(",", ";")
    if damage < 0.08:
        return text.encode()[: len(text) // 2]
    return text


def _record(random: Random, layout: Layout, mode: str, key: str, *, is_odd: bool) -> dict[str, str]:
    record = plain_record(layout, key, mode)
    for column in layout.columns:
        if known := _KNOWN.get(column.name):
            record[column.name] = random.choice(known)
        elif column.references and record[column.name]:
            record[column.name] = random.choice(_KEYS)
        if is_odd and column.staged_as and random.random() < 0.02:
            record[column.name] = random.choice(POISON.get(column.data_type, ("", "odd")))
    return record
