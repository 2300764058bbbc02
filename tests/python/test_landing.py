"""Landing: bytes untouched, one verdict a file, nothing twice, nothing by halves."""

import errno
import fcntl
import hashlib
import os
import zipfile
from contextlib import nullcontext
from pathlib import Path

import pytest
from conftest import MANIFEST, ORG_ROWS, ORGS, District

from rollcall.clock import iso
from rollcall.landing.archive import keep
from rollcall.ledger.ledger import event_hash

NIGHT = "2026-09-01T010000Z"


def test_a_folder_lands_with_its_ledger_entry(district: District) -> None:
    district.deliver(
        NIGHT, {"orgs.csv": ORGS + ORG_ROWS, "manifest.csv": MANIFEST + "file.orgs,bulk\n"}
    )
    done = district.land()
    assert done.code == 0, done.err
    assert district.ledger(
        "select file_name, feed, layout_version, mode, record_count, malformed_count, verdict, "
        "code from landing.files order by file_name"
    ) == [
        ("manifest.csv", "oneroster/manifest", "1.1", "delta", 3, 0, "accepted", None),
        ("orgs.csv", "oneroster/orgs", "1.1", "bulk", 2, 0, "accepted", None),
    ]
    assert district.ledger(
        'select record_number, line_number, byte_offset, "sourcedId", "status" '
        "from raw_oneroster.orgs order by 1"
    ) == [(1, 2, len(ORGS), "d1", None), (2, 3, len(ORGS) + ORG_ROWS.index("s1"), "s1", None)]


def test_fields_land_verbatim(district: District) -> None:
    row = '007,"",," trailing ","a ""b""\r\nc",\x00,é\n'
    district.deliver(NIGHT, {"orgs.csv": ORGS + row})
    assert district.land().code == 0
    assert district.ledger(
        'select "sourcedId", "status", "dateLastModified", "name", "type", "identifier", '
        '"parentSourcedId" from raw_oneroster.orgs'
    ) == [("007", "", None, " trailing ", 'a "b"\r\nc', "\x00", "é")]


def test_metadata_columns_at_the_right_are_kept(district: District) -> None:
    header = ORGS.strip() + ",metadata.city,metadata.note\n"
    district.deliver(NIGHT, {"orgs.csv": header + "d1,,,Plainfield,district,,,Springfield,\n"})
    assert district.land().code == 0
    assert district.ledger("select metadata from raw_oneroster.orgs") == [
        ({"metadata.city": "Springfield", "metadata.note": None},)
    ]


def test_the_same_delivery_twice_changes_nothing(district: District) -> None:
    folder = district.deliver(NIGHT, {"orgs.csv": ORGS + ORG_ROWS})
    assert district.land().code == 0
    before = district.ledger("select * exclude (job_id) from landing.files")
    again = district.land()
    assert (again.code, again.json["deliveries_again"]) == (0, 1)
    os.utime(folder / "orgs.csv", (1, 1))  # looks new, holds the same bytes
    again = district.land()
    assert (again.code, again.json["deliveries_again"]) == (0, 1)
    assert district.ledger("select * exclude (job_id) from landing.files") == before
    assert district.ledger("select count(*) from raw_oneroster.orgs") == [(2,)]


def test_other_bytes_for_the_same_boundary_conflict(district: District) -> None:
    district.deliver(NIGHT, {"orgs.csv": ORGS + ORG_ROWS})
    district.land()
    district.deliver(NIGHT + "_again", {"orgs.csv": ORGS + "d1,,,Renamed,district,,\n"})
    done = district.land()
    assert done.code == 3
    assert [file["code"] for file in done.json["files"]] == ["DELIVERY_CONFLICT"]
    assert district.ledger(
        "select count(*) from raw_oneroster.orgs where \"name\" = 'Renamed'"
    ) == [(0,)]


def test_a_cut_zip_is_rejected_and_its_whole_self_accepted(district: District) -> None:
    path = district.inbox / "sis" / f"{NIGHT}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("orgs.csv", ORGS + ORG_ROWS)
        archive.writestr("manifest.csv", MANIFEST + "file.orgs,bulk\n")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    done = district.land()
    assert (done.code, done.json["files"][0]["code"]) == (3, "ARCHIVE_UNREADABLE")
    path.write_bytes(whole)
    done = district.land()
    assert (done.code, done.json["deliveries_landed"]) == (0, 1)
    assert not list((district.home / "spool").iterdir())


