"""Reasons of differences and of losses, and the steps of coverage, in words."""

REASONS = {
    "deleted": "the source deleted it later",
    "held": "its file, or the removals in it, wait for a decision",
    "incomplete": "its file may lack records, so it removes nothing",
    "pending": "the next cycle will take it",
    "rejected": "it was rejected",
    "superseded": "the warehouse holds a newer version",
    "unresolved": "it names a record that has not come yet, or is gone",
}
"""Why there is a difference, in words, by its code; any other difference is unexplained."""

COVERAGE = {
    "in_file": "in the files",
    "accepted": "accepted",
    "newest": "the newest of their key",
    "valid": "valid",
    "linked": "of a known student",
    "aligned": "about an objective",
    "evidence": "usable as evidence",
    "enrolled": "of a student enrolled on that day",
    "ambiguous": "may be of two students",
    "conflict": "bear the id of a student of another name or birth date",
    "duplicate": "were there twice, or the same work under several ids",
    "exempt": "are of exempt students",
    "file_not_taken": "are in a file that waits, or was refused or replaced",
    "file_rejected": "are in a rejected file",
    "in_future": "are dated after their export",
    "line_item_withdrawn": "are of work that was withdrawn",
    "linked_unwitnessed": "bear a known id, and nothing confirms it",
    "no_objective": "are aligned to no objective",
    "none": "are of nobody on the roster",
    "not_enrolled": "are of students who were not enrolled on that day",
    "not_scored": "have neither score nor level",
    "not_submitted": "were not submitted",
    "proposed": "are of students known by name and birth date alone",
    "structural": "are no data, such as totals",
    "superseded": "were replaced by a newer record of their key",
    "unresolved_line_item": "are of work that has not come",
    "withdrawn": "were taken back",
}
"""The steps of coverage, and why records are lost before one; any other code is read as it is."""
