"""The guide for curriculum leads: what it shows is run."""

import re
import shutil
from pathlib import Path

import duckdb
from conftest import District

from rollcall.project import PROJECT_DIR

GUIDE = (PROJECT_DIR / "docs" / "mastery.md").read_text(encoding="utf-8")
METHODS = set(
    re.findall(
        r"when '(\w+)' then",
        (PROJECT_DIR / "macros" / "mastery" / "methods.sql").read_text(encoding="utf-8"),
    )
)
EXAMPLE = re.compile(r"^\| (\w+) \| ([\d., ]+) \| (true|false) \| *([\d.]*) *\| (\w+) \|$", re.M)


def test_every_example_of_the_guide_comes_out_as_it_says(
    sample_run: tuple[District, list[int]], compiled: Path, tmp_path: Path
) -> None:
    examples = EXAMPLE.findall(GUIDE)
    assert {method for method, *_ in examples} == METHODS - {"asserted"}
    home = sample_run[0].home
    copy = tmp_path / "building.duckdb"  # the name in the SQL that dbt compiled
    shutil.copyfile(home / "warehouse.duckdb", copy)
    copy.chmod(0o600)
    scoring = next((compiled / "compiled").rglob("int_mastery_scored.sql"))
    with duckdb.connect(str(copy)) as connection:
        for table in (
            *("int_student_inputs", "int_objective_evidence"),
            *("int_current_rules", "int_mastery_scored"),
        ):
            connection.execute(f"delete from transform.{table}")
        for number, (method, percents, can_be_lost, _, _) in enumerate(examples):
            connection.execute(
                "insert into transform.int_student_inputs by name "
                f"select 'sis:{number}' as student_key, 'sis' as roster_source_id, "
                f"{number} as student_id, {number} as inputs_fingerprint"
            )
            connection.execute(
                "insert into transform.int_objective_evidence by name "
                f"select 'sis:{number}' as student_key, 'sis' as roster_source_id, "
                f"{number} as student_id, {number} as objective_id, {number} as rule_key, "
                f"[{percents}] as percents, len(percents) as evidence_count, "
                f"{number} as inputs_fingerprint"
            )
            connection.execute(
                "insert into transform.int_current_rules by name "
                f"select {number} as rule_key, 'r' as rule_id, '{method}' as method, "
                "65 as weight_percent, 2 as needed_count, 70 as threshold_percent, "
                f"1 as minimum_evidence, 2 as rounding_digits, {can_be_lost} as can_be_lost"
            )
        connection.execute(
            "insert into transform.int_mastery_scored by name "
            + scoring.read_text(encoding="utf-8")
        )
        outcomes = connection.execute(
            "select score_percent, automatic_state from transform.int_mastery_status "
            "where try_cast(objective_id as integer) is not null "
            "order by try_cast(objective_id as integer)"
        ).fetchall()
    for example, (score, state) in zip(examples, outcomes, strict=True):
        assert (float(example[3] or -1), example[4]) == (
            float(-1 if score is None else score),
            state,
        )


def test_the_query_of_the_guide_explains_the_override_of_the_sample(
    sample_run: tuple[District, list[int]],
) -> None:
    (query,) = re.findall(
        r"^    select.*?cycle_id\n", GUIDE.split("## Why did it change?")[1], re.M | re.S
    )
    changes = sample_run[0].warehouse(query)
    decided = [(row[0], row[1], row[2], row[4]) for row in changes if row[2] == "override_action"]
    assert decided == [
        (2, "overridden", "override_action", "set"),
        (5, "overridden", "override_action", "clear"),
    ]


def test_every_column_of_the_rules_is_explained() -> None:
    path = PROJECT_DIR / "seeds" / "rules" / "mastery_rules.csv"
    columns = path.read_text(encoding="utf-8").splitlines()[0].split(",")
    explained = set(re.findall(r"`(\w+)`", GUIDE))
    assert set(columns) - explained == {"rule_id", "rule_version", "note"}
