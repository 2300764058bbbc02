"""Write the SQL by which reconciliation compares exports with marts, from the layouts.

The SQL is committed, read and linted like any other; it changes with the layouts alone, and no
variant of a layout changes it. It reads raw text in its own way and shares no macro with staging,
which is what makes it a witness. What it looks like, `templates/` says.

A district's project has its own feeds compared in the same way, beside the shipped ones.
"""

import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rollcall.contracts.layouts import Column
from rollcall.contracts.project import Contracts
from rollcall.contracts.sources import Feed
from rollcall.ledger.sql import (
    BETWEEN_ITEMS,
    BLANKS_AROUND,
    CASTS,
    as_text,
    literal,
    normalized,
    record_key,
)
from rollcall.project import SHIPPED, Project
from rollcall.templating import environment

ALWAYS_USED = "oneroster"
"""The family whose models are there whatever `sources.csv` declares."""

_MARTS_OF_ROSTERS = frozenset({"dim_class", "dim_course", "dim_user", "fct_enrollment"})
"""The marts to which a roster of Canvas adds rows."""

_FOLDER = Path("models", "intermediate", "reconciliation", "compared")
_OWN_FOLDER = Path("models", "compared")
_OWN_FEEDS = Path("macros", "own_feeds.sql")
_TEMPLATES = Path(__file__).parent / "templates"
_OF_ONE_FEED = "int_compared__feed.sql"
_OF_PARTS = "int_compared_parts__feed.sql"
_OF_ALL_FEEDS = "int_compared_records.sql"
_WIDTH = 120
"""How long a line of SQL may be, as sqlfluff is told."""
_CASTS = CASTS | {"datetime": "{{{{ rollcall.compared_instant('{}') }}}}"}
"""The same, with the time zones of the source, which a record in doubt has beside it."""


@dataclass(frozen=True, slots=True)
class ComparedColumn:
    """A staged column: where it stands in the raw table and in the mart, and how it is read.

    `is_filled` when the mart fills it from elsewhere where the record leaves it blank;
    `is_everywhere` when every staged version of the feed has it; `words` are texts that may stand
    in the place of a number and leave it blank; `may_be_blank` when a key is one without it.
    """

    raw_column: str
    name: str
    kind: str
    is_filled: bool
    is_everywhere: bool
    words: tuple[str, ...] = ()
    may_be_blank: bool = False

    @property
    def field(self) -> str:
        """The name of the raw column as SQL; DuckDB compares names without case."""
        is_plain = re.fullmatch(r"[A-Za-z_]\w*", self.raw_column)
        return self.raw_column.lower() if is_plain else f'"{self.raw_column}"'

    @property
    def text(self) -> str:
        """The raw column of a record as SQL."""
        return f"records.{self.field}"

    @property
    def is_list(self) -> bool:
        """Whether the mart holds a list."""
        return self.kind in ("list", "reflist")

    @property
    def value(self) -> str:
        """What the record says, as SQL of the mart's type, a list as one text."""
        if self.kind in CASTS:
            return _CASTS[self.kind].format(self.text)
        if self.is_list:
            return (
                f"nullif(trim(regexp_replace({self.text}, '{BETWEEN_ITEMS}', ',', 'g'), ','), '')"
            )
        return f"lower({self.text})" if self.kind == "enum" else self.text

    @property
    def processed(self) -> str:
        """What the row says, as SQL, a list as one text."""
        if self.is_list:
            return f"nullif(array_to_string(processed.{self.name}, ','), '')"
        return f"processed.{self.name}"

    @property
    def staged(self) -> str:
        """What staging says, as SQL of a text."""
        return as_text(self.processed.replace("processed.", "staged."), self.kind)

    @property
    def differences(self) -> tuple[tuple[str, str], ...]:
        """Conditions, in two parts, of which one holds when record and row differ.

        What cannot be read is not blank.
        """
        value, processed = self.value, self.processed
        if self.kind == "enum":
            processed = f"lower({processed})"
        if self.is_filled:
            parts = (value, processed)
            value = f"coalesce({', '.join(parts)})"
            if len(value) > _WIDTH - 24:
                listed = textwrap.indent(",\n".join(parts), "    ")
                value = f"coalesce(\n{listed}\n)"
        found = ((value, f"is distinct from {processed}"),)
        if self.kind not in CASTS:
            return found
        if self.words:
            words = ", ".join(map(literal, self.words))
            is_word = f"lower(coalesce({self.text}, {literal(self.words[0])})) in ({words})"
            return (*found, (f"({self.processed} is null", f"and not {is_word})"))
        return (*found, (f"({self.processed} is null", f"and {self.text} is not null)"))

    @property
    def condition(self) -> str:
        """The same as one condition for millions of rows: first what is cheap and seldom true."""
        is_cheap = self.kind not in (*CASTS, "enum") and not self.is_list
        if is_cheap or (self.is_everywhere and self.kind != "enum"):
            return _joined(self.differences, 16, taken=len("or "))
        found = _joined(self.differences, 24)
        if len(self.differences) > 1:
            found = f"(\n{textwrap.indent(found.lstrip(), '    ')}\n)"
        first = f"{self.text} is distinct from processed.{self.name}"
        if not self.is_everywhere:
            first = f"({self.text} is not null or processed.{self.name} is not null)"
        return "(\n" + textwrap.indent(f"{first}\nand {found}", "    ") + "\n)"

    @property
    def comparison(self) -> str:
        """Both values and whether they differ, as a struct of SQL."""
        processed = as_text(self.processed, self.kind)
        parts = (
            f"'raw_column': '{self.raw_column}',",
            f"'processed_column': '{self.name}',",
            f"'source_value': {self.text},",
            f"'processed_value': {processed},",
            f"'is_different': {_joined(self.differences, 16, taken=17)}".replace(": \n", ":\n"),
        )
        lines = [parts[0]]
        for part in parts[1:]:
            is_short = "\n" not in part and len(f"{lines[-1]} {part}") <= _WIDTH - 16
            lines[-1:] = [f"{lines[-1]} {part}"] if is_short else [lines[-1], part]
        return "{\n" + textwrap.indent("\n".join(lines), " " * 4) + "\n}"


