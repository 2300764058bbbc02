"""Verdicts of files: which feed and layout a file is, how it is read, or why it is rejected.

Nothing here writes. A verdict is taken once, at landing, and recorded with its reason.
"""

import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import islice

from rollcall.contracts import header_diff
from rollcall.contracts.layouts import Fit, Layout, is_of_version
from rollcall.contracts.project import Contracts, plain_name
from rollcall.contracts.sources import MANIFEST, Feed, Source
from rollcall.csvfile.framing import (
    DELIMITERS,
    LINE_END,
    Framer,
    Header,
    HeaderError,
)
from rollcall.csvfile.manifest import VERSION_PROPERTY, read_properties
from rollcall.landing.choice import Chosen, choose
from rollcall.landing.container import Member, Rejection
from rollcall.sanitize import readable_name
from rollcall.zipped import is_clutter

TERMS = "oneroster/academic_sessions"
CLASSES = "oneroster/classes"
_DISGUISES = (
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"%PDF", "a PDF document"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"<!doctype", "an HTML page"),
    (b"<html", "an HTML page"),
    (b"<?xml", "an XML document"),
)
_FEW_ZEROS = 16
"""How many of the first 64 bytes may be zero in a text."""
MODE_COLUMNS = ("status", "dateLastModified")
_MODES = ("bulk", "delta")
_NOT_LISTED = "absent"
_LISTS = "file."
_OTHER_FORMS = (
    *("xlsx", "xls", "xlsm", "xlsb", "ods", "numbers", "json", "jsonl", "ndjson", "xml", "parquet"),
    *("dat", "psv", "gpg", "pgp", "asc", "enc"),
)
"""How files end in which other programs write tables, or in which tables are encrypted."""
_BEGINNING_BYTES = 1 << 16
_MOST_LINES_ABOVE = 50
"""How far below the beginning of a file its header is looked for."""
_MOST_NAMED = 100
"""How many missing files of one manifest are named one by one."""


class Effect(IntEnum):
    """What a judgement does to a file, from mild to severe."""

    NOTE = 0
    HOLD_REMOVALS = 1
    HOLD = 2
    REJECT = 3


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is reported of a file: a code, a sentence without personal values, and the effect.

    What `is_settled` is said once of a source and feed, not of every file.
    """

    code: str
    sentence: str
    effect: Effect
    is_settled: bool = False


def named_orgs(broken: list[str]) -> str:
    """End a sentence with the orgs that break a limit, of which five are named."""
    shown = broken[:5] + ([f"and {len(broken) - 5} more orgs"] if len(broken) > 5 else [])
    return f"; {', '.join(shown)}." if shown else "."


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a manifest says: the version it names, and each file it lists with its mode.

    `listed` has the names as it writes them by their plain names, and `modes` what it says of each,
    in lower case, or blank: where a file stands there twice, both.
    """

    version: str | None
    listed: Mapping[str, str]
    modes: Mapping[str, Sequence[str]]

    def mode_of(self, name: str) -> str:
        """Return what it says of a file by its name; where it says two things, both."""
        said = self.modes.get(plain_name(name), ())
        return " and ".join(filter(None, dict.fromkeys(said))) or _NOT_LISTED

    def denial_of(self, name: str) -> str | None:
        """Return how it says that a file is not there: `absent`, or nothing beside its name."""
        said = self.modes.get(plain_name(name), ())
        if not said or set(said) - {"", _NOT_LISTED}:
            return None
        return _NOT_LISTED if _NOT_LISTED in said else "nothing"


@dataclass(frozen=True, slots=True)
class Readable:
    """A member that is a CSV of a known feed, with the names of its header and the layout it fits.

    `fit` says where each field goes.
    """

    member: Member
    feed: Feed
    names: tuple[str, ...]
    fit: Fit

    @property
    def layout(self) -> Layout:
        """The layout its header fits."""
        return self.fit.layout


