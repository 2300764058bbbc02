"""Write the own columns of each feed into the YAML of its `base_` view and its `stg_` model.

Which there are, and of which type, the SQL of the base view says; what a column of an export means
and which class of personal data it is, the layouts. What else the base view makes, such as a key,
is described by hand in its YAML, as are the columns that all feeds have.

    python scripts/staging_yaml.py             writes models/staging/<family>/
"""

import ast
import re
from pathlib import Path

from rollcall.contracts.layouts import VARIANT_MARK, version_order
from rollcall.contracts.reading import rows
from rollcall.project import PROJECT_DIR

STAGING = PROJECT_DIR / "models" / "staging"
LAYOUTS = PROJECT_DIR / "seeds" / "contracts" / "layouts.csv"

_CLASSES = ("none", "indirect", "direct", "sensitive")
_LEFT_IN_BASE = ("record_key", "violations")
_LOOP = re.compile(
    r"^ *{% for (?P<names>[\w, ]+) in "
    r"(?:range\((?P<first>\d+), (?P<after>\d+)\)|(?P<group>\w+)\.items\(\)) %}\n"
    r"(?P<body>.*?)^ *{% endfor %}\n",
    re.S | re.M,
)
_LINE = re.compile(r"^      - \{name: (\w+), (?:data_type|description): .*$", re.M)
_TYPES = {
    **dict.fromkeys(("text", "one_of", "own_key", "roster_key", "precision"), "varchar"),
    **dict.fromkeys(("text_list", "roster_keys"), "varchar[]"),
    **dict.fromkeys(("boolean", "is_deletion"), "boolean"),
    **dict.fromkeys(("instant", "end_of_day", "usable_at"), "timestamp"),
    **dict.fromkeys(("integer", "year"), "integer"),
    **dict.fromkeys(("nwea_result_id", "nwea_student_id", "own_record_key"), "varchar"),
    **dict.fromkeys(("iready_result_id", "iready_lesson_id"), "varchar"),
    **dict.fromkeys(("star_standard_id", "star_skill_area_id"), "varchar"),
    **dict.fromkeys(("canvas_result_id", "canvas_competency_id"), "varchar"),
    **dict.fromkeys(("canvas_score_id", "canvas_enrollment_id"), "varchar"),
    "ilearn_result_id": "varchar",
    **dict.fromkeys(("local_precision", "hash_of_columns"), "varchar"),
    **dict.fromkeys(("local_instant", "local_usable_at"), "timestamp"),
    **dict.fromkeys(("date", "us_date", "digit_date"), "date"),
    "time_of_day": "time",
    "school_year": "integer",
    **dict.fromkeys(("number", "written_number"), "decimal(18, 6)"),
}
"""What the macros of `macros/parsing/` make of a raw column."""


def rendered() -> dict[Path, str]:
    """Return every file with its text.

    Raises:
        SystemExit: a column of a base view has no description, or is of a type that is not known.
    """
    from_layouts = _lines_from_layouts()
    files = {}
    for base in sorted(STAGING.glob("*/base/*.yml")):
        model = base.stem.replace("base_", "stg_", 1)
        macros = _columns(base.with_suffix(".sql"))
        text = base.read_text(encoding="utf-8")
        by_hand = {found[1]: found[0] for found in _LINE.finditer(text)}
        known = from_layouts.get(model, {}) | {
            name: line for name, line in by_hand.items() if "doc(" in line
        }
        lines = {name: known.get(name) or by_hand.get(name, "") for name in macros}
        for name in macros:
            if not lines[name]:
                raise SystemExit(f"Describe {name}, which {base.stem} makes, in {base.name}.")
        files[base] = _with_own(text, lines)
        staged = base.parent.with_name(f"{model}.yml")
        typed = {
            name: line.replace(", ", f", data_type: '{_type_of(name, macros[name])}', ", 1)
            for name, line in lines.items()
            if name not in _LEFT_IN_BASE
        }
        files[staged] = _with_own(staged.read_text(encoding="utf-8"), typed)
    return files


def _lines_from_layouts() -> dict[str, dict[str, str]]:
    """Return the lines of the columns that exports bring, by staging model and name.

    The newest version says what a column means, the strictest one how personal it is.
    """
    found: dict[str, dict[str, str]] = {}
    classes: dict[str, str] = {}
    staged = [row for _, row in rows(LAYOUTS) if row["staged_as"]]
    staged.sort(key=lambda row: version_order(row["layout_version"]))
    staged.sort(key=lambda row: VARIANT_MARK not in row["layout_version"])
    for row in staged:
        model, name = row["staged_as"].split(".")
        given = (classes.get(row["staged_as"], "none"), row["personal_data"])
        classes[row["staged_as"]] = personal_data = max(given, key=_CLASSES.index)
        meaning = row["meaning"].replace("'", "''")
        found.setdefault(model, {})[name] = (
            f"      - {{name: {name}, description: '{meaning}', "
            f"config: {{meta: {{personal_data: {personal_data}}}}}}}"
        )
    return found


def expanded(sql: str) -> str:
    """Write out the loops by which a base view reads groups of like columns."""
    groups = {
        name: ast.literal_eval(pairs)
        for name, pairs in re.findall(r"{% set (\w+) = ({[^%]*}) %}", sql, re.S)
    }

    def turns(loop: re.Match[str]) -> str:
        of_numbers = loop["first"] is not None
        rounds = range(int(loop["first"]), int(loop["after"])) if of_numbers else ()
        found = [(str(number),) for number in rounds] or list(groups[loop["group"]].items())
        names = loop["names"].split(", ")
        return "".join(_with_values(loop["body"], dict(zip(names, v, strict=True))) for v in found)

    return _LOOP.sub(turns, sql)


def _with_values(text: str, values: dict[str, str]) -> str:
    """Put values in the place of the variables of a loop."""
    for name, value in values.items():
        text = text.replace(f"' ~ {name} ~ '", value).replace(f"{name} ~ '", f"'{value}")
        text = text.replace(f"{{{{ {name} }}}}", value)
    return text


def _columns(base: Path) -> dict[str, str]:
    """Return the own columns of a base view in order, each with the macro that reads it."""
    sql = expanded(base.read_text(encoding="utf-8"))
    [typed] = re.findall(r"^typed as \(\n(.*?)^    from ", sql, re.S | re.M)
    found = re.findall(r"^ {8}(?:\{\{ (\w+)\(|\]\) \}\}).* as (\w+),?$", typed, re.M)
    return {name: macro for macro, name in found}


def _type_of(name: str, macro: str) -> str:
    if macro not in _TYPES:
        raise SystemExit(f"Say in _TYPES of {Path(__file__).name} what '{macro}' makes of {name}.")
    return _TYPES[macro]


def _with_own(text: str, own: dict[str, str]) -> str:
    """Put the lines of a feed's own columns where such lines stand."""
    lines = text.splitlines()
    places = [
        place
        for place, line in enumerate(lines)
        if (found := _LINE.match(line)) and found[1] in own
    ]
    lines[places[0] : places[-1] + 1] = own.values()
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the files."""
    for path, text in rendered().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
