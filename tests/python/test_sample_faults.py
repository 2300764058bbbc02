"""The sample district, night by night: every planted fault gets its answer, all else is taken."""

import os
import re
import subprocess
import sys
from typing import Any

import pytest
from conftest import FAULTS, NIGHTS, SAMPLE, District, read_csv

from rollcall.project import PROJECT_DIR


def answers(district: District) -> set[tuple[str, ...]]:
    """All that was said of files and records: source, delivery, file, line, code, verdict."""
    rows = district.warehouse(
        "select source_id, delivery_name, file_name, line_number::varchar, code, verdict "
        "from audit.audit_rejected_record "
        "union all select source_id, delivery_name, file_name, line_number::varchar, code, "
        "'accepted' from audit.audit_record_warning "
        "union all select source_id, delivery_name, file_name, '', code, verdict "
        "from audit.audit_ingestion_log where code is not null "
        "union all select split_part(detail, '/', 1), "
        "split_part(split_part(detail, ': ', 1), '/', 2), "
        "split_part(split_part(detail, ': ', 1), '/', 2), '', code, 'accepted' "
        "from audit.audit_finding where code = 'CONTENT_REPEATED'"
    )
    return set(rows)


def as_answer(fault: dict[str, str]) -> tuple[str, ...]:
    columns = ("source_id", "delivery_name", "file_name", "line_number", "code", "verdict")
    return tuple(fault[column] for column in columns)


@pytest.mark.parametrize("fault", FAULTS, ids=[f"{f['fault_id']}_{f['fault']}" for f in FAULTS])
def test_every_planted_fault_is_answered(
    sample_run: tuple[District, list[int]], fault: dict[str, str]
) -> None:
    district, _ = sample_run
    said = answers(district)
    if fault["code"]:
        assert as_answer(fault) in said
    else:
        place = as_answer(fault)[:4]
        assert not [answer for answer in said if answer[:4] == place and answer[5] != "accepted"]


def test_nothing_else_is_rejected(sample_run: tuple[District, list[int]]) -> None:
    district, _ = sample_run
    planted = {as_answer(fault) for fault in FAULTS}
    assert answers(district) - planted == set()


def test_nights_with_rejected_or_waiting_files_end_with_3(
    sample_run: tuple[District, list[int]],
) -> None:
    """So do all nights since a file waits for a person."""
    _, codes = sample_run
    nights = {
        verdict: {
            int(fault["night"])
            for fault in FAULTS
            if fault["verdict"] == verdict and not fault["line_number"]
        }
        for verdict in ("rejected", "held")
    }
    asking = nights["rejected"] | {*range(min(nights["held"]), len(codes) + 1)}
    assert [night for night, code in enumerate(codes, 1) if code == 3] == sorted(asking)


def test_every_file_of_the_sample_balances(sample_run: tuple[District, list[int]]) -> None:
    district, _ = sample_run
    assert district.warehouse(
        "select count(*) > 70, bool_and(is_balanced), "
        "sum(record_count) = sum(malformed_count + rejected_count + duplicate_count "
        "+ accepted_count) from reconciliation.recon_file_balance"
    ) == [(True, True, True)]


def keys(fault: str) -> list[str]:
    return [row["record_key"] for row in FAULTS if row["fault"] == fault]


def test_stories_end_well(sample_run: tuple[District, list[int]]) -> None:
    """Returns, corrections, stale re-sends and rejected records leave the right state."""
    district, _ = sample_run
    [student] = keys("student_returns")
    [rejected] = keys("rejected_but_present")
    assert district.warehouse(
        "select user_id, is_active from core.dim_user "
        f"where user_id in ('{student}', '{rejected}') order by 1"
    ) == sorted([(student, True), (rejected, True)])
    [returned] = keys("result_returns")
    assert district.warehouse(
        f"select is_active from core.fct_result where result_id = '{returned}'"
    ) == [(True,)]
    [corrected], [stale] = keys("late_correction"), keys("stale_resend")
    assert district.warehouse(
        "select result_id, exported_at = timestamp '2026-09-06 16:00:00' from core.fct_result "
        f"where result_id in ('{corrected}', '{stale}')"
        "order by result_id"
    ) == sorted([(corrected, True), (stale, False)])
    assert district.warehouse("select count(*) from core.fct_result where len(unresolved) > 0") == [
        (0,)
    ]


def test_doubtful_overrides_are_found(sample_run: tuple[District, list[int]]) -> None:
    """What speaks against a decision is listed, and what nobody can be meant by has no effect."""
    district, _ = sample_run
    [foreign] = keys("override_by_another_teacher")
    [nobody] = keys("override_of_unknown_student")
    [rejected] = keys("override_to_unknown_state")
    assert district.warehouse(
        "select override_id, is_current, findings from audit.audit_override "
        "where len(findings) > 0 order by override_id"
    ) == [
        (foreign, True, ["does_not_teach_the_student"]),
        (nobody, False, ["unknown_student"]),
    ]
    assert district.warehouse(
        "select override_id from progression.fct_mastery "
        f"where override_id in ('{foreign}', '{nobody}', '{rejected}')"
    ) == [(foreign,)]


def students(fault: str) -> list[str]:
    """Return the numbers of the students in whose tests a fault is planted."""
    return [key.split(" | ")[1] for key in keys(fault)]


def of_map(district: District, night: int, sql: str) -> list[tuple[Any, ...]]:
    """Ask the warehouse as it was after a night."""
    return District(district.home.parent / f"night_{night}", district.inbox).warehouse(sql)