@dataclass(frozen=True, slots=True)
class ComparedFeed:
    """A staged feed: its staging model and mart, its key and status, and what is compared.

    `whole_by` is the column within whose values a bulk is whole; None when it is whole of all.
    """

    feed: str
    mart: str
    staged: str
    keys: tuple[ComparedColumn, ...]
    status: ComparedColumn | None
    columns: tuple[ComparedColumn, ...]
    whole_by: ComparedColumn | None = None

    @property
    def family(self) -> str:
        """The family of the feed."""
        return self.feed.split("/")[0]

    @property
    def model(self) -> str:
        """The name of the model that compares it."""
        return f"int_compared__{self.feed.replace('/', '__')}"

    @property
    def rows(self) -> str:
        """The rows of the mart that the feed's records make, as dbt names them.

        A roster of Canvas adds rows to some; they are compared with the feeds of Canvas.
        """
        if self.family == ALWAYS_USED and self.mart in _MARTS_OF_ROSTERS:
            return f"rollcall.of_oneroster('{self.mart}')"
        return f"ref('{self.mart}')"

    @property
    def parts(self) -> str:
        """The name of the model of what its files are whole of, where that is not all."""
        return f"int_compared_parts__{self.feed.replace('/', '__')}"

    @property
    def raw_table(self) -> str:
        """The raw table, as dbt names a source."""
        family, name = self.feed.split("/")
        return f"{{{{ source('raw_{family}', '{name}') }}}}"

    @property
    def texts(self) -> tuple[str, ...]:
        """The raw columns that are read, as SQL."""
        status = () if self.status is None else (self.status,)
        return tuple(dict.fromkeys(c.text for c in (*self.keys, *status, *self.columns)))

    @property
    def record_key(self) -> str:
        """The key that a record names, as SQL of a text; null when blank."""
        return record_key([normalized(key.text, key.kind) for key in self.keys], self._blanks)

    def key_in(self, relation: str) -> str:
        """Write the same of a row of the mart or of staging; `relation` with its dot, or blank."""
        parts = [as_text(f"{relation}{key.name}", key.kind) for key in self.keys]
        return record_key(parts, self._blanks)

    @property
    def _blanks(self) -> tuple[bool, ...]:
        return tuple(key.may_be_blank for key in self.keys)

    @property
    def deletes(self) -> str:
        """A condition: the record deletes; blank of a feed whose records have no status."""
        if self.status is None:
            return ""
        return f"lower({self.status.text}) in ('tobedeleted', 'inactive')"

    @property
    def keeps(self) -> str:
        """A condition: the record has a status and deletes nothing."""
        return self.deletes.replace(" in (", " not in (")

    @property
    def modified_at(self) -> str:
        """When the record was last changed, as SQL; null of a feed that does not date records."""
        dated = (column.value for column in self.columns if column.name == "modified_at")
        return next(dated, "cast(null as timestamp)")

    @property
    def references(self) -> tuple[ComparedColumn, ...]:
        """The columns that refer to records of other feeds."""
        return tuple(c for c in self.columns if c.kind in ("ref", "reflist"))

    @property
    def numbers(self) -> tuple[ComparedColumn, ...]:
        """The columns that are summed."""
        return tuple(column for column in self.columns if column.kind == "float")

    @property
    def conditions(self) -> str:
        """A condition: any column differs."""
        return "\nor ".join(column.condition for column in self.columns)


