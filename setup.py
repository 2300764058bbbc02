"""Put the dbt project into the wheel, so that an installed Rollcall is a dbt package as well."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
FOLDERS = ("macros", "models", "profiles", "seeds", "snapshots", "tests/generic", "tests/singular")


class BuildWithProject(build_py):
    """Copy what dbt reads beside the modules, where `rollcall.project` looks for it."""

    def run(self) -> None:
        """Build the modules, then add the project; an editable install has it in the checkout."""
        super().run()
        if self.editable_mode:
            return
        package = Path(self.build_lib) / "rollcall" / "dbt"
        for name in FOLDERS:
            shutil.copytree(ROOT / name, package / name, dirs_exist_ok=True)
        for name in ("dbt_project.yml", "selectors.yml"):
            shutil.copyfile(ROOT / name, package / name)


setup(cmdclass={"build_py": BuildWithProject})