def test_no_result_lands_on_the_wrong_child(sample_run: tuple[District, list[int]]) -> None:
    district, _ = sample_run
    [number] = students("wrong_child")
    assert district.warehouse(
        "select identity, student_key, is_linked from core.fct_assessment_result "
        f"where source_student_key like '%:{number}' and part is null"
    ) == [("conflict", None, False)]
    assert district.warehouse(
        "select source_student_key, outcome from audit.audit_identity_worklist"
    ) == [(f"map:district:district:{number}", "conflict")]


def test_a_flag_flips_and_a_result_is_restated(sample_run: tuple[District, list[int]]) -> None:
    """Another score is another result hash, another flag is not; the newer score counts."""
    district, _ = sample_run
    changes = {}
    for fault in ("flipped_flag", "restated_result"):
        [student] = students(fault)
        sql = (
            "select result_hash, flag_hash, rit_score, is_growth_measure "
            "from core.fct_nwea_assessment_result where subject = 'Mathematics' "
            f"and student_id = '{student}' and data_year = 2027 and test_date < '2026-09-04'"
        )
        [before], [after] = of_map(district, 4, sql), of_map(district, 5, sql)
        changes[fault] = [old != new for old, new in zip(before, after, strict=True)]
    assert changes == {
        "flipped_flag": [False, True, False, True],
        "restated_result": [True, True, True, False],
    }
    [student] = students("restated_result")
    states = (
        "select state, evidence_count from progression.fct_mastery "
        f"where objective_id = 'MAP.MATH' and student_id = 'ST-{student[1:]}'"
    )
    assert of_map(district, 4, states) == [("not_mastered", 1)]
    assert of_map(district, 9, states) == [("mastered", 1)]


def test_last_years_file_waits(sample_run: tuple[District, list[int]]) -> None:
    """The year is that of the tests, whenever the file came; none of them counts."""
    district, _ = sample_run
    assert district.warehouse(
        "select term, data_year, min(year(event_at)), max(year(event_at)), count(*) > 50 "
        "from core.fct_assessment_result where part is null group by all order by all"
    ) == [("Fall 2026-2027", 2027, 2026, 2026, True)]


def test_levels_of_the_vendor_decide_by_a_rule_of_the_district(
    sample_run: tuple[District, list[int]],
) -> None:
    district, _ = sample_run
    assert district.warehouse(
        "select mastery.state, list_distinct(array_agg(newest.level order by newest.level)) "
        "<@ if(mastery.state = 'mastered', ['High', 'HiAvg'], ['Avg', 'LoAvg', 'Low']) "
        "from progression.fct_mastery as mastery inner join ("
        "select student_key, arg_max(level, event_at) as level from progression.fct_evidence "
        "where objective_id = 'MAP.MATH' and disposition = 'usable' group by student_key"
        ") as newest using (student_key) "
        "where mastery.objective_id = 'MAP.MATH' group by mastery.state order by mastery.state"
    ) == [("mastered", True), ("not_mastered", True)]


def test_every_record_is_on_the_ladder_up_to_where_it_is_lost(
    sample_run: tuple[District, list[int]],
) -> None:
    """What the page on coverage shows, with the vendor's own total beside it."""
    district, _ = sample_run
    assert district.warehouse(
        "select source_id, step, sum(record_count), sum(lost_count) "
        "from reconciliation.recon_coverage group by source_id, step_number, step "
        "order by source_id, step_number"
    ) == [
        ("lms", "in_file", 2400, 0),
        ("lms", "accepted", 2239, 161),
        ("lms", "newest", 2050, 189),
        ("lms", "valid", 1978, 72),
        ("lms", "linked", 1978, 0),
        ("lms", "aligned", 1978, 0),
        ("lms", "evidence", 1941, 37),
        ("lms", "enrolled", 1941, 0),
        ("map", "in_file", 370, 0),
        ("map", "accepted", 288, 82),
        ("map", "newest", 84, 204),
        ("map", "valid", 84, 0),
        ("map", "linked", 83, 1),
        ("map", "aligned", 42, 41),
        ("map", "evidence", 42, 0),
        ("map", "enrolled", 41, 1),
    ]
    assert district.warehouse(
        "select subject, term, expected_count, record_count, difference_count "
        "from reconciliation.recon_coverage_total"
    ) == [("Mathematics", "Fall 2026-2027", 43, 43, 0)]


def test_running_a_night_again_changes_nothing(sample_run: tuple[District, list[int]]) -> None:
    district, codes = sample_run
    before = (district.home / "warehouse.duckdb").stat().st_mtime_ns
    last = NIGHTS[-1]
    inbox = str(SAMPLE / f"night_{last['night']}")
    done = district.run("cycle", "--inbox", inbox, "--json", now=last["cutoff_at"])
    assert (done.code, done.json["completed"]) == (codes[-1], []), "it says the same once more"
    assert (district.home / "warehouse.duckdb").stat().st_mtime_ns == before


def test_the_table_of_faults_is_that_of_the_codes_and_the_catalogue() -> None:
    """Made anew by `python scripts/fault_table.py`."""
    command = [sys.executable, "-c", "from fault_table import render; print(render(), end='')"]
    environment = os.environ | {"PYTHONPATH": str(PROJECT_DIR / "scripts")}
    made = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert (PROJECT_DIR / "docs" / "faults.md").read_text(encoding="utf-8") == made.stdout


def test_every_code_is_planted_in_the_sample_or_by_a_test() -> None:
    codes = {row["code"] for row in read_csv(PROJECT_DIR / "seeds/reference/error_codes.csv")}
    planted = {fault["code"] for fault in FAULTS}
    tests = "".join(
        path.read_text(encoding="utf-8")
        for path in sorted((PROJECT_DIR / "tests" / "python").glob("test_*.py"))
    )
    asserted = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", tests))
    assert codes - planted - asserted == set()
