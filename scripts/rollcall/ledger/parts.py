"""What a bulk is whole of where that is not all: the values of one column that it lists."""

from rollcall.contracts.layouts import Layout
from rollcall.contracts.sources import Feed
from rollcall.ledger.sql import CASTS, identifier, trimmed


def whole_by(feed: Feed, layout: Layout) -> tuple[str, str] | None:
    """Find the column within whose values a bulk is whole, as `whole_by` of its feed names it.

    Args:
        feed: the feed.
        layout: a layout of it that is staged.

    Returns:
        The column of the mart, and SQL of what a raw record says there, null where it is blank or
        cannot be read; None of a feed whose bulks are whole of all.
    """
    for column, raw_column in layout.staged:
        if raw_column == feed.whole_by:
            value = CASTS.get(column.kind, "{0}").format(trimmed(identifier(raw_column)))
            return column.staged_column, value
    return None
