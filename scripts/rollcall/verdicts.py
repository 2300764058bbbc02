"""Verdicts of files: which feed and layout a file is, how it is read, or why it is refused.

Nothing here writes. A verdict is taken once, at landing, and recorded with its reason.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from rollcall.deliveries import Member, Refusal
from rollcall.framing import Framer, HeaderError, leading_fields
from rollcall.layouts import Contracts, Feed, Layout, Source

MANIFEST = "oneroster/manifest"
_DISGUISES = (
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"%PDF", "a PDF document"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"<!doctype", "an HTML page"),
    (b"<html", "an HTML page"),
    (b"<?xml", "an XML document"),
)
MODE_COLUMNS = ("status", "dateLastModified")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a manifest says: the version it names, and the mode of each file it lists."""

    version: str | None
    modes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Readable:
    """A member that is a CSV of a known feed, with the layout its header fits."""

    member: Member
    feed: Feed
    layout: Layout
    metadata_columns: tuple[str, ...]


def feed_by_name(contracts: Contracts, source: Source, kind: str, member: Member) -> Feed | None:
    """Find the feed by file name; a loose CSV's name begins with its export time."""
    name = member.name
    if kind == "csv" and "_" in name:
        name = name.split("_", 1)[1]
    for family in source.families:
        feed = contracts.feed_for(family, name)
        if feed:
            return feed
    return None


def judge_members(
    contracts: Contracts, source: Source, kind: str, members: Iterable[Member]
) -> list[tuple[Member, Readable | Refusal]]:
    """Say of every member which layout it fits, or why it is refused."""
    headers: dict[str, tuple[Member, Feed, tuple[str, ...]]] = {}
    outcomes: dict[str, Readable | Refusal] = {}
    for member in members:
        outcome = _read_header(contracts, source, kind, member)
        if isinstance(outcome, Refusal):
            outcomes[member.name] = outcome
            continue
        feed, names = outcome
        if feed.feed in headers:
            outcomes[member.name] = Refusal(
                "FILE_REPEATED", f"The delivery holds {feed.file_name} twice."
            )
        else:
            headers[feed.feed] = (member, feed, names)
    version = contracts.detect_version(
        {feed: names for feed, (_, _, names) in headers.items() if feed != MANIFEST},
        _manifest_version(headers.get(MANIFEST)),
    )
    for member, feed, names in headers.values():
        outcomes[member.name] = _fit_layout(contracts, member, feed, names, version)
    return [(member, outcomes[member.name]) for member in members]


def _read_header(
    contracts: Contracts, source: Source, kind: str, member: Member
) -> tuple[Feed, tuple[str, ...]] | Refusal:
    with member.path.open("rb") as stream:
        beginning = stream.read(1024)
    if not beginning:
        return Refusal("EMPTY_FILE", "The file holds no byte.")
    disguise = _disguise(beginning)
    if disguise:
        return disguise
    feed = feed_by_name(contracts, source, kind, member)
    try:
        with member.path.open("rb") as stream:
            header = Framer(stream, encoding=source.encoding).header
    except HeaderError as error:
        return Refusal(error.code, str(error))
    if feed is None:
        feed = contracts.feed_by_header(source.families, header.names)
    if feed is None:
        return Refusal(
            "UNKNOWN_FILE", "Neither the file's name nor its header belongs to a known feed."
        )
    return feed, header.names


def _disguise(beginning: bytes) -> Refusal | None:
    """Refuse what is plainly no CSV, or is written in two bytes per character."""
    if beginning[:2] in (b"\xff\xfe", b"\xfe\xff") or beginning[:64].count(0) > 16:
        return Refusal(
            "WRONG_ENCODING", "The file is UTF-16; export it as UTF-8 or as the source declares."
        )
    start = beginning.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for magic, what in _DISGUISES:
        if start.startswith(magic.lower()):
            return Refusal("NOT_A_CSV", f"The file is {what}, not a CSV.")
    return None


def _manifest_version(found: tuple[Member, Feed, tuple[str, ...]] | None) -> str | None:
    if found is None:
        return None
    return _parse_manifest(found[0]).version


