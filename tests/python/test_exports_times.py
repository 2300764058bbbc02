"""Times: what a day, an instant and a time without a zone mean, in exports, overrides and seeds."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from conftest import MANIFEST, ORG_ROWS, ORGS, District
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment
from mastery_district import ENROLLMENTS, LINE_ITEMS, RESULTS, ROSTER, USERS, Story
from stories import Scene, Telling, told_together
from test_schedule import NIGHTLY, ledger_with

from rollcall.clock import as_utc, end_of_day, local_date
from rollcall.contracts.project import Contracts
from rollcall.contracts.reading import ContractError
from rollcall.contracts.rules import check_rules
from rollcall.landing.delivery import export_time
from rollcall.ledger import ledger, schedule
from rollcall.ledger.sql import CASTS, normalized
from rollcall.project import PROJECT_DIR

ZONES = (
    *("UTC", "America/Chicago", "America/St_Johns", "Asia/Kolkata", "Pacific/Auckland"),
    *("Pacific/Kiritimati", "Pacific/Pago_Pago", "Australia/Lord_Howe"),
)
"""East and west of UTC, with and without daylight saving time, and of half hours."""
DAYS = (
    *("2026-03-08", "2026-11-01", "2026-04-05", "2026-09-27", "2026-09-02"),
    *("2028-02-29", "2026-12-31", "2027-01-01"),
)
"""Both changes of the clocks north and south, a leap day, and both sides of a year's end."""
CONTRACTS = Contracts.load(PROJECT_DIR / "seeds" / "contracts")
CHICAGO = replace(CONTRACTS.sources["sis"], time_zone="America/Chicago")


# --- what macros and functions read ------------------------------------------------------------


@pytest.fixture(scope="module")
def read() -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection with a table of the macros' own: texts, and the file that holds them."""
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        yield connection


@cache
def parsing_macros() -> Any:
    """Return the macros of the parsing vocabulary, and how the comparison reads instants."""
    macros = PROJECT_DIR / "macros"
    paths = [*sorted((macros / "parsing").glob("*.sql")), macros / "checks" / "compared.sql"]
    text = "".join(path.read_text(encoding="utf-8") for path in paths)
    environment = Environment(autoescape=False, extensions=["jinja2.ext.do"])  # noqa: S701 - SQL
    package = SimpleNamespace()
    environment.globals["rollcall"] = package
    module = environment.from_string(text).module
    vars(package).update(vars(module))
    return module


@cache
def rendered(macro: str, *arguments: str) -> str:
    """Render a macro as SQL."""
    return str(getattr(parsing_macros(), macro)(*arguments))


def values(
    connection: duckdb.DuckDBPyConnection,
    texts: Sequence[str],
    *macros: str,
    zone: str = "UTC",
    naive: str = "UTC",
    exported_at: str = "2026-09-02 20:00:00",
) -> list[tuple[Any, ...]]:
    """Read texts by macros, each as a record of one file."""
    return connection.execute(
        _of_one_file(zone, naive, exported_at)
        + f"select {', '.join(rendered(macro, 'x') for macro in macros)} "
        "from records, files order by place",
        [texts, texts],
    ).fetchall()


def _of_one_file(zone: str, naive: str = "UTC", exported_at: str = "2026-09-02 20:00:00") -> str:
    """Return SQL of `files` with one file, and of `records` with a text each as `x`."""
    local = local_date(datetime.fromisoformat(exported_at), zone)
    return (
        f"with files as (select '{zone}' as time_zone, '{naive}' as naive_time_zone, "
        f"timestamp '{exported_at}' as exported_at, date '{local}' as export_date), "
        "records as (select unnest(?::varchar[]) as x, unnest(range(len(?))) as place, "
        f"'{zone}' as time_zone, '{naive}' as naive_time_zone) "
    )


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-09-02T14:00Z", "2026-09-02 14:00:00"),
        ("2026-09-02T14:00:00Z", "2026-09-02 14:00:00"),
        ("2026-09-02T14:00:00.1Z", "2026-09-02 14:00:00.100000"),
        ("2026-09-02T14:00:00.1234567Z", "2026-09-02 14:00:00.123456"),
        ("2026-09-02T14:00:00.123456789Z", "2026-09-02 14:00:00.123456"),
        ("2026-09-02T14:00:00.9999999999999Z", "2026-09-02 14:00:00.999999"),
        ("2026-09-02 14:00:00-0500", "2026-09-02 19:00:00"),
        ("2026-09-02T14:00:00.1234567+05:30", "2026-09-02 08:30:00.123456"),
        ("2026-09-02 14:00:00.1234567 +05:30", "2026-09-02 08:30:00.123456"),
        ("2026-09-02 14:00:00 -05:00", "2026-09-02 19:00:00"),
        ("2026-09-02T14:00:00+14", "2026-09-02 00:00:00"),
        ("2026-09-02T14:00:00", "2026-09-02 14:00:00"),
        ("2028-02-29T23:30:00-05:00", "2028-03-01 04:30:00"),
        ("2026-12-31T23:59:59.999-12:00", "2027-01-01 11:59:59.999000"),
        ("2026-02-29T00:00:00Z", None),
        ("2026-02-29", None),
        ("2026-9-2", None),
        ("09/02/2026", None),
        ("9999-12-30", "9999-12-31 00:00:00"),
        ("9999-12-31", "9999-12-31 00:00:00"),
        ("9999-12-31T23:59:59-14:00", "9999-12-31 13:59:59"),
        ("2026-09-02T14:00:00+99:99", None),
        ("2026-09-02T14:00:00+14:01", None),
        ("2026-09-02T14:00:00-19", None),
        ("2026-12-31T23:59:60Z", None),
        ("10000-01-01", None),
        ("infinity", None),
        ("2026-09-02T25:00:00Z", None),
        ("0001-01-01T00:00:00Z", None),
        ("1899-12-30", None),
        ("1970-01-01T00:00:00.000Z", None),
        ("", None),
    ],
)
def test_an_instant_has_any_number_of_fractional_digits_and_its_offset_counts(
    read: duckdb.DuckDBPyConnection, text: str, expected: str | None
) -> None:
    assert values(read, [text], "instant") == [(utc(expected) if expected else None,)]


