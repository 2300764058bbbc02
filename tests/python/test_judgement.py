"""Files are held by what dbt rejects of their records: counted, told apart, and never guessed."""

import csv
import io
import json
from dataclasses import dataclass

import duckdb
import pytest
from stories import Scene, Telling, Tellings, nothing_is_due, told_together

from rollcall.contracts.project import Contracts
from rollcall.cycle.new_records import Staging
from rollcall.cycle.tables import Tables
from rollcall.project import PROJECT_DIR

CONTRACTS = Contracts.load(PROJECT_DIR / "seeds" / "contracts")
NAMES = next(
    layout.names for layout in CONTRACTS.versions("oneroster/results") if layout.version == "1.2"
)
GOOD = {
    "sourcedId": "{file}-{number}",
    "status": "active",
    "dateLastModified": "2026-08-01T10:00:00.000Z",
    "lineItemSourcedId": "li",
    "studentSourcedId": "st",
    "scoreStatus": "fully graded",
    "score": "7.5",
    "scoreDate": "2026-08-01",
}
Rows = list[dict[str, str]]


def spread(column: str, bad: list[str], good: int) -> Rows:
    return [{column: value} for value in bad] + [{}] * good


UNREADABLE = {
    "month_first": (
        spread("scoreDate", [f"09/{day}/2026" for day in range(13, 20)], 6),
        "'scoreDate'",
        "all of them fit month/day/year",
    ),
    "day_first": (
        spread("scoreDate", [f"{day}/09/2026" for day in range(13, 20)], 6),
        "'scoreDate'",
        "all of them fit day/month/year",
    ),
    "either": (
        spread("scoreDate", [f"09/0{day}/2026" for day in range(1, 8)], 6),
        "'scoreDate'",
        "month/day/year and day/month/year both fit, so nothing may be guessed",
    ),
    "spreadsheet": (
        spread("scoreDate", ["46266"] * 6, 5),
        "'scoreDate'",
        "day numbers of a spreadsheet",
    ),
    "with_time": (
        spread("scoreDate", ["2026-09-01T00:00:00Z"] * 6, 5),
        "'scoreDate'",
        "a date with a time",
    ),
    "words": (spread("scoreDate", ["soon"] * 6, 5), "'scoreDate'", "no known format fits them all"),
    "comma": (spread("score", ["7,5", "8,25"] * 3, 5), "'score'", "a decimal comma"),
    "percent": (spread("score", ["75%"] * 6, 5), "'score'", "a percent sign"),
    "epoch": (
        spread("dateLastModified", ["1788256800"] * 6, 5),
        "'dateLastModified'",
        "seconds since 1970",
    ),
    "yes_no": (spread("late", ["Y", "N"] * 3, 5), "'late'", "Y and N"),
    "few_are_filled": (spread("late", ["Y", "N"] * 3, 60), "'late'", "Y and N"),
    "personal": (
        [{"scoreDate": "Ada Lovelace", "score": "secret"}] * 9,
        "'score'",
        "no known format",
    ),
}
HELD = {
    "half": (spread("scoreDate", ["09/13/2026"] * 6, 6), 0, "6 of 12 records are rejected"),
    "many_kinds": (
        [{"studentSourcedId": " "}] * 3 + [{"scoreStatus": "graded"}] * 3 + [{}] * 30,
        4,
        "10 of 40 records are rejected (25.0 %, limit 10 %); look at 'scoreStatus', "
        "'studentSourcedId'.",
    ),
    "over_the_limit": (
        spread("scoreStatus", ["graded"] * 6, 53),
        0,
        "6 of 59 records are rejected (10.2 %, limit 10 %); look at 'scoreStatus'.",
    ),
    "conflicting_keys": (
        [{"sourcedId": f"same-{number // 2}", "score": str(number)} for number in range(24)],
        0,
        "24 of 24 records are rejected (100.0 %, limit 10 %).",
    ),
    "every_record_of_few": (
        spread("scoreStatus", ["graded"] * 2, 0),
        0,
        "2 of 2 records are rejected (100.0 %, limit 10 %); look at 'scoreStatus'.",
    ),
    "every_record_malformed": ([], 2, "2 of 2 records are rejected (100.0 %, limit 10 %)."),
    "times_in_words": (
        spread("dateLastModified", ["yesterday"] * 4, 0),
        0,
        "4 of 4 records are rejected (100.0 %, limit 10 %); look at 'dateLastModified'.",
    ),
}
ACCEPTED: dict[str, tuple[Rows, int]] = {
    "good": ([{}] * 12, 0),
    "a_few": (spread("scoreDate", ["09/13/2026"] * 4, 1), 0),
    "blank_optional": ([{"score": "", "late": "", "scoreStatus": "exempt"}] * 20, 0),
    "seven_fractional_digits": (
        spread("dateLastModified", ["2026-08-01T10:00:00.1234567Z"] * 4, 0),
        0,
    ),
    "at_the_limit": (spread("scoreStatus", ["graded"] * 6, 54), 0),
    "own_terms": ([{"scoreStatus": "ext:pending"}] * 20, 0),
}