def feed_by_name(contracts: Contracts, source: Source, kind: str, member: Member) -> Feed | None:
    """Find the feed by file name; a loose CSV's name begins with its export time.

    A name that only layouts of one feed allow is that of the feed, too.
    """
    name = member.name
    if kind in ("csv", "gzip") and "_" in name:
        name = name.split("_", 1)[1]
    for family in source.families:
        feed = contracts.feed_for(family, name)
        if feed:
            return feed
    allowed = {layout.feed for layout in contracts.framed(source, None, member.name)}
    return next((feed for feed in contracts.feeds if allowed == {feed.feed}), None)


def split_aside(
    contracts: Contracts, source: Source, kind: str, members: Iterable[Member]
) -> tuple[tuple[Member, ...], tuple[str, ...]]:
    """Split off what people put beside an export: no `.csv`, and a feed by neither name nor header.

    What has the name of a feed and is written as other programs write data is the feed in another
    form, and no note beside the export.

    Returns:
        The files of the export, and the names of the rest. A loose file is never beside one.
    """
    files, aside = [], []
    for member in members:
        is_named = kind not in ("zip", "folder") or member.name.lower().endswith(".csv")
        if (
            is_named
            or _in_another_form(contracts, source, member)
            or feed_by_name(contracts, source, kind, member)
            or choose(contracts, source, None, member)
            or not isinstance(_read_header(contracts, source, kind, member), Rejection)
        ):
            files.append(member)
        else:
            aside.append(member.name)
    return tuple(files), tuple(aside)


def _another_form(contracts: Contracts, source: Source, member: Member) -> Rejection | None:
    """Reject what is a feed by its name and no CSV by its ending."""
    if not _in_another_form(contracts, source, member):
        return None
    return Rejection(
        "NOT_A_CSV",
        f"The file is called like one of a feed, but '.{member.name.partition('.')[2]}' is not "
        "read. Ask for CSV; where it is no part of the export, name it in ignore_files of "
        f"{source.source_id} in seeds/contracts/sources.csv.",
    )


def _in_another_form(contracts: Contracts, source: Source, member: Member) -> bool:
    """Say whether a file is called like one of a feed but for its ending, as in `users.xlsx`."""
    stem, _, ending = member.name.partition(".")
    return ending.lower().split(".")[-1] in _OTHER_FORMS and any(
        contracts.feed_for(family, stem) for family in source.families
    )


def judge_members(
    contracts: Contracts, source: Source, kind: str, members: Iterable[Member]
) -> list[tuple[Member, Readable | Rejection]]:
    """Say of every member which layout it fits, or why it is rejected."""
    members = list(members)
    outcomes: dict[str, Readable | Rejection] = {}
    by_feed: dict[str, list[tuple[Member, Feed, tuple[str, ...]]]] = {}
    framed: dict[str, Chosen] = {}
    for member in members:
        feed = feed_by_name(contracts, source, kind, member)
        outcome = choose(contracts, source, feed, member) or _read_header(
            contracts, source, kind, member
        )
        if isinstance(outcome, Rejection):
            outcomes[member.name] = _below(contracts, source, kind, member) or outcome
        elif isinstance(outcome, Chosen):
            framed[member.name] = outcome
            by_feed.setdefault(outcome.feed.feed, []).append((member, outcome.feed, outcome.names))
        else:
            by_feed.setdefault(outcome[0].feed, []).append((member, *outcome))
    headers = {feed: found[0] for feed, found in by_feed.items() if len(found) == 1}
    for found in by_feed.values():
        if len(found) > 1:
            for member, feed, _ in found:
                sentence = f"The delivery holds {len(found)} files of {feed.feed}; none is taken."
                outcomes[member.name] = Rejection("FILE_REPEATED", sentence)
    version = contracts.detect_version(
        {
            feed: names
            for feed, (member, _, names) in headers.items()
            if feed != MANIFEST and member.name not in framed
        },
        _manifest_version(headers.get(MANIFEST)),
    )
    for member, feed, names in headers.values():
        if member.name in framed:
            outcomes[member.name] = Readable(member, feed, names, framed[member.name].fit)
            continue
        fitted = _fit_layout(contracts, source, member, feed, names, version)
        if isinstance(fitted, Rejection):
            fitted = _below(contracts, source, kind, member) or fitted
        outcomes[member.name] = fitted
    return [(member, outcomes[member.name]) for member in members]