_YEARS = st.one_of(
    st.integers(0, 9_999).map("{:04}".format),
    st.integers(0, 6_000_000).map(str),
    st.sampled_from(["1980", "1981", "9999", "10000", "294246", "294247", "5881580", "-290308"]),
)
_DAYS = st.one_of(
    st.sampled_from(["-12-31", "-01-01", "-1-1", "-02-29", "-02-30", "-12-30", "-01-10", ""]),
    st.dates().map(lambda day: f"-{day:%m-%d}"),
)
_TIMES = st.sampled_from(
    [
        *("", "", "T23:59:59", " 00:00:00", "T24:00:00", "T23:59:60", "T04:00:54.775807"),
        *("T99:99:99", f"T00:00:00.{'9' * 40}", " (BC)", " (BC) 00:00:00", "T23:59"),
    ]
)
_OFFSETS = st.sampled_from(
    [
        "",
        "Z",
        "+14:00",
        "-14:00",
        "+14:01",
        "-15",
        "+99:99",
        " -05:00",
        "+0000",
        " UTC",
        "-15:59:59",
    ]
)
_POISON = st.one_of(
    st.tuples(_YEARS, _DAYS, _TIMES, _OFFSETS).map("".join),
    st.text("0123456789-:+.eETZ infaty", max_size=30),
    st.sampled_from(["infinity", "-infinity", "epoch", "now", "nan", "-nan", "0e9999", "1e99999"]),
)
_EARLIEST, _LATEST = datetime(1980, 12, 31), datetime(9999, 12, 31, 23, 59, 59, 999_999)


@given(st.lists(_POISON, min_size=1, max_size=200), st.sampled_from(ZONES))
@settings(max_examples=60, deadline=None)
def test_no_text_makes_a_macro_fail_and_what_is_read_is_in_range(
    texts: list[str], zone: str
) -> None:
    """Hold for any text: what the engine cannot reckon with is null, for its witness as well."""
    with duckdb.connect() as read:
        read.execute("set timezone = 'UTC'")
        macros = ("instant", "date", "end_of_day", "usable_at", "is_after_export")
        for row in values(read, texts, *macros, "number", "integer", "year", zone=zone):
            instant, day, end, usable_at = row[:4]
            for found in (instant, end, usable_at):
                assert found is None or (isinstance(found, datetime) and found >= _EARLIEST), row
            assert day is None or isinstance(day, date), row
        compared = rendered("compared_instant", "records.x")
        sql = f"select {rendered('instant', 'x')}, {compared} from records, files order by place"
        for instant, witness in read.execute(_of_one_file(zone) + sql, [texts, texts]).fetchall():
            assert instant is None or instant == witness, (instant, witness)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("09/16/2013", "2013-09-16"),
        ("9/16/2013", "2013-09-16"),
        ("9/06/2013", "2013-09-06"),
        ("2/29/2028", "2028-02-29"),
        ("12/31/9999", "9999-12-31"),
        ("2/29/2026", None),
        ("13/1/2026", None),
        ("9/16/13", None),
        ("9-16-2013", None),
        ("2013-09-16", None),
        ("9/16/2013 0:00", None),
        ("12/31/1980", None),
        ("1/1/0001", None),
    ],
)
def test_a_date_with_slashes_is_a_month_a_day_and_a_year(
    read: duckdb.DuckDBPyConnection, text: str, expected: str | None
) -> None:
    [(day, key, is_implausible)] = read.execute(
        _of_one_file("UTC") + f"select {rendered('us_date', 'x')}, {normalized('x', 'us_date')}, "
        f"{rendered('is_implausible', rendered('iso_of', 'x'))} from records, files",
        [[text], [text]],
    ).fetchall()
    assert day == (date.fromisoformat(expected) if expected else None)
    assert is_implausible == (text in ("12/31/1980", "1/1/0001"))
    if expected:
        assert key == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("08:54:50", time(8, 54, 50)),
        ("8:54:50", time(8, 54, 50)),
        ("0:00:00", time(0)),
        ("23:59:59", time(23, 59, 59)),
        *((text, None) for text in ("24:00:00", "8:54", "8:5:0", "8:54:60", "8:54:50 PM", "x")),
    ],
)
def test_a_time_of_day_has_hours_minutes_and_seconds(
    read: duckdb.DuckDBPyConnection, text: str, expected: time | None
) -> None:
    [(found, key)] = read.execute(
        _of_one_file("UTC")
        + f"select {rendered('time_of_day', 'x')}, {normalized('x', 'time')} from records, files",
        [[text], [text]],
    ).fetchall()
    assert found == expected
    if expected:
        assert key == expected.isoformat()


