"""Run the cycles of many districts side by side, each in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from rollcall.errors import ExitCode, RollcallError
from rollcall.fleet.districts import District

_SCREEN = "fleet_cycle.txt"
_OF_ONE = ("ROLLCALL_HOME", "ROLLCALL_PROJECT")
"""What the caller's environment says of one district, and of no other."""


@dataclass(frozen=True, slots=True)
class DistrictCycle:
    """How the cycle of a district ended: its exit code, and the file that has what it printed.

    `problem` says why it could not even be started.
    """

    district: str
    exit_code: int
    screen: Path | None
    problem: str = ""


def run_cycles(
    districts: Sequence[District],
    jobs: int,
    options: Sequence[str] = (),
    done: Callable[[DistrictCycle], None] = lambda _: None,
) -> list[DistrictCycle]:
    """Run `rollcall cycle` in each district, so many at a time; one that fails stops no other.

    Args:
        districts: the districts, by name.
        jobs: how many run at a time.
        options: further options of `rollcall cycle`, the same for all.
        done: receives how each ended, as soon as it has.

    Returns:
        How they ended, by name of the district.
    """
    running: list[subprocess.Popen[bytes]] = []
    ended = []
    with ThreadPoolExecutor(jobs) as pool:
        waiting = [pool.submit(_run, district, options, running) for district in districts]
        try:
            for future in as_completed(waiting):
                ended.append(future.result())
                done(ended[-1])
        except BaseException:  # somebody stops the command: no district goes on alone
            pool.shutdown(wait=False, cancel_futures=True)
            for process in running:
                process.terminate()
            raise
    return sorted(ended, key=lambda cycle: cycle.district)


def fold(ended: Sequence[DistrictCycle]) -> ExitCode:
    """Fold exit codes: 0 if all are; 3 if people are asked for and no worse; else 4."""
    codes = {cycle.exit_code for cycle in ended}
    if codes <= {ExitCode.DONE}:
        return ExitCode.DONE
    is_published = codes <= {ExitCode.DONE, ExitCode.ATTENTION}
    return ExitCode.ATTENTION if is_published else ExitCode.NOT_PUBLISHED


def _run(
    district: District, options: Sequence[str], running: "list[subprocess.Popen[bytes]]"
) -> DistrictCycle:
    try:
        home = district.home()
        home.prepare()
        screen = home.logs / _SCREEN
        environment = {key: value for key, value in os.environ.items() if key not in _OF_ONE}
        with screen.open("wb") as printed:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "rollcall", "cycle", *options],
                cwd=district.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
            )
            running.append(process)
            code = process.wait()
    except RollcallError as error:
        return DistrictCycle(district.name, error.exit_code, None, str(error))
    except OSError as error:
        return DistrictCycle(district.name, ExitCode.INTERNAL, None, str(error))
    return DistrictCycle(district.name, code if code >= 0 else ExitCode.INTERNAL, screen)
