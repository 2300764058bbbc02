"""Write `docs/tables.md`: every public table with its grain, its keys, and a question it answers.

Run `python scripts/tables_page.py WAREHOUSE`, where WAREHOUSE is the published file of the sample
(`make demo`). Grain, keys, question and query come from the YAML of the models; the output comes
from the warehouse.
"""

import sys
from pathlib import Path
from typing import Any

import duckdb
import yaml

PROJECT_DIR = Path(__file__).resolve().parents[1]
PAGE = PROJECT_DIR / "docs" / "tables.md"
SCHEMAS = {
    "core": "For everybody: what the exports say, one mart for each thing. Read these first.",
    "progression": "For everybody: what students have mastered, what that rests on, and what is "
    "open to them.",
    "reconciliation": "For administrators and auditors: whether everything has arrived, record by "
    "record.",
    "audit": "For data staff and auditors: what became of every file and record, and how far a "
    "number can be trusted.",
}


NO_SOURCE = "No source of the sample district sends this."
_CLAUSES = frozenset({"from", "inner", "where", "group", "order", "limit"})
INTRODUCTION = """# Public tables

Made by `scripts/tables_page.py` from the YAML of the models; the answers are those of the sample
district. `<entity>_key` is made of source and id (`sis:STU-1`), so one column joins:
`fct_result.student_key = dim_user.user_key`. `source_id` is always the system that exported the
row, `roster_source_id` the one whose ids it refers to. A reference resolves, or `unresolved` names
it. Schemas that are not listed here may change at any time."""


def models(schema: str) -> list[dict[str, Any]]:
    """Read the YAML of the marts of a schema, in the order of their names."""
    found = []
    for path in sorted((PROJECT_DIR / "models" / "marts" / schema).glob("*.yml")):
        found += yaml.safe_load(path.read_text(encoding="utf-8"))["models"]
    return found


def keys(model: dict[str, Any]) -> tuple[str, list[str]]:
    """Return the columns that identify a row, and what each key refers to, from the tests."""
    grain, references = "", []
    for test in model.get("data_tests", []):
        for name, what in test.items():
            if name == "one_row_per" and not grain:
                grain = ", ".join(f"`{column}`" for column in what["arguments"]["columns"])
            if name == "references_resolve":
                references = [
                    f"`{reference['column']}` is `{reference['to']}.{reference['field']}`"
                    for reference in what["arguments"]["references"]
                ]
    return grain, references


def is_there(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> bool:
    """Say whether a warehouse has a table; not where no source sends what it holds."""
    found = connection.execute(
        "select 1 from information_schema.tables where table_schema = ? and table_name = ?",
        [schema, table],
    )
    return found.fetchone() is not None


def answer(connection: duckdb.DuckDBPyConnection, query: str) -> str:
    """Run a query; returns its output as a table of Markdown."""
    result = connection.execute(query)
    names = [column[0] for column in result.description or []]
    lines = [names, ["---"] * len(names)]
    lines += [[_text(value) for value in row] for row in result.fetchall()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def in_lines(query: str) -> str:
    """Begin a line with every clause that is not within brackets."""
    lines, depth = [""], 0
    for word in query.split():
        if not depth and word in _CLAUSES:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
        depth += word.count("(") - word.count(")")
    return "\n".join(lines)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value).replace("|", "\\|")


def render(warehouse: Path) -> str:
    """Render the page from the YAML and a published warehouse."""
    lines = [INTRODUCTION]
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        for schema, purpose in SCHEMAS.items():
            lines += ["", f"## {schema}", "", purpose]
            for model in models(schema):
                meta = model["config"]["meta"]
                grain, references = keys(model)
                lines += ["", f"### {schema}.{model['name']}", "", model["description"], ""]
                lines.append(f"Key: {grain}." + "".join(f" {text}." for text in references))
                lines += [
                    "",
                    f"*{meta['question']}*",
                    "",
                    "```sql",
                    in_lines(meta["query"]),
                    "```",
                    "",
                ]
                lines.append(
                    answer(connection, meta["query"])
                    if is_there(connection, schema, model["name"])
                    else NO_SOURCE
                )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(render(Path(sys.argv[1])), encoding="utf-8")
