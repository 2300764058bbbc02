"""Reasons of differences between exports and tables, in words."""

REASONS = {
    "awaiting": "it names a record that has not come",
    "deleted": "the source deleted it later",
    "held": "its file, or the removals in it, wait for a decision",
    "pending": "the next cycle will take it",
    "rejected": "it was refused",
    "superseded": "the warehouse holds a newer version",
}
"""Why a difference is there, in words, by its code; any other difference is unexplained."""