def _read_header(
    contracts: Contracts, source: Source, kind: str, member: Member
) -> tuple[Feed, tuple[str, ...]] | Rejection:
    rejection = looks_unlike_csv(member)
    if rejection:
        return _another_form(contracts, source, member) or rejection
    feed = feed_by_name(contracts, source, kind, member)
    try:
        with member.path.open("rb") as stream:
            header = Framer(stream, encoding=source.encoding).header
    except HeaderError as error:
        return _another_form(contracts, source, member) or Rejection(error.code, str(error))
    count, most = len(header.names) + header.unnamed_count, source.limits.max_columns
    if count > most:
        return Rejection(
            "TOO_MANY_COLUMNS", f"The header has {count} columns; at most {most:.0f} are read."
        )
    if feed is None:
        feed = contracts.feed_by_header(source, header.names)
    is_other = DELIMITERS[source.delimiter] != header.delimiter and len(header.names) > 1
    if is_other and not (feed and feed.feed == MANIFEST):
        return _of_another_delimiter(source, header)
    if feed is None:
        return _another_form(contracts, source, member) or Rejection(
            "UNKNOWN_FILE", "Neither the file's name nor its header belongs to a known feed."
        )
    return feed, header.names


def _below(contracts: Contracts, source: Source, kind: str, member: Member) -> Rejection | None:
    """Reject a file whose header stands below other lines, such as the name of a report."""
    if looks_unlike_csv(member):
        return None
    feed = feed_by_name(contracts, source, kind, member)
    with member.path.open("rb") as stream:
        beginning = stream.read(_BEGINNING_BYTES)
    for line, end in enumerate(islice(LINE_END.finditer(beginning), _MOST_LINES_ABOVE), 2):
        try:
            header = Framer(io.BytesIO(beginning[end.end() :]), source.encoding).header
        except HeaderError:
            continue
        named = feed or contracts.feed_by_header(source, header.names)
        if named and (fits := contracts.matching(named.feed, header.names, "by_name")):
            above = "1 line stands" if line == 2 else f"{line - 1} lines stand"
            layout = fits[0].layout
            return Rejection(
                "HEADER_UNREADABLE",
                f"Line {line} looks like the header of {layout.feed} {layout.version}, and {above} "
                "above it. Ask for a file that begins with its header, as a report's title or a "
                "blank line above it can be switched off in most exporters.",
            )
    return None


def _of_another_delimiter(source: Source, header: Header) -> Rejection:
    found = next(name for name, mark in DELIMITERS.items() if mark == header.delimiter)
    return Rejection(
        "WRONG_DELIMITER",
        f"Its fields are separated by a {found}; {source.source_id} declares a {source.delimiter}. "
        f"Ask for {source.delimiter}s; or, where the source always writes so, set delimiter of "
        f"{source.source_id} to {found} in seeds/contracts/sources.csv, then `rollcall reprocess` "
        "the file.",
    )


def looks_unlike_csv(member: Member) -> Rejection | None:
    """Reject what is empty, plainly no CSV, or written in two bytes per character."""
    with member.path.open("rb") as stream:
        beginning = stream.read(1024)
    if not beginning:
        return Rejection("EMPTY_FILE", "The file holds no byte.")
    start = beginning.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for magic, what in _DISGUISES:
        if start.startswith(magic.lower()):
            return Rejection("NOT_A_CSV", f"The file is {what}, not a CSV.")
    zeros = beginning[:64:2].count(0), beginning[1:64:2].count(0)
    is_in_pairs = min(zeros) == 0 and max(zeros) > _FEW_ZEROS
    if beginning[:2] in (b"\xff\xfe", b"\xfe\xff") or is_in_pairs:
        return Rejection(
            "WRONG_ENCODING", "The file is UTF-16; export it as UTF-8 or as the source declares."
        )
    if sum(zeros) > _FEW_ZEROS:
        return Rejection("NOT_A_CSV", "The file begins with zero bytes, which no text holds.")
    return None


