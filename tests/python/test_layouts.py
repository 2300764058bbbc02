"""Layouts: which header fits what, and how a header that fits nothing is explained."""

import csv
import re
import shutil
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from rollcall.contracts.header_diff import HeaderDiff, compare, draft_rows
from rollcall.contracts.layouts import Column, Fit, land_columns
from rollcall.contracts.project import Contracts
from rollcall.contracts.reading import ContractError
from rollcall.ledger import ledger
from rollcall.project import PROJECT_DIR

SEEDS = PROJECT_DIR / "seeds" / "contracts"
CONTRACTS = Contracts.load(SEEDS)
ORGS = ("sourcedId", "status", "dateLastModified", "name", "type", "identifier", "parentSourcedId")


def header(feed: str, version: str) -> tuple[str, ...]:
    """The column names of a layout."""
    [layout] = [item for item in CONTRACTS.versions(feed) if item.version == version]
    return layout.names


def test_every_file_of_every_version_is_there() -> None:
    counts = dict.fromkeys(("1.0", "1.1", "1.2", "1.2.1"), 0)
    for layout in CONTRACTS.layouts:
        is_oneroster = layout.feed.startswith("oneroster/")
        keys = sum(column.is_key for column in layout.columns)
        assert keys == 1 if is_oneroster else keys
        if is_oneroster and layout.feed != "oneroster/manifest":
            counts[layout.version] += 1
    assert counts == {"1.0": 7, "1.1": 13, "1.2": 21, "1.2.1": 21}


def test_a_feed_has_one_raw_table_with_the_columns_of_all_its_layouts() -> None:
    tables = CONTRACTS.raw_tables
    assert set(tables) == {f"raw_{feed.feed.replace('/', '.')}" for feed in CONTRACTS.feeds}
    assert tables["raw_oneroster.categories"] == (*ORGS[:3], "title", "weight")
    assert tables["raw_oneroster.line_items"] == (
        *header("oneroster/line_items", "1.1"),
        "schoolSourcedId",
    ), "academicSessionSourcedId is staged as gradingPeriodSourcedId was"
    names = tables["raw_oneroster.demographics"]
    assert [name for name in names if name.lower() == "birthdate"] == ["birthDate"]
    for layout in CONTRACTS.layouts:
        assert len(set(layout.raw_columns)) == len(layout.columns)
        assert set(layout.raw_columns) <= set(tables[layout.raw_table])


def column(name: str, staged_as: str = "") -> Column:
    return replace(CONTRACTS.layouts[0].columns[0], name=name, staged_as=staged_as)


def test_a_column_lands_where_one_staged_as_the_same_does_and_never_where_another_is() -> None:
    known: dict[str, str] = {}
    first = (column("id", "s.id"), column("title", "s.name"), column("note"), column("metadata"))
    assert land_columns("1.0", first, known) == ("id", "title", "note", "metadata_1_0")
    swapped = (column("ID", "s.id"), column("label", "s.name"), column("Title", "s.subtitle"))
    assert land_columns("1.0-2", swapped, known) == ("id", "title", "Title_1_0_2")
    later = (column("id", "s.id"), column("title"), column("NOTE", "s.note"), column("file_id"))
    assert land_columns("2.0", later, known) == ("id", "title_2_0", "note", "file_id_2_0")
    assert known["note"] == "s.note"
    assert known["title"] == "s.name"


def test_a_variant_renames_no_raw_column_of_a_later_version(tmp_path: Path) -> None:
    rows = [row | {"layout_version": "1.1-2"} for row in seed_rows("oneroster/users", "1.1")]
    rows[-1] |= {"column_name": "home", "staged_as": "stg_oneroster__users.primary_org_id"}
    rows[-1] |= {"data_type": "ref"}
    contracts = with_rows(tmp_path, rows)
    [variant] = [item for item in contracts.versions("oneroster/users") if "-" in item.version]
    assert variant.raw_columns[-1] == "primaryOrgSourcedId"
    assert contracts.raw_tables == CONTRACTS.raw_tables


