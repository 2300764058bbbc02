"""The report: what a cycle did, for people who do not read SQL.

A folder of static pages, a workbook and CSVs, made from the last good warehouse and the ledger. The
same warehouse and ledger give the same bytes.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from rollcall.contracts.project import Contracts
from rollcall.databases import need_last_good
from rollcall.folders import put_in_place
from rollcall.home import Home
from rollcall.ledger import status
from rollcall.mapping.listed import lay_out_mappings
from rollcall.report import charts, site
from rollcall.report.contents import lay_out, listings
from rollcall.report.facts import Level, answer
from rollcall.report.listings import Reader
from rollcall.report.workbook import SHEET_ROWS, write_workbook


@dataclass(frozen=True, slots=True)
class RenderedReport:
    """Where the report is, how many pages it has, and its first answer."""

    path: str
    page_count: int
    level: Level
    headline: str


def render_report(home: Home, contracts: Contracts, *, names: bool = False) -> RenderedReport:
    """Render the report of a locked data directory; it takes the old one's place.

    Args:
        home: the data directory, locked.
        contracts: the sources.
        names: show the names of students, and personal values in differences.

    Raises:
        UsageError: no cycle of this data directory was published yet, or its warehouse is lost or
            another's.
    """
    with home.landing(read_only=True) as connection:
        need_last_good(home, connection)
        making = _empty(home.report.with_name("report.making"))
        connection.execute("set preserve_insertion_order = true")
        [(cutoff_at,)] = connection.execute(
            "select max(cutoff_at) from landing.cycles where status <> 'skipped'"
        ).fetchall()
        state = status.read(home, contracts, cutoff_at)
        lay_out(connection)
        lay_out_mappings(connection, contracts, home.project)
        reader = Reader(connection, making, SHEET_ROWS, names=names)
        for listing in listings(names=names):
            reader.read(listing)
        found = answer(connection, state, reader.tables)
        drawn = (
            draw(connection)
            for draw in (charts.arrivals, charts.verdicts, charts.lag, charts.mastery)
        )
        pictures = {picture.name: picture for picture in drawn if picture}
        contents = site.Contents(found, state, reader, pictures, names)
        page_count = site.write_site(contents, making)
        write_workbook(contents, making / "rollcall.xlsx")
    put_in_place(making, home.report)
    return RenderedReport(str(home.report / "index.html"), page_count, found.level, found.headline)


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return folder
