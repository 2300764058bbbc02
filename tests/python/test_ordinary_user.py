"""The attacks once more as an ordinary user, where the suite itself runs as root.

Root may read and write what others must not, so some harm shows to an ordinary user alone. The user
has a copy of the checkout, an environment of its own with the same packages, and umask 000.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from rollcall.project import PROJECT_DIR

ATTACKS = {
    "alarms": 30,
    "clocks": 3,
    "crashes": 30,
    "damage": 8,
    "data_directory": 8,
    "deliveries": 40,
    "environment": 2,
    "isolation": 40,
    "odd_values": 8,
    "operations": 30,
    "way_out": 3,
}
"""The files of attacks, and how many tests each has at least."""
NOBODY = 65534
LEFT_BEHIND = (".git", ".venv", ".*_cache", "warehouse", "target", "logs", "build", "dist")
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(os.getuid() != 0, reason="the tests are run by an ordinary user already"),
]


def python_for_all() -> str:
    """Return a Python of this version that everybody may run."""
    version = f"python3.{sys.version_info.minor}"
    places = (Path(sys.base_prefix, "bin", version), Path("/usr/local/bin", version))
    for path in (*places, Path("/usr/bin", version)):
        command = [str(path), "-m", "venv", "--help"]
        try:
            subprocess.run(command, user=NOBODY, capture_output=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            continue
        return str(path)
    pytest.skip(f"the tests run as root, and there is no {version} that others may run")


@pytest.fixture(scope="module")
def checkout() -> Iterator[Path]:
    """Give a copy of the checkout that an ordinary user owns, with an environment of its own."""
    with TemporaryDirectory() as name:
        copy = Path(name) / "checkout"
        ignored = shutil.ignore_patterns(*LEFT_BEHIND)
        shutil.copytree(PROJECT_DIR, copy, symlinks=True, ignore=ignored)
        venv = copy / ".venv"
        command = [python_for_all(), "-m", "venv", "--without-pip", str(venv)]
        subprocess.run(command, check=True)
        packages = sysconfig.get_path("purelib", vars={"base": str(venv)})
        shutil.copytree(sysconfig.get_path("purelib"), packages, dirs_exist_ok=True)
        for path in Path(packages).glob("__editable__.rollcall-*.pth"):
            path.write_text(f"{copy / 'scripts'}\n", encoding="utf-8")
        for tool in ("dbt", "pytest", "rollcall", "sqlfluff"):
            text = Path(sys.executable).with_name(tool).read_text(encoding="utf-8")
            (venv / "bin" / tool).write_text(text.replace(sys.prefix, str(venv)), encoding="utf-8")
            (venv / "bin" / tool).chmod(0o755)
        subprocess.run(["chown", "--recursive", f"{NOBODY}:{NOBODY}", name], check=True)
        yield copy


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_ordinary_user_stands_the_attacks(checkout: Path, attack: str) -> None:
    """None is left out because of who runs it."""
    file = f"tests/python/test_{attack}.py"
    with TemporaryDirectory(dir=checkout.parent) as temporary:
        os.chown(temporary, NOBODY, NOBODY)
        done = subprocess.run(
            [checkout / ".venv/bin/pytest", "-m", "", "-p", "no:cacheprovider", file],
            cwd=checkout,
            env=os.environ | {"HOME": temporary, "TMPDIR": temporary},
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            umask=0,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2000:]
    last = done.stdout.splitlines()[-1]
    counted = {what: int(count) for count, what in re.findall(r"(\d+) (\w+)", last)}
    assert counted["passed"] >= ATTACKS[attack], last
    assert not counted.keys() & {"skipped", "deselected", "xfailed"}, last
