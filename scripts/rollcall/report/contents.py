"""What the report lists: one query, one heading and plain words for each listing.

The ledger is the database in use, the warehouse is attached as `good`; listings may build on those
read before them (`listing_<name>`). Every query ends with a total order.
"""

from pathlib import Path

from rollcall.ledger.entries import CYCLE_ATTEMPTS
from rollcall.ledger.sql import literal
from rollcall.report.listings import Listing
from rollcall.report.reasons import REASONS

VOCABULARY = Path(__file__).with_name("vocabulary.csv")

_NAMED = """
    left join good.core.dim_user as people
        on listed.source_id = people.source_id and listed.student_id = people.user_id
"""


def listings(*, names: bool) -> list[Listing]:
    """Return every listing, in the order in which they are read.

    Args:
        names: show the names of students, and personal values where exports and tables differ.
    """
    return [
        *_files(),
        *_records(),
        *_differences(names),
        *_changes(names),
        *_standing(names),
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
            """
            select
                coalesce(cycle_files.cycle_id, opened.cycle_id) as cycle,
                files.source_id as source,
                files.delivery_name as delivery,
                files.file_name as file,
                case
                    when files.verdict = 'accepted' and files.are_removals_held
                        then 'accepted, removals held'
                    else files.verdict
                end as verdict,
                files.code,
                files.detail,
                files.record_count as records,
                files.malformed_count as malformed,
                seen.rejected_count as rejected,
                seen.duplicate_count as repeats,
                seen.accepted_count as accepted,
                seen.decision,
                files.feed,
                files.layout_version as layout,
                files.mode,
                files.exported_at,
                files.landed_at,
                files.file_id
            from landing.files
            left join landing.cycle_files using (file_id)
            left join good.audit.audit_ingestion_log as seen using (file_id)
            asof left join landing.cycles as opened on files.job_id <= opened.job_id
            order by files.exported_at desc, source, delivery, file, files.file_id
            """,
            hidden=("decision", "feed", "layout", "mode", "landed_at", "file_id"),
        ),
        Listing(
            "sources",
            "Every source",
            "The systems that export, as they are declared, and what each has brought so far. "
            "Newest export: the newest that was taken.",
            "No source is declared.",
            """
            select
                sources.source_id as source,
                sources.name,
                sources.stage,
                max(files.exported_at) filter (files.verdict not in ('held', 'rejected'))
                    as newest_export,
                count(files.file_id) as files,
                count(files.file_id) filter (files.verdict = 'rejected') as refused_files,
                sources.latency_target_hours as may_be_hours_old,
                sources.schedule,
                sources.time_zone
            from good.contracts.sources
            left join listing_files as files on sources.source_id = files.source
            group by all
            order by sources.source_id
            """,
            labels={"newest_export": "newest export (UTC)", "schedule": "schedule (cron)"},
        ),
        Listing(
            "feeds",
            "Every feed",
            "What has come of each kind of file so far; the layout is that of its newest file.",
            "No file has landed yet.",
            """
            select
                source,
                feed,
                count(*) as files,
                count(*) filter (verdict = 'rejected') as refused_files,
                min(exported_at) as first_export,
                max(exported_at) filter (verdict not in ('held', 'rejected')) as newest_export,
                max_by(layout, (exported_at, file_id)) filter (layout is not null) as layout,
                sum(records)::bigint as records
            from listing_files
            where feed is not null
            group by all
            order by source, feed
            """,
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
            f"""
            with files as (
                select
                    cycle,
                    count(*) as files,
                    count(*) filter (verdict = 'rejected') as refused_files,
                    count(*) filter (verdict in ('held', 'accepted, removals held')) as held_files,
                    sum(records)::bigint as records,
                    sum(malformed)::bigint as malformed,
                    sum(rejected)::bigint as rejected,
                    sum(repeats)::bigint as repeats,
                    sum(accepted)::bigint as accepted
                from listing_files
                group by cycle
            ),

            due as (
                select
                    cycle_id as cycle,
                    count(*) filter (status = 'missing') as missing_feeds,
                    count(*) filter (status = 'late') as late_feeds
                from good.audit.audit_sync_lag
                group by cycle_id
            )

            select
                cycles.cycle_id as cycle,
                cycles.cutoff_at as cutoff,
                case
                    when cycles.status = 'failed' then 'failed'
                    when cycles.status = 'open' then 'interrupted'
                    when attempts.last_kind = 'cycle_publish_anyway'
                        then 'published although checks failed'
                    when attempts.has_failed then 'published after a failure'
                    else 'published'
                end as outcome,
                files.* exclude (cycle),
                due.missing_feeds,
                due.late_feeds
            from landing.cycles
            left join files on cycles.cycle_id = files.cycle
            left join due on cycles.cycle_id = due.cycle
            left join ({CYCLE_ATTEMPTS}) as attempts on cycles.cycle_id = attempts.cycle_id
            order by cycle desc
            """,
            labels={"cutoff": "cut-off (UTC)"},
        ),
    ]