def _joined(conditions: tuple[tuple[str, str], ...], indent: int, taken: int = 0) -> str:
    """Join conditions, each on a line, or on two when it is too long; `taken` is before them."""
    lines = []
    for place, (first, second) in enumerate(conditions):
        before = "or " if place else ""
        room = _WIDTH - indent - (0 if place else taken)
        if len(f"{before}{first} {second}") <= room:
            lines.append(f"{before}{first} {second}")
        else:
            is_too_long = not place and taken > len("or ") and len(first) > room
            if len(first) > _WIDTH - indent:
                first = first.replace(" + ", "\n+ ")
            lines += ["", first, second] if is_too_long else [f"{before}{first}", second]
    return "\n".join(lines)


def compared_feeds(contracts: Contracts, project: Project) -> tuple[ComparedFeed, ...]:
    """Return every staged feed of a project; of a district's, those that Rollcall does not have."""
    shipped = set() if project == SHIPPED else {feed.feed for feed in SHIPPED.contracts().feeds}
    return tuple(
        _compared_feed(contracts, project, feed)
        for feed in contracts.feeds
        if feed.is_staged and feed.feed not in shipped
    )


def _compared_feed(contracts: Contracts, project: Project, feed: Feed) -> ComparedFeed:
    mart = feed.mart.split(".")[-1]
    filled = _filled_columns(project, mart)
    found: dict[str, list[tuple[Column, str]]] = {}
    layouts = [
        layout
        for layout in contracts.versions(feed.feed)
        if layout.is_staged and layout.version == layout.base_version
    ]
    for layout in layouts:
        for column, raw_column in layout.staged:
            found.setdefault(column.staged_as, []).append((column, raw_column))
    columns = {}
    for staged_as, pairs in found.items():
        column, raw_column = pairs[0]
        model, name = staged_as.split(".")
        is_everywhere = len(pairs) == len(layouts)
        words = column.allowed_values if column.kind in ("integer", "float") else ()
        columns[name] = ComparedColumn(
            raw_column,
            name,
            column.kind,
            name in filled,
            is_everywhere,
            tuple(word.lower() for word in words),
            column.may_be_blank,
        )
    whole_by = next((c for c in columns.values() if c.raw_column == feed.whole_by), None)
    return ComparedFeed(
        feed.feed,
        mart,
        model,
        tuple(columns.pop(column.staged_column) for column, _ in layouts[0].keys),
        columns.pop("is_deleted", None),
        tuple(columns.values()),
        whole_by,
    )


def _filled_columns(project: Project, mart: str) -> set[str]:
    """Return the columns that a mart fills from elsewhere, as its description says."""
    text = "".join(
        path.read_text(encoding="utf-8") for path in (project.path / "models").rglob(f"{mart}.yml")
    )
    return set(re.findall(r"\{name: (\w+),.*filled_where_blank: true", text))