def test_a_new_layout_adds_columns_to_a_raw_table_that_holds_records(tmp_path: Path) -> None:
    rows = [row | {"layout_version": "1.1-2"} for row in seed_rows("oneroster/orgs", "1.1")]
    rows.append(rows[-1] | {"position": "8", "column_name": "phone", "staged_as": ""})
    landed = "select feed, layout_version, position, raw_column from landing.layout_columns"
    with duckdb.connect() as connection:
        ledger.prepare(connection, CONTRACTS)
        connection.execute(
            "insert into raw_oneroster.orgs by name select 'f' as file_id, '1.1' as "
            "layout_version, 1 as record_number, 2 as line_number, 9 as byte_offset, 'a' as NAME"
        )
        before = connection.execute(landed).fetchall()
        contracts = with_rows(tmp_path, rows)
        ledger.prepare(connection, contracts)
        assert connection.execute(
            'select "name", phone, metadata from raw_oneroster.orgs'
        ).fetchall() == [("a", None, None)]
        added = set(connection.execute(landed).fetchall()) - set(before)
        assert ("oneroster/orgs", "1.1-2", 8, "phone") in added
        assert len(added) == 8
        ledger.prepare(connection, CONTRACTS)
        assert set(connection.execute(landed).fetchall()) == set(before)


def test_records_that_have_landed_are_never_looked_for_elsewhere(tmp_path: Path) -> None:
    shutil.copytree(SEEDS, tmp_path / "seeds")
    path = tmp_path / "seeds" / "layouts.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(",academicSessionSourcedId,ref,", ",session,string,"), "utf-8")
    with pytest.raises(ContractError, match=r"than 'gradingPeriodSourcedId' in 1\.1"):
        Contracts.load(tmp_path / "seeds")
    old = "oneroster/line_items,1.1,10,gradingPeriodSourcedId,ref,"
    assert old in text
    path.write_text(text.replace(old, old.replace("gradingPeriodSourcedId", "period")), "utf-8")
    changed = Contracts.load(tmp_path / "seeds")
    with duckdb.connect() as connection:
        ledger.prepare(connection, CONTRACTS)
        ledger.prepare(connection, changed)
        connection.execute(
            "insert into landing.files by name select 'f' as file_id, 'd' as delivery_id, "
            "1 as job_id, 's' as source_id, 'd' as delivery_name, 'n' as file_name, '' as sha256, "
            "1 as byte_count, false as are_removals_held, 'accepted' as verdict, "
            "'oneroster/line_items' as feed, '1.2' as layout_version, now()::timestamp as landed_at"
        )
        with pytest.raises(ContractError, match="has landed as 'period' and would now land as"):
            ledger.prepare(connection, CONTRACTS)


def test_metadata_columns_may_follow_but_not_precede_or_repeat() -> None:
    [fit, *_] = strict((*ORGS, "metadata.city", "metadata.state"))
    assert fit.placement == (*ORGS, None, None)
    assert not strict((*ORGS, "metadata.a", "metadata.a"))
    assert not strict((*ORGS[:3], "metadata.a", *ORGS[3:]))
    assert not strict((*ORGS, "extra"))


def strict(names: tuple[str, ...]) -> tuple[Fit, ...]:
    return CONTRACTS.matching("oneroster/orgs", names, "strict")


def test_by_name_any_order_and_case_fits_when_no_required_column_is_missing() -> None:
    names = ("TYPE", "name", "sourcedId", "status", "phone", "datelastmodified")
    [fit, *_] = CONTRACTS.matching("oneroster/orgs", names, "by_name")
    assert fit.placement == ("type", "name", "sourcedId", "status", None, "dateLastModified")
    assert not fit.is_exact
    assert not strict(names)
    assert not CONTRACTS.matching("oneroster/orgs", names[1:], "by_name"), "type is required"
    assert not CONTRACTS.matching("oneroster/orgs", (*names, "Name"), "by_name"), "name twice"
    [exact, *_] = CONTRACTS.matching("oneroster/orgs", ORGS, "by_name")
    assert exact.is_exact


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
    difference = differ("oneroster/orgs", names)
    assert difference.code == code
    assert word in difference.summary


def differ(feed: str, names: tuple[str, ...]) -> HeaderDiff:
    difference = compare(CONTRACTS.versions(feed), names)
    assert difference is not None
    return difference


def test_every_other_version_of_a_header_is_explained_as_some_difference() -> None:
    for layout in CONTRACTS.layouts:
        damaged = (*layout.names[:-1], "somethingElse")
        if not CONTRACTS.matching(layout.feed, damaged, "strict"):
            assert differ(layout.feed, damaged).code


def seed_rows(feed: str, version: str) -> list[dict[str, str]]:
    with (SEEDS / "layouts.csv").open(encoding="utf-8", newline="") as stream:
        return [
            row
            for row in csv.DictReader(stream)
            if (row["feed"], row["layout_version"]) == (feed, version)
        ]


