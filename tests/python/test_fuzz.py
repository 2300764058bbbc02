"""Thousands of made-up files, landed for real, and compared record by record with what they are.

Three judges, none of which knows the product: the writer of a file, who knows what he wrote and
what he broke; Python's csv module, on files where it and the rules must agree; and the oracle of
`framing_oracle.py`, on bytes of which nobody knows beforehand what they are. A batch is made from
one seed, so that a failure can be made again.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random

import duckdb
import pytest
from framing_oracle import BOM, OracleRecord, count_line_ends, read

from rollcall.contracts.layouts import Layout
from rollcall.contracts.project import Contracts
from rollcall.contracts.sources import Source
from rollcall.csvfile import framing
from rollcall.csvfile.blanks import hides, visible
from rollcall.csvfile.opening import FRAMERS
from rollcall.csvfile.records import Defect
from rollcall.home import Home, archive_path
from rollcall.landing import entries, inbox, verdicts
from rollcall.ledger.sql import identifier
from rollcall.project import PROJECT_DIR

AT = datetime(2026, 9, 1, 18, tzinfo=UTC).replace(tzinfo=None)
LONG, SHORT = 1 << 20, 120
SOURCES = {
    "utf_8": ("utf-8", LONG),
    "utf_8_more": ("utf-8", LONG),
    "utf_8_short": ("utf-8", SHORT),
    "cp1252": ("cp1252", LONG),
    "cp1252_short": ("cp1252", SHORT),
    "latin_1_short": ("latin-1", SHORT),
    "iso_8859_15": ("iso-8859-15", LONG),
    "mac_roman": ("mac_roman", LONG),
    "cp437_short": ("cp437", SHORT),
    "cp850": ("cp850", LONG),
}
HEADERS = (
    ("only",),
    ("key", "name"),
    ("key", "é", "note"),
    ("key", "a,\r\nb", "c\n\nd", "e"),
    ("key", "b", "c", "d", "e", "f", "g", "h", "i"),
    tuple(f"c{place}" for place in range(40)),
)
BAD_BYTES = {
    "utf-8": (b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\xe2\x82"),
    "cp1252": (b"\x81", b"\x9d"),
}
SNIPPETS = (
    "a",
    "007",
    " ",
    "x" * 11,
    "y" * 12,
    "thirteen here",
    "long enough for a view that points",
    ",",
    '"',
    '""',
    "\n",
    "\r",
    "\r\n",
    "\x00",
    "\x85",
    "\u2028",
    "\ufeff",
    "é",
    "€",
    "ß",
    "日本",
    "😀",
)
SOUP = (
    b"a",
    b"a,b",
    b",",
    b",",
    b'"',
    b'"',
    b'""',
    b'","',
    b'"\n',
    b'\n"',
    b"\n",
    b"\r",
    b"\r\n",
    b"\n\n",
    b" ",
    b"k,v\n",
    b"k,v,w\r\n",
    b'k,"v"\n',
    b"\xc3\xa9",
    b"\xff",
    b"\x81",
    b"\x00",
    b"text longer than twelve bytes",
)
BLOCKS = (framing._BLOCK_BYTES, 3, 16, 61, 256, 4096)


def is_text_of(encoding: str, text: str) -> bool:
    try:
        return text.encode(encoding).decode(encoding) == text
    except UnicodeError:
        return False


TEXTS = {
    encoding: tuple(text for text in SNIPPETS if is_text_of(encoding, text))
    for encoding, _ in SOURCES.values()
}


@dataclass
class Writer:
    """Writes one file, and notes of every record what it is; it never reads what it wrote."""

    random: Random
    encoding: str
    limit: int
    width: int
    ends: tuple[bytes, ...]
    quoting: float
    content: bytearray = field(default_factory=bytearray)
    line: int = 1
    blank_count: int = 0
    records: list[OracleRecord] = field(default_factory=list)
    wrecks: dict[int, tuple[bytes, str | None]] = field(default_factory=dict)
    is_blank_last: bool = False

    def add_line(self, text: bytes) -> None:
        """Write one record or blank line, and a line end that stays apart from its neighbours."""
        end = self.random.choice(self.ends)
        if not text and self.content.endswith(b"\r") and end == b"\n":
            end = b"\r\n"
        self.content += text + end
        self.line += count_line_ends(text) + 1
        self.is_blank_last = not text

    def header(self, names: Sequence[str]) -> None:
        """Write the header."""
        self.add_line(b",".join(self.written(name) for name in names))

    def blank(self) -> None:
        """Write a blank line."""
        self.blank_count += 1
        self.add_line(b"")

    def record(self, text: bytes, code: str | None, fields: Sequence[str | None]) -> None:
        """Write a record of which code or fields are known."""
        self.records.append(
            OracleRecord(
                len(self.records) + 1, self.line, len(self.content), len(text), code, tuple(fields)
            )
        )
        self.add_line(text)

    def broken(self, text: bytes, code: str, key: str | None) -> None:
        """Write a broken record, and note its bytes and the key that can still be read."""
        self.wrecks[len(self.records) + 1] = (text, visible(key or "") or None)
        self.record(text, code, ())

    def good(self) -> None:
        """Write a record of any texts; a plain one where the limit would not hold it."""
        fields = [self.field() for _ in range(self.width)]
        text = self.joined(fields)
        if len(text) > self.limit:
            self.plain()
        else:
            self.record(text, None, fields)

    def plain(self, fill: int = 0) -> None:
        """Write a record without quotes, of `fill` bytes where that is more than it needs."""
        fields: list[str | None] = [None] * self.width
        fields[0] = f"k{len(self.records)}"
        fields[-1] = "v" if self.width == 1 else self.random.choice((None, "v"))
        lacking = fill - sum(len(text or "") for text in fields) - self.width + 1
        if lacking > 0:
            fields[-1] = (fields[-1] or "") + "z" * lacking
        self.record(",".join(text or "" for text in fields).encode(), None, fields)

    def field(self, *, of_lines: bool = True) -> str | None:
        """Make the text of a field, or none for a blank."""
        if self.random.random() < 0.2:
            return "" if self.width == 1 else None
        snippets = self.random.choices(TEXTS[self.encoding], k=self.random.randrange(5))
        text = "".join(snippets)
        return text if of_lines else text.replace("\r", "").replace("\n", "")

    def written(self, text: str | None) -> bytes:
        """Write one field, quoted where it must be or by chance."""
        if text is None:
            return b""
        octets = text.encode(self.encoding)
        if not text or set(text) & set(',"\r\n') or self.random.random() < self.quoting:
            return b'"' + octets.replace(b'"', b'""') + b'"'
        return octets

    def joined(self, fields: Sequence[str | None]) -> bytes:
        """Write the fields of a record."""
        return b",".join(self.written(text) for text in fields)

    def on_one_line(self) -> list[str | None]:
        """Make fields without line ends."""
        return [self.field(of_lines=False) for _ in range(self.width)]

    def with_defect(self, octets: bytes) -> tuple[bytes, str | None]:
        """Put broken bytes into the place of one field; return the line and its readable key."""
        fields = self.on_one_line()
        place = self.random.randrange(self.width)
        parts = [self.written(text) for text in fields]
        parts[place] = octets
        return b",".join(parts), fields[0] if place else None

    def break_one(self) -> None:
        """Write one broken record, by any of the ways in which records break."""
        ways = [self.few_or_many, self.stray, self.text_after, self.unclosed, self.torn]
        if self.encoding in BAD_BYTES:
            ways.append(self.bad_bytes)
        if self.limit == SHORT:
            ways += [*[self.too_long] * 5, self.at_limit, self.unclosed]
        self.random.choice(ways)()

    def few_or_many(self) -> None:
        """Leave out fields, or write one more."""
        is_few = self.width > 1 and self.random.random() < 0.5
        count = self.random.randrange(1, self.width) if is_few else self.width + 1
        fields = ["k", *(self.field() for _ in range(count - 1))]
        text = self.joined(fields)
        if len(text) > self.limit:
            fields = ["k", *([None] * (count - 1))]
            text = self.joined(fields)
        is_blank = not (fields[-1] or "").strip(' \t,"')
        many = "EXTRA_BLANK_FIELD" if is_blank else "TOO_MANY_FIELDS"
        self.broken(text, "TOO_FEW_FIELDS" if is_few else many, "k")

    def one_line(self, octets: bytes, code: str) -> None:
        """Write a record with a broken field, all on one line."""
        text, key = self.with_defect(octets)
        self.broken(text, code if len(text) <= self.limit else "RECORD_TOO_LONG", key)

    def stray(self) -> None:
        """Put a quote into an unquoted field."""
        self.one_line(self.random.choice((b'x"', b'x"y', b' "x"', b'x""')), "STRAY_QUOTE")

    def text_after(self) -> None:
        """Go on behind a closing quote."""
        self.one_line(
            self.random.choice((b'"x"y', b'"x" ', b'"x""y"z', b'""x', b'"x,"y')), "TEXT_AFTER_QUOTE"
        )

    def bad_bytes(self) -> None:
        """Write bytes that are no text in the encoding."""
        bad = self.random.choice(BAD_BYTES[self.encoding])
        self.one_line(
            self.random.choice((bad, b"x" + bad, b'"' + bad + b'"', b'"x""' + bad + b'y"')),
            "BAD_BYTES",
        )

    def unclosed(self) -> None:
        """Open a quote that meets, some plain records later, the first quote of a good one."""
        start, number = len(self.content), len(self.records)
        self.broken(b'k,"x' if self.width > 1 else b'"x', "", "k" if self.width > 1 else None)
        for _ in range(self.random.randrange(4)):
            if self.random.random() < 0.3:
                self.blank()
            else:
                self.plain(self.random.choice((0, self.limit // 2)) if self.limit == SHORT else 0)
        guard: list[str | None] = ["guard", *[None] * (self.width - 1)]
        text = b'"guard"' + b"," * (self.width - 1)
        is_too_far = len(self.content) + len(text) - start > self.limit
        code = "UNCLOSED_QUOTE" if is_too_far else "TEXT_AFTER_QUOTE"
        self.records[number] = replace(self.records[number], code=code)
        self.record(text, None, guard)

    def torn(self) -> None:
        """Break a record of two lines on its second: both lines are broken records then."""
        first = b'k,"x' if self.width > 1 else b'"x'
        second, code = self.random.choice(
            ((b'y",a"b', "STRAY_QUOTE"), (b'y"z', "TEXT_AFTER_QUOTE"))
        )
        self.broken(first, code, "k" if self.width > 1 else None)
        self.broken(second, "STRAY_QUOTE", None)

    def too_long(self) -> None:
        """Write a line longer than the limit."""
        beyond = self.random.choice((1, self.random.randrange(1, 200)))
        text = b"k," + b"z" * (self.limit - 2 + beyond)
        self.broken(text, "RECORD_TOO_LONG", "k")

    def at_limit(self) -> None:
        """Write a record just as long as the limit."""
        self.plain(self.limit)

    def never_close(self) -> None:
        """Open a quote behind which the file holds no other."""
        self.broken(
            b'k,"x' if self.width > 1 else b'"x', "UNCLOSED_QUOTE", "k" if self.width > 1 else None
        )
        for _ in range(self.random.randrange(4)):
            self.random.choice((self.plain, self.plain, self.blank))()

    def drop_last_line_end(self) -> None:
        """End the file without a line end."""
        if not self.is_blank_last:
            kept = self.content.removesuffix(b"\n").removesuffix(b"\r")
            self.content[:] = kept


@dataclass(frozen=True)
class Made:
    """A made-up file: its bytes, and what every record of it must be.

    `wrecks` holds the bytes and the readable key of each broken record by its number; it and
    `blank_count` are None where only the oracle knows the records.
    """

    source_id: str
    kind: str
    extra: tuple[str, ...]
    content: bytes
    records: list[OracleRecord]
    wrecks: dict[int, tuple[bytes, str | None]] | None
    blank_count: int | None


def make(random: Random, source_id: str, names: tuple[str, ...]) -> Made:
    """Make one file, valid or broken in known or unknown ways."""
    encoding, limit = SOURCES[source_id]
    often = "valid" if limit == LONG else "planted"
    kind = random.choice(("valid", "planted", "planted", "changed", "soup", often))
    extra = tuple(f"metadata.{n}" for n in range(random.choice((0, 0, 0, 1, 2))))
    ends = random.choice(
        ((b"\n",), (b"\n",), (b"\r\n",), (b"\r\n",), (b"\r",), (b"\n", b"\r\n", b"\r"))
    )
    width = len(names) + len(extra)
    writer = Writer(random, encoding, limit, width, ends, random.choice((0.0, 0.1, 1.0)))
    writer.content += random.choice((b"", b"", BOM))
    writer.header(names + extra)
    header_length = len(writer.content)
    for _ in range(random.choice((0, 1, 3, 8, 20))):
        if random.random() < 0.1:
            writer.blank()
        elif kind == "planted" and random.random() < 0.4:
            writer.break_one()
        else:
            writer.good()
    if kind == "planted" and random.random() < 0.3:
        writer.never_close()
    if random.random() < 0.3:
        writer.drop_last_line_end()
    content = bytes(writer.content)
    if kind in ("valid", "planted"):
        return Made(
            source_id, kind, extra, content, writer.records, writer.wrecks, writer.blank_count
        )
    header, body = content[:header_length], bytearray(content[header_length:])
    if kind == "soup":
        header, body = header.rstrip(b"\r\n") + ends[0], bytearray()
        for piece in random.choices(SOUP, k=random.randrange(60)):
            body += piece
    else:
        header = header.rstrip(b"\r\n") + ends[0]
        for _ in range(random.randrange(1, 4)):
            place = random.randrange(len(body) + 1)
            body[place : place + random.randrange(4)] = random.choice(SOUP)
    content = header + bytes(body)
    records = read(content, encoding, width, limit)
    return Made(source_id, kind, extra, content, records, None, None)


Batch = dict[tuple[str, str, str], Made]
"""Made-up files by source, delivery and file name."""


def read_by_csv(content: bytes, encoding: str) -> list[OracleRecord]:
    """Read a valid file with the csv module, which tells neither blanks from empty texts."""
    position = len(BOM) if content.startswith(BOM) else 0
    text = io.StringIO(content[position:].decode(encoding), newline="")

    def lines() -> Iterator[str]:
        nonlocal position
        for line in text:
            position += len(line.encode(encoding))
            yield line

    reader = csv.reader(lines(), strict=True)
    next(reader)
    records: list[OracleRecord] = []
    while True:
        offset, line = position, reader.line_num + 1
        row = next(reader, None)
        if row is None:
            return records
        if row:
            octets = content[offset:position]
            length = len(octets.removesuffix(b"\n").removesuffix(b"\r"))
            records.append(OracleRecord(len(records) + 1, line, offset, length, None, tuple(row)))


def contracts() -> Contracts:
    """Give contracts of made-up sources and feeds, one feed for each header."""
    shipped = Contracts.load(PROJECT_DIR / "seeds" / "contracts")
    like = shipped.sources["sis"]
    layout_like = shipped.layouts[0]
    column = replace(
        layout_like.columns[0], data_type="string", requirement="no", is_key=False, staged_as=""
    )
    layouts = tuple(
        Layout(
            f"fuzz/feed_{number}",
            "1.0",
            tuple(replace(column, name=name, is_key=name == names[0]) for name in names),
            f"raw_fuzz.feed_{number}",
            names,
            names[:1],
        )
        for number, names in enumerate(HEADERS)
    )
    feeds = tuple(
        replace(
            shipped.feeds[0],
            feed=layout.feed,
            family="fuzz",
            file_name=f"feed_{number}.csv",
            is_staged=False,
            recognised_by=(),
        )
        for number, layout in enumerate(layouts)
    )
    return Contracts({source_id: _source(like, source_id) for source_id in SOURCES}, feeds, layouts)


def _source(like: Source, source_id: str) -> Source:
    encoding, limit = SOURCES[source_id]
    return replace(
        like,
        source_id=source_id,
        families=("fuzz",),
        due_feeds=(),
        encoding=encoding,
        limits=replace(like.limits, max_record_bytes=limit),
    )


def land_all(made: Batch, folder: Path) -> Home:
    """Land a batch into a new home."""
    for (source_id, delivery_name, file_name), file in made.items():
        path = folder / "inbox" / source_id / delivery_name / file_name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
    home = Home(folder / "home")
    home.prepare()
    with home.lock():
        report = inbox.land(home, folder / "inbox", contracts(), AT)
    rejected = [item for item in report.files if item.verdict != "accepted"]
    assert not rejected
    assert len(report.files) == len(made)
    return home


def landed_records(
    connection: duckdb.DuckDBPyConnection,
) -> dict[str, dict[int, OracleRecord]]:
    """Read every record from the raw tables and the malformed ones, by file and record number.

    The length of a good record is not stored; it is -1 here. Metadata follow the other fields.
    """
    found: dict[str, dict[int, OracleRecord]] = defaultdict(dict)
    count = 0
    for number, names in enumerate(HEADERS):
        columns = ", ".join(identifier(name) for name in names)
        for file_id, record, line, offset, metadata, *fields in connection.execute(
            f"select file_id, record_number, line_number, byte_offset, metadata, {columns} "
            f"from raw_fuzz.feed_{number}"
        ).fetchall():
            extra = [(metadata or {})[name] for name in sorted(metadata or {})]
            found[file_id][record] = OracleRecord(record, line, offset, -1, None, (*fields, *extra))
            count += 1
    for file_id, record, line, offset, length, code in connection.execute(
        "select file_id, record_number, line_number, byte_offset, byte_length, code "
        "from landing.malformed_records"
    ).fetchall():
        found[file_id][record] = OracleRecord(record, line, offset, length, code, ())
        count += 1
    assert count == sum(len(records) for records in found.values()), "a record landed twice"
    return found


def check(made: Batch, home: Home, where: str) -> None:
    """Compare what was landed with what was made, file by file and record by record."""
    with home.landing(read_only=True) as connection:
        files = connection.execute(
            "select source_id, delivery_name, file_name, file_id, sha256, record_count, "
            "malformed_count, blank_line_count from landing.files"
        ).fetchall()
        keys = {
            (file_id, number): key
            for file_id, number, key in connection.execute(
                "select file_id, record_number, record_key from landing.malformed_records"
            ).fetchall()
        }
        landed = landed_records(connection)
    assert {tuple(row[:3]) for row in files} == set(made)
    for source_id, delivery_name, file_name, file_id, sha256, total, broken, blanks in files:
        file = made[source_id, delivery_name, file_name]
        file = replace(file, records=[seen(record) for record in file.records])
        name = (
            f"{where}: {file.kind} {source_id}/{delivery_name}/{file_name}\n{file.content[:3000]!r}"
        )
        wanted = [record if record.code else replace(record, length=-1) for record in file.records]
        records = [record for _, record in sorted(landed[file_id].items())]
        assert records == wanted, name
        wanted_broken = [record for record in file.records if record.code]
        assert (total, broken) == (len(wanted), len(wanted_broken)), name
        archived = archive_path(home.archive, sha256).read_bytes()
        assert archived == file.content, name
        stream = io.BytesIO(archived)
        for record in file.records:
            if record.code is None and len(archived) <= LONG:
                stream.seek(record.offset)
                text = archived[record.offset : record.offset + record.length]
                assert framing.read_record(stream) == text, name
        if file.blank_count is not None:
            assert blanks == file.blank_count, name
        for number, (text, key) in (file.wrecks or {}).items():
            wreck = landed[file_id][number]
            assert archived[wreck.offset : wreck.offset + wreck.length] == text, (name, number)
            assert keys[file_id, number] == key, (name, number)
        if file.kind == "valid":
            by_csv = read_by_csv(file.content, SOURCES[source_id][0])
            by_csv = [seen(record) for record in by_csv]
            assert [replace(record, length=-1) for record in by_csv if not record.code] == [
                replace(record, fields=tuple(text or "" for text in record.fields))
                for record in records
                if not record.code
            ], name


def make_batch(seed: int, nights: int) -> Batch:
    """Make a batch: every night, every source delivers one file of every feed."""
    random = Random(seed)  # noqa: S311  (the same files every time)
    made: Batch = {}
    for night in range(nights):
        delivery_name = f"{AT - timedelta(hours=night + 1):%Y-%m-%dT%H%M%SZ}"
        for source_id in SOURCES:
            for number, names in enumerate(HEADERS):
                made[source_id, delivery_name, f"feed_{number}.csv"] = make(
                    random, source_id, names
                )
    return made


def seen(record: OracleRecord) -> OracleRecord:
    """Judge the key of a record, its first field: nothing in it may be hidden."""
    if record.code is None and hides(record.fields[0] or ""):
        return replace(record, code="UNSEEN_CHARACTER", fields=())
    return record


OF_OBJECTS = {Defect.NOT_AN_OBJECT, Defect.NAME_REPEATED}
"""What is wrong with lines of JSONL alone."""


def run_batch(seed: int, nights: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[Made]:
    """Make, land and check one batch, with blocks of a size that goes with the seed."""
    block = BLOCKS[seed % len(BLOCKS)]
    monkeypatch.setattr(entries, "_SETTLE_SECONDS", 0.0)
    framer = partial(framing.Framer, block_bytes=block)
    monkeypatch.setattr(verdicts, "Framer", framer)
    monkeypatch.setitem(FRAMERS, "csv", framer)
    made = make_batch(seed, nights)
    check(made, land_all(made, folder), f"seed {seed}, {nights} nights, blocks of {block} bytes")
    return list(made.values())


def test_what_lands_is_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [
        file
        for seed in range(len(BLOCKS))
        for file in run_batch(seed, 2, tmp_path / str(seed), monkeypatch)
    ]
    assert {file.kind for file in made} == {"valid", "planted", "changed", "soup"}
    assert {seen(record).code for file in made for record in file.records} == {
        None,
        *Defect,
    } - OF_OBJECTS


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 120))
def test_what_lands_is_what_was_written_at_length(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(run_batch(seed, 17, tmp_path, monkeypatch)) == 1020


def around_a_border(shift: int) -> Made:
    """Make a file that has the border of a real block `shift` bytes behind its first oddity."""
    names = HEADERS[2]
    random = Random(shift)  # noqa: S311  (the same files every time)
    writer = Writer(random, "utf-8", LONG, len(names), (b"\r\n",), 1.0)
    writer.header(names)
    most = LONG // 2
    while (lacking := framing._BLOCK_BYTES - shift - len(writer.content) - 2) > 0:
        writer.plain(lacking if lacking <= most else min(most, lacking - 100))
    assert len(writer.content) == framing._BLOCK_BYTES - shift
    for fields in (('é"', "a\r\n\r\nb,", None), ("日本", "", '""')):
        writer.record(writer.joined(fields), None, fields)
    writer.blank()
    for write in (writer.stray, writer.torn, writer.bad_bytes, writer.text_after, writer.good):
        write()
    for write in (writer.at_limit, writer.too_long, writer.unclosed, writer.never_close):
        write()
    return Made(
        "utf_8",
        "planted",
        (),
        bytes(writer.content),
        writer.records,
        writer.wrecks,
        writer.blank_count,
    )


def test_records_across_the_border_of_a_real_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entries, "_SETTLE_SECONDS", 0.0)
    made = {
        (
            "utf_8",
            f"{AT - timedelta(hours=shift + 1):%Y-%m-%dT%H%M%SZ}",
            "feed_2.csv",
        ): around_a_border(shift)
        for shift in (0, 1, 2, 3, 5, 8, 9, 10, 11, 14, 17, 18, 19, 24, 38, 52, 66)
    }
    check(made, land_all(made, tmp_path), "borders of real blocks")


@pytest.mark.parametrize("place", [-3, -2, -1, 0, 1])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r", b""])
def test_a_record_longer_than_the_usual_limit_is_read_whole(place: int, end: bytes) -> None:
    record = b'k,"' + b"z" * (framing.MAX_RECORD_BYTES + place) + b'\n""",tail'
    following = b"k2,v,w\n" if end else b""
    assert framing.read_record(io.BytesIO(record + end + following)) == record
