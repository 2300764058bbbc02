"""Files and containers as people and spreadsheets make them: taken where nothing is in doubt.

Where something is, the message names the setting that lets the file in. What needs a cycle is told
in the home that all stories share.
"""

import gzip
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from conftest import LONG_AGO, MANIFEST, ORG_ROWS, ORGS, District, Project, read_csv
from stories import Scene, Telling, nothing_is_due, told_together

from rollcall.project import PROJECT_DIR

NIGHT = "2026-09-01T010000Z"
ANNOUNCED = MANIFEST + "file.orgs,bulk\n"
PLAIN = {"orgs.csv": ORGS + ORG_ROWS, "manifest.csv": ANNOUNCED}


def zipped(district: District, name: str, files: dict[str, str]) -> Path:
    """Put a zip into the inbox of the roster, written long ago; the same files give equal bytes."""
    path = district.inbox / "sis" / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in files.items():
            archive.writestr(zipfile.ZipInfo(member), content)
    os.utime(path, LONG_AGO)
    return path


def landed(district: District) -> dict[str, tuple[str, str | None]]:
    """Give verdict and code of every file, by name."""
    found = district.ledger("select file_name, verdict, code from landing.files order by all")
    return {name: (verdict, code) for name, verdict, code in found}


TAKEN = {"orgs.csv": ("accepted", None), "manifest.csv": ("accepted", None)}
AS_PEOPLE_MAKE_THEM: dict[str, tuple[dict[str, str], list[str]]] = {
    "all in one folder": ({f"OneRoster/{name}": text for name, text in PLAIN.items()}, []),
    "all in a folder of a folder": ({f"a/b/{name}": text for name, text in PLAIN.items()}, []),
    "made on Windows": ({f"OneRoster\\{name}": text for name, text in PLAIN.items()}, []),
    "with entries for folders": ({"OneRoster/": "", "empty/": "", **PLAIN}, []),
    "made on a Mac": (
        {
            **{f"OneRoster/{name}": text for name, text in PLAIN.items()},
            "__MACOSX/OneRoster/._orgs.csv": "\0",
            "OneRoster/.DS_Store": "\0",
        },
        ["OneRoster/.DS_Store", "__MACOSX/OneRoster/._orgs.csv"],
    ),
    "with notes beside the export": (
        {
            **PLAIN,
            "README.txt": "a,b\n",
            "errors.log": "",
            "checksum.md5": "\0",
            "logo.pdf": "%PDF",
        },
        ["README.txt", "checksum.md5", "errors.log", "logo.pdf"],
    ),
    "with a note outside its folder": (
        {"README.TXT": "Read me.", **{f"OneRoster/{name}": text for name, text in PLAIN.items()}},
        ["README.TXT"],
    ),
}


@pytest.mark.parametrize("what", AS_PEOPLE_MAKE_THEM)
def test_a_zip_is_taken_as_people_make_it(what: str, district: District) -> None:
    files, aside = AS_PEOPLE_MAKE_THEM[what]
    zipped(district, f"{NIGHT}.zip", files)
    done = district.land()
    assert (done.code, landed(district)) == (0, TAKEN)
    said = f"sis: passed over {', '.join(aside)}, which hold nothing of the export."
    assert done.json["findings"] == ([said] if aside else [])
    found = district.ledger("select code, detail from landing.findings")
    assert found == ([("FILES_PASSED_OVER", said)] if aside else [])
    done = district.run("reprocess", "orgs.csv", "--json")
    assert (done.code, done.json["verdict"]) == (0, "accepted")
    assert district.run("rejects", "orgs.csv", "--json").code == 0
    changed = {name: text.replace("North", "South") for name, text in files.items()}
    zipped(district, "2026-09-02T010000Z.zip", changed)
    done = district.land(now="2026-09-02T18:00:00Z")
    assert (done.code, done.json["findings"]) == (0, []), "said once is enough"
    assert landed(district) == TAKEN


@pytest.mark.parametrize(("ending", "note"), [("TXT", "README.pdf"), ("tsv", "README.txt")])
def test_a_zip_is_taken_whatever_its_files_end_with(
    ending: str, note: str, district: District
) -> None:
    files = {f"OneRoster/{name[:-3]}{ending}": text for name, text in PLAIN.items()}
    zipped(district, f"{NIGHT}.zip", {note: "Read me.", **files})
    assert district.land().code == 0
    assert landed(district) == {f"{name[:-3]}{ending}": found for name, found in TAKEN.items()}


