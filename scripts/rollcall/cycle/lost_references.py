"""References that newly lead nowhere: ids written otherwise than the records that they name.

A spreadsheet turns `00101` into `101`, a platform writes ids in capitals. Such a file is read well
and takes students out of their classes. What refers to records that come later, or did so before,
is no loss: only references that no earlier record of the source made are counted, and only where
the feed that they refer to has come. Fewer than the floor hold no file; where all of them are lost,
in a file or a school of it, that is said.
"""

from collections.abc import Iterable

from rollcall.contracts.project import Contracts
from rollcall.contracts.sources import Limits
from rollcall.cycle.new_records import NewFile, Reference, Staging
from rollcall.landing.verdicts import Effect, Judgement, named_orgs


def judge_references(
    staged: Staging, contracts: Contracts, files: Iterable[NewFile]
) -> dict[str, Judgement]:
    """Say of which new files too many records refer to what is not known.

    Args:
        staged: what is known, and what the new files bring.
        contracts: layouts and limits.
        files: the files to judge.

    Returns:
        File to judgement.
    """
    held: dict[str, Judgement] = {}
    noted: dict[str, Judgement] = {}
    sources = {file.file_id: file.source_id for file in files}
    for feed in sorted({file.feed for file in files}):
        for reference in staged.references(feed):
            counted = staged.count(feed, reference)
            for file_id in sorted(counted.keys() & sources.keys() - held.keys()):
                limits = contracts.sources[sources[file_id]].limits
                judgement = _judge(reference, counted[file_id], limits)
                if judgement:
                    kept = held if judgement.effect == Effect.HOLD else noted
                    kept.setdefault(file_id, judgement)
    return noted | held


def _judge(
    reference: Reference, by_org: dict[str, tuple[int, int]], limits: Limits
) -> Judgement | None:
    """Judge a file by its counts: by school, how many records refer, and how many nowhere.

    It is held for more than the limits allow, and noted for all of a file or school.
    """

    def is_over(count: int, lost: int) -> bool:
        return lost >= limits.floor_count and lost * 100 > limits.max_lost_percent * count

    count, lost = (sum(pair[place] for pair in by_org.values()) for place in (0, 1))
    broken = [
        f"org '{org}' {lost_of_org} of {of_org}"
        for org, (of_org, lost_of_org) in sorted(by_org.items())
        if org and is_over(of_org, lost_of_org)
    ]
    if not (is_over(count, lost) or broken):
        whole = [
            f"org '{org}' {lost_of_org} of {of_org}"
            for org, (of_org, lost_of_org) in sorted(by_org.items())
            if org and of_org == lost_of_org
        ]
        if lost < count and not whole:
            return None
        few = f"fewer than {limits.floor_count:g} hold no file"
        return Judgement(
            "REFERENCES_UNKNOWN",
            f"{lost} of {count} records name in '{reference.column.name}' what "
            f"{reference.column.references} does not have; "
            + (few if lost < limits.floor_count else "the limits allow that")
            + named_orgs(whole),
            Effect.NOTE,
        )
    return Judgement(
        "REFERENCES_LOST",
        f"{lost} of {count} records name in '{reference.column.name}' what "
        f"{reference.column.references} does not have ({lost * 100 / count:.1f} %, limit "
        f"{limits.max_lost_percent:g} %)" + named_orgs(broken),
        Effect.HOLD,
    )