def _parse_manifest(member: Member) -> Manifest:
    """Read a manifest by property name; it is small, so it is read whole."""
    properties: dict[str, str] = {}
    for line in member.path.read_bytes()[: 1 << 20].splitlines():
        name, *rest = leading_fields(line, "utf-8")
        if rest:
            properties[name.strip()] = rest[0].strip()
    return Manifest(
        version=properties.get("oneroster.version"),
        modes={
            name.removeprefix("file."): mode
            for name, mode in properties.items()
            if name.startswith("file.")
        },
    )


def _fit_layout(
    contracts: Contracts, member: Member, feed: Feed, names: tuple[str, ...], version: str | None
) -> Readable | Refusal:
    """Choose the layout of the delivery's version, else any the header fits, else explain."""
    fits = contracts.matching(feed.feed, names)
    if not fits:
        difference = contracts.diff(feed.feed, names)
        return Refusal(difference.code, difference.summary)
    fit = next((fit for fit in fits if fit.layout.version == version), fits[0])
    return Readable(member, feed, fit.layout, fit.metadata_columns)


def declared_mode(readable: Readable, manifest: Manifest | None) -> str | None:
    """Return the mode the manifest gives a file; `absent` when it does not list it."""
    if manifest is None or readable.feed.feed == MANIFEST:
        return None
    return manifest.modes.get(readable.feed.file_name.removesuffix(".csv"), "absent")


def effective_mode(declared: str | None, rows: str | None, authority: str) -> str:
    """Decide whether the file is the whole truth; in doubt it is not, so nothing is removed."""
    if declared is None:
        return rows or "delta"
    if declared == "bulk":
        return "delta" if rows == "delta" and authority == "rows" else "bulk"
    return "delta"


def warnings_of(
    readable: Readable,
    framer: Framer,
    manifest: Manifest | None,
    declared: str | None,
    rows_mode: str | None,
    mode: str,
    keys: list[str | None],
) -> Iterator[tuple[str, str]]:
    """Yield what a person should know of an accepted file: (code, sentence)."""
    unreadable = keys.count(None)
    if mode == "bulk" and unreadable:
        yield (
            "KEY_UNREADABLE",
            f"{unreadable} malformed records hide their key, so nothing is removed by this file.",
        )
    if framer.record_count == 0:
        yield "NO_RECORDS", "The file holds a header and no record; nothing is removed by it."
    if declared in ("bulk", "delta") and rows_mode not in (None, declared):
        yield (
            "MODE_CONFLICT",
            f"The manifest says {declared}, the rows say {rows_mode}; it is read as {mode}.",
        )
    if manifest and manifest.version and not _same_version(manifest.version, readable.layout):
        yield (
            "VERSION_MISMATCH",
            f"The manifest says OneRoster {manifest.version}, "
            f"the header is that of {readable.layout.version}.",
        )


def _same_version(named: str, layout: Layout) -> bool:
    return layout.version == named or (named == "1.2" and layout.version == "1.2.1")


def read_manifest(
    judged: list[tuple[Member, Readable | Refusal]],
) -> Manifest | None:
    """Return what the delivery's manifest says, when it has one that can be read."""
    for member, outcome in judged:
        if isinstance(outcome, Readable) and outcome.feed.feed == MANIFEST:
            return _parse_manifest(member)
    return None


def check_manifest(
    kind: str,
    judged: list[tuple[Member, Readable | Refusal]],
    manifest: Manifest | None,
) -> Iterator[tuple[str, str]]:
    """Compare what the manifest announces with what is there; yield (code, sentence)."""
    readable = [outcome for _, outcome in judged if isinstance(outcome, Readable)]
    if manifest is None:
        if kind != "csv" and any(item.layout.version != "1.0" for item in readable):
            yield "MANIFEST_MISSING", "The delivery has no manifest; each file's rows say its mode."
        return
    present = {member.name.removesuffix(".csv") for member, _ in judged} - {"manifest"}
    announced = {name for name, mode in manifest.modes.items() if mode in ("bulk", "delta")}
    for name in sorted(announced - present):
        yield "MANIFEST_MISMATCH", f"The manifest announces {name}.csv, which is not there."
    for name in sorted(present - announced):
        yield "MANIFEST_MISMATCH", f"The manifest does not announce {name}.csv, which is there."