def _manifest_version(found: tuple[Member, Feed, tuple[str, ...]] | None) -> str | None:
    if found is None:
        return None
    return _parse_manifest(found[0]).version


def _parse_manifest(member: Member) -> Manifest:
    """Read a manifest by property name, without case."""
    with member.path.open("rb") as stream:
        properties = read_properties(stream)
    listed: dict[str, str] = {}
    modes = defaultdict(list)
    for name, mode in properties:
        if name.lower().startswith(_LISTS):
            plain = plain_name(file_name := name[len(_LISTS) :])
            listed[plain] = file_name
            modes[plain].append(readable_name(mode.lower()))
    return Manifest(dict(properties).get(VERSION_PROPERTY), listed, modes)


def _fit_layout(
    contracts: Contracts,
    source: Source,
    member: Member,
    feed: Feed,
    names: tuple[str, ...],
    version: str | None,
) -> Readable | Rejection:
    """Choose the layout of the delivery's version, else any the header fits, else explain."""
    policy = "by_name" if feed.feed == MANIFEST else source.header_policy
    fits = contracts.matching(feed.feed, names, policy)
    if not fits:
        layouts = contracts.plain_versions(feed.feed)
        if not layouts:
            return Rejection(
                "LAYOUT_UNKNOWN",
                f"No layout of {feed.feed} is for files of this name; see name_pattern in "
                "framings.csv.",
            )
        difference = header_diff.compare(layouts, names, version)
        if difference is None:
            raise ValueError("a header without a difference fits its layout")
        return Rejection(
            difference.code, f"{difference.summary}{_way_in(contracts, source, feed, names)}"
        )
    fit = next((fit for fit in fits if fit.layout.base_version == version), fits[0])
    return Readable(member, feed, names, fit)


def _way_in(contracts: Contracts, source: Source, feed: Feed, names: tuple[str, ...]) -> str:
    """Say which setting would take a header that fits no layout, where one does."""
    if source.header_policy == "by_name" or not contracts.matching(feed.feed, names, "by_name"):
        return ""
    return (
        f" To read it by its names, set header_policy of {source.source_id} to by_name in "
        "seeds/contracts/sources.csv, then `rollcall reprocess` the file."
    )


def declared_mode(readable: Readable, manifest: Manifest | None) -> str | None:
    """Return what the manifest says of a file; `absent` when it does not list it."""
    if manifest is None or readable.feed.feed == MANIFEST:
        return None
    return manifest.mode_of(readable.feed.file_name)


def effective_mode(declared: str | None, rows: str | None, source: Source) -> str:
    """Decide whether a file is the whole truth, or holds only what changed.

    The manifest says so, where it does; then the source's `default_mode`; then the rows. A file
    that the manifest does not list is no bulk for its rows alone.
    """
    if declared == "bulk" and rows == "delta" and source.mode_authority == "rows":
        return "delta"
    if declared in _MODES:
        return declared
    return source.default_mode or ("delta" if declared == _NOT_LISTED else rows or "delta")