def test_a_folder_is_taken_with_what_lies_beside_the_export(district: District) -> None:
    folder = district.deliver(NIGHT, {**PLAIN, "README.txt": "Read me.", ".DS_Store": "\0"})
    (folder / "__MACOSX").mkdir()
    os.utime(folder / "__MACOSX", LONG_AGO)
    os.utime(folder, LONG_AGO)
    done = district.land()
    assert (done.code, landed(district)) == (0, TAKEN)


def test_a_source_names_files_that_are_no_part_of_its_export(project: Project) -> None:
    """The name that a CSV must have is told by the message that rejects it."""
    files = {**PLAIN, "Audit.csv": "a,b\n1,2\n", "old/backup.zip": "PK"}
    zipped(project, f"{NIGHT}.zip", {**PLAIN, "Audit.csv": "a,b\n1,2\n"})
    done = project.run("land", "--inbox", str(project.inbox))
    assert "UNKNOWN_FILE" in done.out
    assert "ignore_files" in done.out
    path = project.project / "seeds" / "contracts" / "sources.csv"
    text = path.read_text(encoding="utf-8")
    [line] = [line for line in text.splitlines() if line.startswith("sis,")]
    own = dict(zip(text.splitlines()[0].split(","), line.split(","), strict=True))
    changed = ",".join((own | {"ignore_files": "audit*.csv|OLD/*"}).values())
    path.write_text(text.replace(line, changed), encoding="utf-8")
    zipped(project, "2026-09-02T010000Z.zip", files)
    (project.inbox / "sis" / "audit_2026.csv").write_text("a,b\n")
    done = project.land(now="2026-09-02T18:00:00Z")
    assert done.code == 0, done.out
    said = "sis: passed over Audit.csv, old/backup.zip, which hold nothing of the export."
    assert said in done.json["findings"]


def test_names_of_files_are_compared_without_case(district: District) -> None:
    files = {"ORGS.CSV": ORGS + ORG_ROWS, "Manifest.csv": ANNOUNCED, "README.txt": "Read me."}
    zipped(district, f"{NIGHT}.zip", files)
    done = district.land()
    assert done.code == 0
    assert not [line for line in done.json["findings"] if "manifest" in line]
    assert district.ledger("select mode from landing.files where file_name = 'ORGS.CSV'") == [
        ("bulk",)
    ]


QUOTED = "\r\n".join(",".join(f'"{f}"' for f in line.split(",")) for line in ANNOUNCED.split())
ODD_MANIFESTS = {
    "a byte order mark and quotes": b"\xef\xbb\xbf" + QUOTED.encode(),
    "quotes": QUOTED.encode(),
    "a quote that is never closed": f'{ANNOUNCED}"source.systemName,Plainfield\n'.encode(),
    "text after a quote": f'{ANNOUNCED}"source" name,x\n'.encode(),
    "blank lines": ANNOUNCED.replace("\n", "\n\n").encode(),
    "blanks around values": ANNOUNCED.replace(",", " , ").encode(),
    "a value in another encoding": f"{ANNOUNCED}source.systemName,\xc9cole\n".encode("cp1252"),
    "a name in another encoding": f"{ANNOUNCED}\xe9cole,x\n".encode("cp1252"),
    "a value too many": f"{ANNOUNCED}source.systemName,a,b\n".encode(),
    "no value": f"{ANNOUNCED}source.systemName\n".encode(),
    "zero bytes": f"{ANNOUNCED}\0,\0\n".encode(),
    "no end of its last line": ANNOUNCED.strip().encode(),
}


@pytest.mark.parametrize("manifest", ODD_MANIFESTS.values(), ids=ODD_MANIFESTS)
def test_a_manifest_says_what_it_can_and_stops_no_file(district: District, manifest: bytes) -> None:
    """What of it cannot be read is passed over; the rest decides the mode of the files."""
    district.deliver(NIGHT, {"orgs.csv": ORGS + ORG_ROWS, "manifest.csv": manifest})
    done = district.land()
    assert "LANDING_FAILED" not in done.out
    verdicts = "select verdict, code, mode from landing.files where file_name = 'orgs.csv'"
    assert district.ledger(verdicts) == [("accepted", None, "bulk")]


