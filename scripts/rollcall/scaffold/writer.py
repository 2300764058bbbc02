"""A feed written from the profile of one of its files: contracts, models and what is to be decided.

What is written is plain SQL and rows of seeds, in the style of the rest, to be read and corrected.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import duckdb

from rollcall.contracts.layouts import PLAIN
from rollcall.contracts.project import Contracts
from rollcall.errors import UsageError
from rollcall.project import SHIPPED, Project
from rollcall.scaffold.profile import WITH_SLASHES, ColumnProfile, FileProfile, profile_file
from rollcall.templating import environment

_TEMPLATES = Path(__file__).parent / "templates"
_FEED = re.compile(r"[a-z][a-z0-9_]*/[a-z][a-z0-9_]*")
_FEW_VALUES = 12
_FEEDS = Path("seeds", "contracts", "district_feeds.csv")
_LAYOUTS = Path("seeds", "contracts", "district_layouts.csv")
_FRAMINGS = Path("seeds", "contracts", "district_framings.csv")
_SOURCES = Path("seeds", "contracts", "sources.csv")
_READ = {
    "integer": ("integer", "integer", "integer"),
    "float": ("number", "number", "decimal(18, 6)"),
    "date": ("date", "date", "date"),
    "datetime": ("instant", "instant", "timestamp"),
    "bool": ("boolean", "boolean", "boolean"),
}
"""Of a type: the macro that reads it, what `readable` calls it, and the type in a contract."""
_AS_TEXT = ("text", "", "varchar")
_LINEAGE = {
    **dict.fromkeys(("source_id", "roster_source_id", "file_id"), "varchar"),
    **dict.fromkeys(("record_number", "line_number"), "bigint"),
    **dict.fromkeys(("exported_at", "landed_at", "visible_at", "modified_at"), "timestamp"),
    "is_deleted": "boolean",
}
"""The columns that every staged record has, with their types."""
_TAKEN = {
    *_LINEAGE,
    *("feed", "mode", "is_new", "is_active", "inactive_reason", "unresolved", "warnings"),
    *("record_key", "version_at", "violations", "is_rejected", "content_hash", "recency"),
}


@dataclass(frozen=True, slots=True)
class Scaffold:
    """What was written: the feed, its files, what a person has to decide, and what comes next."""

    feed: str
    files: list[str]
    record_count: int
    malformed_count: int
    decisions: list[str]
    source_row: str
    next_step: str


@dataclass(frozen=True, slots=True)
class _Column:
    """A column as the models have it; `raw` is its name in the file, `type` in a contract."""

    raw: str
    name: str
    macro: str
    kind: str
    type: str
    meaning: str
    personal_data: str


def write_feed(
    project: Project, contracts: Contracts, path: Path, feed: str, key: Sequence[str]
) -> Scaffold:
    """Draft a feed from one of its files, and write it into a project.

    Args:
        project: where it is written.
        contracts: the contracts of the project.
        path: the file, as the system exports it.
        feed: what it is to be called, as `family/name`.
        key: the columns that tell records apart; found in the file where none are named.

    Raises:
        UsageError: the name is no name for a feed or is taken, or the file shows no feed.
    """
    if not _FEED.fullmatch(feed):
        raise UsageError(
            f"'{feed}' is no name for a feed; write family/name in small letters, such as "
            "acme/skills."
        )
    if feed in {known.feed for known in contracts.feeds}:
        raise UsageError(f"{feed} is a feed already; `rollcall layouts diff` drafts a variant.")
    profile = profile_file(path, key)
    draft = _Draft(project, contracts, profile, feed)
    files = draft.files()
    for file in files:
        if file.exists() and file.suffix != ".csv" and file.name != draft.sources.name:
            raise UsageError(f"{file.relative_to(project.path)} is there already.")
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return Scaffold(
        feed,
        [str(file.relative_to(project.path)) for file in files],
        profile.record_count,
        profile.malformed_count,
        list(draft.decisions()),
        draft.source_row(),
        draft.next_step,
    )


def write_variant(project: Project, rows: Sequence[dict[str, str]]) -> None:
    """Add the drafted rows of a layout to those of the district."""
    path, text = _with_rows(project.path / _LAYOUTS, rows)
    if rows:
        path.write_text(text, encoding="utf-8")


class _Draft:
    """The texts of one feed."""

    def __init__(
        self, project: Project, contracts: Contracts, profile: FileProfile, feed: str
    ) -> None:
        self._project = project
        self._contracts = contracts
        self._profile = profile
        self._family, self._name = feed.split("/")
        self._columns = list(_named(profile.columns, self._name))
        self._mart = f"fct_{self._family}_{self._name}" if project != SHIPPED else ""

    @property
    def _folder(self) -> Path:
        return self._project.path / "models" / "staging" / self._family

    @property
    def sources(self) -> Path:
        """The file that names the raw tables of the family."""
        return self._folder / f"_{self._family}__sources.yml"

    def files(self) -> dict[Path, str]:
        """Return every file with its text."""
        templates = environment(_TEMPLATES)
        said = {column.raw: column for column in self._columns}
        parts = [f"rollcall.{said[raw].macro}('{raw}')" for raw in self._profile.key]
        raw_key = parts[0] if len(parts) == 1 else f"rollcall.record_key([{', '.join(parts)}])"
        known = {
            "family": self._family,
            "name": self._name,
            "file_name": self._profile.file_name,
            "columns": self._columns,
            "described": self._described(),
            "checks": list(self._checks()),
            "raw_key": raw_key,
            "record_key": f"{{{{ {raw_key} }}}}",
            "key_words": " and ".join(said[raw].name for raw in self._profile.key),
            "lineage": list(_LINEAGE),
            "types": _LINEAGE,
        }
        stem = f"{self._family}__{self._name}"
        places = {
            "base": self._folder / "base" / f"base_{stem}",
            "stg": self._folder / f"stg_{stem}",
            "fct": self._project.path / "models" / "marts" / self._mart if self._mart else None,
        }
        found = {
            place.with_suffix(suffix): templates.get_template(f"{what}{suffix}").render(known)
            for what, place in places.items()
            if place
            for suffix in (".sql", ".yml")
        }
        if self.sources.exists():
            begun = self.sources.read_text(encoding="utf-8").rstrip() + "\n"
        else:
            begun = templates.get_template("sources.yml").render(known)
        found[self.sources] = begun + templates.get_template("table.yml").render(known)
        return found | dict(self._seeds())

    def _seeds(self) -> Iterator[tuple[Path, str]]:
        """Yield the seeds of the district with the rows of the feed added."""
        feed = f"{self._family}/{self._name}"
        mart = f"district.{self._mart}" if self._mart else ""
        label = self._name.replace("_", " ").capitalize()
        row = {
            "feed": feed,
            "family": self._family,
            "file_name": self._profile.file_name,
            "label": label,
            "is_staged": "true",
            "mart": mart,
            "meaning": f"{label} as {self._family} exports them.",
        }
        yield _with_rows(self._project.path / _FEEDS, [row])
        staged = {column.raw: column for column in self._columns}
        yield _with_rows(
            self._project.path / _LAYOUTS,
            [
                {
                    "feed": feed,
                    "layout_version": "1",
                    "position": str(position),
                    "column_name": column.name,
                    "data_type": column.data_type,
                    "format": "YYYY-MM-DD" if column.data_type == "date" else "",
                    "is_required": "yes" if self._is_filled(column) else "no",
                    "allows_extension": "false",
                    "is_key": str(column.name in self._profile.key).lower(),
                    "personal_data": column.personal_data,
                    "staged_as": f"stg_{self._family}__{self._name}.{staged[column.name].name}",
                    "meaning": staged[column.name].meaning,
                }
                | self._width(position)
                for position, column in enumerate(self._profile.columns, 1)
            ],
        )

        framing = self._profile.framing
        if framing != PLAIN:
            row = {
                "feed": feed,
                "layout_version": "1",
                "kind": framing.kind,
                "delimiter": self._profile.delimiter if framing.kind == "csv" else "",
                "preamble_lines": str(framing.preamble_lines or ""),
                "meaning": f"{label} as {self._family} exports them.",
            }
            yield _with_rows(self._project.path / _FRAMINGS, [row])

    def _width(self, position: int) -> dict[str, str]:
        """Return the width of a column, of a file of fixed width alone."""
        widths = self._profile.framing.widths
        return {"width": str(widths[position - 1])} if widths else {}

    def _is_filled(self, column: ColumnProfile) -> bool:
        return column.filled_count == self._profile.record_count

    def _checks(self) -> Iterator[str]:
        """Yield the checks of a record: what must be there, and what must be readable."""
        for column, profile in zip(self._columns, self._profile.columns, strict=True):
            if self._is_filled(profile):
                yield f"required('{column.raw}')"
            if column.kind:
                yield f"readable('{column.raw}', '{column.kind}')"

    def _described(self) -> list[_Column]:
        """Return the feed's own columns in the models, its key among them."""
        what = " and ".join(f"`{name}`" for name in self._profile.key)
        keys = (
            (f"{self._name}_id", f"What identifies the record in its source: {what}."),
            (f"{self._name}_key", "Key of the record: source and id."),
        )
        made = (_Column("", name, "", "", "varchar", meaning, "indirect") for name, meaning in keys)
        return [*self._columns, *made]

    def decisions(self) -> Iterator[str]:
        """Yield what a person has to decide before the feed is used."""
        profile, columns = self._profile, self._profile.columns
        yield (
            f"Key: {_listed(profile.key)} tells the {profile.record_count} records of this file "
            "apart. See that it does so in every file and year; --key names others."
        )
        if profile.framing != PLAIN:
            yield f"Framing: {self._said_of_framing()}; correct it in {_FRAMINGS}."
        yield (
            f"Source: say who sends it, in {_SOURCES}, such as by the row below; default_mode is "
            "bulk where each file holds everything."
        )
        ids = [c.name for c in columns if c.data_type == "id"]
        if ids:
            yield (
                f"Ids: {_listed(ids)}. One that the roster knows gets data_type ref and references "
                f"oneroster/users in {_LAYOUTS}, and rollcall.roster_key in the base view."
            )
        slashes = [
            f"{c.name} ({c.shares[WITH_SLASHES]:g} %)" for c in columns if WITH_SLASHES in c.shares
        ]
        if slashes:
            yield (
                f"Dates: {_listed(slashes)} are written with slashes and staged as text, because "
                "day and month cannot be told apart for certain. Where the month comes first, give "
                "them the type date and the format MM/DD/YYYY, and rollcall.us_date in the base "
                "view; else ask for YYYY-MM-DD."
            )
        few = [
            f"{c.name} ({c.distinct_count})"
            for c in columns
            if c.data_type == "string" and 1 < c.distinct_count <= _FEW_VALUES
        ]
        if few:
            yield (
                f"Values: {_listed(few)} hold few different values. Where no other may come, name "
                f"them as allowed_values in {_LAYOUTS} and check them with rollcall.allowed."
            )
        classes = {
            name: [c.name for c in columns if c.personal_data == name]
            for name in ("direct", "sensitive")
        }
        said = "; ".join(f"{name} {_listed(found)}" for name, found in classes.items() if found)
        yield (
            f"Personal data, by names and shapes alone: {said or 'nothing direct'}; all others "
            f"indirect. Correct personal_data in {_LAYOUTS} and in the YAML."
        )
        yield f"Meaning: say in {_LAYOUTS} and in the YAML what each column means."

    def _said_of_framing(self) -> str:
        """Say how the file is cut into records."""
        framing = self._profile.framing
        return {
            "csv": f"{framing.preamble_lines} lines stand before the header. Name in it totals and "
            "other records that are none, too",
            "fixed": f"the lines have fixed widths and no header, so widths and names in {_LAYOUTS}"
            " are guessed from blanks; take them from what the vendor says",
            "jsonl": "each line is an object, and every value in it has become a column named by "
            f"its path; leave out of {_LAYOUTS} and the base view what nobody needs",
            "xlsx": "it is a workbook, kept as the sheet shows it",
        }[framing.kind]

    @property
    def next_step(self) -> str:
        """What comes after the decisions."""
        if self._mart:
            return "Then: rollcall layouts compare, and rollcall cycle."
        return (
            f"Then: dbt build --select +stg_{self._family}__{self._name}, and its mart as "
            "CONTRIBUTING says of a feed."
        )

    def source_row(self) -> str:
        """Draft a row of `sources.csv`, in the order of its columns."""
        own = self._project.path / _SOURCES
        path = own if own.exists() else SHIPPED.path / _SOURCES
        with path.open(encoding="utf-8", newline="") as stream:
            like = next(csv.DictReader(stream))
        said = {
            **dict.fromkeys(("source_id", "name", "families"), self._family),
            **dict.fromkeys(("schedule", "due_feeds", "naive_times", "ignore_files"), ""),
            "system_kind": "other",
            "grace_minutes": "0",
            "encoding": self._profile.encoding,
            "delimiter": self._profile.delimiter,
            "header_policy": "strict",
            "mode_authority": "manifest",
            "default_mode": "bulk",
        }
        return _as_lines([like | {name: said[name] for name in like.keys() & said.keys()}]).strip()


