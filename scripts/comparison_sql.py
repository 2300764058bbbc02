"""Write the SQL by which reconciliation compares exports with marts, from the layouts.

The SQL is committed, read and linted like any other; it changes with the layouts alone, and no
variant of a layout changes it. It reads raw text in its own way and shares no macro with staging,
which is what makes it a witness. What it looks like, `comparison_templates/` says.

    python scripts/comparison_sql.py           writes models/intermediate/reconciliation/compared/
    python scripts/comparison_sql.py --check   says what is not current, and ends with 1
"""

import re
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from rollcall.contracts.layouts import Column
from rollcall.contracts.project import Contracts
from rollcall.contracts.sources import Feed
from rollcall.project import PROJECT_DIR

FOLDER = PROJECT_DIR / "models" / "intermediate" / "reconciliation" / "compared"
ALWAYS_USED = "oneroster"
"""The family whose models are there whatever `sources.csv` declares."""

_TEMPLATES = Path(__file__).parent / "comparison_templates"
_WIDTH = 120
"""How long a line of SQL may be, as sqlfluff is told."""
_CASTS = {
    "date": "try_cast({} as date)",
    "datetime": "try_cast({} as timestamptz) at time zone 'UTC'",
    "float": "try_cast({} as decimal(18, 6))",
    "integer": "try_cast({} as integer)",
    "year": "try_cast({} as integer)",
    "bool": "try_cast(trim({}) as boolean)",
}
"""SQL that reads a raw text as a type: by the engine's own casts, and otherwise than staging.

Of these casts only that to a boolean minds blanks around the text."""