def test_a_draft_stages_a_renamed_column_as_before_and_keeps_a_new_one_raw() -> None:
    names = ("sourcedId", "dateLastModified", "status", "title", *ORGS[4:], "phone")
    difference = differ("oneroster/orgs", names)
    version = difference.nearest.version
    draft = draft_rows(
        difference,
        CONTRACTS.versions("oneroster/orgs"),
        seed_rows("oneroster/orgs", version),
        names,
    )
    assert [row["column_name"] for row in draft] == list(names)
    assert [row["position"] for row in draft] == [str(n) for n in range(1, len(names) + 1)]
    assert {row["layout_version"] for row in draft} == {f"{version}-2"}
    by_name = {row["column_name"]: row for row in draft}
    assert by_name["title"]["staged_as"] == "stg_oneroster__orgs.name"
    assert by_name["phone"]["staged_as"] == ""
    assert by_name["phone"]["personal_data"] == "direct"


def test_a_drafted_version_is_a_layout_that_lands_where_its_base_does(tmp_path: Path) -> None:
    names = (*ORGS[:3], "title", *ORGS[4:], "phone")
    difference = differ("oneroster/orgs", names)
    layouts = CONTRACTS.versions("oneroster/orgs")
    draft = draft_rows(
        difference, layouts, seed_rows("oneroster/orgs", difference.nearest.version), names
    )
    contracts = with_rows(tmp_path, draft)
    [fit] = contracts.matching("oneroster/orgs", names, "strict")
    assert fit.layout.raw_table == "raw_oneroster.orgs"
    assert fit.placement == (*ORGS, "phone")
    assert contracts.raw_tables["raw_oneroster.orgs"] == (
        *CONTRACTS.raw_tables["raw_oneroster.orgs"],
        "phone",
    )


def with_rows(directory: Path, rows: list[dict[str, str]]) -> Contracts:
    """Load the contracts with further rows in the layouts."""
    shutil.copytree(SEEDS, directory / "seeds")
    path = directory / "seeds" / "layouts.csv"
    with path.open("a", encoding="utf-8", newline="") as stream:
        csv.DictWriter(stream, list(rows[0]), lineterminator="\n").writerows(rows)
    return Contracts.load(directory / "seeds")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"staged_as": "stg_oneroster__users.email"}, "give it a version of its own"),
        ({"data_type": "date"}, "another type or format"),
        ({"staged_as": "stg_oneroster__orgs.name"}, "stages two columns as"),
        ({"layout_version": "9.9-2"}, "variant of a version that is not there"),
    ],
)
def test_a_variant_that_cannot_land_like_its_base_is_rejected(
    tmp_path: Path, change: dict[str, str], sentence: str
) -> None:
    rows = [row | {"layout_version": "1.1-2"} for row in seed_rows("oneroster/orgs", "1.1")]
    rows[-1] |= change
    rows[-1]["position"] = "1" if "layout_version" in change else rows[-1]["position"]
    with pytest.raises(ContractError, match=sentence):
        with_rows(tmp_path, rows)


def test_there_is_no_draft_for_a_header_that_resembles_nothing_or_repeats_a_name() -> None:
    layouts = CONTRACTS.versions("oneroster/orgs")
    rows = seed_rows("oneroster/orgs", "1.2.1")
    for names in (("a", "b"), (*ORGS[:4], "name", *ORGS[4:])):
        assert draft_rows(differ("oneroster/orgs", names), layouts, rows, names) == []