def judge_structure(
    readable: Readable,
    framer: Framer,
    manifest: Manifest | None,
    declared: str | None,
    rows_mode: str | None,
    mode: str,
    source: Source,
    *,
    is_alone: bool,
    is_cut_short: bool,
) -> Iterator[Judgement]:
    """Yield what framing, header and manifest say of a file whose records are stored."""
    if is_cut_short:
        yield Judgement(
            "CUT_SHORT",
            "The last line breaks off without a line end; the file was probably cut short.",
            Effect.HOLD_REMOVALS,
        )
    record_count = framer.record_count - framer.structural_count
    passed_over = framer.structural_count - framer.preamble_count
    if passed_over > record_count and passed_over >= source.limits.floor_count:
        yield Judgement(
            "MASS_STRUCTURAL",
            f"structural_pattern of {readable.layout.feed} {readable.layout.version} passes over "
            f"{passed_over} of {passed_over + record_count} records behind the header.",
            Effect.HOLD,
        )
    is_unsaid = is_alone and readable.feed.family == MANIFEST.split("/")[0]
    is_unsaid |= readable.layout.base_version == "1.0"
    if record_count and manifest is None and is_unsaid:
        yield from _judge_unsaid_mode(rows_mode, source)
    yield from _judge_mode(declared, rows_mode if record_count else None, mode, source)
    if manifest and (denial := manifest.denial_of(readable.feed.file_name)):
        yield _unannounced(denial, mode, source)
    if manifest and manifest.version and not is_of_version(readable.layout, manifest.version):
        yield Judgement(
            "VERSION_MISMATCH",
            f"The manifest says OneRoster {manifest.version}, "
            f"the header is that of {readable.layout.version}.",
            Effect.NOTE,
        )
    if framer.header.unnamed_count:
        yield Judgement(
            "COLUMN_UNNAMED",
            f"The header ends with {framer.header.unnamed_count} columns without a name; they are "
            "passed over, since no record that is taken has anything in them.",
            Effect.NOTE,
        )
    if not readable.fit.is_exact and readable.feed.feed != MANIFEST:
        placement, layout = readable.fit.placement, readable.layout
        unknown = [
            name for name, target in zip(readable.names, placement, strict=True) if not target
        ]
        pairs = zip(layout.names, layout.raw_columns, strict=True)
        missing = [name for name, target in pairs if target not in placement]
        yield Judgement(
            "HEADER_BY_NAME",
            f"The header differs from {readable.layout.feed} {readable.layout.version} and is read "
            f"by name: {_counted(missing)} optional columns are missing, {_counted(unknown)} "
            "unknown ones are kept.",
            Effect.NOTE,
        )


def _counted(names: list[str]) -> str:
    """Count columns, and name them."""
    return f"{len(names)} ({', '.join(names)})" if names else "no"


def _judge_unsaid_mode(rows_mode: str | None, source: Source) -> Iterator[Judgement]:
    """Yield that nothing says whether a file is complete: of its version, or of one that is alone.

    Where its records make a delta, nobody leaves; of other deliveries, a manifest is asked for.
    """
    if rows_mode == "delta" and not source.default_mode:
        yield Judgement(
            "MODE_UNKNOWN",
            "Nothing says whether the file is complete; most of its records have a status or a "
            "date, so files like this one are read as a delta, and nobody is gone who is not "
            f"deleted. Set default_mode of {source.source_id} in sources.csv: bulk, where every "
            "file is complete, or delta.",
            Effect.NOTE,
            is_settled=True,
        )


def _judge_mode(
    declared: str | None, rows_mode: str | None, mode: str, source: Source
) -> Iterator[Judgement]:
    """Yield what is odd about how a file's mode is said."""
    if declared in _MODES and rows_mode not in (None, declared):
        look = {"bulk": "neither status nor date", "delta": "a status or a date"}[rows_mode or ""]
        yield Judgement(
            "MODE_CONFLICT",
            f"The manifest says {declared}, but most records have {look}, as in a {rows_mode}; "
            f"files like this one are read as a {mode} (mode_authority of {source.source_id}: "
            f"{source.mode_authority}).",
            Effect.NOTE,
            is_settled=True,
        )
    if declared is not None and declared not in (_NOT_LISTED, *_MODES):
        why = (
            "default_mode of sources.csv says so" if source.default_mode else "its records look so"
        )
        yield Judgement(
            "MODE_UNKNOWN",
            f"The manifest says '{declared[:20]}', which is neither bulk nor delta; files like "
            f"this one are read as a {mode}, because {why}.",
            Effect.NOTE,
            is_settled=True,
        )


