-- The ledger: what was handed over, what became of it, which cycle saw it.
-- All times are UTC. Raw tables (schemas raw_<family>) are made from the layouts; see prepare in ledger.py.

create schema if not exists landing;

-- One row: the version of this schema, `VERSION` of version.py, which is raised when anything here changes.
create table if not exists landing.ledger_version (
    version bigint not null
);

create table if not exists landing.deliveries (
    delivery_id varchar primary key,
    job_id bigint not null,
    source_id varchar not null,
    delivery_name varchar not null,
    container varchar not null,
    exported_at timestamp,
    content_sha256 varchar not null,
    archive_sha256 varchar,
    byte_count bigint not null,
    verdict varchar not null,
    code varchar,
    detail varchar,
    supersedes varchar,
    landed_at timestamp not null
);

create table if not exists landing.files (
    file_id varchar primary key,
    delivery_id varchar not null,
    job_id bigint not null,
    source_id varchar not null,
    delivery_name varchar not null,
    file_name varchar not null,
    feed varchar,
    layout_version varchar,
    raw_table varchar,
    declared_mode varchar,
    mode varchar,
    are_removals_held boolean not null,
    sha256 varchar not null,
    byte_count bigint not null,
    encoding varchar,
    record_count bigint,
    malformed_count bigint,
    blank_line_count bigint,
    verdict varchar not null,
    code varchar,
    detail varchar,
    exported_at timestamp,
    landed_at timestamp not null
);

-- The entry of a file as it was before it was judged again; what cycles made of it until then rests on it.
create table if not exists landing.replaced_files as from landing.files where false;

create table if not exists landing.malformed_records (
    file_id varchar not null,
    record_number bigint not null,
    line_number bigint not null,
    byte_offset bigint not null,
    byte_length bigint not null,
    code varchar not null,
    record_key varchar
);

-- Records that the layout of a file has passed over: a preamble, or what is no record of the feed.
create table if not exists landing.structural_records (
    file_id varchar not null,
    record_number bigint not null,
    line_number bigint not null,
    byte_offset bigint not null,
    byte_length bigint not null
);

-- Why a cycle rejected records of a file that it held for them; a file that is released is judged anew.
create table if not exists landing.rejected_records (
    file_id varchar not null,
    record_number bigint not null,
    line_number bigint not null,
    code varchar not null,
    raw_column varchar
);

-- What a person decided of a file: release, refuse, reprocess (judge again), supersede (replace), withdraw (take
-- the whole of it out of a cycle that failed, though only its removals are held).
create table if not exists landing.decisions (
    decision_id bigint primary key,
    job_id bigint not null,
    file_id varchar not null,
    decision varchar not null,
    reason varchar not null,
    decided_by varchar not null,
    decided_at timestamp not null
);

-- What a person decided of a student as a source knows one: link (to a student of the roster), unlink, or merge (a student of
-- the roster who is known by another id now).
create table if not exists landing.student_links (
    link_id bigint primary key,
    job_id bigint not null,
    source_student_key varchar not null,
    student_key varchar,
    decision varchar not null,
    reason varchar not null,
    decided_by varchar not null,
    decided_at timestamp not null
);

-- The stage of a source: declare (once, when a cycle first knows it, as sources.csv says), then what a person decided of
-- it: promote, demote or retire.
create table if not exists landing.stage_decisions (
    stage_decision_id bigint primary key,
    job_id bigint not null,
    source_id varchar not null,
    decision varchar not null,
    stage varchar not null,
    reason varchar not null,
    decided_by varchar not null,
    decided_at timestamp not null
);

-- Students of a file that a cycle held because too many of them are nobody's, so that a person can link them; a file
-- that is tried again is counted anew.
create table if not exists landing.unlinked_students (
    file_id varchar not null,
    source_student_key varchar not null,
    roster_source_id varchar not null,
    outcome varchar not null,
    found_student_key varchar,
    result_count bigint not null
);

