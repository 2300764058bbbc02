"""The pipelines for GitHub and GitLab: they parse, ask for little, and run what there is."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from rollcall.home import Home
from rollcall.project import PROJECT_DIR

CI = PROJECT_DIR / ".github" / "workflows" / "ci.yml"
SLIM_CI = PROJECT_DIR / "docs" / "examples" / "ci" / "github.yml"
GITLAB = PROJECT_DIR / "docs" / "examples" / "ci" / "gitlab.yml"
MAKEFILE = (PROJECT_DIR / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([\w-]+):", MAKEFILE, re.M))
WORKFLOWS = pytest.mark.parametrize("path", [CI, SLIM_CI], ids=["ci", "slim_ci"])


def read(path: Path) -> dict[Any, Any]:
    """Read a workflow; YAML 1.1 takes the key `on` for true."""
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(workflow, dict)
    workflow["on"] = workflow.pop(True)
    return workflow


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in read(path)["jobs"].values() for step in job["steps"]]


def commands(path: Path) -> list[str]:
    lines = [line for step in steps(path) for line in step.get("run", "").splitlines()]
    return [line.strip() for line in lines if line.strip()]


@WORKFLOWS
def test_a_workflow_is_written_as_people_read_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "\t" not in text
    assert text.endswith("\n")
    assert not re.search(r" +$", text, re.M)
    assert max(map(len, text.splitlines())) <= 120


@WORKFLOWS
def test_a_workflow_has_the_shape_that_github_asks_for(path: Path) -> None:
    workflow = read(path)
    assert set(workflow) <= {"name", "on", "permissions", "concurrency", "env", "jobs"}
    assert set(workflow["on"]) <= {"push", "pull_request", "schedule", "workflow_dispatch"}
    assert workflow["jobs"]
    for job in workflow["jobs"].values():
        assert set(job) <= {"runs-on", "timeout-minutes", "strategy", "steps", "env"}
        assert job["runs-on"] == "ubuntu-latest"
        assert job["timeout-minutes"] <= 60
        for step in job["steps"]:
            assert ("uses" in step) != ("run" in step), step
            assert set(step) <= {"name", "uses", "with", "run", "working-directory", "env"}


@WORKFLOWS
def test_a_workflow_may_read_and_nothing_else(path: Path) -> None:
    workflow = read(path)
    assert workflow["permissions"] == {"contents": "read"}
    assert "pull_request_target" not in workflow["on"]
    for step in steps(path):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False
        assert "${{" not in step.get("run", ""), "an expression in a shell line can be injected"


@WORKFLOWS
def test_every_action_is_pinned_to_a_major_version(path: Path) -> None:
    actions = [step["uses"] for step in steps(path) if "uses" in step]
    assert actions
    for action in actions:
        assert re.fullmatch(r"actions/[a-z-]+@v\d+", action), action


@WORKFLOWS
def test_every_make_target_and_program_of_a_workflow_exists(path: Path) -> None:
    made = [line.split()[1] for line in commands(path) if line.startswith("make ")]
    assert made
    assert set(made) <= TARGETS
    others = [line.split()[0] for line in commands(path) if not line.startswith("make ")]
    assert set(others) <= {".venv/bin/rollcall", ".venv/bin/dbt"}


def test_ci_runs_the_test_command_of_the_readme_on_both_ends_of_the_python_versions() -> None:
    readme = (PROJECT_DIR / "README.md").read_text(encoding="utf-8")
    assert "make test" in commands(CI)
    assert re.search(r"^make test +#", readme, re.M)
    versions = read(CI)["jobs"]["test"]["strategy"]["matrix"]["python-version"]
    assert versions == ["3.11", "3.13"]
    project = (PROJECT_DIR / "pyproject.toml").read_text(encoding="utf-8")
    assert f'requires-python = ">={versions[0]}"' in project


def test_slim_ci_builds_what_changed_against_the_state_of_its_base() -> None:
    [build] = [line for line in commands(SLIM_CI) if "state:modified+" in line]
    assert "--target ci --defer" in build
    environment = read(SLIM_CI)["env"]
    kept = Home(Path(environment["ROLLCALL_HOME"])).dbt_state
    assert Path(environment["DBT_STATE"]) == kept
    for inbox in re.findall(r"--inbox (\S+)", " ".join(commands(SLIM_CI))):
        assert (PROJECT_DIR / inbox).is_dir()


def test_gitlab_runs_the_same_commands_in_the_same_environment() -> None:
    [job] = yaml.safe_load(GITLAB.read_text(encoding="utf-8")).values()
    ours = [line for line in job["script"] if not line.startswith(("git ", "cd "))]
    assert ours == commands(SLIM_CI)
    environment = read(SLIM_CI)["env"]
    assert {name: job["variables"][name] for name in environment} == environment
    assert job["cache"]["key"]["files"] == ["requirements.lock"]
    assert (PROJECT_DIR / "requirements.lock").exists()


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_every_make_target_that_a_page_names_exists(page: str) -> None:
    text = (PROJECT_DIR / page).read_text(encoding="utf-8")
    named = re.findall(r"(?:`|^)make ([a-z-]+)", text, re.M)
    assert named
    assert set(named) <= TARGETS


def test_the_quick_tests_that_make_names_are_there() -> None:
    [names] = re.findall(r"^QUICK := (.*)$", MAKEFILE, re.M)
    for name in names.split():
        assert (PROJECT_DIR / "tests" / "python" / f"test_{name}.py").exists(), name
