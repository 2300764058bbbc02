"""Layout changes: how the header of a file differs from the layouts that are known."""

import csv
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from rollcall.contracts import header_diff
from rollcall.contracts.layouts import exact_fit
from rollcall.contracts.project import Contracts
from rollcall.contracts.reading import columns_of, rows_of
from rollcall.contracts.sources import Feed
from rollcall.csvfile.framing import HeaderError
from rollcall.csvfile.manifest import VERSION_PROPERTY, read_properties
from rollcall.csvfile.opening import open_records
from rollcall.errors import UsageError
from rollcall.home import Home
from rollcall.trace.originals import manifest_beside, open_landed


@dataclass(frozen=True, slots=True)
class LayoutChange:
    """How a header differs from the nearest layout, and the draft of a new version."""

    file: str
    feed: str
    nearest_version: str
    code: str | None
    summary: str
    differences: tuple[header_diff.Difference, ...]
    draft_version: str | None
    draft_rows: list[dict[str, str]]


def diff_file(home: Home, contracts: Contracts, name: str, feed_name: str | None) -> LayoutChange:
    """Compare the header of a file with the layouts of its feed.

    Args:
        home: the data directory, for a file that has landed.
        contracts: the contracts of the project.
        name: a file on disk, or a landed file by id or name.
        feed_name: the feed, where the name of the file does not tell it.

    Raises:
        UsageError: the file or its feed is not known, or its header cannot be read.
    """
    names, feed = _header(home, contracts, name, feed_name)
    layouts = contracts.versions(feed.feed)
    difference = header_diff.compare(layouts, names, _version_named(home, name))
    if difference is None:
        version = next(layout.version for layout in layouts if exact_fit(layout, names))
        summary = f"The header is that of {feed.feed} {version}."
        return LayoutChange(name, feed.feed, version, None, summary, (), None, [])
    nearest = difference.nearest
    rows = [
        row
        for *_, row in rows_of(contracts.layout_seeds)
        if (row["feed"], row["layout_version"]) == (feed.feed, nearest.version)
    ]
    draft = header_diff.draft_rows(difference, layouts, rows, names)
    if contracts.layout_seeds[1:]:
        asked = columns_of(contracts.layout_seeds[-1])
        draft = [row | {name: row.get(name, "") for name in asked} for row in draft]
    return LayoutChange(
        name,
        feed.feed,
        nearest.version,
        difference.code,
        difference.summary,
        difference.differences,
        draft[0]["layout_version"] if draft else None,
        draft,
    )


def _header(
    home: Home, contracts: Contracts, name: str, feed_name: str | None
) -> tuple[tuple[str, ...], Feed]:
    stream: BinaryIO
    with ExitStack() as stack:
        path = Path(name)
        if path.is_file():
            stream = stack.enter_context(path.open("rb"))
            encoding, file_name = "utf-8", path.name
            feed = _feed_of_name(contracts, path.name)
        else:
            file, stream = stack.enter_context(open_landed(home, name))
            encoding = contracts.sources[file["source_id"]].encoding
            file_name = file["file_name"]
            feed = next((item for item in contracts.feeds if item.feed == file["feed"]), None)
        if feed_name:
            feed = next((item for item in contracts.feeds if item.feed == feed_name), None)
        if feed is None:
            raise UsageError(
                f"Which feed is {name}? Name it with --feed; `rollcall layouts` lists them."
            )
        framing = contracts.framing_for(feed.feed, file_name)
        try:
            return open_records(stream, encoding, framing).header.names, feed
        except HeaderError as error:
            raise UsageError(f"The header of {name} cannot be read: {error}") from error


def _version_named(home: Home, name: str) -> str | None:
    """Return the version that the manifest of the delivery names; None without a manifest."""
    with suppress(HeaderError):
        path = Path(name)
        if path.is_file():
            beside = path.with_name("manifest.csv")
            if not beside.is_file():
                return None
            with beside.open("rb") as stream:
                return dict(read_properties(stream)).get(VERSION_PROPERTY)
        manifest = manifest_beside(home, name)
        if manifest:
            with open_landed(home, manifest) as (_, stream):
                return dict(read_properties(stream)).get(VERSION_PROPERTY)
    return None


def _feed_of_name(contracts: Contracts, file_name: str) -> Feed | None:
    """Find the feed by the file's name, with or without an export time before it."""
    for text in (file_name, file_name.split("_", 1)[-1]):
        for feed in contracts.feeds:
            if contracts.feed_for(feed.family, text) == feed:
                return feed
    return None


def as_csv(rows: list[dict[str, str]]) -> str:
    """Write drafted rows as lines of the seed, without its header."""
    lines: list[str] = []
    writer = csv.writer(_Lines(lines), lineterminator="")
    writer.writerows(row.values() for row in rows)
    return "\n".join(lines)


class _Lines:
    """Takes what a csv writer writes, line by line."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    def write(self, line: str) -> int:
        """Keep one line."""
        self._lines.append(line)
        return len(line)
