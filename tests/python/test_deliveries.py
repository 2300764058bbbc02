"""Deliveries that are damaged, dangerous or odd, handed to the real command.

Whatever stands in the inbox: the command ends in order, says what is wrong with it once, writes
nothing outside its home, and keeps no half of it.
"""

import errno
import gzip
import io
import os
import shutil
import socket
import stat
import struct
import tempfile
import threading
import warnings
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import IO, Any

import pytest
from conftest import MANIFEST, ORG_ROWS, ORGS, District, Done

from rollcall.contracts.project import Contracts
from rollcall.contracts.reading import ContractError
from rollcall.home import Home
from rollcall.landing import container
from rollcall.landing.archive import Archived, keep
from rollcall.landing.container import _unpack, open_delivery
from rollcall.landing.entries import Entry, read_inbox, settle
from rollcall.project import PROJECT_DIR

NIGHT = "2026-09-01T010000Z"
WHOLE = (ORGS + ORG_ROWS).encode()
CONTRACTS = PROJECT_DIR / "seeds" / "contracts"
SIS = Contracts.load(CONTRACTS).sources["sis"]
LONG_AGO = 1_000_000_000
Make = Callable[[Path], object]
"""Puts a delivery into the place it is given."""


def zip_of(
    *members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED
) -> bytes:
    """Give a zip; names and attributes stand in it as they are given, even twice."""
    stream = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w", method) as archive:
        warnings.simplefilter("ignore", UserWarning)
        for name, content in members:
            archive.writestr(name, content)
    return stream.getvalue()


def linked(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def with_flag(content: bytes, flag: int) -> bytes:
    """Set a flag bit of every member, in its own header and in the directory."""
    changed = bytearray(content)
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := content.find(signature, at + 1)) >= 0:
            changed[at + place] |= flag
    return bytes(changed)


def with_directory(content: bytes, place: int, form: str, value: int) -> bytes:
    """Change one number of the first member's entry in the directory."""
    changed = bytearray(content)
    struct.pack_into(form, changed, content.index(b"PK\x01\x02") + place, value)
    return bytes(changed)


def with_name(content: bytes, old: bytes, new: bytes) -> bytes:
    """Rename a member to bytes of the same number."""
    assert len(old) == len(new)
    assert content.count(old) == 2
    return content.replace(old, new)


def boundary(number: int) -> str:
    """Give every delivery of one inbox an export time of its own."""
    return f"2026-09-01T{number // 60:02}{number % 60:02}00Z"


def put(district: District, name: str | bytes, content: bytes | Make) -> Path:
    """Put a delivery into the inbox, written long ago, so that nothing waits for it to settle."""
    path = district.inbox / "sis" / os.fsdecode(name)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        content(path)
    age(path)
    return path


def age(path: Path) -> None:
    is_folder = path.is_dir() and not path.is_symlink()
    for part in (*(path.iterdir() if is_folder else ()), path):
        os.utime(part, (LONG_AGO, LONG_AGO), follow_symlinks=False)


def new_district(folder: Path) -> District:
    (folder / "inbox" / "sis").mkdir(parents=True)
    return District(folder / "home", folder / "inbox")


