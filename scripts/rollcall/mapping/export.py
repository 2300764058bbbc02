"""A mapping written for those who review it or for a catalogue, and how far it is approved."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from xlsxwriter.exceptions import FileCreateError

from rollcall.contracts.project import Contracts
from rollcall.errors import UsageError, needing_room
from rollcall.folders import keep_to_owner
from rollcall.home import Home
from rollcall.ledger.stages import check_pilots
from rollcall.mapping.approvals import Approvals, Reviewed, approvals_of, read_reviews, with_reviews
from rollcall.mapping.fields import Mapping, read_mapping
from rollcall.mapping.odcs import write_contract
from rollcall.mapping.words import Words
from rollcall.mapping.workbook import write_mapping
from rollcall.project import version

Format = Literal["xlsx", "odcs"]
_ENDINGS: dict[Format, str] = {"xlsx": "xlsx", "odcs": "odcs.yaml"}


@dataclass(frozen=True, slots=True)
class ExportedMapping:
    """What was written: the file, how many columns are to be reviewed and how many are approved."""

    source_id: str
    written_to: str
    needed_count: int
    approved_count: int
    unused_count: int


def export_mapping(
    home: Home, contracts: Contracts, source_id: str, format_: Format, out: Path | None
) -> ExportedMapping:
    """Write the mapping of a source as a workbook to fill in, or as a contract of ODCS.

    Args:
        home: the data directory; before its first use a mapping has no shapes and no reviews.
        contracts: the contracts of the project.
        source_id: the source.
        format_: `xlsx` or `odcs`.
        out: where to; by default a name in the working directory.

    Raises:
        UsageError: there is no such source, or the file cannot be written.
    """
    path = out or Path(f"mapping_{source_id}.{_ENDINGS[format_]}")
    with_shapes = format_ == "xlsx"
    mapping, reviewed = _reviewed(home, contracts, source_id, with_shapes=with_shapes)
    approvals = approvals_of(source_id, reviewed)
    try:
        if format_ == "xlsx":
            write_mapping(mapping, reviewed, path)
        else:
            with needing_room(path.parent):
                text = write_contract(contracts, mapping, reviewed, version())
                path.write_text(text, encoding="utf-8")
                keep_to_owner(path)
    except (OSError, FileCreateError) as error:
        raise UsageError(f"{path} cannot be written; name another file with --out.") from error
    return ExportedMapping(
        source_id,
        str(path),
        approvals.needed_count,
        approvals.approved_count,
        len(mapping.unused),
    )


def mapping_status(home: Home, contracts: Contracts, source_id: str) -> Approvals:
    """Say how far the mapping of a source is approved, and why the rest is not.

    Raises:
        UsageError: there is no such source, or it sends nothing that is staged.
    """
    return approvals_of(source_id, _reviewed(home, contracts, source_id)[1])


def _reviewed(
    home: Home, contracts: Contracts, source_id: str, *, with_shapes: bool = False
) -> tuple[Mapping, tuple[Reviewed, ...]]:
    words = Words(home.project)
    if not home.landing_db.exists():
        check_pilots(None, contracts)
        mapping = read_mapping(contracts, words, source_id, None)
        return mapping, with_reviews(mapping, {})
    with home.landing(read_only=True) as connection:
        check_pilots(connection, contracts)
        mapping = read_mapping(contracts, words, source_id, connection, with_shapes=with_shapes)
        return mapping, with_reviews(mapping, read_reviews(connection, source_id))
