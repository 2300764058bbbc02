"""What the report lists: the heading and the plain words of each listing.

The query of a listing has its name under `queries/` and ends with a total order. The ledger is the
database in use, the warehouse is attached as `good`; a query may build on listings read before it
(`listing_<name>`) and on the tables of `lay_out`. Its only parameter is `$names`.
"""

from pathlib import Path

import duckdb

from rollcall.ledger.entries import CYCLE_ATTEMPTS
from rollcall.ledger.sql import literal
from rollcall.report.listings import Listing
from rollcall.report.reasons import COVERAGE, REASONS

VOCABULARY = Path(__file__).with_name("vocabulary.csv")


def lay_out(connection: duckdb.DuckDBPyConnection) -> None:
    """Lay out what queries need besides ledger and warehouse, as temporary tables."""
    connection.execute(f"create temp table cycle_attempts as {CYCLE_ATTEMPTS}")
    for table, meanings in (("difference_reasons", REASONS), ("coverage_words", COVERAGE)):
        connection.execute(
            f"create temp table {table} as "
            "select unnest(?::varchar[]) as code, unnest(?::varchar[]) as words",
            [list(meanings), list(meanings.values())],
        )
    connection.execute(
        "create temp table vocabulary as from "
        f"read_csv({literal(str(VOCABULARY))}, header = true, all_varchar = true)"
    )
    for table, columns in _OF_PILOTS.items():
        _lay_out_pilots(connection, table, columns)


_OF_PILOTS = {
    "audit_pilot_effect": (
        "outcome varchar, objective_id varchar, path_id varchar, step_number bigint, "
        "value_now varchar, value_with_pilot varchar, student_count bigint"
    ),
    "audit_pilot_difference": (
        "problem varchar, code varchar, feed varchar, file_id varchar, record_number bigint, "
        "line_number bigint, column_name varchar, problem_count bigint"
    ),
}
"""The tables that each pilot has in its schema, and the columns that are shown."""


def _lay_out_pilots(connection: duckdb.DuckDBPyConnection, table: str, columns: str) -> None:
    """Put the tables of one name of all pilots into one, with the pilot and its last cycle."""
    schemas = connection.execute(
        "select schema_name from duckdb_tables() where database_name = 'good' "
        "and starts_with(schema_name, 'pilot_') and table_name = ? order by schema_name",
        [table],
    ).fetchall()
    pairs = [
        column.split() for column in f"source_id varchar, cycle_id bigint, {columns}".split(", ")
    ]
    shape = ", ".join(f"cast(null as {kind}) as {name}" for name, kind in pairs)
    names = ", ".join(name for name, _ in pairs)
    of_pilots = (
        f"select {names} from good.{schema}.{table} cross join good.{schema}.built_in_cycle"
        for (schema,) in schemas
    )
    rows = " union all ".join([f"(select {shape} limit 0)", *of_pilots])
    connection.execute(f"create temp table {table} as {rows}")


def listings(*, names: bool) -> list[Listing]:
    """Return every listing, in the order in which they are read.

    Args:
        names: show the names of students, and personal values where exports and tables differ.
    """
    return [
        *_files(),
        *_records(),
        *_differences(names),
        *_coverage(),
        *_contests(),
        *_changes(),
        *_students(),
        *_pilots(),
        *_times(),
        *_by_cycle(),
        *_reference(),
    ]


def _files() -> list[Listing]:
    return [
        Listing(
            "files",
            "Every file",
            "Each file that was delivered, newest export first, with its verdict and what its "
            "records came to.",
            "No file has landed yet.",
            hidden=("decision", "feed", "layout", "mode", "landed_at", "file_id"),
        ),
        Listing(
            "sources",
            "Every source",
            "The systems that export, as they are declared, and what each has brought so far. "
            "Newest export: the newest that was taken.",
            "No source is declared.",
            labels={"newest_export": "newest export (UTC)", "schedule": "schedule (cron)"},
        ),
        Listing(
            "feeds",
            "Every feed",
            "What has come of each kind of file so far; the layout is that of its newest file.",
            "No file has landed yet.",
            labels={
                "first_export": "first export (UTC)",
                "newest_export": "newest export (UTC)",
            },
        ),
        Listing(
            "cycles",
            "Every cycle",
            "One sync after the other: what each saw first, and what the records came to.",
            "No cycle has been opened yet.",
            labels={"cutoff": "cut-off (UTC)"},
        ),
    ]


def _records() -> list[Listing]:
    return [
        Listing(
            "causes",
            "Causes of rejection",
            "Why records were rejected or counted once only, the commonest cause first.",
            "No record was ever rejected.",
            labels={"cycle": "last in cycle"},
            hidden=("explanation", "advice"),
        ),
        Listing(
            "rejected_by_file",
            "Rejected records by file",
            "Each file with rejected records, by cause; the command writes them to a "
            "CSV for the one who sent it.",
            "No file holds a rejected record.",
            command="rejects",
            hidden=("file_id",),
        ),
        Listing(
            "rejected",
            "Every rejected record",
            "One row per record and cause. The line is the line of the file on which the record "
            "starts; the record is named by its own id, where it can be read.",
            "Every record of every file was taken.",
            hidden=("message", "advice", "file_id"),
        ),
        Listing(
            "warnings",
            "Taken with a warning",
            "Records that were taken although something in them is not as it should be.",
            "No record was taken with a warning.",
            hidden=("message", "advice", "file_id"),
        ),
    ]


