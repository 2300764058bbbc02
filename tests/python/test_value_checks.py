"""Values that no longer fit their layout: counted, told apart, and never guessed."""

from dataclasses import replace

import duckdb
import pytest
from rollcall.landing.value_checks import judge_values

from rollcall.contracts.layouts import Layout
from rollcall.contracts.project import Contracts
from rollcall.home import PROJECT_DIR
from rollcall.landing.verdicts import Effect, Judgement
from rollcall.ledger.sql import identifier, literal

CONTRACTS = Contracts.load(PROJECT_DIR / "seeds" / "contracts")
[RESULTS] = [
    layout for layout in CONTRACTS.versions("oneroster/results") if layout.version == "1.2.1"
]
GOOD = {
    "sourcedId": "r{}",
    "status": "active",
    "dateLastModified": "2026-09-01T10:00:00.000Z",
    "lineItemSourcedId": "li",
    "studentSourcedId": "st",
    "scoreStatus": "fully graded",
    "score": "7.5",
    "scoreDate": "2026-09-01",
}


def judge(
    rows: list[dict[str, str]], layout: Layout = RESULTS, *, malformed: int = 0, floor: int = 5
) -> list[Judgement]:
    """Judge records given as what differs from a good one."""
    with duckdb.connect() as connection:
        connection.execute("create schema raw_oneroster")
        names = [identifier(name) for name in layout.names]
        connection.execute(
            f"create table {layout.raw_table} (file_id varchar, {' varchar, '.join(names)} varchar)"
        )
        for number, row in enumerate(rows):
            values = {name: value.format(number) for name, value in (GOOD | row).items()}
            connection.execute(
                f"insert into {layout.raw_table} (file_id, {', '.join(map(identifier, values))}) "
                f"values ('f', {', '.join(map(literal, values.values()))})"
            )
        return list(
            judge_values(
                connection,
                "f",
                layout,
                "delta",
                malformed_count=malformed,
                max_rejected_percent=10,
                floor_count=floor,
            )
        )


def spread(column: str, bad: list[str], good: int) -> list[dict[str, str]]:
    return [{column: value} for value in bad] + [{}] * good


@pytest.mark.parametrize(
    ("column", "values", "told"),
    [
        (
            "scoreDate",
            [f"09/{day}/2026" for day in range(13, 20)],
            "all of them fit month/day/year",
        ),
        (
            "scoreDate",
            [f"{day}/09/2026" for day in range(13, 20)],
            "all of them fit day/month/year",
        ),
        (
            "scoreDate",
            [f"09/0{day}/2026" for day in range(1, 8)],
            "month/day/year and day/month/year both fit, so nothing may be guessed",
        ),
        ("scoreDate", ["46266"] * 6, "day numbers of a spreadsheet"),
        ("scoreDate", ["2026-09-01T00:00:00Z"] * 6, "a date with a time"),
        ("scoreDate", ["soon"] * 6, "no known format fits them all"),
        ("score", ["7,5", "8,25"] * 3, "a decimal comma"),
        ("score", ["75%"] * 6, "a percent sign"),
        ("dateLastModified", ["1788256800"] * 6, "seconds since 1970"),
        ("late", ["Y", "N"] * 3, "Y and N"),
    ],
)
def test_a_column_most_of_whose_values_cannot_be_read_rejects_the_file(
    column: str, values: list[str], told: str
) -> None:
    [judgement] = judge(spread(column, values, len(values) - 1))
    assert (judgement.code, judgement.effect) == ("TYPE_CHANGED", Effect.REJECT)
    assert f"{len(values)} of" in judgement.sentence
    assert f"'{column}'" in judgement.sentence
    assert told in judgement.sentence


def test_half_of_the_values_or_less_are_records_that_are_wrong_not_a_format() -> None:
    judged = judge(spread("scoreDate", ["09/13/2026"] * 6, 6))
    assert [judgement.code for judgement in judged] == ["MASS_REJECTION"]


def test_a_few_records_never_cry_wolf() -> None:
    assert judge(spread("scoreDate", ["09/13/2026"] * 4, 0)) == []


def test_blank_values_of_optional_columns_say_nothing() -> None:
    assert judge([{"score": "", "late": "", "scoreStatus": "exempt"}] * 20) == []


def test_the_share_of_rejected_records_counts_blank_required_bad_enumerations_and_malformed() -> (
    None
):
    bad = [{"studentSourcedId": " "}] * 3 + [{"scoreStatus": "graded"}] * 3
    [judgement] = judge(bad + [{}] * 30, malformed=4)
    assert (judgement.code, judgement.effect) == ("MASS_REJECTION", Effect.HOLD)
    assert "10 of 40 records will be rejected (25.0 %, limit 10 %)" in judgement.sentence


def test_the_limit_itself_is_allowed() -> None:
    assert judge([{"scoreStatus": "graded"}] * 6 + [{}] * 54) == []
    assert len(judge([{"scoreStatus": "graded"}] * 6 + [{}] * 53)) == 1


def test_own_terms_are_taken_where_the_layout_allows_them() -> None:
    assert judge([{"scoreStatus": "ext:pending"}] * 20) == []


def american(column: str) -> Layout:
    """A layout whose dates are declared as month/day/year."""
    columns = tuple(
        replace(item, format="%m/%d/%Y") if item.name == column else item
        for item in RESULTS.columns
    )
    return replace(RESULTS, columns=columns)


def test_day_and_month_never_switch_silently() -> None:
    """Most values fit both ways; a few fit only the other way, none only the declared one."""
    both = [{"scoreDate": f"0{day}/05/2026"} for day in range(1, 10)] * 3
    swapped = [{"scoreDate": f"{day}/05/2026"} for day in range(13, 19)]
    [judgement] = judge(both + swapped, american("scoreDate"))
    assert judgement.code == "TYPE_CHANGED"
    assert "day/month/year" in judgement.sentence
    proof = [{"scoreDate": "05/28/2026"}]
    codes = [item.code for item in judge(both + swapped + proof, american("scoreDate"))]
    assert codes == ["MASS_REJECTION"], "one date fits only as declared: those others are wrong"
    assert judge(both + proof, american("scoreDate")) == []


def test_no_value_stands_in_a_sentence() -> None:
    for judgement in judge([{"scoreDate": "Ada Lovelace", "score": "secret"}] * 9):
        assert "Lovelace" not in judgement.sentence
        assert "secret" not in judgement.sentence
