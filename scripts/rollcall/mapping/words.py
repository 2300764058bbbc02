"""What is done to a column, in words: how the macro is described with which its base view reads it.

The base view is rendered as it is written, with every macro replaced by a mark, so that loops and
lists of it count. There is no second list of words that could say something else than the SQL.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import jinja2
import yaml

from rollcall.errors import UsageError
from rollcall.project import Project

_YAML = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_OPEN, _CLOSE = "\ue000", "\ue001"
_READ = re.compile(r"\s*(?P<sql>\S.*?) as (?P<column>\w+),?\s*")
_NAMED = re.compile(r"\bas (\w+)", re.IGNORECASE)
_MARK = re.compile(rf"{_OPEN}(\d+){_CLOSE}")


@dataclass(frozen=True, slots=True)
class MacroWords:
    """A macro as its YAML describes it: in words, with the names of its arguments."""

    description: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """How a base view reads a staged column.

    `raw_column` is the column of the raw table, `macro` the macro that reads it, and `words` what
    it does; where nobody can tell, `words` is blank and `problem` says why.
    """

    raw_column: str
    macro: str
    words: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Call:
    """A macro that a base view calls, and with what."""

    macro: str
    arguments: tuple[Any, ...]
    named: Mapping[str, Any]


class _Marked(str):
    """What a macro gives in place of SQL: a mark; of a list it would give, nothing."""

    def __add__(self, _: object) -> "_Marked":
        return self

    def __iter__(self) -> Any:
        return iter(())


class Words:
    """What the base views of a project do to each staged column, as its macros are described.

    Args:
        project: the project; its own macros and models go before those of its packages.
    """

    def __init__(self, project: Project) -> None:
        self._models = {path.stem: path for _, path in _files(project, "model-paths", ".sql")}
        self.macros: dict[str, MacroWords] = {}
        for _, path in _files(project, "macro-paths", ".yml"):
            for macro in _described(path):
                arguments = tuple(argument["name"] for argument in macro.get("arguments") or ())
                text = " ".join((macro.get("description") or "").split())
                self.macros[macro["name"]] = MacroWords(text, arguments)
        self._readings: dict[str, dict[str, Reading]] = {}

    def of(self, staged_as: str) -> Reading:
        """Say how a staged column, `model.column`, is read."""
        model, _, column = staged_as.partition(".")
        base = f"base_{model.removeprefix('stg_')}"
        if base not in self._readings:
            self._readings[base] = self._read(base, model)
        missing = Reading("", "", "", f"no base view {base} reads it")
        return self._readings[base].get(column, missing)

    def _read(self, base: str, staging: str) -> dict[str, Reading]:
        """Read a base view: its columns, each with how it is read.

        One that is named a second time, there or in the staging model on it, is not what it was.
        """
        if base not in self._models:
            return {}
        text, calls = _rendered(self._models[base].read_text(encoding="utf-8"))
        after = self._models.get(staging)
        after_text = _rendered(after.read_text(encoding="utf-8"))[0] if after else ""
        named = Counter(_NAMED.findall(text + after_text))
        found = filter(None, map(_READ.fullmatch, text.splitlines()))
        return {
            read["column"]: self._reading(
                base, read["sql"] if named[read["column"]] == 1 else "", calls
            )
            for read in found
        }

    def _reading(self, base: str, sql: str, calls: Sequence[_Call]) -> Reading:
        mark = _MARK.fullmatch(sql)
        if not mark:
            return Reading("", "", "", f"{base} reads it by SQL of its own; make that a macro")
        call = calls[int(mark[1])]
        macro = self.macros.get(call.macro)
        who = f"the macro {call.macro}, with which {base} reads it,"
        if macro is None or not macro.description:
            return Reading("", call.macro, "", f"{who} has no description")
        if len(call.arguments) > len(macro.arguments):
            return Reading("", call.macro, "", f"{who} has arguments that are not described")
        first, *others = call.arguments or ("",)
        more = dict(zip(macro.arguments[1:], others, strict=False)) | dict(call.named)
        said = [
            macro.description,
            *(f"{_label(key)}: {_text(value)}." for key, value in more.items()),
        ]
        return Reading(str(first), call.macro, " ".join(said))


def _described(path: Path) -> list[dict[str, Any]]:
    """Return what a YAML file says of macros.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        found = yaml.load(path.read_text(encoding="utf-8"), Loader=_YAML)  # noqa: S506
    except yaml.YAMLError as error:
        raise UsageError(f"{path} cannot be read: {' '.join(str(error).split())}") from error
    return found.get("macros") or [] if isinstance(found, dict) else []


def _files(project: Project, kind: str, ending: str) -> list[tuple[str, Path]]:
    """List the files of a kind; those of the project itself come last, and so count."""
    return [file for file in reversed(list(project.files([kind]))) if file[1].suffix == ending]


def _rendered(sql: str) -> tuple[str, list[_Call]]:
    """Render a model as it is written, its macros as marks; returns them in the order of marks."""
    calls: list[_Call] = []

    class Macro(jinja2.Undefined):
        """Any name that the model does not set itself: a macro, or the package of one."""

        def __call__(self, *arguments: Any, **named: Any) -> _Marked:  # type: ignore[override]
            name = cast(str, self._undefined_name)
            calls.append(_Call(name, arguments, named))
            return _Marked(f"{_OPEN}{len(calls) - 1}{_CLOSE}")

        def __getattr__(self, name: str) -> "Macro":
            if name.startswith("__"):
                raise AttributeError(name)
            return Macro(name=name)

    environment = jinja2.Environment(  # noqa: S701 - it writes SQL
        undefined=Macro, extensions=["jinja2.ext.do"], keep_trailing_newline=True
    )
    return environment.from_string(sql).render(), calls


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