-- What a person said of a column of a source's mapping: approve, refuse or ask. An approval holds what was approved, and its
-- hash; it is void once the mapping says anything else. The rows of a workbook are those of one job.
create table if not exists landing.mapping_reviews (
    review_id bigint primary key,
    job_id bigint not null,
    source_id varchar not null,
    feed varchar not null,
    layout_version varchar not null,
    column_name varchar not null,
    staged_as varchar not null,
    done varchar not null,
    personal_data varchar not null,
    mapping_sha256 varchar not null,
    decision varchar not null,
    question varchar,
    reviewed_by varchar not null,
    reviewed_on date not null,
    recorded_by varchar not null,
    recorded_at timestamp not null
);

-- What a check of a pilot came to, a row per criterion; the rows of a check are those of one job.
create table if not exists landing.promotion_checks (
    job_id bigint not null,
    source_id varchar not null,
    criterion varchar not null,
    value double,
    comparison varchar not null,
    limit_value double not null,
    has_passed boolean not null,
    detail varchar,
    query varchar not null,
    checked_by varchar not null,
    checked_at timestamp not null,
    primary key (job_id, criterion)
);

-- Who has seen what a pilot would change; it counts while the effect is the one of that hash.
create table if not exists landing.seen_effects (
    job_id bigint primary key,
    source_id varchar not null,
    effect_sha256 varchar not null,
    seen_by varchar not null,
    recorded_by varchar not null,
    recorded_at timestamp not null
);

create table if not exists landing.findings (
    finding_number bigint primary key,
    job_id bigint not null,
    cycle_id bigint,
    file_id varchar,
    code varchar not null,
    detail varchar not null,
    found_at timestamp not null
);

create table if not exists landing.cycles (
    cycle_id bigint primary key,
    job_id bigint not null,
    cutoff_at timestamp not null,
    status varchar not null,
    code_version varchar not null,
    seeds_sha256 varchar not null,
    opened_at timestamp not null,
    closed_at timestamp
);

create table if not exists landing.cycle_files (
    cycle_id bigint not null,
    file_id varchar primary key
);

create table if not exists landing.cycle_decisions (
    cycle_id bigint not null,
    decision_id bigint primary key
);

create table if not exists landing.cycle_student_links (
    cycle_id bigint not null,
    link_id bigint primary key
);

create table if not exists landing.cycle_stage_decisions (
    cycle_id bigint not null,
    stage_decision_id bigint primary key
);

-- Every export of a due feed that the schedule set, by the first cycle at whose cut-off it was due.
create table if not exists landing.expected_exports (
    cycle_id bigint not null,
    source_id varchar not null,
    feed varchar not null,
    expected_at timestamp not null,
    due_at timestamp not null,
    primary key (source_id, feed, expected_at)
);

-- Every column of every layout, as the contracts say it now, and the raw column in which it lands. It is
-- replaced whole when the contracts change; no event tells of it, since the seeds of every cycle are archived.
create table if not exists landing.layout_columns (
    feed varchar not null,
    layout_version varchar not null,
    position bigint not null,
    column_name varchar not null,
    raw_column varchar not null,
    is_required varchar not null,
    is_key boolean not null,
    allows_extension boolean not null,
    staged_as varchar
);

create table if not exists landing.events (
    event_number bigint primary key,
    job_id bigint not null,
    happened_at timestamp not null,
    kind varchar not null,
    subject varchar not null,
    detail varchar not null,
    entries_sha256 varchar not null,
    previous_sha256 varchar not null,
    sha256 varchar not null
);

-- Uploads that were not finished when the inbox was last read (source/name), and when each was first seen so.
create table if not exists landing.unfinished_uploads (
    delivery varchar primary key,
    first_seen_at timestamp not null
);

-- Deliveries recognised without reading them again: the same path, size and time.
create table if not exists landing.inbox_entries (
    path varchar primary key,
    signature varchar not null,
    delivery_id varchar not null
);
