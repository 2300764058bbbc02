"""The dbt project of a district: Rollcall's own, or one that uses Rollcall as a package."""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rollcall.contracts.project import Contracts
from rollcall.contracts.rules import check_rules
from rollcall.errors import UsageError

_HERE = Path(__file__).resolve()
PROJECT_DIR = next(
    folder for folder in (_HERE.with_name("dbt"), _HERE.parents[2]) if folder.is_dir()
)
"""Rollcall's dbt project: in an installed package beside this module, else the checkout."""
REFERENCE_DIR = PROJECT_DIR / "seeds" / "reference"
"""The seeds that explain codes."""

_NAME = "rollcall"
_PROJECT_FILE = "dbt_project.yml"
_PACKAGES = "dbt_packages"
_LINK = ".rollcall"
_DEFAULT_FOLDERS = {
    "macro-paths": ["macros"],
    "model-paths": ["models"],
    "seed-paths": ["seeds"],
    "snapshot-paths": ["snapshots"],
    "test-paths": ["tests"],
}
_YAML = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""A tenth of the time of the one in Python: a cycle reads `dbt_project.yml` several times."""
CODE = ("macro-paths", "model-paths", "snapshot-paths")
"""The kinds of folders that decide the tables of a warehouse, besides seeds."""
PUBLIC_SCHEMAS = ("core", "audit", "progression", "reconciliation")
"""The schemas of the tables that Rollcall makes for readers."""
EVERYTHING = tuple(_DEFAULT_FOLDERS)
"""The kinds of folders that dbt reads."""


@dataclass(frozen=True, slots=True)
class Project:
    """A dbt project with all that its packages bring; `path` is its folder.

    A seed of it takes the place of the shipped one of the same name.
    """

    path: Path

    @property
    def rollcall(self) -> Path:
        """Where Rollcall's own models, seeds and profiles are."""
        return self.folder_of(_NAME)

    def folder_of(self, package: str) -> Path:
        """Return where a package is; the project's own folder where it has no such package."""
        folder = self.path / _PACKAGES / package
        return folder if folder.exists() else self.path

    @property
    def folders(self) -> list[Path]:
        """The project's folder, and those of its packages."""
        packages = sorted((self.path / _PACKAGES).glob(f"*/{_PROJECT_FILE}"))
        return [self.path, *(file.parent for file in packages)]

    def contracts(self) -> Contracts:
        """Read the contracts: those of the project, and the shipped ones that it has not.

        Raises:
            ContractError: a seed contradicts itself, or one of the rules cannot be read.
        """
        seeds = [folder / "seeds" for folder in dict.fromkeys((self.path, self.rollcall))]
        check_rules([folder / "rules" for folder in seeds], seeds[-1] / "rules")
        return Contracts.load(*(folder / "contracts" for folder in seeds))

    def files(self, kinds: Sequence[str], others: Iterable[str] = ()) -> Iterator[tuple[str, Path]]:
        """Yield the name in the project and the path of each file, in a total order.

        Args:
            kinds: kinds of folders that are looked through, as `dbt_project.yml` calls them.
            others: further files and folders.

        Hidden files and Python, which has no part in a build, are left out.
        """
        for folder in self.folders:
            settings = _settings(folder)
            named = [name for kind in kinds for name in settings.get(kind, _DEFAULT_FOLDERS[kind])]
            for name in (_PROJECT_FILE, *named, *others):
                path = folder / name
                for file in [path] if path.is_file() else sorted(path.rglob("*")):
                    is_read = file.name[0] != "." and file.suffix not in (".py", ".pyc")
                    if file.is_file() and is_read:
                        yield str(file.relative_to(self.path)), file

    def listing(self, kinds: Sequence[str], others: Iterable[str] = ()) -> str:
        """List files, a line each: the SHA-256 and the name; arguments as those of `files`."""
        return "".join(
            f"{hashlib.sha256(file.read_bytes()).hexdigest()} {name}\n"
            for name, file in self.files(kinds, others)
        )

    def copy_to(self, folder: Path) -> None:
        """Copy what dbt reads of the project and its packages."""
        for name, file in self.files(EVERYTHING, ("profiles", "selectors.yml")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, folder / name)


