"""Choice: which layout a file is that `framings.csv` has something to say of.

Its name, header, delimiter and year decide together. Where they leave several layouts, none is
picked.
"""

from dataclasses import dataclass

from rollcall.contracts.framings import DELIMITED
from rollcall.contracts.layouts import Fit, Layout, fit_by
from rollcall.contracts.project import Contracts
from rollcall.contracts.sources import Feed, Source
from rollcall.csvfile.framing import DELIMITERS, Header, HeaderError
from rollcall.csvfile.opening import open_records
from rollcall.landing.container import Member, Rejection


@dataclass(frozen=True, slots=True)
class Chosen:
    """The layout of a file, with the names of its header."""

    feed: Feed
    names: tuple[str, ...]
    fit: Fit


def choose(
    contracts: Contracts, source: Source, feed: Feed | None, member: Member
) -> Chosen | Rejection | None:
    """Choose the layout of a file among those with a framing of their own.

    Args:
        contracts: the contracts of the project.
        source: who sends the file.
        feed: what its name is that of, if of any.
        member: the file.

    Returns:
        None where nothing is declared of such a file, so that it is read as a plain CSV.
    """
    candidates = contracts.framed(source, feed, member.name)
    outcomes = [_try(source, layout, member) for layout in candidates]
    chosen = [outcome for outcome in outcomes if not isinstance(outcome, Rejection)]
    chosen = [fit for fit in chosen if fit[1].is_exact] or chosen
    if len(chosen) > 1:
        named = ", ".join(f"{fit.layout.feed} {fit.layout.version}" for _, fit in chosen)
        return Rejection(
            "LAYOUT_AMBIGUOUS",
            f"It may be any of {named}. Tell them apart in framings.csv by name_pattern, and by "
            "year where only that differs; then `rollcall reprocess` the file.",
        )
    if chosen:
        [(names, fit)] = chosen
        of_layout = next(item for item in contracts.feeds if item.feed == fit.layout.feed)
        return Chosen(of_layout, names, fit)
    if not candidates or _may_be_plain(contracts, feed, candidates):
        return None
    refused = [outcome for outcome in outcomes if isinstance(outcome, Rejection)]
    # Of a layout with another delimiter nothing is learned where the header could be read by one.
    return ([outcome for outcome in refused if outcome.code == "LAYOUT_UNKNOWN"] or refused)[-1]


def _may_be_plain(contracts: Contracts, feed: Feed | None, candidates: tuple[Layout, ...]) -> bool:
    """Say whether a feed that a file may be has layouts of which nothing is declared."""
    feeds = {layout.feed for layout in candidates} | {feed.feed if feed else ""}
    return any(contracts.plain_versions(name) for name in sorted(feeds))


def _try(source: Source, layout: Layout, member: Member) -> tuple[tuple[str, ...], Fit] | Rejection:
    """Read the header of a file as a layout has it, and fit it."""
    framing = layout.framing
    try:
        with member.path.open("rb") as stream:
            header = open_records(stream, source.encoding, framing).header
    except HeaderError as error:
        return Rejection(error.code, f"As {layout.feed} {layout.version}: {error}")
    count, most = len(header.names) + header.unnamed_count, source.limits.max_columns
    if count > most:
        return Rejection(
            "TOO_MANY_COLUMNS", f"The header has {count} columns; at most {most:.0f} are read."
        )
    wanted = framing.delimiter or source.delimiter
    is_delimited = framing.kind in DELIMITED and len(header.names) > 1
    if is_delimited and header.delimiter != DELIMITERS[wanted]:
        return _of_another_delimiter(layout, header, wanted)
    fit = fit_by(layout, header.names, source.header_policy)
    if fit is None:
        known = {name.lower() for name in layout.names}
        shared = sum(name.lower() in known for name in set(header.names))
        return Rejection(
            "LAYOUT_UNKNOWN",
            f"The header, on line {header.line_number}, has {shared} of the {len(known)} columns "
            f"of {layout.feed} {layout.version}, or has them in another order. Compare it with "
            "layouts.csv, and preamble_lines in framings.csv with how many lines stand before it.",
        )
    return header.names, fit


def _of_another_delimiter(layout: Layout, header: Header, wanted: str) -> Rejection:
    found = next(name for name, mark in DELIMITERS.items() if mark == header.delimiter)
    return Rejection(
        "WRONG_DELIMITER",
        f"Its fields are separated by a {found}; {layout.feed} {layout.version} has a {wanted} "
        "between them. Ask for that, or set delimiter of the layout in framings.csv.",
    )
