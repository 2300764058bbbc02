"""Reasons of differences between exports and tables, in words."""

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
