"""The tests are tested: every small defect that is listed is caught by the test that it names."""

import re
import sys
from collections import Counter
from pathlib import Path

import pytest
from mutants import Copy, Mutant, load

from rollcall.project import PROJECT_DIR

sys.path.append(str(PROJECT_DIR / "scripts"))
from promise_table import PAGE, PROMISES, render

MUTANTS = load()
QUICK = ("test_framing.py", "test_layouts.py", "test_fingerprint.py")


def caught(copy: Copy, mutant: Mutant) -> bool:
    with copy.mutated(mutant):
        return not copy.passes([mutant])


def test_there_are_mutants_of_loader_macros_and_models_for_the_promises() -> None:
    places = Counter(mutant.file.split("/")[0] for mutant in MUTANTS)
    assert sum(places.values()) >= 30
    assert min(places[place] for place in ("macros", "models", "scripts")) >= 5
    assert {mutant.promise for mutant in MUTANTS} <= set(PROMISES)
    for mutant in MUTANTS:
        text = (PROJECT_DIR / mutant.file).read_text(encoding="utf-8")
        assert text.count(mutant.original) == 1, mutant.name


def test_every_test_that_a_mutant_names_is_there() -> None:
    """Otherwise none of them can be tried: pytest and dbt then say nothing of the others."""
    yaml = "".join(path.read_text("utf-8") for path in PROJECT_DIR.glob("m*/**/*.yml"))
    for mutant in MUTANTS:
        file, _, name = mutant.test.partition("::")
        python = PROJECT_DIR / "tests" / "python" / file
        text = python.read_text("utf-8") if mutant.is_python else yaml
        named = f"def {name.split('[')[0]}(" if mutant.is_python else f"- name: {mutant.test}\n"
        assert named in text, mutant.name


@pytest.mark.long
def test_quick_mutants_are_caught(tmp_path: Path) -> None:
    quick = [mutant for mutant in MUTANTS if mutant.test.split("::")[0] in QUICK]
    assert len(quick) >= 5
    copy = Copy(tmp_path)
    copy.prepare(needs_dbt=False)
    assert copy.passes(quick), "without a mutant"
    assert [mutant.name for mutant in quick if not caught(copy, mutant)] == []


@pytest.mark.long
def test_every_mutant_is_caught(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    copy.prepare(needs_dbt=True)
    assert copy.passes(MUTANTS), "without a mutant"
    assert [mutant.name for mutant in MUTANTS if not caught(copy, mutant)] == []


def test_the_page_of_promises_is_current_and_names_tests_that_are_there() -> None:
    assert PAGE.read_text(encoding="utf-8") == render()
    for promise in PROMISES.values():
        for test in promise.tests:
            file, _, name = test.partition("::")
            text = (PROJECT_DIR / "tests" / "python" / file).read_text(encoding="utf-8")
            assert f"def {name}(" in text or not name, test


@pytest.mark.parametrize("number", PROMISES)
def test_each_promise_has_a_test_that_runs_with_every_change(number: int) -> None:
    """`make test` leaves out what is marked `more` or `long`."""

    def runs(test: str) -> bool:
        file, _, name = test.partition("::")
        text = (PROJECT_DIR / "tests" / "python" / file).read_text(encoding="utf-8")
        above = re.search(rf"((?:^[@ )\]].*\n)*)^def {name}\(", text, re.M) if name else None
        marks = (above[1] if above else "") + "".join(re.findall("^pytestmark.*", text, re.M))
        return "mark.more" not in marks and "mark.long" not in marks

    assert any(map(runs, PROMISES[number].tests))
