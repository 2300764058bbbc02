"""Ids that begin anew: a record whose id stood for other work, or for another person, before.

It takes the place of what that id stood for, and nobody asked for that. A platform that numbers the
records of each export from one does so, or one that was set up again.
"""

from collections.abc import Iterable

from rollcall.contracts.project import Contracts
from rollcall.cycle.new_records import ABOUT, NewFile, Staging
from rollcall.landing.verdicts import Effect, Judgement


def judge_ids(
    staged: Staging, contracts: Contracts, files: Iterable[NewFile]
) -> dict[str, Judgement]:
    """Say of which new files records are about something else than their ids were before.

    A few are noted; where there are more than `max_renamed_percent` of the records whose ids are
    known, the file is held.

    Args:
        staged: what is known, and what the new files bring.
        contracts: layouts and limits.
        files: the files to judge.

    Returns:
        File to judgement.
    """
    sources = {file.file_id: file.source_id for file in files}
    judged = {}
    for feed in sorted({file.feed for file in files} & ABOUT.keys()):
        names = {
            column.staged_column: column.name
            for layout in contracts.versions(feed)
            for column in layout.columns
            if column.staged_as
        }
        columns = " or ".join(f"'{names[column]}'" for column in ABOUT[feed])
        for file_id, known, reused, line in staged.count_reused(feed, ABOUT[feed]):
            if file_id not in sources or not reused:
                continue
            limits = contracts.sources[sources[file_id]].limits
            is_mass = (
                reused >= limits.floor_count and reused * 100 > limits.max_renamed_percent * known
            )
            judged[file_id] = Judgement(
                "ID_REUSED",
                f"{reused} of {known} known records differ in {columns} from what their ids stood "
                f"for before, the first in line {line}; "
                + (
                    f"that is more than {limits.max_renamed_percent:g} %, the limit."
                    if is_mass
                    else "they take its place."
                ),
                Effect.HOLD if is_mass else Effect.NOTE,
            )
    return judged