@dataclass(frozen=True, slots=True)
class ComparedColumn:
    """A staged column: where it stands in the raw table and in the mart, and what type it has.

    `is_filled` when the mart fills it from elsewhere where the record leaves it blank;
    `is_everywhere` when every staged version of the feed has it.
    """

    raw_column: str
    name: str
    data_type: str
    is_filled: bool
    is_everywhere: bool

    @property
    def text(self) -> str:
        """The raw column as SQL; DuckDB compares names without case."""
        is_plain = re.fullmatch(r"[A-Za-z_]\w*", self.raw_column)
        return f"records.{self.raw_column.lower()}" if is_plain else f'records."{self.raw_column}"'

    @property
    def is_list(self) -> bool:
        """Whether the mart holds a list."""
        return self.data_type in ("list", "reflist")

    @property
    def value(self) -> str:
        """What the record says, as SQL of the mart's type, a list as one text."""
        if self.data_type in _CASTS:
            return _CASTS[self.data_type].format(self.text)
        if self.is_list:
            return f"nullif(trim(regexp_replace({self.text}, ' *,[ ,]*', ',', 'g'), ' ,'), '')"
        return f"nullif(trim({self.text}), '')"

    @property
    def processed(self) -> str:
        """What the row says, as SQL, a list as one text."""
        if self.is_list:
            return f"nullif(array_to_string(processed.{self.name}, ','), '')"
        return f"processed.{self.name}"

    @property
    def staged(self) -> str:
        """What staging says, as SQL of a text."""
        return self._as_text(self.processed.replace("processed.", "staged."))

    def _as_text(self, value: str) -> str:
        return f"cast({value} as varchar)" if self.data_type in _CASTS else value

    @property
    def differences(self) -> tuple[tuple[str, str], ...]:
        """Conditions, in two parts, of which one holds when record and row differ.

        What cannot be read is not blank.
        """
        value = self.value
        if self.is_filled:
            value = f"coalesce({value}, {self.processed})"
        found = ((value, f"is distinct from {self.processed}"),)
        if self.data_type not in _CASTS:
            return found
        return (*found, (f"({self.processed} is null", f"and trim({self.text}) <> '')"))

    @property
    def condition(self) -> str:
        """The same as one condition for millions of rows: first what is cheap and seldom true."""
        if self.is_everywhere and (self.data_type in _CASTS or self.is_list or self.is_filled):
            return _joined(self.differences, 16, taken=len("or "))
        found = _joined(self.differences, 24)
        if len(self.differences) > 1:
            found = f"(\n{textwrap.indent(found, '    ')}\n)"
        first = f"{self.text} is distinct from processed.{self.name}"
        if not self.is_everywhere:
            first = f"({self.text} is not null or processed.{self.name} is not null)"
        return "(\n" + textwrap.indent(f"{first}\nand {found}", "    ") + "\n)"

    @property
    def comparison(self) -> str:
        """Both values and whether they differ, as a struct of SQL."""
        processed = self._as_text(self.processed)
        parts = (
            f"'raw_column': '{self.raw_column}',",
            f"'processed_column': '{self.name}',",
            f"'source_value': trim({self.text}),",
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
    """A staged feed: its staging model and mart, its key, and the columns that are compared."""

    feed: str
    mart: str
    staged: str
    key: ComparedColumn
    status: ComparedColumn
    columns: tuple[ComparedColumn, ...]

    @property
    def family(self) -> str:
        """The family of the feed."""
        return self.feed.split("/")[0]

    @property
    def model(self) -> str:
        """The name of the model that compares it."""
        return f"int_compared__{self.feed.replace('/', '__')}"

    @property
    def raw_table(self) -> str:
        """The raw table, as dbt names a source."""
        family, name = self.feed.split("/")
        return f"{{{{ source('raw_{family}', '{name}') }}}}"

    @property
    def deletes(self) -> str:
        """A condition: the record deletes."""
        return f"trim({self.status.text}) in ('tobedeleted', 'inactive')"

    @property
    def keeps(self) -> str:
        """A condition: the record has a status and deletes nothing."""
        return self.deletes.replace(" in (", " not in (")

    @property
    def modified(self) -> ComparedColumn:
        """The column that dates the record."""
        return next(column for column in self.columns if column.name == "modified_at")

    @property
    def references(self) -> tuple[ComparedColumn, ...]:
        """The columns that refer to records of other feeds."""
        return tuple(c for c in self.columns if c.data_type in ("ref", "reflist"))

    @property
    def numbers(self) -> tuple[ComparedColumn, ...]:
        """The columns that are summed."""
        return tuple(column for column in self.columns if column.data_type == "float")

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
            is_too_long = not place and len(first) > room
            lines += ["", first, second] if is_too_long else [f"{before}{first}", second]
    return "\n".join(lines)


def compared_feeds(contracts: Contracts) -> tuple[ComparedFeed, ...]:
    """Return every staged feed."""
    return tuple(_compared_feed(contracts, feed) for feed in contracts.feeds if feed.is_staged)


def _compared_feed(contracts: Contracts, feed: Feed) -> ComparedFeed:
    mart = feed.mart.split(".")[-1]
    filled = _filled_columns(mart)
    found: dict[str, list[tuple[Column, str]]] = {}
    layouts = [
        layout
        for layout in contracts.versions(feed.feed)
        if layout.is_staged and layout.version == layout.base_version
    ]
    for layout in layouts:
        for column, raw_column in zip(layout.columns, layout.raw_columns, strict=True):
            if column.staged_as:
                found.setdefault(column.staged_as, []).append((column, raw_column))
    columns = {}
    for staged_as, pairs in found.items():
        column, raw_column = pairs[0]
        model, name = staged_as.split(".")
        is_everywhere = len(pairs) == len(layouts)
        columns[name] = ComparedColumn(
            raw_column, name, column.data_type, name in filled, is_everywhere
        )
        if column.is_key:
            key = name
    return ComparedFeed(
        feed.feed,
        mart,
        model,
        columns.pop(key),
        columns.pop("is_deleted"),
        tuple(columns.values()),
    )


def _filled_columns(mart: str) -> set[str]:
    """Return the columns that a mart fills from elsewhere, as its description says."""
    [path] = (PROJECT_DIR / "models" / "marts").rglob(f"{mart}.yml")
    text = path.read_text(encoding="utf-8")
    return set(re.findall(r"\{name: (\w+),.*filled_where_blank: true", text))


def rendered(contracts: Contracts) -> dict[Path, str]:
    """Return every file with its text."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        block_start_string="[%",
        block_end_string="%]",
        variable_start_string="[[",
        variable_end_string="]]",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  (it is SQL)
    )
    environment.filters["header"] = _header
    feeds = compared_feeds(contracts)
    further = {feed.family: [f for f in feeds if f.family == feed.family] for feed in feeds}
    further.pop(ALWAYS_USED)
    known = {"feeds": feeds, "always_used": ALWAYS_USED, "further": further}
    files = {
        path: environment.get_template(path.name).render(known)
        for path in _TEMPLATES.iterdir()
        if path.stem != "int_compared__feed"
    }
    compared = environment.get_template("int_compared__feed.sql")
    return {FOLDER / path.name: text for path, text in files.items()} | {
        FOLDER / f"{feed.model}.sql": compared.render(known, feed=feed) for feed in feeds
    }


def _header(grain: str) -> str:
    """Write the comment at the top of a model."""
    lines = textwrap.wrap(f"{grain} Written by scripts/comparison_sql.py.", _WIDTH - 3)
    return "\n".join(f"-- {line}" for line in lines)


def main(arguments: list[str]) -> int:
    """Write the files, or say which are not current."""
    wanted = rendered(Contracts.load(PROJECT_DIR / "seeds" / "contracts"))
    there = {path: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.*")}
    outdated = {path for path in wanted | there if wanted.get(path) != there.get(path)}
    if "--check" in arguments:
        for path in sorted(outdated):
            print(f"{path.relative_to(PROJECT_DIR)} is not current; run `make generate`.")
        return 1 if outdated else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in outdated:
        path.unlink(missing_ok=True)
        if path in wanted:
            path.write_text(wanted[path], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
