"""Write the exports of the synthetic district, night by night.

Same arguments, same bytes: no wall clock, no order of a set, zip members stored with fixed times
and permissions (stored, because packed bytes differ between versions of the packing library).
"""

import csv
import shutil
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

from sample_district.deliveries import Delivery, lms_delivery, sis_delivery
from sample_district.district import MAX_NIGHTS, MIN_STUDENTS, District, change_of, instant_of
from sample_district.faults import MIN_FAULT_NIGHTS, MIN_FAULT_STUDENTS, Planter
from sample_district.map_growth import map_deliveries
from sample_district.overrides import overrides_deliveries

_MEMBER_TIME = (1980, 1, 1, 0, 0, 0)
_MEMBER_MODE = 0o100644 << 16
_UNIX = 3
_CUTOFF_HOUR = 18
_STORIES = {
    "start": "The whole roster and the gradebook since the start of the school year.",
    "join": "New students arrive; the platform knows them from the next night on.",
    "move": "Students change from one section of a course to another.",
    "rename": "Classes get a new title.",
    "leave": "Students leave; they are no longer in the roster.",
}


def write_sample(out: Path, *, students: int, nights: int, seed: int, faults: bool) -> None:
    """Write `out/night_N/<source>/<delivery>`, `nights.csv` and, with faults, `faults.csv`.

    `night_N` is an inbox with what arrived for that night's cycle. Memory holds the roster, never
    the results; files in which faults are planted are held one at a time.

    Raises:
        ValueError: the numbers are out of range, or `out` holds nights already.
    """
    _check(out, students, nights, faults)
    out.mkdir(parents=True, exist_ok=True)
    district = District(students, seed)
    planter = Planter()
    plant: Callable[[Delivery, int], list[Delivery]] = (
        planter.plant if faults else lambda delivery, _: [delivery]
    )
    for night in range(1, nights + 1):
        for made in (
            lms_delivery(district, night),
            *overrides_deliveries(district, night),
            *map_deliveries(district, night),
        ):
            for delivery in plant(made, night):
                _write_delivery(out, delivery)
        if night > 1:
            district.advance(night)
        for delivery in plant(sis_delivery(district, night), night):
            _write_delivery(out, delivery)
    _write_nights(out / "nights.csv", nights, faults)
    if faults:
        if unused := planter.unused(nights):
            raise ValueError(f"{unused[0]}: nothing is sent to which the row applies.")
        _write_table(out / "faults.csv", planter.catalogue())


def _check(out: Path, students: int, nights: int, faults: bool) -> None:
    if students < MIN_STUDENTS:
        raise ValueError(f"A district has at least {MIN_STUDENTS} students.")
    if not 1 <= nights <= MAX_NIGHTS:
        raise ValueError(f"The school year has room for 1 to {MAX_NIGHTS} nights.")
    if faults and (nights < MIN_FAULT_NIGHTS or students < MIN_FAULT_STUDENTS):
        raise ValueError(
            f"Planting faults takes at least {MIN_FAULT_NIGHTS} nights "
            f"and {MIN_FAULT_STUDENTS} students."
        )
    if any(out.glob("night_*")):
        raise ValueError(f"{out} holds nights already; name another folder or remove them first.")


def _write_delivery(out: Path, delivery: Delivery) -> None:
    first, *again = [
        out / f"night_{night}" / delivery.source_id / delivery.name for night in delivery.arrivals
    ]
    first.parent.mkdir(parents=True, exist_ok=True)
    if delivery.container == "folder":
        first.mkdir()
        for name, blocks in delivery.files.items():
            _write_blocks(first / name, blocks)
    elif delivery.container == "zip":
        _write_zip(first, delivery)
    else:
        _write_blocks(first, next(iter(delivery.files.values())))
    for path in again:
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(first, path)


def _write_blocks(path: Path, blocks: Iterable[bytes]) -> None:
    with path.open("wb") as stream:
        stream.writelines(blocks)


def _write_zip(path: Path, delivery: Delivery) -> None:
    with path.open("wb") as stream:
        _pack(stream, delivery.files)
    if delivery.kept_percent < 100:
        with path.open("r+b") as stream:
            stream.truncate(path.stat().st_size * delivery.kept_percent // 100)


def _pack(stream: BinaryIO, files: dict[str, Iterable[bytes]]) -> None:
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, blocks in files.items():
            member = zipfile.ZipInfo(name, _MEMBER_TIME)
            member.create_system = _UNIX
            member.external_attr = _MEMBER_MODE
            with archive.open(member, "w") as target:
                target.writelines(blocks)


def _write_nights(path: Path, nights: int, faults: bool) -> None:
    stories = _fault_stories() if faults else {}
    _write_table(
        path,
        [
            {
                "night": str(night),
                "cutoff_at": f"{instant_of(night, _CUTOFF_HOUR):%Y-%m-%dT%H:%M:%SZ}",
                "story": stories.get(str(night), _STORIES[change_of(night)]),
            }
            for night in range(1, nights + 1)
        ],
    )


def _fault_stories() -> dict[str, str]:
    """Return what the nights are about on which faults are planted."""
    with Path(__file__).with_name("fault_nights.csv").open(encoding="utf-8", newline="") as stream:
        return {row["night"]: row["story"] for row in csv.DictReader(stream)}


def _write_table(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