def _records() -> list[Listing]:
    return [
        Listing(
            "causes",
            "Causes of refusal",
            "Why records were refused or counted once only, the commonest cause first.",
            "No record was ever refused.",
            """
            select
                refused.code,
                codes.summary as cause,
                codes.severity,
                count(distinct (refused.file_id, refused.record_number)) as records,
                count(distinct refused.file_id) as files,
                max(refused.cycle_id) as cycle,
                codes.explanation,
                codes.advice
            from good.audit.audit_rejected_record as refused
            inner join good.reference.error_codes as codes using (code)
            group by all
            order by records desc, refused.code
            """,
            labels={"cycle": "last in cycle"},
            hidden=("explanation", "advice"),
        ),
        Listing(
            "refused_by_file",
            "Refused records by file",
            "Each file with refused records, by cause; the command writes its refused records to a "
            "CSV for the one who sent it.",
            "No file holds a refused record.",
            """
            select
                code,
                cycle_id as cycle,
                source_id as source,
                delivery_name as delivery,
                file_name as file,
                count(distinct record_number) as records,
                min(line_number) as first_line,
                string_agg(distinct column_name, ', ' order by column_name) as columns,
                file_id
            from good.audit.audit_rejected_record
            group by all
            order by cycle desc, source, delivery, file, code, file_id
            """,
            command="rejects",
            hidden=("file_id",),
        ),
        Listing(
            "refused",
            "Every refused record",
            "One row per record and cause. The line is the line of the file on which the record "
            "starts; the record is named by its own id, where it can be read.",
            "Every record of every file was taken.",
            """
            select
                cycle_id as cycle,
                code,
                source_id as source,
                delivery_name as delivery,
                file_name as file,
                line_number as line,
                record_number as record,
                record_key as id,
                column_name,
                verdict,
                message,
                advice,
                file_id
            from good.audit.audit_rejected_record
            order by cycle desc, source, delivery, file, record, code, column_name, file_id
            """,
            hidden=("message", "advice", "file_id"),
        ),
        Listing(
            "warnings",
            "Taken with a warning",
            "Records that were taken although something in them is not as it should be.",
            "No record was taken with a warning.",
            """
            select
                cycle_id as cycle,
                code,
                source_id as source,
                delivery_name as delivery,
                file_name as file,
                line_number as line,
                record_number as record,
                record_key as id,
                column_name,
                message,
                advice,
                file_id
            from good.audit.audit_record_warning
            order by cycle desc, source, delivery, file, record, code, column_name, file_id
            """,
            hidden=("message", "advice", "file_id"),
        ),
    ]


_REASON = f"""
    case differences.reason
        {" ".join(f"when {literal(code)} then {literal(words)}" for code, words in REASONS.items())}
        else 'none: this is a fault of the warehouse'
    end
"""


