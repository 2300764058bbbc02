"""Write docs/promises.md: each promise, the tests that hold it, and the defects they catch.

Made from this file and tests/python/mutants.toml; a test holds the page to them.
Usage: python scripts/promise_table.py
"""

import tomllib
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "promises.md"


class Promise(NamedTuple):
    """A promise in a sentence, and the tests that would fail if it were broken."""

    title: str
    sentence: str
    tests: tuple[str, ...]


PROMISES = {
    1: Promise(
        "Conservation",
        "For every file: records in the bytes = structural + malformed + rejected + duplicate + "
        "accepted.",
        (
            "test_framed_nights.py::test_every_file_balances_with_what_is_passed_over",
            "test_fuzz.py::test_what_lands_is_what_was_written",
            "test_properties.py::test_the_warehouse_is_what_the_files_say",
            "test_properties.py::test_landing_depends_on_the_files_alone",
        ),
    ),
    2: Promise(
        "Idempotence",
        "Landing the same delivery again, or running the same cycle again, changes no table.",
        (
            "test_properties.py::test_the_warehouse_is_what_the_files_say",
            "test_properties.py::test_landing_depends_on_the_files_alone",
            "test_landing.py::test_the_same_delivery_twice_changes_nothing",
        ),
    ),
    3: Promise(
        "Order independence",
        "The current state is a function of the set of files with their verdicts and decisions.",
        (
            "test_properties.py::test_the_warehouse_is_what_the_files_say",
            "test_order.py::test_grouping_into_cycles_and_late_arrival_do_not_change_the_state",
            "test_determinism.py::test_every_order_that_decides_is_total",
        ),
    ),
    4: Promise(
        "Incremental = full",
        "An incremental build gives the same tables as a full one.",
        (
            "test_properties.py::test_the_warehouse_is_what_the_files_say",
            "test_cycle.py::test_a_bare_dbt_build_equals_the_published_warehouse",
            "test_mastery.py::test_incremental_equals_full_and_history_rewinds_but_never_goes_back",
        ),
    ),
    5: Promise(
        "Replayable",
        "Archive and ledger alone reproduce every table, history included, to the byte.",
        (
            "test_replay.py::test_every_table_comes_again_but_those_that_somebody_changed",
            "test_replay.py::test_the_sample_comes_again",
            "test_determinism.py::test_no_query_depends_on_when_or_in_which_order_it_runs",
            "test_determinism.py::test_no_macro_hook_or_seed_depends_on_them_either",
        ),
    ),
    6: Promise(
        "Crash-safe",
        "Killed at any moment and run again, the result equals an undisturbed run.",
        (
            "test_crashes.py::test_killed_again_and_again_and_run_to_the_end",
            "test_crashes.py::test_killed_at_every_step_of_landing",
            "test_crashes.py::test_killed_once_at_a_step",
            "test_crashes.py::test_killed_at_any_time",
            "test_cycle.py::test_a_home_without_room_says_so_is_locked_while_dbt_runs_and_recovers",
        ),
    ),
    7: Promise(
        "No stale overwrite",
        "Older information never replaces newer; it is counted and shown.",
        (
            "test_properties.py::test_the_warehouse_is_what_the_files_say",
            "test_judged_again.py::test_dated_rows_sent_again_later_are_stale_and_"
            "an_old_export_changes_only_what_it_is_newest_for",
        ),
    ),
    8: Promise(
        "No silent loss",
        "What fails, shrinks or changes shape is held or rejected with a reason.",
        (
            "test_limits.py::test_removals_over_the_limit_wait_while_additions_and_changes_go_on",
            "test_judgement.py",
            "test_sample_faults.py",
        ),
    ),
    9: Promise(
        "Readers never wait",
        "The published warehouse is always the last good cycle, complete; "
        "it is replaced in one rename.",
        (
            "test_crashes.py::test_killed_again_and_again_and_run_to_the_end",
            "test_cycle.py::test_a_cycle_sees_what_its_cutoff_allows_and_absence_removes",
            "test_cycle.py::test_a_failed_test_publishes_nothing_and_the_same_cycle_is_repeated",
        ),
    ),
    10: Promise(
        "No wrong child",
        "A record of another system is linked to a student only by a declared id, and never "
        "against a witness.",
        (
            "test_sample_faults.py::test_every_planted_fault_is_answered",
            "test_identity.py::test_an_id_links_where_no_witness_contradicts",
            "test_identity.py::test_overlapping_ranges_of_numbers_link_nobody_to_another_child",
        ),
    ),
    11: Promise(
        "Pilots touch nothing",
        "Every live table is the same, to the byte, with and without a pilot.",
        (
            "test_pilots.py::test_live_tables_are_the_same_with_and_without_a_pilot",
            "test_pilots.py::test_no_random_pilot_touches_live_tables",
            "test_pilots.py::test_no_node_of_live_tables_reaches_one_of_a_pilot_"
            "and_none_of_these_another",
        ),
    ),
    12: Promise(
        "Said or right",
        "A cycle that ends with 0 has taken everything or said why not.",
        (
            "test_codes.py::test_what_waits_is_said_each_night_until_somebody_decides",
            "test_judgement.py",
            "test_limits.py",
        ),
    ),
}
LONG_RUNS = (
    (
        "`make mutants`",
        "67 mutants",
        "all caught",
    ),
    (
        "`pytest -m long tests/python/test_properties.py -k warehouse`",
        "200 of 2,000 districts through dbt, 100 in a warehouse",
        "no counter-example; the oracle did not know that the same work counts once: it does now",
    ),
    (
        "`pytest -m long tests/python/test_properties.py -k depends_on_the_files`",
        "2,050 districts through the loader, ten at a time: 450 with a seed of their own, the "
        "others in a run that was stopped for time before its 2,000th",
        "no counter-example",
    ),
    (
        "`pytest -m long tests/python/test_crashes.py -k killed`",
        "killed at every second step of landing, at 23 chosen calls of a cycle, 12 times at random",
        "each equal to an undisturbed run; the polling reader saw complete cycles only",
    ),
    (
        "`pytest -m long tests/python/test_ordinary_user.py`",
        "the attacks, kills and damages of ten files of tests as user 65534 with umask 000, 35 of "
        "them kills and full disks, 36 of them alarms after a kill",
        "three tests were out of date and are corrected: two limits of a disk, and one that a "
        "shell without Ctrl-C stops; all else passed",
    ),
    (
        "`pytest -m long tests/python/test_crashes.py -k disk`",
        "a file-size limit while the last good state is copied, and while it is published",
        "stopped with a sentence, next run equal; half a copy was left: corrected, both pass",
    ),
    (
        "`python tests/benchmarks/bench_replay.py`",
        "nine nights of the sample",
        "178 s, replayed in 121 s: 0.68 (limit 1.2)",
    ),
)
"""The last long runs: command, cases, result."""
HEAD = """# Promises, and what holds them

Each promise has tests that fail when it is broken, and small defects (mutants) that these tests
are known to catch. The tests are in `tests/python/`; those marked `more` run with
`make test-more`, those marked `long` with `make test-long`, all others with `make test`.

The expected state comes from `reference_model.py`, which shares no code with the product: it reads
the files with Python's csv module and states every rule again, over all files at once. Tables are
compared by fingerprint (`rollcall verify --json`): one digest per table, whatever the order of its
rows, without the columns that say when a run took place.

This page is made by `python scripts/promise_table.py`; do not edit it.
"""
MUTANTS_HEAD = """
## Mutants

`make mutants` applies each defect to a copy of the project, alone, and runs the one test that must
catch it: a unit test of dbt, or a test of `tests/python/`.
"""


def render() -> str:
    """Return the page."""
    parts = [HEAD, "| promise | says | tests |", "|---|---|---|"]
    for number, promise in PROMISES.items():
        tests = "<br>".join(f"`{test}`" for test in promise.tests)
        parts.append(f"| {number}. {promise.title} | {promise.sentence} | {tests} |")
    parts += ["\n## Last long runs\n", "| command | cases | result |", "|---|---|---|"]
    parts += [f"| {' | '.join(run)} |" for run in LONG_RUNS]
    parts += [MUTANTS_HEAD, "| mutant | where | promise | caught by |", "|---|---|---|---|"]
    text = (ROOT / "tests" / "python" / "mutants.toml").read_text(encoding="utf-8")
    for name, mutant in tomllib.loads(text).items():
        cells = (
            name.replace("_", " "),
            f"`{mutant['file']}`",
            f"{mutant['promise']}",
            f"`{mutant['test']}`",
        )
        parts.append(f"| {' | '.join(cells)} |")
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