def _named(columns: Sequence[ColumnProfile], feed_name: str) -> Iterator[_Column]:
    """Yield the columns with names that SQL takes without quotes."""
    reserved = duckdb.execute(
        "select keyword_name from duckdb_keywords() where keyword_category = 'reserved'"
    ).fetchall()
    taken = _TAKEN | {f"{feed_name}_id", f"{feed_name}_key"} | {name for (name,) in reserved}
    for place, column in enumerate(columns, 1):
        if re.search(r"['\\{}]", column.name):
            raise UsageError(
                f"Column {place} has a quote, a backslash or a brace in its name; such a name "
                "cannot stand in a model. Ask for another."
            )
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", column.name)
        name = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_") or f"column_{place}"
        if name in taken or name[0].isdigit():
            name = f"{feed_name}_{name}"
        while name in taken:
            name += "_"
        taken.add(name)
        macro, kind, data_type = _READ.get(column.data_type, _AS_TEXT)
        yield _Column(
            column.name,
            name,
            macro,
            kind,
            data_type,
            f"{column.name} as delivered.",
            column.personal_data,
        )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)


def _with_rows(path: Path, rows: Sequence[dict[str, str]]) -> tuple[Path, str]:
    """Return a seed with rows added, columns that they do not name left blank.

    Columns that it lacks are added to it at the end.
    """
    like = path if path.exists() else SHIPPED.path / path.relative_to(path.parents[2])
    text = like.read_text(encoding="utf-8")
    names = next(csv.reader([text.splitlines()[0]]))
    if lacking := sorted({name for row in rows for name in row} - set(names)):
        header, *known = csv.reader(StringIO(text, newline=""))
        names = [*header, *lacking]
        blank = [""] * len(lacking)
        text = _as_lines(
            [dict(enumerate(line)) for line in (names, *([*k, *blank] for k in known))]
        )
    added = _as_lines([{name: row.get(name, "") for name in names} for row in rows])
    return path, text.rstrip("\n") + "\n" + added


def _as_lines(rows: Sequence[Mapping[Any, str]]) -> str:
    """Write rows as lines of a seed."""
    stream = StringIO()
    csv.writer(stream, lineterminator="\n").writerows(row.values() for row in rows)
    return stream.getvalue()