@pytest.mark.parametrize(
    "second", ["file.orgs,delta", "File.Orgs,DELTA", "file.orgs.csv,delta", "file.orgs,Delta"]
)
def test_a_manifest_that_says_two_things_of_a_file_decides_nothing(
    district: District, second: str
) -> None:
    manifest = f"{ANNOUNCED}{second}\n"
    district.deliver(NIGHT, {"orgs.csv": ORGS + ORG_ROWS, "manifest.csv": manifest})
    district.land()
    said = "The manifest says 'bulk and delta', which is neither bulk nor delta; "
    found = district.ledger("select detail from landing.findings where code = 'MODE_UNKNOWN'")
    assert [sentence.startswith(said) for (sentence,) in found] == [True]


def test_what_manifest_and_delivery_do_not_share_is_named_as_it_is_called(
    district: District,
) -> None:
    zipped(district, f"{NIGHT}.zip", {**PLAIN, "Users.csv": "a\n", "manifest.csv": MANIFEST})
    done = district.land()
    differing = [line for line in done.json["findings"] if "manifest" in line]
    assert [line.split(": ")[1] for line in differing] == [
        "The manifest does not announce orgs.csv, which is there.",
        "The manifest does not announce Users.csv, which is there.",
    ]


def test_a_gzip_of_one_file_needs_no_manifest_as_the_file_itself_needs_none(
    district: District,
) -> None:
    for number, (name, content) in enumerate(
        (("orgs.csv", PLAIN["orgs.csv"].encode()), ("orgs.csv.gz", gzip.compress(ORGS.encode())))
    ):
        path = district.inbox / "sis" / f"2026-09-0{number + 1}T010000Z_{name}"
        path.write_bytes(content)
        os.utime(path, LONG_AGO)
    done = district.land()
    assert done.json["findings"] == []


@pytest.mark.parametrize("name", ["users.xlsx", "Users.JSON", "users.csv.pgp"])
def test_a_feed_in_another_form_is_not_passed_over(name: str, district: District) -> None:
    """A checksum or a note of the same name is."""
    content = "PK\x03\x04" if name.endswith("xlsx") else '{"users": []}\n'
    beside = {"users.csv.sha256": "abc", "users.md": "Read me.", "extra.json": "{}"}
    zipped(district, f"{NIGHT}.zip", {**PLAIN, **beside, name: content})
    done = district.land()
    assert (done.code, landed(district)) == (3, TAKEN | {name: ("rejected", "NOT_A_CSV")})
    [file] = [file for file in done.json["files"] if file["verdict"] == "rejected"]
    assert f"'.{name.partition('.')[2]}' is not read" in file["detail"]
    assert done.json["findings"][0] == (
        "sis: passed over extra.json, users.csv.sha256, users.md, which hold nothing of the export."
    )


def test_of_a_file_that_comes_alone_it_is_said_once_that_nobody_leaves_by_it(
    district: District,
) -> None:
    """A manifest that comes alone decides nothing and says so; without dates they are a bulk."""
    dated = ORGS + ORG_ROWS.replace(",,,", ",active,2026-08-20T10:00:00Z,")
    told = []
    for night, text in ((1, dated), (2, dated + "s9,,,S,school,9,d1\n"), (3, ORGS + ORG_ROWS)):
        for name, content in (("orgs.csv", text), ("manifest.csv", ANNOUNCED)):
            path = district.inbox / "sis" / f"2026-09-0{night}T010000Z_{name}"
            path.write_text(content, encoding="utf-8")
            os.utime(path, LONG_AGO)
        done = district.land(now=f"2026-09-0{night}T18:00:00Z")
        assert (done.code, done.json["questions"]) == (0, [])
        told += [line.split(": ", 1)[1].split(".")[0] for line in done.json["findings"]]
    assert [line for line in told if line.startswith("Nothing says")] == [
        "Nothing says whether the file is complete; most of its records have a status or a date, "
        "so files like this one are read as a delta, and nobody is gone who is not deleted"
    ]
    assert (
        "The manifest came alone; it decides of files that come with it in one zip or folder"
        in (told)
    )
    modes = district.ledger("select mode from landing.files where feed like '%/orgs' order by 1")
    assert modes == [("bulk",), ("delta",), ("delta",)]


