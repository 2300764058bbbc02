"""The sample district, night by night: every planted fault gets its answer, all else is taken."""

import os
import re
import subprocess
import sys

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
        "from audit.audit_ingestion_log where code is not null"
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


def test_nights_with_rejected_files_end_with_3(sample_run: tuple[District, list[int]]) -> None:
    _, codes = sample_run
    rejected = {
        int(fault["night"])
        for fault in FAULTS
        if fault["verdict"] == "rejected" and not fault["line_number"]
    }
    assert [night for night, code in enumerate(codes, 1) if code == 3] == sorted(rejected)


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