@pytest.mark.parametrize(
    ("member", "code"),
    [
        ("../orgs.csv", "ARCHIVE_UNSAFE"),
        ("folder/../../orgs.csv", "ARCHIVE_UNSAFE"),
        ("a.zip", "ARCHIVE_NESTED"),
    ],
)
def test_unsafe_zips_are_rejected_whole(district: District, member: str, code: str) -> None:
    with zipfile.ZipFile(district.inbox / "sis" / f"{NIGHT}.zip", "w") as archive:
        archive.writestr(member, ORGS)
    done = district.land()
    assert (done.code, done.json["files"][0]["code"]) == (3, code)
    assert not list(district.home.parent.glob("*.csv"))


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<!DOCTYPE html><html><body>503</body></html>", "NOT_A_CSV"),
        (b"%PDF-1.7 ...", "NOT_A_CSV"),
        (b"PK\x03\x04rest", "NOT_A_CSV"),
        (b"", "EMPTY_FILE"),
        (ORGS.encode("utf-16"), "WRONG_ENCODING"),
        (b'"sourcedId,status\nd1,x\n', "HEADER_UNREADABLE"),
        (
            b"sourcedId,status,dateLastModified,title,type,identifier,parentSourcedId\n",
            "COLUMN_RENAMED",
        ),
        (b"some,thing,else\n1,2,3\n", "LAYOUT_UNKNOWN"),
    ],
)
def test_files_that_cannot_be_read_are_rejected_alone(
    district: District, content: bytes, code: str
) -> None:
    users = "sourcedId,status,dateLastModified,title\n"
    district.deliver(NIGHT, {"orgs.csv": content, "categories.csv": users + "c1,,,Tests\n"})
    done = district.land()
    assert done.code == 3
    assert {file["file_name"]: (file["verdict"], file["code"]) for file in done.json["files"]} == {
        "orgs.csv": ("rejected", code),
        "categories.csv": ("accepted", None),
    }


def test_malformed_records_are_isolated_with_line_offset_and_key(district: District) -> None:
    good = "s{0},,,School {0},school,,d1\n"
    short = "s3,,,short\n"
    stray = 's4,,,No"rth,school,,d1\n'
    content = ORGS + good.format(1) + "\n" + good.format(2) + short + stray + good.format(5)
    district.deliver(NIGHT, {"orgs.csv": content})
    assert district.land().code == 0
    assert district.ledger(
        "select record_number, line_number, byte_offset, byte_length, code, record_key "
        "from landing.malformed_records order by 1"
    ) == [
        (3, 5, content.index(short), len(short) - 1, "TOO_FEW_FIELDS", "s3"),
        (4, 6, content.index(stray), len(stray) - 1, "STRAY_QUOTE", "s4"),
    ]
    assert district.ledger(
        "select record_count, malformed_count, blank_line_count from landing.files"
    ) == [(5, 2, 1)]


def test_a_manifest_that_says_bulk_wins_over_dated_rows(district: District) -> None:
    row = "d1,active,2026-08-31T10:00:00.000Z,Plainfield,district,,\n"
    district.deliver(NIGHT, {"orgs.csv": ORGS + row, "manifest.csv": MANIFEST + "file.orgs,bulk\n"})
    done = district.land()
    assert done.code == 0
    assert district.ledger(
        "select declared_mode, mode, code from landing.files where file_name = 'orgs.csv'"
    ) == [("bulk", "bulk", "MODE_CONFLICT")]


def test_nothing_waits_for_a_hidden_key_on_a_first_night(district: District) -> None:
    row = '"d1,,,Plainfield,district,,\n'
    district.deliver(
        NIGHT, {"orgs.csv": ORGS + ORG_ROWS + row, "manifest.csv": MANIFEST + "file.orgs,bulk\n"}
    )
    assert district.land().code == 0, "nothing could be removed"
    assert district.ledger(
        "select mode, are_removals_held, code from landing.files where file_name = 'orgs.csv'"
    ) == [("bulk", False, None)]