SHIPPED = Project(PROJECT_DIR)
"""Rollcall's own project: what a district of the checkout builds."""


def open_project(path: Path) -> Project:
    """Return the project in a folder, with Rollcall linked into its packages.

    Raises:
        UsageError: there is no dbt project, it has another version of Rollcall, or a seed of it
            would be there twice.
    """
    path = path.resolve()
    if not (path / _PROJECT_FILE).is_file():
        raise UsageError(f"{path} holds no {_PROJECT_FILE}; `rollcall new {path}` makes a project.")
    project = Project(path)
    if _settings(path).get("name") != _NAME:
        _link(path)
        _check_seeds(project)
    return project


def uses_rollcall(folder: Path) -> bool:
    """Say whether a folder holds a dbt project of which Rollcall is a package."""
    packages = folder / "packages.yml"
    return packages.is_file() and _NAME in packages.read_text(encoding="utf-8")


def version() -> str:
    """Return the version of Rollcall, which is that of its dbt package."""
    return str(_settings(PROJECT_DIR)["version"])


def _link(path: Path) -> None:
    """Let a project find Rollcall where this command has it, whichever way it was installed.

    `packages.yml` names the link, so that the project holds no path of this machine.
    """
    package = path / _PACKAGES / _NAME
    if (package / _PROJECT_FILE).exists() and not package.is_symlink():
        if (found := _settings(package).get("version")) != version():
            raise UsageError(
                f"{package} is Rollcall {found}, this command is {version()}; "
                "install the same version of both."
            )
        return
    package.parent.mkdir(exist_ok=True)
    for link, target in ((path / _LINK, PROJECT_DIR), (package, Path("..") / _LINK)):
        if not link.is_symlink() or link.resolve() != PROJECT_DIR:
            aside = link.with_name(f"{link.name}.{os.getpid()}")
            aside.symlink_to(target)
            aside.replace(link)


def _check_seeds(project: Project) -> None:
    """Raise when dbt would load a seed of a district and the shipped one that it replaces."""
    own = _settings(project.path)
    both = (own, _settings(project.rollcall))
    shipped = {file.stem: file.parent.name for file in (project.rollcall / "seeds").rglob("*.csv")}
    for folder in own.get("seed-paths", _DEFAULT_FOLDERS["seed-paths"]):
        for file in sorted((project.path / folder).rglob("*.csv")):
            kind = shipped.get(file.stem)
            if kind and _is_enabled(both, (_NAME, kind, file.stem)):
                raise UsageError(
                    f"{file.relative_to(project.path)} takes the place of the shipped seed, which "
                    f"is still switched on: write `{file.stem}: {{+enabled: false}}` into "
                    f"{_PROJECT_FILE}, below `seeds:`, `{_NAME}:`, `{kind}:`."
                )


def _is_enabled(projects: Iterable[dict[str, Any]], place: Sequence[str]) -> bool:
    """Say whether dbt loads a seed, by the first project that says it and its innermost place."""
    for settings in projects:
        said, found = None, settings.get("seeds")
        for name in place:
            found = found.get(name) if isinstance(found, dict) else None
            if isinstance(found, dict):
                said = found.get("+enabled", found.get("enabled", said))
        if said is not None:
            return said is True
    return True


def _settings(folder: Path) -> dict[str, Any]:
    """Read `dbt_project.yml`.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        text = (folder / _PROJECT_FILE).read_text(encoding="utf-8")
        settings = yaml.load(text, Loader=_YAML)  # noqa: S506 - it is the safe one
    except (OSError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise UsageError(f"{folder / _PROJECT_FILE} cannot be read: {reason}") from error
    return settings if isinstance(settings, dict) else {}
