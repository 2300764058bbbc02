"""The districts of a fleet: folders side by side, each with an inbox and a data directory."""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rollcall.clock import now as clock_now
from rollcall.errors import RollcallError, UsageError
from rollcall.home import Home
from rollcall.ledger import status
from rollcall.project import SHIPPED, open_project, uses_rollcall

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class District:
    """A district: its name, and the folder that has its inbox, data directory and project.

    The data directory is `warehouse` and the inbox `inbox`, as for a command that runs there;
    without a project in the folder, Rollcall's own fills the data directory.
    """

    name: str
    folder: Path

    def home(self) -> Home:
        """Open the data directory, with the project that fills it.

        Raises:
            UsageError: the district's own project cannot be used.
        """
        path = self.folder / "warehouse"
        own = self.folder if uses_rollcall(self.folder) else Home(path).filled_by
        return Home(path, open_project(own) if own else SHIPPED)


@dataclass(frozen=True, slots=True)
class DistrictState:
    """What a state asks of a district: how old its data is, and what waits for a person.

    `cutoff_at` is that of the last good cycle; `failed_cycle_id` is the cycle that could not be
    published, if the newest could not. Counts are of sources that are older than their latency
    target, of due feeds that are late or missing, and of files that are held. `problem` says why
    nothing of this could be read, or why its marts are not united.
    """

    district: str
    last_cycle_id: int | None = None
    cutoff_at: datetime | None = None
    failed_cycle_id: int | None = None
    stale_sources: int = 0
    late_feeds: int = 0
    held_files: int = 0
    problem: str = ""

    @property
    def needs_attention(self) -> bool:
        """Whether somebody has to look at this district."""
        asking = (self.failed_cycle_id, self.stale_sources, self.late_feeds, self.held_files)
        return any(asking) or bool(self.problem) or self.last_cycle_id is None


def find_districts(folder: Path) -> list[District]:
    """Return the districts of a folder, by name: its folders that have an inbox or data.

    Raises:
        UsageError: there is none, or one has a name that cannot begin a key.
    """
    found = [
        District(path.name, path.resolve())
        for path in sorted(folder.glob("*/"))
        if (path / "inbox").is_dir() or (path / "warehouse").is_dir()
    ]
    if not found:
        raise UsageError(
            f"No folder of {folder} has an inbox or a data directory (warehouse); "
            "--homes names the folder in which each district has a folder of its own."
        )
    for district in found:
        if not _NAME.fullmatch(district.name):
            raise UsageError(
                f"{district.name!r} cannot name a district: keys begin with it, so it has letters, "
                "digits, '.', '_' and '-' alone and begins with one of the first two."
            )
    return found


def read_state(district: District) -> DistrictState:
    """Read the state of a district; where that fails, the state says why."""
    try:
        home = district.home()
        report = status.read(home, home.project.contracts(), clock_now())
    except RollcallError as error:
        return DistrictState(district.name, problem=str(error))
    except Exception as error:  # one that is damaged keeps nobody else's from being read
        return DistrictState(
            district.name,
            problem=f"{type(error).__name__}: its ledger cannot be read; "
            f"`rollcall doctor --home {district.folder / 'warehouse'}` says what to do.",
        )
    last, unfinished = report.last_cycle or {}, report.unfinished_cycle or {}
    return DistrictState(
        district.name,
        last.get("cycle_id"),
        last.get("cutoff_at"),
        unfinished.get("cycle_id"),
        sum(source.is_stale for source in report.sources),
        sum(feed.status != "on_time" for feed in report.feeds),
        len(report.held_files),
        " ".join(report.unfinished_because[:1]),
    )