def test_a_delivery_without_export_time_can_be_landed_by_hand(district: District) -> None:
    district.deliver("tonight", {"orgs.csv": ORGS + ORG_ROWS})
    done = district.land()
    assert (done.code, done.json["files"][0]["code"]) == (3, "EXPORT_TIME_UNKNOWN")
    done = district.land("--exported-at", "2026-09-01T01:00:00Z")
    assert (done.code, done.json["deliveries_landed"]) == (0, 1)


def test_unfinished_uploads_are_left_alone(district: District) -> None:
    (district.inbox / "sis" / f"{NIGHT}.zip.part").write_bytes(b"half")
    done = district.land()
    assert (done.code, len(done.json["left_alone"])) == (0, 1)


def test_the_archive_holds_the_bytes_as_delivered(district: District) -> None:
    content = b"\xef\xbb\xbf" + (ORGS + ORG_ROWS).replace("\n", "\r\n").encode()
    district.deliver(NIGHT, {"orgs.csv": content})
    assert district.land().code == 0
    [(sha256,)] = district.ledger("select sha256 from landing.files")
    kept = district.home / "archive" / sha256[:2] / sha256
    assert kept.read_bytes() == content
    assert kept.stat().st_mode & 0o777 == 0o400


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EOPNOTSUPP, errno.ENOSPC, 0])
def test_a_file_is_kept_whether_or_not_the_system_copies_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """It may not be able to, or take a file for empty; a full disk is an error."""

    def copy_file_range(*_: object, **__: object) -> int:
        if number:
            raise OSError(number, os.strerror(number))
        return 0

    monkeypatch.setattr(os, "copy_file_range", copy_file_range, raising=False)
    archive, file = tmp_path / "archive", tmp_path / "orgs.csv"
    archive.mkdir()
    file.write_text(ORGS + ORG_ROWS, encoding="utf-8")
    raises = pytest.raises(OSError, match="No space") if number == errno.ENOSPC else nullcontext()
    with file.open("rb") as stream, raises:
        kept = keep(archive, stream)
        assert kept.path.read_bytes() == file.read_bytes()
        assert kept.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert not list(archive.glob(".incoming-*"))


def test_one_home_has_one_writer(district: District) -> None:
    assert district.run("init").code == 0
    with (district.home / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = district.land()
    assert done.code == 5
    assert "Another rollcall process" in done.err


def test_an_empty_or_missing_inbox(district: District, tmp_path: Path) -> None:
    assert district.land().code == 0
    done = district.run("land", "--inbox", str(tmp_path / "nowhere"))
    assert done.code == 2
    assert done.err.startswith("rollcall: The inbox")


def test_a_home_that_cannot_be_made(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("not a folder")
    done = District(blocker / "home", tmp_path).land()
    assert done.code == 2
    assert "cannot be written" in done.err


def test_the_events_are_a_chain(district: District) -> None:
    district.deliver(NIGHT, {"orgs.csv": ORGS + ORG_ROWS})
    district.land()
    previous = "0" * 64
    events = district.ledger(
        "select event_number, job_id, happened_at, kind, subject, detail, entries_sha256, "
        "previous_sha256, sha256 from landing.events order by event_number"
    )
    assert len(events) >= 3
    for number, job, at, kind, subject, detail, entries, before, sha256 in events:
        assert before == previous
        fields = [str(number), str(job), iso(at), kind, subject, detail, entries]
        previous = event_hash(before, fields)
        assert sha256 == previous


def test_two_deliveries_of_one_boundary_may_bring_different_feeds(district: District) -> None:
    manifest = MANIFEST + "file.orgs,bulk\n"
    district.deliver(NIGHT, {"orgs.csv": ORGS + ORG_ROWS, "manifest.csv": manifest})
    categories = "sourcedId,status,dateLastModified,title\nc1,,,Tests\n"
    district.deliver(NIGHT + "_more", {"categories.csv": categories, "manifest.csv": manifest})
    done = district.land()
    assert (done.code, done.json["deliveries_landed"]) == (0, 2)


def test_a_file_under_another_name_is_known_by_its_header(district: District) -> None:
    (district.inbox / "sis" / f"{NIGHT}_export 7.csv").write_text(
        "sourcedId,status,dateLastModified,title,weight\nc1,,,Tests,40\n"
    )
    done = district.land()
    assert [file["feed"] for file in done.json["files"]] == ["oneroster/categories"]
