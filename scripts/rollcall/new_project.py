"""`rollcall new`: a dbt project for a district, which uses Rollcall as a package."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from string import Template

from rollcall.errors import UsageError
from rollcall.project import PROJECT_DIR, open_project, version

_STARTER = Path(__file__).with_name("starter")
_SEEDS = (
    *("contracts/sources.csv", "rules/mastery_rules.csv", "rules/learning_paths.csv"),
    *(f"contracts/district_{what}.csv" for what in ("feeds", "framings", "layouts", "limits")),
    "contracts/needed_fields.csv",
)
"""Seeds that a district begins with as they are shipped; all but the first two are empty. Only the
learning platform of the sample sends manifests that are wrong, so they are believed here."""


@dataclass(frozen=True, slots=True)
class NewProject:
    """A project that was written: its folder, and its files."""

    path: str
    files: list[str]


def write_project(folder: Path) -> NewProject:
    """Write a project into a new or empty folder, whose name becomes that of the project.

    Raises:
        UsageError: the folder holds something, or its name gives no name for a dbt project.
    """
    folder = folder.resolve()
    name = re.sub(r"\W+", "_", folder.name.lower()).strip("_")
    if not re.fullmatch(r"[a-z]\w*", name, re.ASCII) or name == "rollcall":
        raise UsageError(
            f"'{folder.name}' gives no name for a dbt project; name a folder that begins with a "
            "letter, such as plainfield."
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} holds something already; name a new folder.")
    values = {"name": name, "version": version()}
    for file in sorted(_STARTER.rglob("*")):
        if file.is_file():
            relative = file.relative_to(_STARTER)
            target = folder / (".gitignore" if relative.name == "gitignore" else relative)
            target.parent.mkdir(parents=True, exist_ok=True)
            text = Template(file.read_text(encoding="utf-8")).substitute(values)
            target.write_text(text, encoding="utf-8")
    for seed in _SEEDS:
        target = folder / "seeds" / seed
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PROJECT_DIR / "seeds" / seed, target)
    project = open_project(folder)
    for source_id in project.contracts().sources:
        (folder / "inbox" / source_id).mkdir(parents=True)
    written = (path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file())
    return NewProject(str(folder), [str(name) for name in written])