def test_a_fixed_name_is_told_which_name_and_which_setting_would_do(project: Project) -> None:
    """What was rejected for its name is taken as soon as the setting says that any name will do."""
    path = zipped(project, "OneRoster.zip", PLAIN)
    done = project.land()
    [file] = done.json["files"]
    assert (done.code, file["code"]) == (3, "EXPORT_TIME_UNKNOWN")
    assert "such as '2026-09-01T180000Z_OneRoster.zip'" in file["detail"]
    assert (
        "set exported_at_policy of sis to receipt in seeds/contracts/sources.csv"
        in (file["detail"])
    )
    again = project.land()
    assert (again.code, again.json["files"], again.json["deliveries_again"]) == (0, [], 1)
    renamed = path.rename(path.with_name("OneRoster (1).zip"))
    done = project.land()
    assert [file["code"] for file in done.json["files"]] == ["EXPORT_TIME_UNKNOWN"]
    assert project.ledger("select delivery_name from landing.files") == [("OneRoster (1).zip",)]
    renamed.rename(path)
    project.redeclare("sis", ",name,", ",receipt,")
    done = project.land(now="2026-09-01T20:00:00Z")
    assert (done.code, done.json["deliveries_landed"]) == (0, 1)
    assert landed(project) == TAKEN | {"OneRoster (1).zip": ("rejected", "EXPORT_TIME_UNKNOWN")}


def test_a_fixed_name_works_every_night_and_equal_bytes_are_taken_once(project: Project) -> None:
    project.redeclare("sis", ",name,", ",receipt,")
    other = PLAIN | {"orgs.csv": (ORGS + ORG_ROWS).replace("North", "South")}
    counts = []
    for night, files in enumerate((PLAIN, PLAIN, other, other, PLAIN), 1):
        path = zipped(project, "OneRoster.zip", files)
        os.utime(path, (night, night))
        done = project.land(now=f"2026-09-0{night}T18:00:00Z")
        assert done.code == 0
        counts.append(done.json["deliveries_landed"])
    assert counts == [1, 0, 1, 0, 1], "what goes back to what it was has changed"
    assert project.ledger("select distinct exported_at from landing.files order by 1") == [
        (exported_at,)
        for (exported_at,) in project.ledger(
            "select unnest([timestamp '2026-09-01 18:00', timestamp '2026-09-03 18:00', "
            "timestamp '2026-09-05 18:00'])"
        )
    ]


def test_the_rest_of_an_upload_joins_what_was_seen_of_it(district: District) -> None:
    """The files are judged with the manifest, which may come last."""
    folder = district.deliver(NIGHT, {"orgs.csv": ORGS + ORG_ROWS})
    assert district.land().code == 0
    shutil.rmtree(folder)
    terms = (
        "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear"
    )
    manifest = ANNOUNCED + "file.academicSessions,bulk\n"
    whole = {
        "orgs.csv": ORGS + ORG_ROWS,
        "academicSessions.csv": f"{terms}\nt1,,,Fall,semester,2026-08-15,2026-12-20,,2027\n",
        "manifest.csv": manifest,
    }
    district.deliver(NIGHT, whole)
    done = district.land()
    assert (done.code, done.json["deliveries_landed"]) == (0, 1)
    assert done.json["findings"] == [
        f"sis/{NIGHT}: replaces 1 files, the rest of the delivery has come."
    ]
    assert set(
        district.ledger("select declared_mode from landing.files where feed is not null")
    ) == {
        (None,),
        ("bulk",),
    }
    district.deliver(f"{NIGHT}_again", {"orgs.csv": ORGS + ORG_ROWS})
    done = district.land()
    assert (done.code, done.json["deliveries_again"]) == (0, 2), "a part of it brings nothing new"
    shutil.rmtree(folder)
    district.deliver(NIGHT, whole | {"orgs.csv": ORGS})
    done = district.land()
    assert [file["code"] for file in done.json["files"]] == ["DELIVERY_CONFLICT"]


@pytest.mark.parametrize(("name", "mark"), [("semicolon", ";"), ("tab", "\t"), ("pipe", "|")])
def test_another_delimiter_is_named_with_the_setting_that_takes_it(
    name: str, mark: str, project: Project
) -> None:
    files = {"orgs.csv": (ORGS + ORG_ROWS).replace(",", mark), "manifest.csv": ANNOUNCED}
    project.deliver(NIGHT, files)
    done = project.land()
    [file] = [file for file in done.json["files"] if file["verdict"] != "accepted"]
    assert (done.code, file["code"]) == (3, "WRONG_DELIMITER")
    assert f"separated by a {name}; sis declares a comma" in file["detail"]
    assert f"set delimiter of sis to {name} in seeds/contracts/sources.csv" in file["detail"]
    assert file["record_count"] == 2
    path = project.project / "seeds" / "contracts" / "sources.csv"
    text = path.read_text(encoding="utf-8")
    [line] = [line for line in text.splitlines() if line.startswith("sis,")]
    path.write_text(text.replace(line, line.replace(",comma,", f",{name},")), encoding="utf-8")
    done = project.run("reprocess", "orgs.csv", "--json")
    assert (done.code, done.json["verdict"]) == (0, "accepted")
    assert project.ledger('select "sourcedId", "name" from raw_oneroster.orgs order by 1') == [
        ("d1", "Plainfield Schools"),
        ("s1", "North School"),
    ]


