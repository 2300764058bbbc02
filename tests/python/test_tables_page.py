"""The page of public tables: every one of them, and what it answers on the sample."""

import re
import sys

from conftest import SAMPLE_PROJECT, District

from rollcall.contracts.project import Contracts
from rollcall.project import PROJECT_DIR

sys.path.append(str(PROJECT_DIR / "scripts"))
from tables_page import PAGE, SCHEMAS, models, render

NOTHING_ON_THE_SAMPLE = {"recon_contest", "recon_unexpected_record"}
ASSESSMENTS = {"nwea", "iready", "star", "canvas", "state"}
"""The families by which `has_assessments` is true."""
SAMPLE_CONTRACTS = Contracts.load(
    *(project / "seeds" / "contracts" for project in (SAMPLE_PROJECT, PROJECT_DIR))
)


def is_of_unused_family(schema: str, name: str) -> bool:
    """Say whether a mart is of a family that no source of the sample sends."""
    sql = (PROJECT_DIR / "models" / "marts" / schema / f"{name}.sql").read_text(encoding="utf-8")
    used = re.search(r"enabled=is_used\('(\w+)'\)", sql)
    families = {used[1]} if used else (ASSESSMENTS if "enabled=has_assessments()" in sql else set())
    return bool(families) and not families & {*SAMPLE_CONTRACTS.families}


def test_the_page_is_current(sample_run: tuple[District, list[int]]) -> None:
    assert render(sample_run[0].home / "warehouse.duckdb") == PAGE.read_text(encoding="utf-8")


def test_every_public_table_has_a_grain_and_a_question_that_is_answered(
    sample_run: tuple[District, list[int]],
) -> None:
    district, _ = sample_run
    unanswered = set()
    for schema in SCHEMAS:
        of_warehouse = district.warehouse(
            f"select table_name from information_schema.tables where table_schema = '{schema}'"
        )
        there = {name for (name,) in of_warehouse}
        described = {model["name"] for model in models(schema)}
        assert there <= described
        assert described - there == {
            name for name in described if is_of_unused_family(schema, name)
        }
        for model in models(schema):
            assert model["description"].startswith("One row per")
            assert model["config"]["meta"]["question"].endswith("?")
            if model["name"] in there and not district.warehouse(model["config"]["meta"]["query"]):
                unanswered.add(model["name"])
    assert unanswered == NOTHING_ON_THE_SAMPLE
