"""The caller's environment decides nothing: a cycle in a hostile one equals an undisturbed one."""

import os
import subprocess
from pathlib import Path

import pytest
from conftest import MANIFEST, ORG_ROWS, ORGS, ROLLCALL, District, state

from rollcall.cycle.warehouse import Builder, Change
from rollcall.home import Home

HOSTILE = {
    "DBT_RESOURCE_TYPES": "model seed snapshot",
    "DBT_EXCLUDE_RESOURCE_TYPES": "test",
    "DBT_EMPTY": "1",
    "DBT_SAMPLE": "1",
    "DBT_SELECT": "dim_org",
    "DBT_EXCLUDE": "dim_user",
    "DBT_INDIRECT_SELECTION": "cautious",
    "DBT_WRITE_JSON": "false",
    "DBT_WARN_ERROR": "1",
    "DBT_FULL_REFRESH": "1",
    "DBT_DEFER": "1",
    "DBT_TARGET": "lint",
    "DBT_VARS": "{families: []}",
    "PYTHONWARNINGS": "error",
    "PYTHONOPTIMIZE": "2",
    "PYTHONUTF8": "0",
    "PYTHONCOERCECLOCALE": "0",
    "LC_ALL": "C",
    "TZ": "Pacific/Kiritimati",
    "MPLBACKEND": "nonsense",
}


@pytest.mark.long
def test_a_cycle_in_a_hostile_environment_equals_an_undisturbed_one(
    district: District, tmp_path: Path
) -> None:
    """Variables, settings in the home of the account, and files in the working directory."""
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / ".dbt").mkdir(parents=True)
    for name in (".dbt/profiles.yml", "profiles.yml", "dbt_project.yml", "matplotlibrc"):
        (elsewhere / name).write_text("rollcall: {target: none, outputs: {}}\n", encoding="utf-8")
    rows = ORG_ROWS.replace("North School", "École du Nord")
    files = {"orgs.csv": ORGS + rows, "manifest.csv": MANIFEST + "file.orgs,bulk\n"}
    district.deliver("2026-09-01T010000Z", files)
    plain = District(tmp_path / "plain", district.inbox)
    done = plain.run(
        "cycle", "--inbox", str(plain.inbox), "--no-report", now="2026-09-01T18:00:00Z"
    )
    assert done.code == 0, done.out + done.err
    folders = {
        "DBT_PROFILES_DIR",
        "DBT_PROJECT_DIR",
        "DBT_STATE",
        "DBT_LOG_PATH",
        "DBT_TARGET_PATH",
    }
    ours = {"ROLLCALL_HOME": str(district.home), "ROLLCALL_NOW": "2026-09-01T18:00:00Z"}
    disturbed = subprocess.run(
        [ROLLCALL, "cycle", "--inbox", str(district.inbox)],
        env=os.environ | HOSTILE | dict.fromkeys(folders | {"HOME"}, str(elsewhere)) | ours,
        cwd=elsewhere,
        capture_output=True,
        text=True,
        check=False,
    )
    assert disturbed.returncode == 0, disturbed.stdout + disturbed.stderr
    assert "Yes. Cycle 1 was published" in disturbed.stdout
    assert state(district.home) == state(plain.home)


def test_a_build_fails_of_which_a_table_or_a_test_was_left_out(
    one_night: District, tmp_path: Path
) -> None:
    home = Home(one_night.copy(tmp_path).home)
    families = home.project.contracts().families
    for is_code_new in (True, False):
        builder = Builder(home, families, Change(is_code_new, must_rebuild=False))
        builder.start()
        [failure] = builder.complete(builder.build_first(with_students=False)).failures
        assert "more: dbt has left out what belongs to a cycle" in failure.message
