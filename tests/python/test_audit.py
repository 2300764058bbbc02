"""The audit marts on nine nights of the sample: what was planted is reported, once."""

import re
from collections import Counter

import pytest
from conftest import FAULTS, District

from rollcall.project import PROJECT_DIR

GUIDE = (PROJECT_DIR / "docs" / "audit.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"^```sql\n(.*?)```", GUIDE, re.M | re.S)
Sample = tuple[District, list[int]]


@pytest.mark.parametrize("query", QUERIES, ids=[re.findall(r"audit\.(\w+)", q)[0] for q in QUERIES])
def test_every_query_of_the_guide_gives_an_answer(sample_run: Sample, query: str) -> None:
    assert sample_run[0].warehouse(query)


def test_the_guide_shows_every_audit_mart() -> None:
    marts = {path.stem for path in (PROJECT_DIR / "models" / "marts" / "audit").glob("*.sql")}
    # docs/identity.md, docs/assessments.md and docs/pilot.md have these.
    marts -= {"audit_identity_match", "audit_identity_worklist", "audit_restated_result"}
    marts -= {"audit_promotion_check"}
    assert set(re.findall(r"^\|.*`(audit_\w+)`", GUIDE, re.M)) == marts
    assert set(re.findall(r"from audit\.(\w+)", "".join(QUERIES))) == marts


def test_every_night_is_logged_and_adds_up_to_the_ingestion_log(sample_run: Sample) -> None:
    district, _ = sample_run
    nights = district.warehouse(
        "select cycle_id, run_status, rejected_file_count, held_removals_count, "
        "missing_feed_count > 0 from audit.audit_cycle_log order by 1"
    )
    rejected = Counter(
        int(fault["night"])
        for fault in FAULTS
        if fault["verdict"] == "rejected" and not fault["line_number"]
    )
    assert nights == [
        (night, "completed", rejected[night], 3 * (night == 8), night in (2, 3, 4, 8))
        for night in range(1, 10)
    ]
    [(logged, files)] = district.warehouse(
        "select (select sum(record_count) from audit.audit_cycle_log), sum(record_count) "
        "from audit.audit_ingestion_log where first_cycle_id is not null"
    )
    assert logged == files


def test_format_changes_are_those_planted_and_their_return(sample_run: Sample) -> None:
    changes = sample_run[0].warehouse(
        "select source_id, feed, change, from_layout_version, to_layout_version, "
        "left(delivery_name, 10) from audit.audit_format_change order by exported_at, feed"
    )
    assert changes == [
        ("sis", "oneroster/users", "header_rejected", "1.1", None, "2026-09-03"),
        ("lms", "oneroster/results", "layout_changed", "1.2.1", "1.2", "2026-09-03"),
        ("sis", "oneroster/users", "restored", "1.1", "1.1", "2026-09-04"),
        ("lms", "oneroster/results", "layout_changed", "1.2", "1.2.1", "2026-09-05"),
        ("lms", "oneroster/results", "format_rejected", "1.2.1", None, "2026-09-08"),
        ("sis", "oneroster/demographics", "header_rejected", "1.1", None, "2026-09-09"),
        ("lms", "oneroster/results", "restored", "1.2.1", "1.2.1", "2026-09-09"),
    ]


OF_A_DELIVERY = "CONTENT_REPEATED"
"""A code that names no file, since it is about all files of a delivery that was taken."""


def test_every_planted_fault_is_a_finding_of_its_night(sample_run: Sample) -> None:
    found = Counter(
        sample_run[0].warehouse(
            "select cycle_id, source_id, delivery_name, file_name, code from audit.audit_finding"
        )
    )
    planted = {
        (
            int(fault["night"]),
            fault["source_id"],
            fault["delivery_name"],
            fault["file_name"],
            fault["code"],
        )
        for fault in FAULTS
        if fault["code"] not in ("", OF_A_DELIVERY)
    }
    assert [night for night, *_, code in found if code == OF_A_DELIVERY] == [7]
    assert planted <= set(found)
    of_files = {finding for finding in found if finding[1] is not None}
    assert of_files == planted
    assert all(found[finding] == 1 for finding in planted)


def test_the_ledger_holds_what_the_mart_shows(sample_run: Sample) -> None:
    district, _ = sample_run
    kept = district.ledger(
        "select file_id, code, detail from landing.findings "
        "where not (starts_with(code, 'TEST_') and cycle_id = 9)"
    )
    shown = district.warehouse("select file_id, code, detail from audit.audit_finding")
    assert Counter(kept) == Counter(shown)


def test_fitness_is_judged_by_what_the_nights_brought(sample_run: Sample) -> None:
    fitness = {
        row[0]: row[1:]
        for row in sample_run[0].warehouse(
            "select source_id, verdict, format_change_count, contested_count, due_count, "
            "on_time_count, late_count, missing_count, evidence from audit.audit_batch_fitness"
        )
    }
    assert fitness["lms"][:3] == ("unfit", 3, 3)
    assert fitness["sis"][:3] == ("fit with care", 2, 1)
    for row in fitness.values():
        assert row[3] == sum(row[4:7])
        measures = re.findall(r"(Fit|Care|Unfit): [\d.]+", row[7])
        assert len(measures) >= (6 if row[3] else 4), "what is not scheduled is never late"


def test_what_a_test_warns_of_is_a_finding(sample_run: Sample) -> None:
    warned = sample_run[0].ledger(
        "select distinct split_part(detail, ':', 1) from landing.findings "
        "where code = 'TEST_WARNED'"
    )
    assert ("overrides_are_beyond_doubt",) in warned