def rendered(contracts: Contracts, project: Project) -> dict[Path, str]:
    """Return every file with its text; none of a project without feeds of its own."""
    templates = environment(_TEMPLATES)
    templates.filters["header"] = _header
    feeds = compared_feeds(contracts, project)
    is_own = project != SHIPPED
    always = [feed for feed in feeds if is_own or feed.family == ALWAYS_USED]
    further: dict[str, list[ComparedFeed]] = {}
    for feed in feeds:
        if feed not in always:
            further.setdefault(feed.family, []).append(feed)
    known = {
        "blanks_around": BLANKS_AROUND,
        "feeds": feeds,
        "always": always,
        "further": further,
        "is_own": is_own,
        "assessments": _own_assessments(project, feeds) if is_own else {},
    }
    folder = project.path / (_OWN_FOLDER if is_own else _FOLDER)
    files = {}
    for path in sorted(_TEMPLATES.iterdir()) if feeds else ():
        template = templates.get_template(path.name)
        if path.name == _OF_ONE_FEED:
            for feed in feeds:
                files[folder / f"{feed.model}.sql"] = template.render(known, feed=feed)
        elif path.name == _OF_PARTS:
            for feed in feeds:
                if feed.whole_by:
                    files[folder / f"{feed.parts}.sql"] = template.render(known, feed=feed)
        elif path.name == _OWN_FEEDS.name:
            files |= {project.path / _OWN_FEEDS: template.render(known)} if is_own else {}
        elif not is_own or path.name != _OF_ALL_FEEDS:
            name = path.name.replace("compared_", "compared_own_") if is_own else path.name
            files[folder / name] = template.render(known)
    return {path: _with_rules_left_out(text) for path, text in files.items()}


def _own_assessments(project: Project, feeds: Iterable[ComparedFeed]) -> dict[str, dict[str, str]]:
    """Return feed to mart of each family of a project whose results a model makes assessments."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted((project.path / "models").rglob("int_assessment_results__*.sql")):
        text = path.read_text(encoding="utf-8")
        family = path.stem.partition("__")[2]
        found[family] = {feed.feed: feed.mart for feed in feeds if f"ref('{feed.mart}')" in text}
    return found


def _with_rules_left_out(text: str) -> str:
    """Have the linter pass what keys of several columns and names with blanks make of lines."""
    left_out = "LT02,LT05,RF05" if '."' in text else "LT05"
    if all(len(line) <= _WIDTH for line in text.splitlines()):
        return text
    return re.sub(r"\A((?:-- .*\n)+)", rf"\1-- noqa: disable={left_out}\n", text)


def _header(grain: str) -> str:
    """Write the comment at the top of a model."""
    lines = textwrap.wrap(f"{grain} Written by `rollcall layouts compare`.", _WIDTH - 3)
    return "\n".join(f"-- {line}" for line in lines)


def outdated(contracts: Contracts, project: Project) -> dict[Path, str | None]:
    """Return the files of a project that are not as the layouts say: the text of each, or None.

    None is said of a file that is there and that nothing asks for.
    """
    wanted = rendered(contracts, project)
    folders = {project.path / _FOLDER, project.path / _OWN_FOLDER}
    there = {path for folder in folders for path in folder.glob("*.*")}
    there |= {path for path in (project.path / _OWN_FEEDS,) if path.exists()}
    return {
        path: wanted.get(path)
        for path in sorted(there | set(wanted))
        if not path.exists() or path.read_text(encoding="utf-8") != wanted.get(path)
    }


def write(contracts: Contracts, project: Project) -> dict[Path, str | None]:
    """Write the files of a project that are not as the layouts say; return them.

    dbt parses the project anew afterwards: models read which feeds there are, which dbt does not
    see of a model that has not changed itself.
    """
    changed = outdated(contracts, project)
    if changed:
        (project.path / "target" / "partial_parse.msgpack").unlink(missing_ok=True)
    for path, text in changed.items():
        path.unlink(missing_ok=True)
        if text is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return changed
