"""The package in folders by stage: who may import whom, and who may write."""

import ast
import re
from pathlib import Path

import pytest

from rollcall.contracts.sources import DELIMITERS, ENCODINGS
from rollcall.csvfile.framing import DELIMITERS as FRAMED
from rollcall.csvfile.framing import SUPPORTED_ENCODINGS
from rollcall.project import PROJECT_DIR

PACKAGE = PROJECT_DIR / "scripts" / "rollcall"
EVERYWHERE = {
    *("archived", "clock", "databases", "environment", "errors", "folders", "home", "project"),
    "sanitize",
    *("templating", "zipped"),
}
MAY_IMPORT = {
    "csvfile": {"errors"},
    "contracts": {"errors"},
    "ledger": EVERYWHERE | {"contracts"},
    "landing": EVERYWHERE | {"csvfile", "contracts", "ledger"},
    "comparison": EVERYWHERE | {"contracts", "ledger"},
    "scaffold": EVERYWHERE | {"csvfile", "contracts", "ledger"},
    "mapping": EVERYWHERE | {"csvfile", "contracts", "ledger"},
    "report": EVERYWHERE | {"contracts", "ledger", "mapping"},
    "promotion": EVERYWHERE | {"contracts", "ledger", "mapping"},
    "trace": EVERYWHERE | {"csvfile", "contracts", "ledger"},
    "cycle": EVERYWHERE | {"csvfile", "contracts", "ledger", "landing", "report"},
    "fleet": EVERYWHERE | {"ledger", "cycle"},
}
"""What each folder may import besides itself; `cli` may import everything."""
READERS = ("report", "trace")
READING = {"ledger.entries", "ledger.sql", "ledger.status"}
"""What readers may import of the ledger."""
WRITES = re.compile(
    r"\b(insert\s+(or\s+replace\s+)?into|update\s+[\w.]+\s+set|delete\s+from|drop\s+(table|view)"
    r"|truncate|create\s+(?!temp\b|or\s+replace\s+temp\b))",
    re.IGNORECASE,
)
"""SQL that writes what is kept; temporary tables are thrown away with their connection."""


def modules() -> dict[str, Path]:
    """Return every module of the package by its dotted name below `rollcall`."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = path
    return found


MODULES = modules()
FOLDERS = sorted({name.split(".")[0] for name in MODULES if "." in name})


def imports(name: str) -> set[str]:
    """Return the modules of the package that a module imports, wherever the statement stands."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: a relative import hides the folder"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                is_module = whole.removeprefix("rollcall.") in MODULES
                found.add(whole if is_module else str(node.module))
    inside = {module.removeprefix("rollcall.") for module in found if module.startswith("rollcall")}
    return inside - {"rollcall"}


IMPORTS = {name: imports(name) for name in MODULES}


def test_every_folder_has_its_layer() -> None:
    assert {*MAY_IMPORT, "cli"} == set(FOLDERS)


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_a_folder_imports_only_what_lies_below_it(folder: str) -> None:
    wrong = {
        f"{name} imports {module}"
        for name, imported in IMPORTS.items()
        for module in imported
        if name.split(".")[0] == folder
        and module.split(".")[0] not in MAY_IMPORT[folder] | {folder}
    }
    assert not wrong


def test_nothing_but_the_entry_point_imports_the_command_line() -> None:
    wrong = {
        name
        for name, imported in IMPORTS.items()
        if name.split(".")[0] not in ("cli", "__main__")
        and any(m.split(".")[0] == "cli" for m in imported)
    }
    assert not wrong


@pytest.mark.parametrize("folder", READERS)
def test_report_and_trace_read_and_never_write(folder: str) -> None:
    for path in sorted((PACKAGE / folder).rglob("*")):
        if path.suffix in (".py", ".sql"):
            assert not WRITES.search(path.read_text(encoding="utf-8")), path.name
    for name, imported in IMPORTS.items():
        if name.split(".")[0] == folder:
            of_ledger = {module for module in imported if module.split(".")[0] == "ledger"}
            assert of_ledger <= READING, name


def test_nothing_of_the_package_is_imported_inside_a_function() -> None:
    late = set()
    for name, path in MODULES.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node not in tree.body:
                late |= {f"{name}:{node.lineno}"} if "rollcall" in str(node.module) else set()
    assert not late


def test_imports_are_not_circular() -> None:
    ready: set[str] = set()
    waiting = dict(IMPORTS)
    while waiting:
        free = {name for name, imported in waiting.items() if imported <= ready}
        assert free, f"these import each other: {sorted(waiting)}"
        ready |= free
        for name in free:
            del waiting[name]


def test_the_framer_reads_every_encoding_and_delimiter_that_a_source_may_declare() -> None:
    assert ENCODINGS == SUPPORTED_ENCODINGS
    assert tuple(DELIMITERS) == tuple(FRAMED)


def test_every_query_of_the_report_is_a_listing_and_ends_with_an_order() -> None:
    contents = (PACKAGE / "report" / "contents.py").read_text(encoding="utf-8")
    for query in sorted((PACKAGE / "report" / "queries").glob("*.sql")):
        assert f'"{query.stem}",' in contents
        assert "\norder by" in query.read_text(encoding="utf-8"), query.name
