"""The state is a function of the set of files, not of the order in which they came."""

import shutil
from pathlib import Path

import pytest
from conftest import FAULTS, NIGHTS, SAMPLE, District, state

from rollcall.cycle.fingerprint import FACTS_OF_A_RUN

_SAYS_WHICH_CYCLE = "visible_at"


def core(district: District) -> dict[str, str]:
    """The core marts but for when their files were taken."""
    found = state(district.home, leaving_out=(*FACTS_OF_A_RUN, _SAYS_WHICH_CYCLE))
    return {table: digest for table, digest in found.items() if table.startswith("core.")}


@pytest.mark.long
@pytest.mark.parametrize("size", [3, len(NIGHTS)])
def test_grouping_into_cycles_and_late_arrival_do_not_change_the_state(
    sample_run: tuple[District, list[int]], tmp_path: Path, size: int
) -> None:
    """The last three nights at once, then all before them, or all at once end as night by night.

    `test_properties.py` says the same of random districts, at every `make test`.
    """
    conflicts = {
        (fault["night"], fault["delivery_name"])
        for fault in FAULTS
        if fault["code"] == "DELIVERY_CONFLICT"
    }
    district = District(tmp_path / "home", tmp_path / "inbox")
    nights = [night["night"] for night in NIGHTS]
    later = len(nights) - size
    for step, batch in enumerate((nights[later:], nights[:later]), 1):
        inbox = tmp_path / f"inbox_{step}"
        for night in batch:
            for path in sorted((SAMPLE / f"night_{night}").glob("*/*")):
                target = inbox / path.parent.name / path.name
                if (night, path.name) in conflicts or target.exists():
                    continue
                target.parent.mkdir(parents=True, exist_ok=True)
                (shutil.copytree if path.is_dir() else shutil.copy2)(path, target)
        if inbox.exists():
            done = district.run(
                "cycle", "--inbox", str(inbox), "--no-report", now=f"2026-09-1{step}T18:00:00Z"
            )
            assert done.code in (0, 3), done.out + done.err
    assert core(district) == core(sample_run[0])