def _unannounced(denial: str, mode: str, source: Source) -> Judgement:
    """Say that a manifest tells that a file is not there which is; `default_mode` settles it."""
    contradiction = (
        f"The manifest says {denial} of the file, and it is in the delivery; it is read as a {mode}"
    )
    if source.default_mode:
        sentence = f"{contradiction}, as default_mode of {source.source_id} says."
        return Judgement("MANIFEST_MISMATCH", sentence, Effect.NOTE, is_settled=True)
    return Judgement(
        "FILE_NOT_ANNOUNCED",
        f"{contradiction}{', so who is missing from it stays' * (mode == 'delta')}. Ask the vendor "
        "which is true; where its manifests are always so, set default_mode of "
        f"{source.source_id} in sources.csv: bulk, where every file is complete, or delta.",
        Effect.NOTE,
    )


def read_manifest(
    judged: list[tuple[Member, Readable | Rejection]],
) -> Manifest | None:
    """Return what the delivery's manifest says, when it has one that can be read."""
    for member, outcome in judged:
        if isinstance(outcome, Readable) and outcome.feed.feed == MANIFEST:
            return _parse_manifest(member)
    return None


def check_manifest(
    contracts: Contracts,
    source: Source,
    kind: str,
    judged: list[tuple[Member, Readable | Rejection]],
    manifest: Manifest | None,
) -> Iterator[tuple[str, str]]:
    """Compare what the manifest announces with what is there; yield (code, sentence).

    A source with a `default_mode` has told that it sends none. What it has ignored is not missed.
    """
    readable = [outcome for _, outcome in judged if isinstance(outcome, Readable)]
    if manifest is None:
        is_alone = kind in ("csv", "gzip")
        is_of_today = any(item.layout.version != "1.0" for item in readable)
        if is_of_today and not is_alone and not source.default_mode:
            sentence = "The delivery has no manifest; each file's records say its mode."
            yield "MANIFEST_MISSING", sentence
        return
    if kind in ("csv", "gzip"):
        sentence = (
            "The manifest came alone; it decides of files that come with it in one zip or folder. "
            "Files that come one by one are read as default_mode or their records say."
        )
        yield "MANIFEST_MISMATCH", sentence
        return
    listed = manifest.listed
    announced = {name for name in listed if manifest.mode_of(name) != _NOT_LISTED}
    present = {plain_name(member.name): member.name for member, _ in judged}
    recognised = {plain_name(item.feed.file_name): item.member.name for item in readable}
    absent = sorted(
        name
        for name in announced - present.keys() - recognised.keys()
        if not is_clutter(f"{name}.csv", source.ignore_files)
    )
    strange = []
    for name in absent:
        feed = _feed_called(contracts, source, name)
        if feed and feed.is_staged:
            yield "FILE_NOT_DELIVERED", _undelivered(feed, manifest.mode_of(name))
        else:
            strange.append(listed[name])
    for name in strange[:_MOST_NAMED]:
        sentence = f"The manifest announces {name}.csv, which is not there."
        yield "MANIFEST_MISMATCH", sentence
    if len(strange) > _MOST_NAMED:
        sentence = f"The manifest announces {len(strange) - _MOST_NAMED} more files that are not."
        yield "MANIFEST_MISMATCH", sentence
    known = {recognised[name] for name in recognised.keys() & listed.keys()}
    for name in sorted(present.keys() - listed.keys() - {"manifest"}):
        if present[name] not in known:
            sentence = f"The manifest does not announce {present[name]}, which is there."
            yield "MANIFEST_MISMATCH", sentence


def _feed_called(contracts: Contracts, source: Source, name: str) -> Feed | None:
    """Find a feed of a source by the name that a manifest gives it."""
    found = (contracts.feed_for(family, name) for family in source.families)
    return next(filter(None, found), None)


def _undelivered(feed: Feed, mode: str) -> str:
    """Say that a file is missing that was announced; the sentence begins with its feed."""
    effect = (
        "what has changed stays unknown, and no later delta says it again"
        if mode == "delta"
        else "its last good data stays in place"
    )
    return (
        f"{feed.feed}: the manifest says {mode} of {feed.file_name}, which is not in the delivery; "
        f"{effect}."
    )