def test_a_line_for_spreadsheets_before_the_header_is_no_header(district: District) -> None:
    district.deliver(NIGHT, PLAIN | {"orgs.csv": "sep=,\r\n" + PLAIN["orgs.csv"]})
    assert district.land().code == 0
    assert landed(district) == TAKEN


@pytest.mark.parametrize(
    ("above", "line"),
    [
        ("Exported by Registrar on 2026-09-01\n\n", 3),
        ("\r\n", 2),
        ('"Title, with ""quotes""",,,\rDistrict; 7\r', 3),
        ("Organisations;;;\n" * 50, 51),
        ('An "odd" title\n', 2),
    ],
)
@pytest.mark.parametrize("name", ["orgs.csv", "report 7.csv"])
def test_lines_above_a_header_are_named(
    above: str, line: int, name: str, district: District
) -> None:
    """What is above may look like anything: a table, a blank line, quotes that do not match."""
    district.deliver(NIGHT, {name: above + ORGS + ORG_ROWS, "manifest.csv": MANIFEST})
    done = district.land()
    [file] = [file for file in done.json["files"] if file["verdict"] != "accepted"]
    assert (done.code, file["code"]) == (3, "HEADER_UNREADABLE")
    lines = "1 line stands" if line == 2 else f"{line - 1} lines stand"
    said = f"Line {line} looks like the header of oneroster/orgs 1.0, and {lines} above it."
    assert file["detail"].replace("1.1", "1.0").startswith(said)


def test_a_manifest_with_a_header_in_capitals_is_read(district: District) -> None:
    """Its columns may stand in any order, too, with others beside them."""
    for night, manifest in (
        (1, ANNOUNCED.replace("propertyName,value", "PROPERTYNAME,VALUE")),
        (2, "Value,Note,PropertyName\n1.1,,oneroster.version\nbulk,x,file.orgs\n"),
    ):
        files = PLAIN | {"manifest.csv": manifest}
        district.deliver(f"2026-09-0{night}T010000Z", files)
        done = district.land(now=f"2026-09-0{night}T18:00:00Z")
        assert (done.code, done.json["findings"], landed(district)) == (0, [], TAKEN)
    assert district.ledger("select mode from landing.files where feed like '%/orgs'") == [
        ("bulk",),
        ("bulk",),
    ]


@pytest.mark.parametrize("ending", ["\x1a", "\r\n\x1a"])
def test_a_file_may_end_with_the_mark_of_dos(ending: str, district: District) -> None:
    """The mark is no record, and what ends with it is not cut short."""
    files = {name: text.rstrip("\n") + ending for name, text in PLAIN.items()}
    district.deliver(NIGHT, files)
    assert (district.land().code, landed(district)) == (0, TAKEN)
    assert district.ledger("select count(*) from raw_oneroster.orgs") == [(2,)]
    assert district.ledger("select mode from landing.files where feed like '%/orgs'") == [("bulk",)]
    short = PLAIN | {"orgs.csv": ORGS + ORG_ROWS + "s2,,,Sou" + ending}
    district.deliver("2026-09-02T010000Z", short)
    done = district.land(now="2026-09-02T18:00:00Z")
    assert (done.code, [file["code"] for file in done.json["files"]]) == (0, [None, None])
    assert district.ledger("select code from landing.malformed_records") == [("TOO_FEW_FIELDS",)]