@given(st.lists(st.text("0123456789/: -", max_size=12), min_size=1, max_size=200))
@settings(max_examples=40, deadline=None)
def test_what_is_read_of_a_date_or_a_time_with_signs_its_witness_reads_too(
    texts: list[str],
) -> None:
    texts += [f"{a}/{b}/{c}" for a, b, c in zip(texts, texts[1:], texts[2:], strict=False)]
    texts += ["1/1/1981", "0/1/2020", "8:00:00"]
    witnesses = ", ".join(CASTS[kind].format("x") for kind in ("us_date", "time"))
    macros = ", ".join(rendered(macro, "x") for macro in ("us_date", "time_of_day"))
    with duckdb.connect() as read:
        found = read.execute(
            _of_one_file("UTC")
            + f"select {macros}, {witnesses} from records, files order by place",
            [texts, texts],
        ).fetchall()
    for day, at, day_witness, at_witness in found:
        assert day is None or day == day_witness
        assert at is None or at == at_witness


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("at", ["8:54:50", "23:59:59", None])
def test_a_day_and_a_time_are_one_instant_where_the_source_is(
    read: duckdb.DuckDBPyConnection, zone: str, at: str | None
) -> None:
    """Without a time, and where it cannot be read, it is the end of that day."""
    for day in map(date.fromisoformat, DAYS):
        expected = end_of_day(day, zone)
        if at:
            naive = datetime.combine(day, time.fromisoformat(at.zfill(8)))
            expected = as_utc(naive, zone)
        columns = [
            rendered(macro, "x", "at")
            for macro in (
                *("local_instant", "local_precision"),
                *("is_local_after_export", "local_usable_at"),
            )
        ]
        sql = _of_one_file(zone).replace(" as place", f" as place, {_literal(at)} as at")
        text = f"{day.month}/{day.day}/{day.year}"
        [row] = read.execute(
            sql + f"select {', '.join(columns)} from records, files", [[text], [text]]
        ).fetchall()
        exported_at = utc("2026-09-02 20:00:00")
        is_after = expected > exported_at if at else day > local_date(exported_at, zone)
        assert row == (
            expected,
            "instant" if at else "date",
            is_after,
            expected if is_after else exported_at,
        )


@pytest.mark.parametrize("zone", ZONES)
def test_the_last_day_that_a_date_can_name_is_an_instant_that_programs_read(
    read: duckdb.DuckDBPyConnection, zone: str
) -> None:
    """A time late on it is of the year 10000 where the source is behind UTC."""
    sql = _of_one_file(zone).replace(" as place", " as place, '23:59:59' as at")
    last_day = rendered("day_after", "date '9999-12-31'")
    [(instant, end, after)] = read.execute(
        f"{sql}select {rendered('local_instant', 'x', 'at')}, {rendered('local_instant', 'x')}, "
        f"{rendered('start_of_day', last_day, 'files.time_zone')} from records, files",
        [["12/31/9999"], ["12/31/9999"]],
    ).fetchall()
    for found in (instant, end, after):
        assert isinstance(found, datetime), "a text where Python has no such date"
        assert found > datetime(9999, 12, 30)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Fall 2021-2022", 2022),
        ("2021-2022", 2022),
        ("Spring 1999-2000", 2000),
        ("Fall 2021-2023", None),
        ("Fall 2021-22", None),
        ("12021-2022", None),
        ("Fall 2021-2022 ", None),
        ("Fall", None),
    ],
)
def test_the_school_year_is_the_one_in_which_it_ends(
    read: duckdb.DuckDBPyConnection, text: str, expected: int | None
) -> None:
    assert values(read, [text], "school_year") == [(expected,)]


def test_what_is_compared_of_a_column_is_its_value(read: duckdb.DuckDBPyConnection) -> None:
    """Another spelling of a number or a word is no other value; blank is one of its own."""
    texts = ["6", "6.0", "06", "7", "TRUE", "true", "Yes*"]
    of_one = parsing_macros().hash_of_columns(["x"])
    found = read.execute(f"{_of_one_file('UTC')}select {of_one} from records, files", [texts] * 2)
    assert len(set(found.fetchall())) == 4
    hashes = {}
    for one, two in (("6", "6.0"), ("", "6"), ("6", ""), ("6.00", "06"), ("", "")):
        sql = _of_one_file("UTC").replace(" as place", f" as place, nullif('{two}', '') as y")
        sql = sql.replace("unnest(?::varchar[]) as x", "nullif(unnest(?::varchar[]), '') as x")
        columns = parsing_macros().hash_of_columns(["x", "y"])
        [(hashes[one, two],)] = read.execute(
            f"{sql}select {columns} from records, files", [[one], [one]]
        ).fetchall()
    assert hashes["6", "6.0"] == hashes["6.00", "06"]
    assert len(set(hashes.values())) == 4


def test_what_names_no_day_happened_at_no_instant(read: duckdb.DuckDBPyConnection) -> None:
    macros = ("local_instant", "local_precision", "is_local_after_export", "local_usable_at")
    for arguments in (("x",), ("x", "x")):
        columns = ", ".join(rendered(macro, *arguments) for macro in macros)
        [row] = read.execute(
            _of_one_file("UTC") + f"select {columns} from records, files", [["x"], ["x"]]
        ).fetchall()
        assert row == (None, None, False, utc("2026-09-02 20:00:00"))


