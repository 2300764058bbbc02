"""Layouts: which header fits what, and how a header that fits nothing is explained."""

from pathlib import Path

import pytest

from rollcall.home import PROJECT_DIR
from rollcall.layouts import ContractError, Contracts

CONTRACTS = Contracts.load(PROJECT_DIR / "seeds" / "contracts")
ORGS = ("sourcedId", "status", "dateLastModified", "name", "type", "identifier", "parentSourcedId")


def header(feed: str, version: str) -> tuple[str, ...]:
    """The column names of a layout."""
    [layout] = [item for item in CONTRACTS.versions(feed) if item.version == version]
    return layout.names


def test_every_file_of_every_version_is_there() -> None:
    counts = dict.fromkeys(("1.0", "1.1", "1.2", "1.2.1"), 0)
    for layout in CONTRACTS.layouts:
        counts[layout.version] += layout.feed != "oneroster/manifest"
        assert len(layout.key_positions) == 1
    assert counts == {"1.0": 7, "1.1": 13, "1.2": 21, "1.2.1": 21}


def test_versions_with_the_same_columns_share_a_raw_table() -> None:
    tables = {layout.version: layout.raw_table for layout in CONTRACTS.versions("oneroster/orgs")}
    assert tables == {
        "1.0": "raw_oneroster.orgs_1_0",
        "1.1": "raw_oneroster.orgs_1_1",
        "1.2": "raw_oneroster.orgs_1_1",
        "1.2.1": "raw_oneroster.orgs_1_1",
    }
    users = {layout.raw_table for layout in CONTRACTS.versions("oneroster/users")}
    assert len(users) == 4


def test_metadata_columns_may_follow_but_not_precede_or_repeat() -> None:
    [fit, *_] = CONTRACTS.matching("oneroster/orgs", (*ORGS, "metadata.city", "metadata.state"))
    assert fit.metadata_columns == ("metadata.city", "metadata.state")
    assert not CONTRACTS.matching("oneroster/orgs", (*ORGS, "metadata.a", "metadata.a"))
    assert not CONTRACTS.matching("oneroster/orgs", (*ORGS[:3], "metadata.a", *ORGS[3:]))
    assert not CONTRACTS.matching("oneroster/orgs", (*ORGS, "extra"))


@pytest.mark.parametrize(
    ("named", "feeds", "version"),
    [
        ("1.1", {"oneroster/users": "1.1"}, "1.1"),
        ("1.2", {"oneroster/users": "1.2", "oneroster/orgs": "1.2"}, "1.2"),
        ("1.2", {"oneroster/users": "1.2.1", "oneroster/orgs": "1.2"}, "1.2.1"),
        ("1.2.1", {"oneroster/results": "1.2.1"}, "1.2.1"),
        ("1.2", {"oneroster/results": "1.2"}, "1.2"),
        (None, {"oneroster/users": "1.0", "oneroster/enrollments": "1.0"}, "1.0"),
        (None, {"oneroster/orgs": "1.1", "oneroster/users": "1.1"}, "1.1"),
        (None, {"oneroster/orgs": "1.1", "oneroster/results": "1.2"}, "1.2"),
    ],
)
def test_the_version_of_a_delivery(named: str | None, feeds: dict[str, str], version: str) -> None:
    headers = {feed: header(feed, of) for feed, of in feeds.items()}
    assert CONTRACTS.detect_version(headers, named) == version


@pytest.mark.parametrize(
    ("names", "code", "word"),
    [
        ((*ORGS[:3], "title", *ORGS[4:]), "COLUMN_RENAMED", "'title' stands where 'name'"),
        (ORGS[:-1], "COLUMN_REMOVED", "'parentSourcedId' is missing"),
        ((*ORGS, "phone"), "COLUMN_ADDED", "column 8 'phone' is unknown"),
        ((*ORGS[:3], "type", "name", *ORGS[5:]), "COLUMN_REORDERED", "expected at position 5"),
        ((*ORGS[:3], "Name", *ORGS[4:]), "COLUMN_CASE_CHANGED", "should be written 'name'"),
        ((*ORGS[:4], "name", *ORGS[4:]), "COLUMN_DUPLICATED", "'name' stands twice"),
        ((*ORGS[:3], "metadata.a", *ORGS[3:]), "COLUMN_REORDERED", "right of all other"),
        (("a", "b", "c"), "LAYOUT_UNKNOWN", "resembles no known layout"),
    ],
)
def test_a_header_that_fits_nothing_is_explained(
    names: tuple[str, ...], code: str, word: str
) -> None:
    difference = CONTRACTS.diff("oneroster/orgs", names)
    assert difference.code == code
    assert word in difference.summary


def test_every_other_version_of_a_header_is_explained_as_some_difference() -> None:
    for layout in CONTRACTS.layouts:
        damaged = (*layout.names[:-1], "somethingElse")
        if not CONTRACTS.matching(layout.feed, damaged):
            assert CONTRACTS.diff(layout.feed, damaged).code


def test_files_are_known_by_name_whatever_their_case() -> None:
    for name in ("courseResources.csv", "courseresources.csv", "courseResourses.csv"):
        feed = CONTRACTS.feed_for("oneroster", name)
        assert feed is not None
        assert feed.feed == "oneroster/course_resources"
    assert CONTRACTS.feed_for("oneroster", "readme.txt") is None


def test_a_contradiction_in_the_seeds_names_file_and_line(tmp_path: Path) -> None:
    for path in (PROJECT_DIR / "seeds" / "contracts").glob("*.csv"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    layouts = tmp_path / "layouts_oneroster.csv"
    lines = layouts.read_text(encoding="utf-8").splitlines()
    del lines[2]
    layouts.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(ContractError, match=r"layouts_oneroster\.csv, line 3: position 3 should"):
        Contracts.load(tmp_path)
    (tmp_path / "sources.csv").unlink()
    layouts.write_bytes((PROJECT_DIR / "seeds/contracts/layouts_oneroster.csv").read_bytes())
    with pytest.raises(ContractError, match=r"sources\.csv is missing"):
        Contracts.load(tmp_path)