def test_the_names_of_a_header_that_resembles_nothing_are_not_repeated() -> None:
    """A file without a header begins with a record, whose values are nobody's business."""
    record = ("S-1", "", "", "Ada Lovelace", "school", "77", "")
    assert "Lovelace" not in differ("oneroster/orgs", record).summary


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        ("limits.csv", "floor_count,5", "floor_count,many", "line 6: value 'many' is not a number"),
        ("limits.csv", "percent,75", "percent,175", "line 3: 175 is over 100 percent"),
        ("limits.csv", "floor_count", "floor", "no limit is called 'floor'"),
        ("limits.csv", "*,floor_count", "sis,floor_count", "has no value for every source"),
        ("limits.csv", "*,max_members,1000", "*,max_members,1,\nxyz,max_members,2", "no source"),
        ("limits.csv", "*,max_members", "*,floor_count,5,\n*,max_members", "by an earlier line"),
        ("limits.csv", "members,1000", "members,1e300", "is not a number of 0 or more, up to"),
        ("sources.csv", "* * *,60,", "* * *,1e12,", "line 2: grace_minutes '1e12' is not a number"),
        ("sources.csv", "* * *,60,", "* * *,nan,", "line 2: grace_minutes 'nan' is not a number"),
        ("sources.csv", "warn,12,", "warn,1e9,", "line 2: latency_target_hours '1e9' is not"),
        ("sources.csv", "lms,", "sis,", "line 3: source_id 'sis' has another line"),
        ("sources.csv", "0 20 * * *", "0 25 * * *", "line 3: schedule '0 25 * * *' is no cron"),
        ("sources.csv", "America/Chicago", "America/Nowhere", "line 2: time zone"),
        ("sources.csv", "America/Chicago,,", "America/Chicago,noon,", "'noon' is not one of utc"),
        ("sources.csv", ",naive_times,", ",naive,", "line 2: the header lacks the column naive"),
        ("sources.csv", "strict", "lenient", "line 2: header_policy 'lenient' is not one of"),
        ("sources.csv", "oneroster/users", "oneroster/people", "names 'oneroster/people'"),
        ("sources.csv", "utf-8", "utf-99", "encoding 'utf-99' is not supported"),
        ("sources.csv", "overrides,sis,", "overrides,nope,", "line 2: roster_source_id 'nope' is"),
        ("sources.csv", "oneroster,sis,", "oneroster,,", "line 3: roster_source_id '' is no"),
        ("sources.csv", "oneroster,sis,", ",sis,", "line 3: families is blank; name what it"),
        ("sources.csv", "lms,", "SIS,", "line 3: source_id 'sis' has another line"),
        ("sources.csv", "(?P<exported_at>", "([", "is no regular expression: bad character"),
        ("sources.csv", "(?P<exported_at>", "(", "names no group exported_at; write the part"),
        ("sources.csv", "source_id,name", "source,name", "line 2: the header has no column source"),
        ("sources.csv", ",", ";", "line 2: the header has no column source_id; commas stand"),
        ("sources.csv", ",comma,,", ",comma", "columns and the line has not; quote what holds"),
        ("sources.csv", "information system", "information, system", "columns and the line has"),
        (
            "limits.csv",
            "floor_count,5,",
            "floor_count,5\n*,x,",
            "line 6: the header has 4 columns and",
        ),
        ("layouts.csv", "feed,", "what,", "line 2: the header has no column feed; commas stand"),
        ("feeds.csv", "feed,", "what,", "line 2: the header has no column feed; commas stand"),
    ],
)
def test_a_seed_that_says_what_cannot_be_is_rejected_with_its_line(
    tmp_path: Path, file: str, old: str, new: str, sentence: str
) -> None:
    shutil.copytree(SEEDS, tmp_path / "seeds")
    path = tmp_path / "seeds" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ContractError, match=re.escape(sentence)):
        Contracts.load(tmp_path / "seeds")


@pytest.mark.parametrize("file", ["sources.csv", "feeds.csv", "layouts.csv", "limits.csv"])
def test_a_seed_is_read_as_spreadsheets_save_it(tmp_path: Path, file: str) -> None:
    """With a byte order mark, and never in another encoding than UTF-8."""
    shutil.copytree(SEEDS, tmp_path / "seeds")
    path = tmp_path / "seeds" / file
    text = path.read_text(encoding="utf-8")
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert Contracts.load(tmp_path / "seeds").sources == CONTRACTS.sources
    for encoding in ("cp1252", "utf-16"):
        path.write_bytes(f"{text}\u00c9cole".encode(encoding))
        with pytest.raises(ContractError, match=rf"{file}, line \d+: the file is not written in"):
            Contracts.load(tmp_path / "seeds")


def test_files_are_known_by_name_whatever_their_case() -> None:
    for name in ("courseResources.csv", "courseresources.csv", "courseResourses.csv"):
        feed = CONTRACTS.feed_for("oneroster", name)
        assert feed is not None
        assert feed.feed == "oneroster/course_resources"
    assert CONTRACTS.feed_for("oneroster", "readme.txt") is None


def test_a_contradiction_in_the_seeds_names_file_and_line(tmp_path: Path) -> None:
    for path in (PROJECT_DIR / "seeds" / "contracts").glob("*.csv"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    layouts = tmp_path / "layouts.csv"
    lines = layouts.read_text(encoding="utf-8").splitlines()
    del lines[2]
    layouts.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(ContractError, match=r"layouts\.csv, line 3: position 3 should"):
        Contracts.load(tmp_path)
    (tmp_path / "sources.csv").unlink()
    layouts.write_bytes((PROJECT_DIR / "seeds/contracts/layouts.csv").read_bytes())
    with pytest.raises(ContractError, match=r"sources\.csv is missing"):
        Contracts.load(tmp_path)