def test_a_header_as_spreadsheets_write_it_is_read(district: District) -> None:
    """Blanks around names do not count, nor do columns without a name where nothing stands."""
    header, *rows = (ORGS + ORG_ROWS).splitlines()
    header = " " + header.replace(",name", ", name\u00a0") + ",,"
    content = "\n".join([header, *(f"{row},," for row in rows)]) + "\n"
    district.deliver(NIGHT, PLAIN | {"orgs.csv": content})
    done = district.land()
    assert (done.code, landed(district)["orgs.csv"]) == (0, ("accepted", "COLUMN_UNNAMED"))
    assert "2 columns without a name" in done.json["findings"][0]
    assert district.ledger("select count(*), count(metadata) from raw_oneroster.orgs") == [(2, 0)]


def test_a_record_with_a_blank_field_too_many_is_told_from_one_cut_short(
    district: District,
) -> None:
    """Only a last line that lacks fields, or a quote, can have been cut short."""
    ends = {"s2,,,East,school,,d1,": "EXTRA_BLANK_FIELD", "s2,,,East": "TOO_FEW_FIELDS"}
    for night, (end, code) in enumerate(ends.items(), 1):
        content = ORGS + ORG_ROWS + end
        district.deliver(f"2026-09-0{night}T010000Z", PLAIN | {"orgs.csv": content})
        district.land()
        name = f"2026-09-0{night}T010000Z"
        assert district.ledger(
            "select malformed_records.code, files.code from landing.malformed_records "
            f"inner join landing.files using (file_id) where delivery_name = '{name}'"
        ) == [(code, "CUT_SHORT" if code == "TOO_FEW_FIELDS" else None)]


def rows(header: str, *records: str) -> str:
    """Write a file."""
    return "\n".join((header, *records)) + "\n"


VERSION_1_0 = {
    "orgs.csv": rows(
        "sourcedId,status,dateLastModified,name,type,identifier,metadata.classification,"
        "metadata.gender,metadata.boarding,parentSourcedId",
        "d1,active,2026-08-30,Plainfield,local,1,public,mixed,false,",
        "s1,active,2026-08-30,North,school,2,public,mixed,false,d1",
    ),
    "academicSessions.csv": rows(
        "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId",
        "t1,active,2026-08-30,Fall,semester,2026-08-15,2026-12-20,",
    ),
    "courses.csv": rows(
        "sourcedId,status,dateLastModified,schoolYearId,metadata.duration,title,courseCode,grade,"
        "orgSourcedId,subjects",
        "c1,active,2026-08-30,t1,year,Maths,M1,06,d1,Mathematics",
    ),
    "classes.csv": rows(
        "sourcedId,status,dateLastModified,title,grade,courseSourcedId,classCode,classType,location,"
        "schoolSourcedId,termSourcedId,subjects",
        "k1,active,2026-08-30,Maths 6,06,c1,6-1,scheduled,12,s1,t1,Mathematics",
    ),
    "users.csv": rows(
        "sourcedId,status,dateLastModified,orgSourcedIds,role,username,userId,givenName,familyName,"
        "identifier,email,sms,phone,agents",
        "u1,active,2026-08-30,s1,student,u.one,,Uma,One,11,,,,",
        "u2,active,2026-08-30,s1,teacher,,,Una,Two,12,,,,",
        "u3,inactive,2026-08-30,s1,student,u.three,,Uli,Three,13,,,,",
    ),
    "enrollments.csv": rows(
        "sourcedId,classSourcedId,schoolSourcedId,userSourcedId,role,status,dateLastModified,primary",
        "e1,k1,s1,u1,student,active,2026-08-30,false",
        "e2,k1,s1,u2,teacher,active,2026-08-30,true",
    ),
    "demographics.csv": rows(
        "userSourcedId,status,dateLastModified,birthdate,sex,americanIndianOrAlaskaNative,asian,"
        "blackOrAfricanAmerican,nativeHawaiianOrOtherPacificIslander,white,"
        "demographicRaceTwoOrMoreRaces,hispanicOrLatinoEthnicity,countryOfBirthCode,"
        "stateOfBirthAbbreviation,cityOfBirth,publicSchoolResidenceStatus",
        "u1,active,2026-08-30,2014-01-01,female,,,,,,,,,,,",
    ),
}


