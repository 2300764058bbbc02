"""Damage: bytes are trusted by their hash, mended where they can be, and never used when wrong."""

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import LONG_AGO, MANIFEST, ORG_ROWS, ORGS, District, packed

from rollcall.home import archive_path

BULK = MANIFEST + "file.orgs,bulk\n"
WITH_FAULT = ORGS + ORG_ROWS + "s9,short\n"


def put(district: District, name: str, content: bytes, source: str = "sis") -> Path:
    path = district.inbox / source / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, LONG_AGO)
    return path


def archived(district: District, file: str) -> Path:
    """Return where the bytes of a landed file, or the zip or gzip that brought it, are kept."""
    [(sha256,)] = district.ledger(
        "select coalesce(archive_sha256, sha256) from landing.files "
        "inner join landing.deliveries using (delivery_id) "
        f"where files.source_id || '/' || files.delivery_name || '/' || file_name = '{file}'"
    )
    return archive_path(district.home / "archive", sha256)


def damage(path: Path, old: bytes = b"North", new: bytes = b"Worth") -> None:
    content = path.read_bytes()
    damaged = content.replace(old, new, 1)
    if damaged == content:  # packed: any byte of the data
        damaged = content[:-30] + bytes([content[-30] ^ 1]) + content[-29:]
    path.chmod(0o600)
    path.write_bytes(damaged)


FILES = (
    "sis/2026-09-01T010000Z/orgs.csv",
    "sis/2026-09-02T010000Z.zip/orgs.csv",
    "sis/2026-09-03T010000Z_orgs.csv.gz/2026-09-03T010000Z_orgs.csv",
    "sis/2026-09-04T010000Z_orgs.csv/2026-09-04T010000Z_orgs.csv",
)


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> District:
    """A home to which the same faulty file came in a folder, a zip, a gzip and alone."""
    folder = tmp_path_factory.mktemp("damage")
    district = District(folder / "home", folder / "inbox")
    (district.inbox / "lms").mkdir(parents=True)
    district.deliver("2026-09-01T010000Z", {"orgs.csv": WITH_FAULT + " ", "manifest.csv": BULK})
    put(
        district,
        "2026-09-02T010000Z.zip",
        packed({"orgs.csv": WITH_FAULT, "manifest.csv": BULK}),
    )
    put(district, "2026-09-03T010000Z_orgs.csv.gz", gzip.compress(WITH_FAULT.encode(), mtime=0))
    put(district, "2026-09-04T010000Z_orgs.csv", WITH_FAULT.encode())
    done = district.land()
    assert [file["verdict"] for file in done.json["files"] if file["feed"]], done.out
    return district


@pytest.fixture
def district(landed: District, tmp_path: Path) -> District:
    """Give a copy of that home, and of its inbox."""
    return landed.copy(tmp_path)


@pytest.mark.parametrize(
    ("file", "how"), list(zip(FILES, ("changed", "missing", "changed", "empty"), strict=True))
)
def test_damaged_bytes_are_never_used_and_named(district: District, file: str, how: str) -> None:
    path = archived(district, file)
    if how == "changed":
        damage(path)
    else:
        path.unlink()
    if how == "empty":
        path.touch()
    before = district.ledger("select count(*), max(sha256) from landing.events")
    for arguments in (
        ("reprocess", file),
        ("rejects", file, "--out", str(district.home / "rejects.csv")),
        ("layouts", "diff", file),
    ):
        done = district.run(*arguments)
        assert done.code == 1, arguments
        assert str(path) in done.err
        assert "rollcall land" in done.err
        assert "Internal error" not in done.err
    assert not (district.home / "rejects.csv").exists(), "nothing half-made"
    assert district.ledger("select count(*), max(sha256) from landing.events") == before


def test_the_same_bytes_again_mend_the_archive(district: District) -> None:
    """They come under the next boundary; the damaged ones are never landed."""
    paths = [archived(district, file) for file in FILES]
    intact = [path.read_bytes() for path in paths]
    names = [file.split("/")[1] for file in FILES]
    for path, name in zip(paths, names, strict=True):
        damage(path)
        old = district.inbox / "sis" / name
        old.rename(old.with_name(name.replace("2026-09-0", "2026-10-0")))
    done = district.land()
    assert done.code == 3
    assert [line.split("/")[1].replace("-10-", "-09-") for line in done.json["mended"]] == names
    assert [path.read_bytes() for path in paths] == intact
    assert {path.stat().st_mode & 0o777 for path in paths} == {0o400}
    assert district.ledger("select distinct name from raw_oneroster.orgs order by all") == [
        ("North School",),
        ("Plainfield Schools",),
    ]
    assert district.run("verify").code == 0


def test_a_delivery_that_is_touched_mends_the_archive(district: District) -> None:
    district.land()  # the copy of the inbox lies elsewhere: it is read once
    path = archived(district, FILES[0])
    damage(path)
    assert "MENDED" not in district.run("land", "--inbox", str(district.inbox)).out
    os.utime(district.inbox / "sis" / "2026-09-01T010000Z" / "orgs.csv", (1_000_000_001,) * 2)
    done = district.run("land", "--inbox", str(district.inbox))
    assert done.code == 3
    assert "MENDED sis/2026-09-01T010000Z/orgs.csv" in done.out
    assert district.run("verify").code == 0
    assert "MENDED" not in district.run("land", "--inbox", str(district.inbox)).out


def test_verify_names_every_damage(district: District) -> None:
    for file in FILES:
        damage(archived(district, file))
    (district.home / "archive" / "00").mkdir(exist_ok=True)
    done = district.run("verify", "--json")
    assert done.code == 3
    assert len(done.json["problems"]) == len(FILES)
    assert json.loads(done.out)["archived_count"] >= len(FILES)


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_what_is_no_file_is_named_as_damaged(
    district: District, make: Callable[[Path], object]
) -> None:
    """Nobody waits for a pipe; databases are no pipes either."""
    path = archived(district, FILES[3])
    path.unlink()
    make(path)
    done = district.run("verify", "--json")
    assert done.code == 3
    assert "is no file" in done.json["problems"][0]
    assert district.run("reprocess", FILES[3]).code == 1
    ledger = district.home / "landing.duckdb"
    ledger.unlink()
    make(ledger)
    for command in ("doctor", "status", "land"):
        done = district.run(command, *(("--inbox", str(district.inbox)) * (command == "land")))
        assert done.code == (3 if command == "doctor" else 2)
        said = "".join((done.out + done.err).split())
        assert f"{ledger}isdamaged(itisnofile)" in said