def _literal(text: str | None) -> str:
    return "cast(null as varchar)" if text is None else f"'{text}'"


@pytest.mark.parametrize("zone", ZONES)
def test_a_day_ends_where_the_source_is_for_sql_as_for_python(
    read: duckdb.DuckDBPyConnection, zone: str
) -> None:
    days = [date.fromisoformat(day) for day in DAYS]
    midnights = [datetime.combine(day + timedelta(days=1), time()) for day in days]
    ends = [
        midnight.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None)
        for midnight in midnights
    ]
    assert [end_of_day(day, zone) for day in days] == ends
    assert values(read, DAYS, "instant", "date", "precision", zone=zone) == [
        (end, day, "date") for end, day in zip(ends, days, strict=True)
    ]


@pytest.mark.parametrize("zone", ZONES)
def test_the_day_of_every_hour_is_that_of_the_source(
    read: duckdb.DuckDBPyConnection, zone: str
) -> None:
    hours = [utc(f"{day} 00:00:00") + timedelta(hours=hour) for day in DAYS for hour in range(48)]
    expected = [hour.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date() for hour in hours]
    assert [local_date(hour, zone) for hour in hours] == expected
    sql = rendered("day_in_zone", "hour_at", f"'{zone}'")
    found = read.execute(
        f"select list({sql} order by place) from (select unnest(?::timestamp[]) as hour_at, "
        "unnest(range(len(?))) as place)",
        [hours, hours],
    ).fetchone()
    assert found == (expected,)


@pytest.mark.parametrize("zone", ZONES)
def test_a_time_without_a_zone_is_that_of_the_source_where_it_is_declared_so(
    read: duckdb.DuckDBPyConnection, zone: str
) -> None:
    """A time that the clocks leave out, or pass twice, is the same for SQL and for Python."""
    local = [
        utc(f"{day} 00:00:00") + timedelta(minutes=30 * half_hour)
        for day in DAYS
        for half_hour in range(48)
    ]
    texts = [moment.isoformat() for moment in local]
    assert values(read, texts, "instant", "precision", naive=zone) == [
        (as_utc(moment, zone), "instant") for moment in local
    ]
    assert values(read, texts, "instant", zone=zone) == [(moment,) for moment in local]


@pytest.mark.parametrize(
    ("text", "zone", "exported_at", "is_ahead", "usable_at"),
    [
        # the export of 20:30 on the first in Chicago carries what is dated that day, not the next
        ("2026-09-01", "America/Chicago", "2026-09-02 01:30:00", False, "2026-09-02 01:30:00"),
        ("2026-09-02", "America/Chicago", "2026-09-02 01:30:00", True, "2026-09-03 05:00:00"),
        ("2026-09-02", "Pacific/Auckland", "2026-09-01 13:00:00", False, "2026-09-01 13:00:00"),
        ("2026-09-02", "UTC", "2026-09-02 00:00:00", False, "2026-09-02 00:00:00"),
        ("2062-09-01", "UTC", "2026-09-02 00:00:00", True, "2062-09-02 00:00:00"),
        ("2026-09-02T01:30:01Z", "UTC", "2026-09-02 01:30:00", True, "2026-09-02 01:30:01"),
        ("2026-09-02T01:30:00Z", "UTC", "2026-09-02 01:30:00", False, "2026-09-02 01:30:00"),
        ("2026-09-01T20:31:00-05:00", "UTC", "2026-09-02 01:30:00", True, "2026-09-02 01:31:00"),
        ("0001-01-01", "UTC", "2026-09-02 01:30:00", False, "2026-09-02 01:30:00"),
        ("never", "UTC", "2026-09-02 01:30:00", False, "2026-09-02 01:30:00"),
    ],
)
def test_what_is_later_than_its_export_counts_when_it_has_happened(
    read: duckdb.DuckDBPyConnection,
    text: str,
    zone: str,
    exported_at: str,
    is_ahead: bool,
    usable_at: str,
) -> None:
    [found] = values(
        read, [text], "is_after_export", "usable_at", zone=zone, exported_at=exported_at
    )
    assert found == (is_ahead, utc(usable_at))


@pytest.mark.parametrize(
    ("text", "is_implausible"),
    [
        *(
            (text, True)
            for text in ("0001-01-01T00:00:00Z", "0000-00-00", "1980-01-01", "1601-01-01")
        ),
        *((text, False) for text in ("1981-01-01", "2026-09-02", "9999-12-31", "08/17/2020", "19")),
    ],
)
def test_zero_points_of_clocks_are_told_from_what_is_no_date(
    read: duckdb.DuckDBPyConnection, text: str, is_implausible: bool
) -> None:
    condition = rendered("is_implausible", "x")
    assert read.execute(f"select {condition} from (select ? as x)", [text]).fetchone() == (
        is_implausible,
    )


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        ("2026-09-01T220000Z", {}, "2026-09-01 22:00:00"),
        ("2026-09-01T220000-0500", {}, "2026-09-02 03:00:00"),
        ("2026-09-01T220000", {}, "2026-09-01 22:00:00"),
        ("2026-09-01T220000", {"naive_times": "local"}, "2026-09-02 03:00:00"),
        ("2026-08-31", {}, "2026-09-01 05:00:00"),
        ("2026-09-01", {}, "2026-09-01 18:00:00"),
        ("2026-09-01", {"time_zone": "Pacific/Auckland"}, "2026-09-01 12:00:00"),
        ("2062-09-01", {}, "2062-09-02 05:00:00"),
        ("1970-01-01T000000Z", {}, None),
        ("0001-01-01", {}, None),
        ("9999-12-31", {}, None),
        ("soon", {}, None),
    ],
)
def test_the_name_of_a_delivery_is_read_as_its_records_are(
    name: str, changes: dict[str, Any], expected: str | None
) -> None:
    source = replace(CHICAGO, name_pattern="^(?P<exported_at>.+)$", **changes)
    found = export_time(source, name, utc("2026-09-01 18:00:00"))
    assert found == (utc(expected) if expected else None)