def tree_outside(district: District) -> dict[str, tuple[int, int]]:
    """List everything beside the home, with its size and time."""
    return {
        str(path): (path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in district.home.parent.rglob("*")
        if not path.is_relative_to(district.home)
    }


def land_unharmed(district: District) -> Done:
    """Land; nothing outside the home may change and nothing may stay in the spool."""
    before = tree_outside(district)
    done = district.land()
    assert done.code in (0, 3), done.err
    assert "Traceback" not in done.out
    assert tree_outside(district) == before
    assert not list((district.home / "spool").iterdir())
    return done


def assert_known(district: District) -> None:
    """Land again: what was judged is recognised, not judged twice."""
    before = district.ledger("select * from landing.files order by file_id")
    done = land_unharmed(district)
    assert (done.code, done.json["files"], done.json["deliveries_rejected"]) == (0, [], 0)
    assert [(done.json["deliveries_again"],)] == district.ledger(
        "select count(*) from landing.inbox_entries"
    )
    assert district.ledger("select * from landing.files order by file_id") == before


def raw_counts(district: District) -> dict[str, int]:
    """Count the rows of every raw table, by the delivery they are of."""
    names = district.ledger(
        "select table_schema || '.' || table_name from information_schema.tables "
        "where table_catalog = 'store' and table_schema like 'raw_%'"
    )
    assert names
    union = " union all ".join(f"select file_id from {name}" for (name,) in names)
    rows = district.ledger(
        f"select delivery_name, count(*) from ({union}) as raw "
        "left join landing.files using (file_id) group by all"
    )
    return dict(rows)


def link_to(target: str) -> Make:
    return lambda path: path.symlink_to(target)


def listen_at(path: Path) -> None:
    """Make a socket; its name must be short, so it is made elsewhere."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as opened:
        opened.bind(f"{folder}/s")
        Path(folder, "s").rename(path)


def folder_with(name: str, make: Make) -> Make:
    """Make a folder with a good file and another thing."""

    def make_folder(path: Path) -> None:
        path.mkdir()
        (path / "orgs.csv").write_bytes(WHOLE)
        make(path / name)

    return make_folder


def folder_of(files: dict[str, bytes]) -> Make:
    """Make a folder of files."""

    def make_folder(path: Path) -> None:
        path.mkdir()
        for name, content in files.items():
            (path / name).write_bytes(content)

    return make_folder


def holding(content: bytes) -> Make:
    return lambda path: path.write_bytes(content)


ZIP = zip_of(("orgs.csv", WHOLE), ("manifest.csv", MANIFEST.encode()))
STORED = zip_of(("orgs.csv", WHOLE), method=zipfile.ZIP_STORED)
BOMB = zip_of(("orgs.csv", bytes(70 << 20)))

REJECTED_ZIPS: dict[str, tuple[bytes, str]] = {
    "cut in a member": (ZIP[:90], "ARCHIVE_UNREADABLE"),
    "cut before its directory": (ZIP[: ZIP.index(b"PK\x01\x02")], "ARCHIVE_UNREADABLE"),
    "cut in its directory": (ZIP[:-30], "ARCHIVE_UNREADABLE"),
    "without a byte": (b"", "ARCHIVE_UNREADABLE"),
    "really a CSV": (WHOLE, "ARCHIVE_UNREADABLE"),
    "really a gzip": (gzip.compress(WHOLE), "ARCHIVE_UNREADABLE"),
    "with a changed byte in a member": (
        STORED.replace(b"North School", b"South School"),
        "ARCHIVE_UNREADABLE",
    ),
    "with a wrong checksum": (with_directory(ZIP, 16, "<I", 1), "ARCHIVE_UNREADABLE"),
    "with an offset before its beginning": (
        ZIP[:-22] + ZIP[-22:-6] + struct.pack("<I", 0xFFFFFF) + ZIP[-2:],
        "ARCHIVE_UNREADABLE",
    ),
    "with a header that is not where it should be": (
        with_directory(ZIP, 42, "<I", 0x7FFFFFFF),
        "ARCHIVE_UNREADABLE",
    ),
    "compressed in an unknown way": (with_directory(ZIP, 10, "<H", 9), "ARCHIVE_UNREADABLE"),
    "with a name that is no UTF-8": (
        with_name(zip_of(("é.csv", WHOLE)), "é.csv".encode(), b"\xff\xff.csv"),
        "ARCHIVE_UNREADABLE",
    ),
    "of 70 MiB in 70 KiB": (BOMB, "ARCHIVE_TOO_LARGE"),
    "that says it holds 4 GiB": (
        with_directory(ZIP, 24, "<I", 0xFFFFFFF0),
        "ARCHIVE_TOO_LARGE",
    ),
    "that says a bomb is small": (with_directory(BOMB, 24, "<I", 100), "ARCHIVE_UNREADABLE"),
    "of ten members that are too much together": (
        zip_of(*((f"{number}.csv", bytes(7 << 20)) for number in range(10))),
        "ARCHIVE_TOO_LARGE",
    ),
    "of 1001 members": (
        zip_of(*((f"{number}.csv", b"") for number in range(1001))),
        "ARCHIVE_TOO_LARGE",
    ),
    "that lists its members in 9 MiB": (
        zip_of(("orgs.csv", WHOLE), *((f"{number:040000}", b"") for number in range(236))),
        "ARCHIVE_TOO_LARGE",
    ),
    "with a way up": (zip_of(("../orgs.csv", WHOLE)), "ARCHIVE_UNSAFE"),
    "with a way up behind a folder": (zip_of(("a/../../orgs.csv", WHOLE)), "ARCHIVE_UNSAFE"),
    "with a way from the root": (zip_of(("/tmp/orgs.csv", WHOLE)), "ARCHIVE_UNSAFE"),  # noqa: S108
    "with a backslash": (zip_of(("..\\orgs.csv", WHOLE)), "ARCHIVE_UNSAFE"),
    "with a drive": (zip_of(("C:\\orgs.csv", WHOLE)), "ARCHIVE_UNSAFE"),
    "with CSV files in two folders": (
        zip_of(("a/orgs.csv", WHOLE), ("b/users.csv", WHOLE)),
        "ARCHIVE_UNSAFE",
    ),
    "with CSV files at its root and in a folder": (
        zip_of(("orgs.csv", WHOLE), ("old/orgs.csv", WHOLE)),
        "ARCHIVE_UNSAFE",
    ),
    "with a link": (
        zip_of(("orgs.csv", WHOLE), (linked("users.csv"), b"/etc/passwd")),
        "ARCHIVE_UNSAFE",
    ),
    "with a member called ..": (zip_of(("..", WHOLE)), "ARCHIVE_UNSAFE"),
    "with a member twice": (
        zip_of(("orgs.csv", WHOLE), ("orgs.csv", ORGS.encode())),
        "MEMBER_REPEATED",
    ),
    "with a member twice in other case": (
        zip_of(("orgs.csv", WHOLE), ("Orgs.CSV", ORGS.encode())),
        "MEMBER_REPEATED",
    ),
    "with a zip inside": (zip_of(("orgs.csv", WHOLE), ("more.ZIP", ZIP)), "ARCHIVE_NESTED"),
    "with a gzip inside": (zip_of(("orgs.csv.gz", gzip.compress(WHOLE))), "ARCHIVE_NESTED"),
    "encrypted": (with_flag(ZIP, 0x1), "ARCHIVE_ENCRYPTED"),
    "encrypted strongly": (with_flag(ZIP, 0x41), "ARCHIVE_ENCRYPTED"),
    "without a member": (zip_of(), "DELIVERY_EMPTY"),
    "with a note only": (zip_of(("README.txt", b"Nothing today.")), "DELIVERY_EMPTY"),
}


GZIP = gzip.compress(WHOLE * 50)
REJECTED_GZIPS = {
    "cut in its header": (GZIP[:6], "ARCHIVE_UNREADABLE"),
    "cut in its text": (GZIP[: len(GZIP) // 2], "ARCHIVE_UNREADABLE"),
    "cut in its checksum": (GZIP[:-3], "ARCHIVE_UNREADABLE"),
    "with a wrong checksum": (GZIP[:-8] + bytes(8), "ARCHIVE_UNREADABLE"),
    "with something behind it": (GZIP + b"rest", "ARCHIVE_UNREADABLE"),
    "really a CSV": (WHOLE, "ARCHIVE_UNREADABLE"),
    "really a zip": (ZIP, "ARCHIVE_UNREADABLE"),
    "of 70 MiB in 70 KiB": (gzip.compress(bytes(70 << 20)), "ARCHIVE_TOO_LARGE"),
}


OTHERS: dict[str, tuple[str, bytes | Make, str]] = {
    "a text document": (".docx", ZIP, "NOT_A_DELIVERY"),
    "a file without a kind": ("", WHOLE, "NOT_A_DELIVERY"),
    "a tar": (".tar.gz", WHOLE, "NOT_A_DELIVERY"),
    "another compression": ("_orgs.csv.bz2", WHOLE, "NOT_A_DELIVERY"),
    "a pipe": ("_orgs.csv", os.mkfifo, "NOT_A_DELIVERY"),
    "a socket": ("_orgs.csv", listen_at, "NOT_A_DELIVERY"),
    "a link to a file": ("_orgs.csv", link_to("../../secrets/orgs.csv"), "ARCHIVE_UNSAFE"),
    "a link to a zip": (".zip", link_to("../../secrets/orgs.zip"), "ARCHIVE_UNSAFE"),
    "a link to a folder": ("", link_to("../../secrets"), "ARCHIVE_UNSAFE"),
    "a link to nothing": ("_orgs.csv", link_to("nowhere"), "ARCHIVE_UNSAFE"),
    "a folder with a link": (
        "",
        folder_with("users.csv", link_to("../../../secrets/orgs.csv")),
        "ARCHIVE_UNSAFE",
    ),
    "a folder with a link to nothing": (
        "",
        folder_with("users.csv", link_to("nowhere")),
        "ARCHIVE_UNSAFE",
    ),
    "a folder with a pipe": ("", folder_with("users.csv", os.mkfifo), "ARCHIVE_UNSAFE"),
    "a folder with a socket": ("", folder_with("users.csv", listen_at), "ARCHIVE_UNSAFE"),
    "a folder with a folder": ("", folder_with("more", Path.mkdir), "ARCHIVE_UNSAFE"),
    "a folder with a gzip": ("", folder_of({"users.csv.gz": b"x"}), "ARCHIVE_NESTED"),
    "a folder with a name in two cases": (
        "",
        folder_with("Orgs.CSV", holding(ORGS.encode())),
        "MEMBER_REPEATED",
    ),
    "a folder without a file": ("", Path.mkdir, "DELIVERY_EMPTY"),
    "a folder with a hidden file only": ("", folder_of({".DS_Store": b"x"}), "DELIVERY_EMPTY"),
}
REJECTED: dict[str, tuple[str, bytes | Make, str]] = {
    **{f"a zip {what}": (".zip", *case) for what, case in REJECTED_ZIPS.items()},
    **{f"a gzip {what}": ("_orgs.csv.gz", *case) for what, case in REJECTED_GZIPS.items()},
    **OTHERS,
}
NO_CSV = {
    "a zip": (ZIP, "NOT_A_CSV"),
    "a gzip": (GZIP, "NOT_A_CSV"),
    "nothing": (b"", "EMPTY_FILE"),
}
SECRET = WHOLE + b"s9,,,Secret School,school,,d1\n"
GOOD = "2026-09-01T235900Z.zip"


def name_of(what: str) -> str:
    """Name the delivery of a case."""
    return boundary([*REJECTED, *NO_CSV].index(what)) + (
        REJECTED[what][0] if what in REJECTED else "_orgs.csv"
    )


@pytest.fixture(scope="module")
def rejected(tmp_path_factory: pytest.TempPathFactory) -> tuple[District, Done]:
    """Land every delivery that is rejected, and a good one, in one go."""
    district = new_district(tmp_path_factory.mktemp("rejected"))
    secrets = district.home.parent / "secrets"
    secrets.mkdir()
    (secrets / "orgs.csv").write_bytes(SECRET)
    (secrets / "orgs.zip").write_bytes(zip_of(("orgs.csv", SECRET)))
    for what, (_, content, _) in REJECTED.items():
        put(district, name_of(what), content)
    for what, (content, _) in NO_CSV.items():
        put(district, name_of(what), content)
    put(district, GOOD, zip_of(("orgs.csv", WHOLE)))
    return district, land_unharmed(district)


@pytest.mark.parametrize("what", REJECTED)
def test_it_is_rejected_as_a_whole(rejected: tuple[District, Done], what: str) -> None:
    district, done = rejected
    name, code = name_of(what), REJECTED[what][2]
    [told] = [file for file in done.json["files"] if file["delivery_name"] == name]
    assert (told["verdict"], told["code"]) == ("rejected", code)
    assert district.ledger(
        f"select file_name, feed, verdict, code from landing.files where delivery_name = '{name}'"
    ) == [(name, None, "rejected", code)]
    assert district.ledger(
        f"select verdict, code from landing.deliveries where delivery_name = '{name}'"
    ) == [("rejected", code)]


def test_what_is_packed_in_an_unknown_way_is_not_called_damaged(
    rejected: tuple[District, Done],
) -> None:
    said = {file["delivery_name"]: file["detail"] for file in rejected[1].json["files"]}
    [what] = [what for what in REJECTED if "compressed in an unknown way" in what]
    detail = said[name_of(what)]
    assert "have it packed by deflate" in detail
    assert "damaged" not in detail


@pytest.mark.parametrize("what", NO_CSV)
def test_a_csv_that_is_none_is_rejected(rejected: tuple[District, Done], what: str) -> None:
    district, _ = rejected
    name, code = name_of(what), NO_CSV[what][1]
    assert district.ledger(
        f"select file_name, feed, verdict, code from landing.files where delivery_name = '{name}'"
    ) == [(name, "oneroster/orgs", "rejected", code)]


def test_what_is_rejected_leaves_no_row_and_does_not_hinder_the_good_delivery(
    rejected: tuple[District, Done],
) -> None:
    district, done = rejected
    assert done.code == 3
    assert done.json["deliveries_rejected"] == len(REJECTED)
    assert raw_counts(district) == {GOOD: 2}
    assert district.ledger("select count(*) from landing.malformed_records") == [(0,)]


def test_what_is_linked_to_is_never_read(rejected: tuple[District, Done]) -> None:
    district, _ = rejected
    archived = [path for path in (district.home / "archive").rglob("*") if path.is_file()]
    kept = {path.read_bytes() for path in archived}
    assert ZIP[:-30] in kept
    assert not kept & {SECRET, zip_of(("orgs.csv", SECRET))}


def test_what_was_rejected_is_known_the_next_time(rejected: tuple[District, Done]) -> None:
    assert_known(rejected[0])


ODD_NAMES = {
    "utf-8": ("_Schüler 日本_orgs.csv".encode(), "Schüler 日本"),
    "a control character": (b"_\x07_orgs.csv", "\\x07"),
    "a newline": (b"_a\nb_orgs.csv", "a\\nb"),
    "an escape sequence": (b"_\x1b[31mred_orgs.csv", "\\x1b[31mred"),
    "a mark that turns the writing": ("_\u202evsc.exe_orgs.csv".encode(), "\\u202evsc.exe"),
    "quotes": (b"_'\"; drop table--_orgs.csv", "'\"; drop table--"),
    "215 letters": (b"_" + b"n" * 215 + b".csv", "n" * 215),
}


ODD_MEMBERS = {
    "cp437 in a zip": (with_name(zip_of(("XX.csv", WHOLE)), b"XX.csv", b"\x81\xe1.csv"), "üß.csv"),
    "utf-8 in a zip": (zip_of(("Schüler 日本.csv", WHOLE)), "Schüler 日本.csv"),
    "a newline in a zip": (zip_of(("a\nb.csv", WHOLE)), "a\\nb.csv"),
    "a mark that turns the writing in a zip": (zip_of(("\u202evsc.csv", WHOLE)), "\\u202evsc.csv"),
    "250 letters in a zip": (zip_of(("n" * 250 + ".csv", WHOLE)), "n" * 250 + ".csv"),
    "more letters than a disk takes in a zip": (
        zip_of(("n" * 5000 + ".csv", WHOLE)),
        "n" * 5000 + ".csv",
    ),
}


def odd_name(what: str) -> bytes:
    """Name the delivery of a case, on disk."""
    start = boundary([*ODD_NAMES, *ODD_MEMBERS].index(what)).encode()
    return start + (ODD_NAMES[what][0] if what in ODD_NAMES else b".zip")


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> District:
    """Land every delivery with an odd name in it, in one go."""
    district = new_district(tmp_path_factory.mktemp("odd"))
    for what in ODD_NAMES:
        put(district, odd_name(what), WHOLE)
    for what, (content, _) in ODD_MEMBERS.items():
        put(district, odd_name(what), content)
    assert land_unharmed(district).code == 0
    return district


@pytest.mark.parametrize(
    ("what", "shown"),
    [(what, shown) for cases in (ODD_NAMES, ODD_MEMBERS) for what, (_, shown) in cases.items()],
)
def test_an_odd_name_is_taken_and_shown_with_its_odd_parts_written_out(
    odd: District, what: str, shown: str
) -> None:
    start = odd_name(what)[: len(NIGHT)].decode()
    [(file_name, feed, verdict, count)] = odd.ledger(
        "select file_name, feed, verdict, record_count from landing.files "
        f"where starts_with(delivery_name, '{start}')"
    )
    assert shown in file_name
    assert file_name.isprintable()
    assert (feed, verdict, count) == ("oneroster/orgs", "accepted", 2)


def test_odd_names_lose_no_row_and_are_known_the_next_time(odd: District) -> None:
    assert set(raw_counts(odd).values()) == {2}
    assert len(raw_counts(odd)) == len(ODD_NAMES) + len(ODD_MEMBERS)
    assert_known(odd)
    done = odd.run("land", "--inbox", str(odd.inbox))
    assert done.code == 0


def test_a_name_of_bytes_that_are_no_utf_8(district: District) -> None:
    put(district, NIGHT.encode() + b"_\xe9\xff_orgs.csv", WHOLE)
    assert land_unharmed(district).code == 0
    [(file_name,)] = district.ledger("select file_name from landing.files")
    assert file_name == NIGHT + "_\\xe9\\xff_orgs.csv"
    assert_known(district)


def test_names_that_are_shown_alike_are_rejected(district: District) -> None:
    put(district, NIGHT, folder_of({"a\x01.csv": WHOLE, "a\\x01.csv": b"other,thing\n"}))
    done = land_unharmed(district)
    assert [file["code"] for file in done.json["files"]] == ["MEMBER_REPEATED"]


def test_a_gzip_is_taken_like_its_csv(district: District) -> None:
    path = put(district, f"{NIGHT}_orgs.csv.gz", gzip.compress(WHOLE))
    assert land_unharmed(district).code == 0
    assert district.ledger("select file_name, feed, verdict, record_count from landing.files") == [
        (f"{NIGHT}_orgs.csv", "oneroster/orgs", "accepted", 2)
    ]
    put(district, f"{NIGHT}_orgs.csv", WHOLE)
    done = land_unharmed(district)
    assert (done.code, done.json["deliveries_again"], done.json["files"]) == (0, 2, [])
    assert raw_counts(district) == {path.name: 2}


@pytest.mark.parametrize("ending", ["CSV", "txt", "TSV", "txt.gz", "tsv.GZ"])
def test_a_loose_file_is_taken_whatever_people_call_text(ending: str, district: District) -> None:
    content = gzip.compress(WHOLE) if ending.lower().endswith("gz") else WHOLE
    put(district, f"{NIGHT}_orgs.{ending}", content)
    done = land_unharmed(district)
    assert (done.code, done.json["findings"]) == (0, [])
    assert district.ledger("select feed, mode, record_count from landing.files") == [
        ("oneroster/orgs", "bulk", 2)
    ]
    done = district.run("reprocess", f"{NIGHT}_orgs.{ending[:3]}", "--json")
    assert (done.code, done.json["verdict"]) == (0, "accepted")


def test_an_upload_under_a_name_of_its_own_is_left_alone(district: District) -> None:
    path = put(district, f"{NIGHT}.zip.FilePart", ZIP[:90])
    folder = district.deliver(f"{NIGHT}_more", {"users.csv.PART": b"half"})
    age(folder)
    done = land_unharmed(district)
    assert (done.code, done.json["files"]) == (0, [])
    assert done.json["left_alone"] == [
        f"sis/{path.name}: still being written",
        f"sis/{folder.name}: still being written",
    ]
    path.unlink()
    put(district, f"{NIGHT}.zip", zip_of(("orgs.csv", WHOLE)))
    assert land_unharmed(district).code == 0
    assert raw_counts(district) == {f"{NIGHT}.zip": 2}


def test_a_file_that_grows_is_left_alone_and_taken_whole_the_next_time(district: District) -> None:
    path = district.inbox / "sis" / f"{NIGHT}_orgs.csv"
    path.write_text(ORGS)
    is_over = threading.Event()
    count = 0

    def upload() -> None:
        nonlocal count
        with path.open("a") as stream:
            while not is_over.wait(0.02):
                stream.write(f"s{count},,,School {count},school,,d1\n")
                stream.flush()
                count += 1

    uploading = threading.Thread(target=upload)
    uploading.start()
    done = district.land()
    is_over.set()
    uploading.join()
    assert (done.code, done.json["files"]) == (0, [])
    assert done.json["left_alone"] == [f"sis/{path.name}: still being written"]
    assert raw_counts(district) == {}
    age(path)
    done = land_unharmed(district)
    assert (done.code, done.json["left_alone"]) == (0, [])
    assert count > 0
    assert raw_counts(district) == {path.name: count}


def watched(home: Home) -> District:
    return District(home.path, home.path.parent / "inbox")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Give a prepared home beside an inbox, for deliveries opened without the command."""
    new_district(tmp_path)
    prepared = Home(tmp_path / "home")
    prepared.prepare()
    return prepared


def entries_of(home: Home) -> tuple[list[Entry], list[str]]:
    found = read_inbox(watched(home).inbox, {"sis": SIS})
    return found.entries, found.left_alone


def _change(path: Path) -> None:
    path.write_bytes(WHOLE + b"s2,,,South School,school,,d1\n")


def _swap(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/passwd")


LATE_CHANGES: dict[str, Callable[[Path], object]] = {
    "it vanishes": Path.unlink,
    "it is written anew": _change,
    "it becomes a link": _swap,
}


@pytest.mark.parametrize("change", LATE_CHANGES.values(), ids=LATE_CHANGES)
@pytest.mark.parametrize("kind", ["csv", "zip", "folder"])
@pytest.mark.parametrize("moment", ["before it settles", "before it is read", "while it is read"])
def test_what_changes_under_the_reader_is_left_alone(
    home: Home,
    kind: str,
    moment: str,
    change: Callable[[Path], object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    district = watched(home)
    if kind == "folder":
        path = put(district, NIGHT, folder_with("users.csv", holding(WHOLE))) / "users.csv"
    else:
        name = f"{NIGHT}.zip" if kind == "zip" else f"{NIGHT}_orgs.csv"
        path = put(district, name, zip_of(("orgs.csv", WHOLE)) if kind == "zip" else WHOLE)
    entries, left_alone = entries_of(home)
    if moment == "before it settles":
        change(path)
    still = settle(entries, left_alone)
    if moment == "before it settles":
        assert still == []
        assert left_alone == [f"sis/{entries[0].name}: still being written"]
        return
    if moment == "before it is read":
        change(path)
    else:

        def keep_slowly(archive: Path, stream: IO[bytes]) -> Archived:
            kept = keep(archive, stream)
            if os.fstat(stream.fileno()).st_ino == delivered:
                change(path)
            return kept

        delivered = path.stat().st_ino

        monkeypatch.setattr(container, "keep", keep_slowly)
    assert open_delivery(still[0], home, SIS) is None
    assert not list(home.spool.iterdir())


def test_an_entry_that_vanishes_while_the_inbox_is_read_hinders_no_other(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(watched(home), f"{NIGHT}_orgs.csv", WHOLE)
    gone = put(watched(home), f"{NIGHT}_users.csv", WHOLE)
    listed = Path.iterdir

    def list_then_lose(folder: Path) -> Iterator[Path]:
        paths = list(listed(folder))
        if folder.name == "sis":
            gone.unlink()
        yield from paths

    monkeypatch.setattr(Path, "iterdir", list_then_lose)
    entries, left_alone = entries_of(home)
    assert [entry.name for entry in entries] == [f"{NIGHT}_orgs.csv"]
    assert left_alone == [f"sis/{gone.name}: still being written"]


@pytest.mark.parametrize("kind", ["csv", "folder", "part"])
def test_what_may_not_be_read_is_left_alone_with_the_reason(
    home: Home, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(watched(home), f"{NIGHT}_users.csv", WHOLE)
    if kind == "csv":
        closed = put(watched(home), f"{NIGHT}_orgs.csv", WHOLE)
    else:
        closed = put(watched(home), NIGHT, folder_with("users.csv", holding(WHOLE)))
        closed = closed / "users.csv" if kind == "part" else closed
    forbid(closed, monkeypatch)
    entries, left_alone = entries_of(home)
    still = settle(entries, left_alone)
    name = closed.parent.name if kind == "part" else closed.name
    assert [entry.name for entry in still] == [f"{NIGHT}_users.csv"]
    assert left_alone == [f"sis/{name}: it cannot be read (Permission denied)"]


def forbid(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away the right to read, from root too, whom file modes do not hold."""
    path.chmod(0)
    refusal = PermissionError(errno.EACCES, "Permission denied", str(path))
    for owner, name in ((os, "open"), (Path, "iterdir")):
        allowed = getattr(owner, name)

        def ask(asked: Any, *rest: Any, allowed: Callable[..., Any] = allowed, **named: Any) -> Any:
            if Path(asked).name == path.name:
                raise refusal
            return allowed(asked, *rest, **named)

        monkeypatch.setattr(owner, name, ask)


def damaged(random: Random, content: bytes) -> bytes:
    """Damage bytes in a few places, oftener near their end, where a zip has its directory."""
    changed = bytearray(content)
    for _ in range(random.choice((1, 1, 2, 4))):
        back = random.randrange(random.choice((200, len(content))))
        place = max(0, len(changed) - 1 - back)
        new = random.choice((b"", b"\0", b"\xff", b"\xff" * 8, bytes(8), random.randbytes(5)))
        changed[place : place + random.randrange(9)] = new
    return bytes(changed)


def assert_rejected_or_whole(home: Home, seed: int, count: int) -> None:
    """Damage archives; each must be rejected or still give the bytes that were packed."""
    random = Random(seed)  # noqa: S311  (the same damage every time)
    texts = {b"a,b\n" * 50, "x,é\n".encode() * 9}
    members = [(name, text) for name, text in zip(("a.csv", "é.csv"), sorted(texts), strict=True)]
    whole = [
        ("zip", zip_of(*members, method=method))
        for method in (
            zipfile.ZIP_STORED,
            zipfile.ZIP_DEFLATED,
            zipfile.ZIP_BZIP2,
            zipfile.ZIP_LZMA,
        )
    ]
    whole += [("gzip", gzip.compress(text)) for text in texts]
    rejected_count = 0
    for number in range(count):
        kind, content = random.choice(whole)
        content = damaged(random, content)
        path = home.path / "damaged"
        path.write_bytes(content)
        unpacked = _unpack(kind, "a.csv.gz", Archived("0" * 64, len(content), path), home, SIS)
        if unpacked.rejection:
            rejected_count += unpacked.rejection.code != "DELIVERY_EMPTY"
        else:
            whole_count = len(members) if kind == "zip" else 1
            found = [member.path.read_bytes() for member in unpacked.members]
            # No file at all, and an empty one, are rejected afterwards.
            assert len(found) in (0, whole_count), number
            assert set(found) <= texts | {b""}, number
        home.empty_spool()
    assert 0 < rejected_count < count


def test_a_damaged_archive_is_rejected_or_whole(home: Home) -> None:
    assert_rejected_or_whole(home, seed=1, count=600)


@pytest.mark.long
def test_a_damaged_archive_is_rejected_or_whole_at_length(home: Home) -> None:
    assert_rejected_or_whole(home, seed=2, count=30_000)


def contracts_with(folder: Path, rows: str) -> Contracts:
    shutil.copytree(CONTRACTS, folder)
    with (folder / "limits.csv").open("a", encoding="utf-8") as stream:
        stream.write(rows)
    return Contracts.load(folder)


def test_a_limit_may_differ_by_source(tmp_path: Path, home: Home) -> None:
    contracts = contracts_with(tmp_path / "seeds", "lms,max_members,1,Only one.\n")
    lms, sis = contracts.sources["lms"], contracts.sources["sis"]
    assert (lms.limits.max_members, sis.limits.max_members) == (1, 1000)
    assert replace(lms.limits, max_members=1000) == sis.limits
    put(watched(home), f"{NIGHT}.zip", ZIP)
    [entry], _ = entries_of(home)
    for source, code in ((lms, "ARCHIVE_TOO_LARGE"), (sis, None)):
        opened = open_delivery(entry, home, source)
        assert opened is not None
        assert (opened.rejection.code if opened.rejection else None) == code


@pytest.mark.parametrize(
    ("limit", "value", "code"),
    [("max_unpacked_bytes", 100, "ARCHIVE_TOO_LARGE"), ("max_unpacked_bytes", 400, None)],
)
@pytest.mark.parametrize("kind", ["zip", "gzip"])
def test_how_much_may_be_unpacked_is_a_limit_of_the_source(
    tmp_path: Path, home: Home, kind: str, limit: str, value: int, code: str | None
) -> None:
    contracts = contracts_with(tmp_path / "seeds", f"sis,{limit},{value},Less.\n")
    if kind == "zip":
        put(watched(home), f"{NIGHT}.zip", ZIP)
    else:
        put(watched(home), f"{NIGHT}_orgs.csv.gz", gzip.compress(WHOLE))
    [entry], _ = entries_of(home)
    opened = open_delivery(entry, home, contracts.sources["sis"])
    assert opened is not None
    assert (opened.rejection.code if opened.rejection else None) == code


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("sis,max_memebrs,1,\n", "no limit is called 'max_memebrs'"),
        ("sis,max_members,many,\n", "'many' is not a number"),
        ("sis,max_members,-1,\n", "'-1' is not a number"),
        ("sis,max_removed_percent,101,\n", "over 100 percent"),
        ("sas,max_members,1,\n", "no source is called 'sas'"),
    ],
)
def test_a_limit_that_cannot_be_is_rejected(tmp_path: Path, row: str, said: str) -> None:
    with pytest.raises(ContractError, match=said):
        contracts_with(tmp_path / "seeds", row)