def _differences(names: bool) -> list[Listing]:
    return [
        Listing(
            "recon_file_balance",
            "Do the records of every file add up?",
            "For every file: records in the bytes = structural + malformed + rejected + duplicates "
            "+ accepted.",
            "No file has been counted yet.",
            hidden=("file_id",),
        ),
        Listing(
            "recon_missing_record",
            "In the export, not in the warehouse",
            "Records of the newest exports that the tables do not hold, with the reason.",
            "Every record of the newest exports is in the warehouse.",
            hidden=("file_id",),
        ),
        Listing(
            "recon_unexpected_record",
            "In the warehouse, not in the export",
            "Records that the tables hold and the newest exports do not, with the reason.",
            "The warehouse holds no record that is absent from the newest exports.",
            hidden=("file_id",),
        ),
        Listing(
            "recon_diverging_value",
            "Different in export and warehouse",
            "Values that differ between the export and the tables, field by field"
            + ("." if names else ". Personal values are not shown."),
            "Every value in the warehouse is the one that was exported.",
            hidden=("file_id",),
        ),
        Listing(
            "recon_column_sum",
            "Do the sums agree?",
            "A second comparison, independent of the first: each number, summed over the exports "
            "and over the warehouse, without the records that the comparison above found to "
            "differ.",
            "No number has been summed.",
        ),
    ]


def _coverage() -> list[Listing]:
    return [
        Listing(
            "coverage_totals",
            "Do we count what the source counts?",
            "Totals that a source states itself, such as in a report of the vendor, beside ours. "
            "They are entered in expected_totals.csv.",
            "No total is entered in expected_totals.csv.",
            hidden=("feed",),
        ),
        Listing(
            "coverage",
            "How far records get",
            "Step by step: how many records are left, and why the others are not. What is left "
            "and what is lost are together what the step before has.",
            "No record that could be evidence has come yet.",
            labels={"percent_of_all": "% of all"},
        ),
        Listing(
            "coverage_by_school",
            "How far tests get, school by school",
            "The tests of each assessment, subject, term and school, as the files name them, and "
            "how many are left at each step.",
            "No test of an assessment has come yet.",
            hidden=("feed",),
        ),
    ]


def _contests() -> list[Listing]:
    return [
        Listing(
            "contested_fields",
            "Contested fields",
            "Of how many students two sources say different things, field by field, whose word "
            "stands, and since when the oldest is open.",
            "No source says anything else of a student than the one whose word stands.",
            labels={"oldest_since": "oldest since (UTC)"},
        ),
        Listing(
            "contested_values",
            "Contested students",
            "Each student and field, the oldest first. Correct the source that is wrong; no table "
            "takes its value from here. Values are shown as they are compared, and only where the "
            "report names students.",
            "No source says anything else of a student than the one whose word stands.",
            labels={"since_at": "since (UTC)"},
            hidden=("roster_source_id",),
            personal=("name", "value_that_stands", "other_value"),
        ),
    ]


def _changes() -> list[Listing]:
    return [
        Listing(
            "changed_mastery",
            "Changes of mastery",
            "Whose state changed in which cycle, from what to what, and why. The command shows the "
            "chain from the state to the line of the export.",
            "No state has changed yet.",
            command="trace",
            hidden=("roster_source_id",),
            personal=("name",),
        ),
        Listing(
            "changed_gates",
            "Changes of gates",
            "Which step of a learning path opened, closed or was completed for whom, and why.",
            "No gate has changed yet.",
            command="trace",
            hidden=("roster_source_id",),
            personal=("name",),
        ),
    ]


def _students() -> list[Listing]:
    return [
        Listing(
            "objectives",
            "Mastery by objective",
            "How many students on the roster are in which state, for each objective.",
            "There is no outcome yet.",
        ),
        Listing(
            "mastery",
            "Mastery by student",
            "State, score and what is needed, for each student and objective. Scores are percent.",
            "There is no outcome yet.",
            command="trace",
            hidden=("last_evidence", "provisional", "roster_source_id"),
            personal=("name",),
        ),
        Listing(
            "gates",
            "Learning paths by student",
            "Each step of a learning path: locked, available or completed, and what blocks it.",
            "No student is on a learning path.",
            command="trace",
            hidden=("roster_source_id",),
            personal=("name",),
        ),
        Listing(
            "overrides",
            "Decisions of teachers",
            "Overrides as they were delivered, whether each is current, and what speaks against "
            "it.",
            "No teacher has overridden an outcome.",
            labels={"decided": "decided (UTC)"},
            command="trace",
            hidden=("source_id",),
        ),
        Listing(
            "evidence",
            "Evidence that counts, and evidence that does not",
            "How many results are usable as evidence, and why the others are not.",
            "There is no result yet.",
        ),
    ]