@told_together(nothing_is_due)
def test_an_export_by_version_1_0_fills_the_marts(story: Scene) -> Telling:
    """It has no manifest, other names and other orders; one setting would say what is complete."""
    district, source = story.district, story.roster_source

    def notes() -> list[str]:
        said = story.said["landed"]["findings"]
        return [line.split(": ")[1] for line in said if line.startswith(f"{source}/")]

    district.deliver("2026-09-01T010000Z", VERSION_1_0, source)
    yield 1
    assert story.alarms() == []
    assert len(notes()) == 7
    [note] = set(notes())
    assert note.endswith(f"Set default_mode of {source} in sources.csv")
    of_source = f"source_id = '{source}'"
    assert district.warehouse(
        "select layout_version, count(*), sum(balance.accepted_count), bool_and(is_balanced) "
        "from reconciliation.recon_file_balance as balance "
        "inner join audit.audit_ingestion_log using (file_id) "
        f"where balance.{of_source} group by 1"
    ) == [("1.0", 7, 11, True)]
    assert district.warehouse(
        f"select class_id, grades, course_key, org_key, term_keys from core.dim_class "
        f"where {of_source}"
    ) == [("k1", ["06"], f"{source}:c1", f"{source}:s1", [f"{source}:t1"])]
    assert district.warehouse(
        "select user_id, role, org_ids, is_enabled, is_active from core.dim_user "
        f"where {of_source} order by 1"
    ) == [
        ("u1", "student", ["s1"], None, True),
        ("u2", "teacher", ["s1"], None, True),
        ("u3", "student", ["s1"], None, False),
    ]
    assert district.warehouse(
        "select enrollment_id, user_key, is_primary, unresolved from core.fct_enrollment "
        f"where {of_source} and is_active order by 1"
    ) == [("e1", f"{source}:u1", False, []), ("e2", f"{source}:u2", True, [])]
    for table in ("dim_org", "dim_term", "dim_course"):
        found = district.warehouse(
            f"select bool_and(is_active) from core.{table} where {of_source}"
        )
        assert found == [(True,)], table
    for kind in ("missing_record", "unexpected_record", "diverging_value"):
        assert not district.warehouse(
            f"select * from reconciliation.recon_{kind} where {of_source}"
        ), kind
    done = district.run("trace", "--table", "core.dim_class", "--key", "k1", "--source", source)
    assert done.code == 0
    assert "Maths 6,06,c1" in done.out
    changed = VERSION_1_0 | {
        "classes.csv": VERSION_1_0["classes.csv"].replace(
            "2026-08-30,Maths 6", "2026-09-01,Maths 7"
        )
    }
    district.deliver("2026-09-02T010000Z", changed, source)
    yield 2
    assert notes() == [], "said once"
    assert district.warehouse(f"select name from core.dim_class where {of_source}") == [
        ("Maths 7",)
    ]


TERMS = "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear"


@told_together(nothing_is_due)
def test_what_is_rejected_is_told_by_its_shape_and_counted_everywhere(story: Scene) -> Telling:
    """Records of files held or rejected are counted, listed for their sender, and missing."""
    district, source = story.district, story.roster_source
    files = {
        "orgs.csv": ORGS + "d1,,,Plainfield,distrikt,100,\ns1,,,North School,skool,101,d1\n",
        "academicSessions.csv": rows(
            TERMS,
            *(f"t{n},,,Term {n},semester,8/1{n}/2026,2026-12-20,,2027" for n in range(3)),
        ),
        "courses.csv": "sourcedId,status,dateLastModified,wrong\n" + "x,,,y\n" * 4,
        "manifest.csv": ANNOUNCED + "file.academicSessions,bulk\nfile.courses,bulk\n",
    }
    district.deliver("2026-09-01T010000Z", files, source)
    yield 1
    assert sorted(story.alarms()) == ["LAYOUT_UNKNOWN", "MASS_REJECTION", "MASS_REJECTION"]
    [orgs] = [
        file
        for file in story.said["landed"]["files"]
        if file["file_name"] == "orgs.csv" and file["source_id"] == source
    ]
    assert orgs["verdict"] == "held"
    assert (
        "VALUE_NOT_ALLOWED in 'type' 2 times, first in line 2: written 'aaaaaaaa'; "
        "allowed: department, school, district, local, state, national."
    ) in orgs["detail"]
    [terms] = [
        file["detail"]
        for file in story.said["landed"]["files"]
        if file["file_name"] == "academicSessions.csv" and file["source_id"] == source
    ]
    assert "INVALID_DATE in 'startDate' 3 times, first in line 2: written '9/99/9999'" in terms
    assert "expected: YYYY-MM-DD." in terms
    done = district.run("rejects", orgs["file_id"], "--json")
    assert done.code == 0, done.err
    assert done.json["rejected_count"] == 2
    _, first, second = read_csv(Path(done.json["written_to"]))
    assert (first["line_number"], first["code"], first["column"]) == (
        ("2", "VALUE_NOT_ALLOWED", "type")
    )
    assert second["record"].startswith("s1,,,North School,skool")
    balance = next(row for row in story.said["balances"] if row["source_id"] == source)
    assert (balance["records"], balance["rejected"], balance["accepted"]) == (9, 4, 5)
    assert district.warehouse(
        "select feed, reason, count(*), count(distinct record_number) "
        "from reconciliation.recon_missing_record "
        f"where source_id = '{source}' group by all order by 1"
    ) == [
        ("oneroster/academic_sessions", "held", 3, 3),
        ("oneroster/courses", "rejected", 4, 4),
        ("oneroster/orgs", "held", 2, 2),
    ]
    courses = rows(
        "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,"
        "orgSourcedId,subjects,subjectCodes",
        "c1,,,,Maths,,,d1,,",
    )
    files = {"courses.csv": courses, "manifest.csv": MANIFEST + "file.courses,bulk\n"}
    district.deliver("2026-09-02T010000Z", files, source)
    yield 2
    assert not district.warehouse(
        "select * from reconciliation.recon_missing_record "
        f"where source_id = '{source}' and feed = 'oneroster/courses'"
    )