# --- the schedule ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cron", "day", "expected"),
    [
        ("30 1 * * *", "2026-11-01", "2026-11-01 06:30:00"),
        ("30 1 * * *", "2027-03-14", "2027-03-14 07:30:00"),
        ("30 2 * * *", "2027-03-14", "2027-03-14 08:00:00"),
        ("0 2 * * *", "2026-11-01", "2026-11-01 08:00:00"),
        ("59 23 * * *", "2026-12-31", "2027-01-01 05:59:00"),
        ("0 12 29 2 *", "2028-02-29", "2028-02-29 18:00:00"),
    ],
)
def test_an_export_is_expected_once_whenever_a_cycle_asks(
    cron: str, day: str, expected: str
) -> None:
    """A cycle every quarter of an hour, while the clocks pass an hour twice or leave one out."""
    source = replace(CHICAGO, schedule=cron, grace_minutes=30)
    due_at = utc(expected) + timedelta(minutes=30)
    newest = {
        quarter: next(iter(schedule.scheduled(source, due_at + timedelta(minutes=15 * quarter))))
        for quarter in range(-8, 48)
    }
    assert {quarter for quarter, found in newest.items() if found[0] == utc(expected)} == set(
        range(48)
    )
    both = islice(schedule.scheduled(source, due_at + timedelta(hours=12)), 2)
    assert len({expected_at for expected_at, _ in both}) == 2


def test_hourly_exports_are_expected_in_each_hour_that_there_is() -> None:
    source = replace(CHICAGO, schedule="0 * * * *", grace_minutes=0)
    for end in ("2026-11-01 12:00:00", "2027-03-14 12:00:00"):
        found = [moment for moment, _ in islice(schedule.scheduled(source, utc(end)), 12)]
        assert found == [utc(end) - timedelta(hours=hours) for hours in range(12)]


# --- seeds -------------------------------------------------------------------------------------

RULE = "r,1,district,,latest,,,70,1,,2,true,2000-01-01,,\n"
RULES = PROJECT_DIR / "seeds" / "rules"
HEADER = (RULES / "mastery_rules.csv").read_text(encoding="utf-8").splitlines()[0] + "\n"


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (RULE.replace("2000-01-01", "9/1/2026"), "effective_from '9/1/2026' is not a time"),
        (RULE.replace("2000-01-01", "2026-02-29"), "effective_from '2026-02-29' is not a time"),
        (RULE.replace("01,,\n", "01,2026-09-01T00:00:00-99:00,\n"), "effective_to '2026-09-01T"),
        (RULE.replace(",70,", ",70%,"), "threshold_percent '70%' is not a number"),
        (RULE.replace(",70,", ",7000,"), "threshold_percent '7000' is not a number below 1000."),
        (RULE.replace("r,1,", "r,1.5,"), "rule_version '1.5' is not a whole number."),
        (RULE.replace("true", "yes"), "can_be_lost 'yes' is not true or false."),
        (RULE.replace("01,,\n", "01,,a, b\n"), "the header has 15 columns and the line has not"),
        (RULE.replace("01,,\n", "01\n"), "the header has 15 columns and the line has not"),
    ],
)
def test_what_a_seed_cannot_mean_is_refused_with_file_line_and_column(
    tmp_path: Path, row: str, sentence: str
) -> None:
    (tmp_path / "mastery_rules.csv").write_text(HEADER + RULE + row, encoding="utf-8")
    with pytest.raises(ContractError) as refused:
        check_rules([tmp_path, RULES], RULES)
    assert str(refused.value).startswith("mastery_rules.csv, line 3: ")
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        *("2000-01-01", "2026-09-01T00:00:00", "2026-09-01 00:00:00.1234567 -05:00", ""),
        *("2026-09-01T00:00Z", "2026-09-01T00:00:00-0500"),
    ],
)
def test_what_a_seed_can_mean_is_read_by_check_and_macro_alike(
    read: duckdb.DuckDBPyConnection, tmp_path: Path, text: str
) -> None:
    row = RULE.replace("2000-01-01", text)
    (tmp_path / "mastery_rules.csv").write_text(HEADER + row, encoding="utf-8")
    check_rules([tmp_path, RULES], RULES)
    seed = f"(select '{text}' as effective_from, null::varchar as effective_to)"
    found = read.execute(rendered("with_effective_times", seed)).fetchone()
    assert found is not None
    assert (found[0] is not None) == bool(text)
    if "-05" in text:
        assert found[0].hour == 5


