"""What is done to a column, in words that are those of the macro which does it."""

import hashlib
import re
from pathlib import Path
from typing import Any

import yaml
from test_exports_times import rendered

from rollcall.mapping.words import Words
from rollcall.project import PROJECT_DIR, SHIPPED
from rollcall.project import Project as RollcallProject

CONTRACTS = SHIPPED.contracts()
WORDS = Words(SHIPPED)


def test_every_staged_column_is_read_by_a_macro_that_says_what_it_does() -> None:
    used = set()
    for layout in CONTRACTS.layouts:
        for column, raw_column in layout.staged:
            reading = WORDS.of(column.staged_as)
            assert not reading.problem, f"{column.staged_as}: {reading.problem}"
            assert reading.words
            assert reading.raw_column == raw_column, column.staged_as
            used.add(reading.macro)
    written = "".join(
        path.read_text(encoding="utf-8") for path in (PROJECT_DIR / "macros/parsing").glob("*.sql")
    )
    arguments = dict(re.findall(r"{%-? macro (\w+)\((.*?)\)", written))
    described = {name: macro for name, macro in WORDS.macros.items() if name in used}
    assert set(described) == used
    assert {name: ", ".join(macro.arguments) for name, macro in described.items()} == {
        name: arguments[name] for name in used
    }


def test_the_words_are_those_of_the_macro_that_the_base_view_is_written_with() -> None:
    written = 0
    for path in sorted((PROJECT_DIR / "models/staging").glob("*/base/base_*.sql")):
        model = f"stg_{path.stem.removeprefix('base_')}"
        text = path.read_text(encoding="utf-8")
        for macro, raw, column in re.findall(r"{{ (\w+)\('([^']+)'\) }} as (\w+),", text):
            reading = WORDS.of(f"{model}.{column}")
            if macro in ("own_key", "roster_key", "precision", "usable_at") or not reading.words:
                continue
            assert (reading.macro, reading.raw_column) == (macro, raw), f"{model}.{column}"
            assert reading.words == WORDS.macros[macro].description
            written += 1
    assert written > 300


def test_the_words_of_a_macro_were_written_for_the_sql_that_it_gives() -> None:
    """Mended by reading the description again, and writing the hash that this test finds."""
    path = PROJECT_DIR / "macros" / "parsing" / "parsing.yml"
    arguments: dict[str, tuple[Any, ...]] = {"one_of": ("x", ("A", "b"))}
    for macro in yaml.safe_load(path.read_text(encoding="utf-8"))["macros"]:
        sql = rendered(macro["name"], *arguments.get(macro["name"], ("x",)))
        found = hashlib.sha256(sql.encode()).hexdigest()[:12]
        assert macro["config"]["meta"]["written_for"] == found, macro["name"]


def test_a_base_view_of_a_district_says_what_it_does_or_why_nobody_can(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    (folder / "models").mkdir(parents=True)
    (folder / "macros").mkdir()
    (folder / "dbt_project.yml").write_text("name: acme\n", encoding="utf-8")
    (folder / "models" / "base_acme__skills.sql").write_text(
        "{% for n in [1, 2] %}{{ rollcall.text('Skill' ~ n) }} as skill_{{ n }},\n{% endfor %}\n"
        "{{ rollcall.one_of('Level', ['A', 'B']) }} as level,\n"
        "{{ doubled('Score', times=2) }} as score,\n"
        "{{ secret('Code') }} as code,\n"
        "upper({{ rollcall.text('Name') }}) as name,\n"
        "{{ rollcall.text('Twice') }} as twice,\n"
        "{{ rollcall.text('Later') }} as later,\n"
        "{{ rollcall.text('More', 1) }} as more,\n"
        "select * replace (upper(twice) as twice) from typed\n",
        encoding="utf-8",
    )
    (folder / "models" / "stg_acme__skills.sql").write_text(
        "select *, later || later as later from {{ ref('base_acme__skills') }}\n", encoding="utf-8"
    )
    (folder / "macros" / "acme.yml").write_text(
        "macros:\n"
        "  - {name: text, description: 'As it is.', arguments: [{name: column}]}\n"
        "  - {name: one_of, description: 'One of them.', "
        "arguments: [{name: column}, {name: values}]}\n"
        "  - {name: doubled, description: 'Taken more than once.', arguments: [{name: column}]}\n"
        "  - {name: secret}\n",
        encoding="utf-8",
    )
    words = Words(RollcallProject(folder))
    said = {
        column: words.of(f"stg_acme__skills.{column}")
        for column in (
            "skill_1",
            "skill_2",
            "level",
            "score",
            "code",
            "name",
            "twice",
            "later",
            "more",
            "other",
        )
    }
    assert (said["skill_2"].raw_column, said["skill_2"].words) == ("Skill2", "As it is.")
    assert said["level"].words == "One of them. Values: A, B."
    assert said["score"].words == "Taken more than once. Times: 2."
    assert "the macro secret, with which base_acme__skills reads it" in said["code"].problem
    for column in ("name", "twice", "later"):
        assert "SQL of its own" in said[column].problem, column
    assert "arguments that are not described" in said["more"].problem
    assert "no base view" in said["other"].problem