def test_a_draft_is_of_the_version_that_the_manifest_names(district: District) -> None:
    """Versions share headers; without a manifest the oldest is meant, which later ones include."""
    enrollments = (
        "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,"
        "primary,beginDate,endDate"
    )
    results = (
        "sourcedId,status,dateLastModified,lineItemSourcedId,studentSourcedId,scoreStatus,score,"
        "scoreDate,comment"
    )
    files = {
        "enrollments.csv": enrollments.replace("primary", "isPrimary") + "\n",
        "results.csv": results + ",textScore\n",
    }
    for night, version in enumerate((None, "1.1", "1.2"), 1):
        manifest = f"propertyName,value\noneroster.version,{version}\n" if version else ""
        name = f"2026-09-0{night}T010000Z"
        district.deliver(name, files | ({"manifest.csv": manifest} if version else {}))
        district.land()
        drafted = {}
        for file_name in files:
            done = district.run("layouts", "diff", f"{name}/{file_name}", "--json")
            drafted[file_name] = done.json["draft_version"]
            beside = district.inbox / "sis" / name / file_name
            on_disk = district.run("layouts", "diff", str(beside), "--json")
            assert on_disk.json["draft_version"] == done.json["draft_version"]
        assert drafted["enrollments.csv"] == f"{version or '1.1'}-2"
        if version == "1.1":
            assert drafted["results.csv"] == "1.1-2", "it has all that 1.1 requires"


def test_a_header_in_other_order_is_told_the_setting_that_reads_it(project: Project) -> None:
    header = "name,type,sourcedId,status,dateLastModified,parentSourcedId,colour"
    content = rows(header, "Plainfield,district,d1,,,,red")
    project.deliver(NIGHT, PLAIN | {"orgs.csv": content})
    [file] = [file for file in project.land().json["files"] if file["verdict"] == "rejected"]
    assert "set header_policy of sis to by_name in seeds/contracts/sources.csv" in file["detail"]
    project.redeclare("sis", ",strict,", ",by_name,")
    done = project.run("reprocess", "orgs.csv", "--json")
    assert (done.json["verdict"], done.json["code"]) == ("accepted", "HEADER_BY_NAME")
    assert (
        "1 (identifier) optional columns are missing, 1 (colour) unknown ones are kept"
        in (done.json["detail"])
    )


@pytest.mark.more
def test_the_first_day_goes_as_the_page_says(tmp_path: Path) -> None:
    """Every command of docs/quickstart.md is run, and every line it shows is printed."""
    page = (PROJECT_DIR / "docs" / "quickstart.md").read_text(encoding="utf-8")
    environment = {name: text for name, text in os.environ.items() if "ROLLCALL" not in name} | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "ROLLCALL_NOW": "2026-09-01T18:00:00Z",
    }
    printed, shown_count = "", 0
    for kind, block in re.findall(r"^```(sh|text)\n(.*?)^```", page, re.M | re.S):
        if kind == "sh":
            done = subprocess.run(
                ["bash", "-e", "-c", block],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            printed = " ".join(done.stdout.split())
            continue
        for line in block.splitlines():
            assert line in printed
            shown_count += 1
    assert shown_count == 8