def results(name: str, rows: Rows, malformed: int) -> str:
    """Write a results file of records given as what differs from a good one."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, NAMES, lineterminator="\n")
    writer.writeheader()
    for number, row in enumerate(rows):
        values = {
            key: value.format(file=name, number=number) for key, value in (GOOD | row).items()
        }
        writer.writerow(values)
    return stream.getvalue() + "too,few\n" * malformed


@dataclass(frozen=True)
class Judged:
    """What one cycle over a file of each case came to.

    `cases`: case -> verdict, code and sentence; `printed`: what the cycle said; `used_count`: how
    many files stand in the mart.
    """

    cases: dict[str, tuple[str, str, str]]
    printed: str
    used_count: int


class Story:
    """A gradebook with a file of each case, and what the cycle that judged them said."""

    def __init__(self, scene: Scene) -> None:
        self.scene = nothing_is_due(scene)
        self.printed = ""


@told_together(Story, others_look=True)
def test_files_of_all_cases_are_judged_in_one_cycle(told: Story) -> Telling:
    story = told.scene
    cases: dict[str, tuple[Rows, int]] = dict(ACCEPTED)
    cases |= {name: (rows, 0) for name, (rows, _, _) in UNREADABLE.items()}
    cases |= {name: (rows, malformed) for name, (rows, malformed, _) in HELD.items()}
    for minute, (name, (rows, malformed)) in enumerate(cases.items()):
        file = f"2026-08-02T10{minute:02}00Z_{name}.csv"
        path = story.district.inbox / story.gradebook / file
        path.write_text(results(name, rows, malformed), encoding="utf-8")
    yield 1
    assert len(story.alarms()) == len(UNREADABLE) + len(HELD)
    told.printed = json.dumps(story.said)


@pytest.fixture(scope="module")
def judged(tellings: Tellings) -> Judged:
    """Give what the cycle said of each case."""
    told: Story = tellings.stories["test_files_of_all_cases_are_judged_in_one_cycle"]
    story = told.scene
    found = story.district.ledger(
        "select file_name, verdict, coalesce(code, ''), coalesce(detail, '') from landing.files "
        f"where source_id = '{story.gradebook}'"
    )
    [(used_count,)] = story.district.warehouse(
        f"select count(distinct file_id) from core.fct_result where source_id = '{story.gradebook}'"
    )
    return Judged({name[19:-4]: tuple(rest) for name, *rest in found}, told.printed, used_count)


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_column_most_of_whose_values_cannot_be_read_rejects_the_file(
    name: str, judged: Judged
) -> None:
    verdict, code, detail = judged.cases[name]
    _, column, fits = UNREADABLE[name]
    assert (verdict, code) == ("rejected", "TYPE_CHANGED")
    assert column in detail
    assert fits in detail


@pytest.mark.parametrize("name", HELD)
def test_a_file_of_which_too_many_records_are_rejected_is_held(name: str, judged: Judged) -> None:
    """Half of the values or less are records that are wrong, not a format."""
    verdict, code, detail = judged.cases[name]
    assert (verdict, code) == ("held", "MASS_REJECTION")
    assert HELD[name][2] in detail


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_few_records_never_hold_a_file(name: str, judged: Judged) -> None:
    assert judged.cases[name][0] == "accepted"


def test_what_is_kept_out_reaches_no_table(judged: Judged) -> None:
    assert judged.used_count == len(ACCEPTED)


def test_no_value_stands_in_a_sentence(judged: Judged) -> None:
    for printed in (judged.printed, *(detail for _, _, detail in judged.cases.values())):
        assert "Lovelace" not in printed
        assert "secret" not in printed


def test_what_was_known_is_what_the_last_good_cycle_staged() -> None:
    """Students are linked before records are judged, so staging may have the new ones by now."""
    record = (
        "{number} as record_number, 2 as line_number, {is_new} as is_new, false as is_deleted, "
    )
    record += "timestamp '2026-09-0{number}' as exported_at, 'sis:{user}' as user_key"
    user = "select null as file_id, " + record.format(number=1, is_new=False, user="a")
    role = f"select '{{user}}.csv' as file_id, 'sis:r' as role_key, '{{user}}' as user_id, {record}"
    earlier = role.format(number=1, is_new=False, user="a")
    both = f"{earlier} union all {role.format(number=2, is_new=True, user='b')}"
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            attach ':memory:' as good; create schema good.staging;
            create table good.staging.stg_oneroster__roles as {earlier};
            create table good.staging.stg_oneroster__users as {user};
            create schema staging; create schema transform;
            create table staging.base_oneroster__roles as {both};
            create table staging.stg_oneroster__roles as {both};
            create table staging.base_oneroster__users as {user};
            create table staging.stg_oneroster__users as {user};
            create table staging.stg_landing__files as select 'b.csv' as file_id, true as is_new;
            create table transform.int_file_record_counts as
            select 'b.csv' as file_id, [{{'record_number': 0, 'verdict': 'accepted'}}] as problems;
            """
        )
        for is_built_whole in (False, True):
            if is_built_whole:
                connection.execute("detach good")
            staging = Staging(Tables(connection), CONTRACTS, ())
            [reference] = staging.references("oneroster/roles")
            assert staging.count("oneroster/roles", reference) == {"b.csv": {"": (1, 1)}}
            assert staging.count_reused("oneroster/roles", ("user_id",)) == [("b.csv", 1, 1, 2)]