def test_a_seed_that_cannot_be_read_ends_a_cycle_with_2(tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(PROJECT_DIR / "seeds", project / "seeds")
    shutil.copy(PROJECT_DIR / "dbt_project.yml", project)
    path = project / "seeds" / "rules" / "mastery_rules.csv"
    path.write_text(path.read_text("utf-8").replace("2000-01-01", "1/1/2000", 1), encoding="utf-8")
    district = District(tmp_path / "home", tmp_path / "inbox")
    district.inbox.mkdir()
    done = district.run("--project", str(project), "cycle", "--inbox", str(district.inbox))
    assert done.code == 2
    assert "mastery_rules.csv, line 2: effective_from '1/1/2000' is not a time" in done.err


# --- landing and schedule, without a build -----------------------------------------------------


def test_a_delivery_of_the_future_is_said_until_it_is_refused_or_its_time_has_come(
    district: District,
) -> None:
    files = {"orgs.csv": ORGS + ORG_ROWS, "manifest.csv": MANIFEST + "file.orgs,bulk\n"}
    district.deliver("2062-09-01T010000Z", files)
    district.deliver("2026-09-02T010000Z", files)
    first = district.land(now="2026-09-01T18:00:00Z")
    waiting = [(row["delivery_name"], row["is_far"]) for row in first.json["in_future"]]
    assert waiting == [("2026-09-02T010000Z", False), ("2062-09-01T010000Z", True)]
    assert first.code == 3
    assert district.ledger(
        "select code, detail from landing.findings where code <> 'CONTENT_REPEATED' order by 2"
    ) == [
        (
            "EXPORT_IN_FUTURE",
            f"sis: the export time {at} of '{name}' has not come yet.",
        )
        for name, at in (
            ("2026-09-02T010000Z", "2026-09-02T01:00:00Z"),
            ("2062-09-01T010000Z", "2062-09-01T01:00:00Z"),
        )
    ]
    again = district.land(now="2026-09-02T18:00:00Z")
    [waiting] = again.json["in_future"]
    assert (again.code, waiting["delivery_name"]) == (3, "2062-09-01T010000Z")
    status = district.run("status", now="2026-09-02T18:00:00Z").out
    assert "IN FUTURE sis/2062-09-01T010000Z" in status
    for file_id in waiting["file_ids"]:
        arguments = ("refuse", file_id, "--reason", "a typing error in the year")
        assert district.run(*arguments, now="2026-09-02T18:00:00Z").code == 0
    last = district.land(now="2026-09-02T19:00:00Z")
    assert (last.code, last.json["in_future"]) == (0, [])
    assert "2062" not in district.run("status", now="2026-09-02T19:00:00Z").out
    assert district.run("refuse", file_id, "--reason", "again").code == 2


def recorded_by_cycles(*cutoffs: str, grace_minutes: int = 30) -> list[tuple[str, int]]:
    """Run the schedule of `30 1 * * *` in Chicago through cut-offs, of which the first sees a file.

    Gives what each records, as (expected, number of the cycle). What the command says is missing is
    the newest that was recorded, which is what the warehouse says.
    """
    source = replace(
        CHICAGO,
        schedule="30 1 * * *",
        grace_minutes=grace_minutes,
        due_feeds=("oneroster/orgs",),
    )
    contracts = replace(CONTRACTS, sources={"sis": source})
    connection = ledger_with(("oneroster/orgs", "2026-10-31T06:30:00", "accepted"))
    since = None
    for cycle_id, cutoff in enumerate(map(utc, cutoffs), 1):
        for export in schedule.newly_due(connection, contracts, cutoff, since):
            ledger.put(connection, "expected_exports", {"cycle_id": cycle_id, **asdict(export)})
        [newest] = connection.execute(
            "select max(expected_at) from landing.expected_exports"
        ).fetchall()
        missing = [export.expected_at for export in schedule.missing(connection, contracts, cutoff)]
        assert missing == [newest[0]] * (newest != (utc("2026-10-31 06:30:00"),)), cutoff
        since = cutoff
    return connection.execute(
        "select expected_at::varchar, cycle_id from landing.expected_exports order by 1"
    ).fetchall()


@pytest.mark.parametrize("minute", range(0, 60, 5))
def test_command_and_ledger_expect_the_same_when_the_clocks_go_back(minute: int) -> None:
    """A cycle every hour from midnight on in Chicago; nothing comes on the first of November."""
    hours = [
        utc("2026-11-01 05:00:00") + timedelta(hours=hour, minutes=minute) for hour in range(8)
    ]
    found = recorded_by_cycles("2026-10-31 12:00:00", *map(str, hours), "2026-11-02 12:00:00")
    assert [expected for expected, _ in found] == [
        "2026-10-31 06:30:00",
        "2026-11-01 06:30:00",
        "2026-11-02 07:30:00",
    ]


def test_what_was_passed_over_is_made_up_and_what_is_recorded_stays() -> None:
    contracts = replace(CONTRACTS, sources={})
    connection = ledger_with(("oneroster/orgs", "2026-09-01T01:00:00", "accepted"))
    seen: list[str] = []
    for cycle_id, (cutoff, grace) in enumerate(
        (
            ("2026-09-01 18:00:00", 180),
            ("2026-09-02 03:00:00", 180),  # the export of 01:00 is due in an hour
            ("2026-09-02 18:00:00", 60),  # now it was due an hour before that
            ("2026-09-03 18:00:00", 900),
        ),
        1,
    ):
        source = replace(NIGHTLY, grace_minutes=grace, due_feeds=("oneroster/orgs",))
        contracts = replace(CONTRACTS, sources={"sis": source})
        since = utc(seen[-1]) if seen else None
        for export in schedule.newly_due(connection, contracts, utc(cutoff), since):
            ledger.put(connection, "expected_exports", {"cycle_id": cycle_id, **asdict(export)})
        seen.append(cutoff)
    assert connection.execute(
        "select expected_at::varchar, cycle_id from landing.expected_exports order by 1"
    ).fetchall() == [
        ("2026-09-01 01:00:00", 1),
        ("2026-09-02 01:00:00", 3),
        ("2026-09-03 01:00:00", 4),
    ]


# --- stories -----------------------------------------------------------------------------------


def a_class(**declared: str) -> Callable[[Scene], Story]:
    """Begin with a roster and a gradebook of which nothing is due; `declared` as in sources.csv."""

    def begin(scene: Scene) -> Story:
        scene.declare(due_feeds="", **declared)
        course = f"course_{scene.roster_source}"
        scene.add(
            "rules/learning_paths.csv", f"{course},1,{course},1,{course},false,,,2000-01-01,,\n"
        )
        # half an hour after the first cut-off; without its offset it would be long before it
        scene.add(
            "rules/mastery_rules.csv",
            f"{course},1,course,{course},latest,,,70,1,,2,true,2026-09-01T13:30:00-05:00,,\n",
        )
        sources = (scene.roster_source, scene.gradebook)
        story = Story(scene.district, scene.district.project, *sources, course)
        vars(story)["scene"] = scene
        return story

    return begin


def deliver(story: Story, source: str, name: str, mode: str, **feeds: str) -> None:
    """Deliver files of one mode."""
    manifest = MANIFEST + "".join(f"file.{feed},{mode}\n" for feed in feeds)
    files = {f"{feed}.csv": text for feed, text in feeds.items()}
    story.district.deliver(name, files | {"manifest.csv": manifest}, source)


def user(user_id: str, modified: str, family_name: str, role: str = "student") -> str:
    return (
        f"{user_id},active,{modified},true,s1,{role},{user_id},,{user_id},{family_name},,,,,,,09,\n"
    )


def warnings(story: Story) -> list[tuple[str, str, str]]:
    """Ask which records are warned of or rejected, with the column and the code."""
    columns = "record_key, column_name, code"
    return story.district.warehouse(
        " union all ".join(
            f"select {columns} from audit.{table} "
            f"where source_id in ('{story.roster_source}', '{story.gradebook}') "
            "and code not in ('MODIFIED_MISSING', 'STATUS_MISSING')"
            for table in ("audit_record_warning", "audit_rejected_record")
        )
        + " order by all"
    )


@told_together(a_class())
def test_a_day_of_change_is_the_end_of_that_day_and_a_zero_point_is_none(story: Story) -> Telling:
    story.roster(1, ("ann", "ben"))
    story.work(1, ("r1", "ann", 40, "01"))
    yield 1
    story.roster(2, ("ann", "ben"))
    deliver(
        story,
        story.roster_source,
        "2026-09-02T160000Z",
        "delta",
        users=USERS
        + user("ann", "2026-09-02", "Day")
        + user("ben", "2026-09-02T14:00:00.1234567Z", "Digits")
        + user("tea", "0001-01-01T00:00:00Z", "Zero", "teacher")
        + user("other", "9999-12-31", "Never", "teacher"),
        enrollments=ENROLLMENTS + "e-ben,tobedeleted,2026-09-02,c1,s1,ben,student,,,\n",
    )
    deliver(
        story,
        story.gradebook,
        "2026-09-02T160000Z",
        "delta",
        results=RESULTS + "r1,active,2026-09-02,li-r1,ann,fully graded,95,2026-09-01,\n",
    )
    story.override(2, f"o1,ben,{story.course},set,mastered,2026-09-02,tea,Shown on paper")
    yield 2
    assert story.district.warehouse(
        "select user_id, family_name, modified_at::varchar, version_at::varchar from core.dim_user "
        f"where source_id = '{story.roster_source}' order by 1"
    ) == [
        ("ann", "Day", "2026-09-03 05:00:00", "2026-09-02 16:00:00"),
        ("ben", "Digits", "2026-09-02 14:00:00.123456", "2026-09-02 14:00:00.123456"),
        ("other", "Never", "9999-12-31 06:00:00", "2026-09-02 16:00:00"),
        ("tea", "Zero", None, "2026-09-02 16:00:00"),
    ]
    assert warnings(story) == [
        ("other", "dateLastModified", "MODIFIED_IN_FUTURE"),
        ("tea", "dateLastModified", "DATE_IMPLAUSIBLE"),
    ]
    assert story.district.warehouse(
        "select enrollment_id from core.fct_enrollment where not is_active "
        f"and source_id = '{story.roster_source}'"
    ) == [("e-ben",)]
    assert story.mastery(
        "student_id, state, score_percent::integer, override_effective_at::varchar"
    ) == [
        ("ann", "mastered", 95, None),
        ("ben", "mastered", None, "2026-09-03 05:00:00"),
    ]


@told_together(a_class())
def test_what_happens_in_the_future_counts_once_it_has_happened(story: Story) -> Telling:
    story.roster(1)
    scores = (
        ("li", "90", "2026-09-01"),
        ("li", "20", "2062-09-01"),
        ("li", "10", "0001-01-01"),
        ("other", "60", "2026-09-02"),
    )
    deliver(
        story,
        story.gradebook,
        "2026-09-01T160000Z",
        "delta",
        lineItems=LINE_ITEMS
        + "li,active,2026-09-01,T,,0001-01-01,2026-09-01,c1,k,t1,0,100\n"
        + "other,active,2026-09-01,T,,2026-09-01,2026-09-01,c1,k,t1,0,100\n",
        results=RESULTS
        + "".join(
            f"r{number},active,2026-09-01,{item},ann,fully graded,{score},{day},\n"
            for number, (item, score, day) in enumerate(scores, 1)
        ),
    )
    story.override(
        1,
        f"o1,ann,{story.course},set,not_mastered,2026-09-03T05:00:00.0000000Z,tea,Later",
        f"o2,ann,{story.course},set,not_mastered,1970-01-01T00:00:00Z,tea,Never",
    )
    columns = "state, evidence_count, score_percent::integer, rule_id, is_override"
    yield 1
    assert story.mastery(columns) == [("mastered", 1, 90, "district-default", False)]
    assert warnings(story) == [
        ("li", "assignDate", "DATE_IMPLAUSIBLE"),
        ("o1", "effectiveAt", "EVENT_IN_FUTURE"),
        ("o2", "effectiveAt", "EVENT_DATE_IMPLAUSIBLE"),
        ("r2", "scoreDate", "EVENT_IN_FUTURE"),
        ("r3", "scoreDate", "EVENT_DATE_IMPLAUSIBLE"),
        ("r4", "scoreDate", "EVENT_IN_FUTURE"),
    ]
    assert story.district.warehouse(
        "select evidence_id, disposition from progression.fct_evidence "
        f"where source_id = '{story.gradebook}' order by 1"
    ) == [("r1", "usable"), ("r2", "in_future"), ("r4", "in_future")]
    yield 2
    assert story.mastery(columns) == [("mastered", 1, 90, story.course, False)]
    yield 3
    assert story.mastery(columns) == [("not_mastered", 2, 60, story.course, True)]


@told_together(a_class(time_zone="Pacific/Auckland"))
def test_enrollments_stand_on_days_of_the_source(story: Story) -> Telling:
    """The cut-off of 18:00 UTC on the first is six in the morning of the second in Auckland."""
    dates = {
        "ann": ",2026-09-02",
        "ben": "2026-09-02,",
        "cat": "0001-01-01,0001-01-01",
        "dan": "1900-01-01,9999-12-31",
        "eve": "2026-09-03,",
    }
    deliver(
        story,
        story.roster_source,
        "2026-09-01T010000Z",
        "bulk",
        **{name[:-4]: text.replace("algebra", story.course) for name, text in ROSTER.items()},
        users=USERS + "".join(user(name, "", "X").replace("active", "") for name in dates),
        enrollments=ENROLLMENTS
        + "".join(
            f"e-{name},,,c1,s1,{name},student,,{begin_and_end}\n"
            for name, begin_and_end in dates.items()
        ),
    )
    yield 1
    on_path = (
        "select student_id from progression.fct_progression "
        f"where roster_source_id = '{story.roster_source}' order by 1"
    )
    assert story.district.warehouse(on_path) == [("ben",), ("cat",), ("dan",)]
    assert warnings(story) == [
        ("e-cat", "beginDate", "DATE_IMPLAUSIBLE"),
        ("e-cat", "endDate", "DATE_IMPLAUSIBLE"),
        ("e-dan", "beginDate", "DATE_IMPLAUSIBLE"),
    ]
    yield 2
    assert story.district.warehouse(on_path) == [("ben",), ("cat",), ("dan",), ("eve",)]


def tell_of_naive_times(story: Story, family_name: str, notes: int) -> Telling:
    """Change a name at half past ten in the evening of the first, three hours after the bulk."""
    said = []
    for night in (1, 2, 3):
        story.roster(night)
        if night > 1:
            rows = user("ann", f"2026-09-0{night - 1}T22:30:00", f"Change {night}")
            name = f"2026-09-0{night}T160000Z"
            deliver(story, story.roster_source, name, "delta", users=USERS + rows)
        yield night
        scene: Scene = vars(story)["scene"]
        said += [
            note
            for note in scene.said["landed"]["findings"]
            if note.startswith(f"{story.roster_source}/") and "name no time zone" in note
        ]
        if night == 2:
            assert story.district.warehouse(
                "select family_name from core.dim_user where user_id = 'ann' "
                f"and source_id = '{story.roster_source}'"
            ) == [(family_name,)]
    assert len(said) == notes
    assert story.district.ledger(
        "select count(*) from landing.findings inner join landing.files using (file_id) "
        "where findings.code = 'TIMES_WITHOUT_ZONE' "
        f"and source_id = '{story.roster_source}'"
    ) == [(notes,)]


@told_together(a_class())
def test_a_time_without_a_zone_is_utc_and_that_is_said_once(story: Story) -> Telling:
    yield from tell_of_naive_times(story, "X", notes=1)


@told_together(a_class(naive_times="local"))
def test_a_time_without_a_zone_is_local_where_the_source_declares_it(story: Story) -> Telling:
    yield from tell_of_naive_times(story, "Change 2", notes=0)