def _differences(names: bool) -> list[Listing]:
    def difference(name: str, title: str, meaning: str, nothing: str, values: str = "") -> Listing:
        return Listing(
            name,
            title,
            meaning,
            nothing,
            f"""
            with open_columns as (
                select feed, column_name, bool_and(personal_data = 'none') as is_open
                from good.audit.audit_field_mapping
                group by all
            )

            select
                differences.source_id as source,
                differences.feed,
                differences.record_key as id,
                {values}
                differences.is_explained as explained,
                {_REASON} as reason,
                files.delivery_name as delivery,
                files.file_name as file,
                differences.record_number as record,
                differences.file_id
            from good.reconciliation.{name} as differences
            left join open_columns using (feed, column_name)
            left join landing.files using (file_id)
            order by explained, source, feed, id, column_name, record, differences.file_id, reason
            """,
            hidden=("file_id",),
        )

    def value(column: str) -> str:
        is_shown = "true" if names else "coalesce(open_columns.is_open, false)"
        return (
            f"case when differences.{column} is null or {is_shown} then differences.{column} "
            "else '(personal, not shown)' end"
        )

    return [
        Listing(
            "recon_file_balance",
            "Do the records of every file add up?",
            "For every file: records in the bytes = malformed + rejected + repeats + accepted.",
            "No file has been judged yet.",
            """
            select
                first_cycle_id as cycle,
                source_id as source,
                delivery_name as delivery,
                file_name as file,
                record_count as records,
                malformed_count as malformed,
                rejected_count as rejected,
                duplicate_count as repeats,
                accepted_count as accepted,
                is_balanced as adds_up,
                file_id
            from good.reconciliation.recon_file_balance
            order by is_balanced, first_cycle_id desc nulls first, source, delivery, file, file_id
            """,
            hidden=("file_id",),
        ),
        difference(
            "recon_missing_record",
            "In the export, not in the warehouse",
            "Records that an export names and the tables do not hold, with the reason.",
            "Every record of the exports in force is in the warehouse.",
        ),
        difference(
            "recon_unexpected_record",
            "In the warehouse, not in the export",
            "Records that the tables hold and the exports in force do not name, with the reason.",
            "The warehouse holds no record that the exports in force do not name.",
        ),
        difference(
            "recon_diverging_value",
            "Different in export and warehouse",
            "Values that differ between the export and the tables, field by field"
            + ("." if names else ". Personal values are not shown."),
            "Every value in the warehouse is the one that was exported.",
            f"""
                column_name,
                {value("source_value")} as in_the_export,
                {value("processed_value")} as in_the_warehouse,
            """,
        ),
        Listing(
            "recon_column_sum",
            "Do the sums agree?",
            "A second look, independent of the first: each number, summed over the exports and "
            "over the warehouse, but for the records that the comparison above found to differ.",
            "No number has been summed.",
            """
            select
                source_id as source,
                feed,
                column_name,
                source_sum as sum_in_the_exports,
                differing_source_sum as of_it_in_records_that_differ,
                processed_sum as sum_in_the_warehouse,
                differing_processed_sum as of_it_in_rows_that_differ,
                is_equal as agree
            from good.reconciliation.recon_column_sum
            order by is_equal, source, feed, column_name
            """,
        ),
    ]


def _changes(names: bool) -> list[Listing]:
    def change(name: str, field: str, title: str, meaning: str, nothing: str) -> Listing:
        path = ["listed.path_id as path", "listed.step_number as step"] if field == "gate" else []
        columns = [
            *("listed.cycle_id as cycle", "listed.student_id", "listed.objective_id"),
            *path,
            "replace(listed.before_value, '_', ' ') as before",
            "replace(listed.after_value, '_', ' ') as after",
            "listed.reason",
            *(["people.name"] if names else []),
            "listed.source_id",
        ]
        return Listing(
            name,
            title,
            meaning,
            nothing,
            f"""
            select {", ".join(columns)}
            from good.progression.fct_checkpoint as listed
            {_NAMED if names else ""}
            where listed.field = '{field}'
            order by cycle desc, student_id, objective_id, source_id, reason, after
            """,
            command="trace",
            hidden=("source_id",),
        )

    return [
        change(
            "changed_mastery",
            "state",
            "Changes of mastery",
            "Whose state changed in which cycle, from what to what, and why. The command shows the "
            "whole way from the state to the line of the export.",
            "No state has changed yet.",
        ),
        change(
            "changed_gates",
            "gate",
            "Changes of gates",
            "Which step of a learning path opened, closed or was completed for whom, and why.",
            "No gate has changed yet.",
        ),
    ]


