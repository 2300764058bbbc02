"""Files of another school year: what they say of their year, and what the source declares.

Vendors begin a year when they like, some weeks after July 1, and keep last year's file under this
year's name meanwhile. Which year a file is of is read from its records, never from a clock or a
name; `year_rolls_on` of the source says which one is due on the day of its export.
"""

from collections.abc import Iterable

from rollcall.clock import local_date
from rollcall.contracts.project import Contracts
from rollcall.cycle.new_records import NewFile, Staging
from rollcall.landing.verdicts import Effect, Judgement


def judge_years(
    staged: Staging, contracts: Contracts, files: Iterable[NewFile]
) -> dict[str, Judgement]:
    """Say which new files hold no record of the school year that is due, and some of another.

    A file that also holds earlier years, as a whole one may, is of this year.

    Args:
        staged: what the new files bring.
        contracts: the sources, with the day on which their years begin.
        files: the files to judge.

    Returns:
        File to judgement.
    """
    sources = {file.file_id: contracts.sources[file.source_id] for file in files}
    judged = {}
    for feed in sorted({file.feed for file in files}):
        for file_id, exported_at, years, count in staged.school_years(feed):
            source = sources.get(file_id)
            due = source.school_year(local_date(exported_at, source.time_zone)) if source else None
            if source is None or due is None or due in years:
                continue
            named = ", ".join(f"{year - 1}-{year}" for year in years)
            judged[file_id] = Judgement(
                "SCHOOL_YEAR_NOT_CURRENT",
                f"{count} records name a school year, all of them {named}; files of "
                f"{source.source_id} of this day are of {due - 1}-{due}, as its year_rolls_on "
                f"({source.year_rolls_on}) in sources.csv says.",
                Effect.HOLD,
            )
    return judged