def _pilots() -> list[Listing]:
    return [
        Listing(
            "pilot_effect",
            "What would change",
            "How many students would have another state, or another gate on a learning path, if "
            "the pilot were live: by the evidence of live sources and the pilot together.",
            "No source is a pilot, or none would change an outcome.",
            labels={"built_in_cycle": "as of cycle"},
        ),
        Listing(
            "pilot_problems",
            "What stands in the way",
            "Problems of ingestion (a file or record was not taken), of transformation (a value, a "
            "student or an objective was not understood) and of logic (a rule gives evidence no "
            "outcome, or another one than live tables have), with the first record that shows it.",
            "No source is a pilot, or nothing is wrong with any.",
        ),
        Listing(
            "pilot_checks",
            "What a pilot has to meet",
            "The newest check of each source by the criteria under which a pilot may be live: what "
            "each came to, and what it has to be.",
            "No pilot has been checked; rollcall promote SOURCE --check does it.",
            labels={"checked_at": "checked (UTC)"},
        ),
        Listing(
            "pilot_stages",
            "What was decided",
            "In which stage a source began, and who promoted, demoted or retired it when and why. "
            "A decision counts from the cycle on that is named.",
            "No source is or was a pilot.",
            labels={"decided_at": "decided (UTC)", "decided_by": "by"},
        ),
        Listing(
            "pilot_changes",
            "What a promotion changed",
            "How many students had another state in the first cycle in which a source was live, of "
            "those and in the objectives of whom and which it has evidence.",
            "No source that was promoted has changed an outcome.",
        ),
    ]


def _times() -> list[Listing]:
    return [
        Listing(
            "lag",
            "How old the data was, cycle by cycle",
            "Hours from the event to its export, from the export to its landing and from the "
            "landing to the cycle that used it: half of the records were faster than the median, "
            "19 in 20 faster than the 95 % figure.",
            "No cycle has used a file yet.",
            labels={
                "due": "due (UTC)",
                "event_to_export_median": "event to export, median",
                "event_to_export_95_percent": "event to export, 95 %",
                "event_to_export_longest": "event to export, longest",
                "export_to_landing_median": "export to landing, median",
                "export_to_landing_longest": "export to landing, longest",
                "landing_to_use_median": "landing to use, median",
                "landing_to_use_longest": "landing to use, longest",
            },
        ),
        Listing(
            "fitness",
            "Does a scheduled export suit this source?",
            "How punctual, regular, stable and clean each source is, and how often students are "
            "assessed more than once between two cycles, of which a batch sees the end only.",
            "No source has been measured yet.",
            hidden=("longest_interval_hours", "irregular_percent", "changes_of_format"),
        ),
        Listing(
            "formats",
            "Changes of format",
            "Every file that is written otherwise than the one exported before it.",
            "No source has changed the format of its files.",
            hidden=("file_id",),
        ),
        Listing(
            "findings",
            "Findings",
            "What a person should know of a delivery, a file or a cycle, kept for ever.",
            "Nothing has been found.",
            labels={"advice": "what to do"},
            hidden=("file_id",),
        ),
    ]


def _by_cycle() -> list[Listing]:
    return [
        Listing(
            "deliveries",
            "Deliveries",
            "What each source handed over, and what its records came to.",
            "Nothing came.",
        ),
        Listing(
            "causes_by_cycle",
            "Rejected records, by cycle and cause",
            "Why records of each cycle were rejected or counted once only.",
            "No single record was rejected. A file that was rejected as a whole is listed above.",
        ),
        Listing(
            "changes_by_cycle",
            "Changes, by cycle and reason",
            "How many outcomes and gates changed in each cycle, and why.",
            "Nothing changed for any student.",
        ),
    ]


def _reference() -> list[Listing]:
    return [
        Listing(
            "words",
            "Words",
            "What this report calls things.",
            "There is no word.",
        ),
        Listing(
            "reviewed_mapping",
            "Mappings that people approve",
            "Every column of the sources that are tried out or reviewed: what it means, how its "
            "values are written, who needs it, where it goes and what is done to it. An approval "
            "holds until any of that changes.",
            "No mapping is reviewed: no source is a pilot, and nobody has approved a column.",
            labels={
                "shapes": "shapes of values",
                "staged_as": "where it goes",
                "done": "what is done to it",
                "status": "review",
                "reason": "why",
            },
            hidden=("position",),
        ),
        Listing(
            "mapping",
            "Where each column goes",
            "Every column of every known layout: what it means, where it is staged and whether it "
            "says something about a person. Columns that are not staged are kept as delivered.",
            "No layout is known.",
            labels={"referenced_feed": "refers to"},
            hidden=("allowed_values", "referenced_feed"),
        ),
        Listing(
            "codes",
            "What the codes mean",
            "Every code that a delivery, a file or a record can get, and what to do about it.",
            "No code is known.",
            labels={"advice": "what to do"},
        ),
    ]