def _standing(names: bool) -> list[Listing]:
    name = ["people.name"] if names else []
    mastery = [
        *("listed.student_id", "listed.objective_id", "replace(listed.state, '_', ' ') as state"),
        *("listed.score_percent as score", "listed.threshold_percent as needed"),
        "listed.evidence_count as evidence",
        "listed.last_evidence_at as last_evidence",
        *("listed.is_override as override", "listed.is_provisional as provisional"),
        *("listed.since", *name, "listed.source_id"),
    ]
    gates = [
        *("listed.student_id", "listed.path_id as path", "listed.step_number as step"),
        *("listed.objective_id", "listed.gate"),
        "array_to_string(listed.blocked_by, ', ') as blocked_by",
        *("listed.since", *name, "listed.source_id"),
    ]
    people = _NAMED if names else ""
    return [
        Listing(
            "objectives",
            "Where students stand, by objective",
            "How many students on the roster are in which state, for each objective.",
            "There is no outcome yet.",
            """
            select
                objective_id as objective,
                count(*) as students,
                count(*) filter (state = 'mastered') as mastered,
                count(*) filter (state = 'not_mastered') as not_mastered,
                count(*) filter (state = 'insufficient_evidence') as insufficient_evidence,
                count(*) filter (state = 'not_evaluated') as not_evaluated,
                count(*) filter (is_override) as overridden
            from good.progression.fct_mastery
            where is_on_roster
            group by objective_id
            order by objective_id
            """,
        ),
        Listing(
            "mastery",
            "Where each student stands",
            "State, score and what is needed, for each student and objective. Scores are percent.",
            "There is no outcome yet.",
            f"""
            select {", ".join(mastery)}
            from good.progression.fct_mastery as listed
            {people}
            where listed.is_on_roster
            order by student_id, objective_id, source_id
            """,
            command="trace",
            hidden=("last_evidence", "provisional", "source_id"),
        ),
        Listing(
            "gates",
            "Where each student stands on a path",
            "Each step of a learning path: locked, available or completed, and what blocks it.",
            "No student is on a learning path.",
            f"""
            select {", ".join(gates)}
            from good.progression.fct_progression as listed
            {people}
            order by student_id, path, step, objective_id, source_id
            """,
            command="trace",
            hidden=("source_id",),
        ),
        Listing(
            "overrides",
            "Decisions of teachers",
            "Overrides as they were delivered, whether each is in force, and what is odd about it.",
            "No teacher has overridden an outcome.",
            """
            select
                override_id as override,
                student_id,
                objective_id,
                action,
                replace(state, '_', ' ') as state,
                teacher_id as teacher,
                effective_at as decided,
                is_in_force as in_force,
                array_to_string(findings, ', ') as findings,
                source_id
            from good.audit.audit_override
            order by effective_at desc, override_id, source_id
            """,
            labels={"decided": "decided (UTC)"},
            command="trace",
            hidden=("source_id",),
        ),
        Listing(
            "evidence",
            "What counted, and what did not",
            "What became of every result: counted as evidence, or left out and why.",
            "There is no result yet.",
            "select source_id as source, fate, evidence_count as results "
            "from good.audit.audit_evidence order by source, fate",
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
            """
            select
                cycle_id as cycle,
                source_id as source,
                feed,
                replace(status, '_', ' ') as status,
                due_at as due,
                file_count as files,
                event_to_export_p50_hours as event_to_export_median,
                event_to_export_p95_hours as event_to_export_95_percent,
                event_to_export_max_hours as event_to_export_longest,
                export_to_landing_p50_hours as export_to_landing_median,
                export_to_landing_max_hours as export_to_landing_longest,
                landing_to_visible_p50_hours as landing_to_use_median,
                landing_to_visible_max_hours as landing_to_use_longest,
                latency_target_hours as target_hours
            from good.audit.audit_sync_lag
            order by cycle desc, source, feed
            """,
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
            """
            select
                source_id as source,
                verdict,
                evidence as why,
                due_count as exports_due,
                on_time_count as on_time,
                late_count as late,
                missing_count as missing,
                longest_interval_hours,
                repeated_percent as assessed_more_than_once_percent,
                irregular_percent,
                format_change_count as changes_of_format,
                contested_count as contested,
                refused_percent
            from good.audit.audit_batch_fitness
            order by source
            """,
            hidden=("longest_interval_hours", "irregular_percent", "changes_of_format"),
        ),
        Listing(
            "formats",
            "Changes of format",
            "Every file that is written otherwise than the one exported before it.",
            "No source has changed the format of its files.",
            """
            select
                source_id as source,
                feed,
                replace(change, '_', ' ') as change,
                code,
                differences as what_changed,
                from_layout_version as from_layout,
                to_layout_version as to_layout,
                delivery_name as delivery,
                file_name as file,
                exported_at,
                file_id
            from good.audit.audit_format_change
            order by exported_at desc, source, feed, file_id
            """,
            hidden=("file_id",),
        ),
        Listing(
            "findings",
            "Findings",
            "What a person should know of a delivery, a file or a cycle, kept for ever.",
            "Nothing has been found.",
            """
            select
                cycle_id as cycle,
                code,
                severity,
                detail,
                advice,
                source_id as source,
                delivery_name as delivery,
                file_name as file,
                file_id
            from good.audit.audit_finding
            order by cycle desc, source, delivery, file, code, detail, file_id
            """,
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
            """
            select
                cycle,
                source,
                delivery,
                exported_at,
                count(*) as files,
                count(*) filter (verdict not in ('accepted', 'accepted, removals held'))
                    as files_not_taken,
                sum(records)::bigint as records,
                sum(malformed)::bigint as malformed,
                sum(rejected)::bigint as rejected,
                sum(repeats)::bigint as repeats,
                sum(accepted)::bigint as accepted
            from listing_files
            group by all
            order by cycle desc, exported_at, source, delivery
            """,
        ),
        Listing(
            "causes_by_cycle",
            "Refused records, by cycle and cause",
            "Why records of each cycle were refused or counted once only.",
            "No single record was refused. Where a whole file was, it says so above.",
            """
            select
                refused.cycle,
                refused.code,
                codes.summary as cause,
                count(distinct (refused.file_id, refused.record)) as records,
                codes.advice as what_to_tell_the_vendor
            from listing_refused as refused
            inner join good.reference.error_codes as codes using (code)
            group by all
            order by refused.cycle desc, records desc, refused.code
            """,
        ),
        Listing(
            "changes_by_cycle",
            "Changes, by cycle and reason",
            "How many outcomes and gates changed in each cycle, and why.",
            "Nothing changed for any student.",
            r"""
            with changes as (
                select cycle, 'mastery' as what, before, after, reason, student_id
                from listing_changed_mastery
                union all
                select cycle, 'gate' as what, before, after, reason, student_id
                from listing_changed_gates
            )

            select
                cycle,
                what,
                before,
                after,
                regexp_replace(reason, '^override \S+', 'override') as reason,
                count(*) as changes,
                count(distinct student_id) as students
            from changes
            group by all
            order by cycle desc, what desc, changes desc, before, after, reason
            """,
        ),
    ]


def _reference() -> list[Listing]:
    return [
        Listing(
            "words",
            "Words",
            "What this report calls things.",
            "There is no word.",
            f"""
            select word, meaning
            from read_csv({literal(str(VOCABULARY))}, header = true, all_varchar = true)
            order by word
            """,
        ),
        Listing(
            "mapping",
            "Where each column goes",
            "Every column of every known layout: what it means, where it is staged and whether it "
            "says something about a person. Columns that are not staged are kept as delivered.",
            "No layout is known.",
            """
            select
                feed,
                layout_version as layout,
                position,
                column_name,
                meaning,
                data_type as type,
                is_required as required,
                personal_data,
                staged_as,
                allowed_values,
                referenced_feed
            from good.audit.audit_field_mapping
            order by feed, layout, position
            """,
            labels={"referenced_feed": "refers to"},
            hidden=("allowed_values", "referenced_feed"),
        ),
        Listing(
            "codes",
            "What the codes mean",
            "Every code that a delivery, a file or a record can get, and what to do about it.",
            "No code is known.",
            """
            select
                code,
                summary as fault,
                scope,
                severity,
                explanation,
                advice
            from good.reference.error_codes
            order by code
            """,
            labels={"advice": "what to do"},
        ),
    ]
