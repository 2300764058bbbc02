"""`rollcall sample`: load the synthetic district of the project and let it write its exports.

The district is a folder of the project, not of this package, so this is the one place that loads
it, by its path and only when it is asked for.
"""

import sys
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path

from rollcall.errors import UsageError
from rollcall.project import PROJECT_DIR

_PACKAGE = "sample_district"


def write_sample(
    out: Path,
    *,
    students: int,
    nights: int,
    seed: int,
    faults: bool,
    project: Path = PROJECT_DIR,
) -> None:
    """Write the exports of the synthetic district; see `sample_district/writer.py`.

    Raises:
        UsageError: the project has no such district, the numbers are out of range, or `out` holds
            nights already.
    """
    _load(project)
    writer = import_module(f"{_PACKAGE}.writer")
    try:
        writer.write_sample(out, students=students, nights=nights, seed=seed, faults=faults)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _load(project: Path) -> None:
    """Make the package of the project importable, wherever the project is."""
    spec = PathFinder.find_spec(_PACKAGE, [str(project)])
    if spec is None or spec.loader is None:
        raise UsageError(
            f"`rollcall sample` needs the folder {project / _PACKAGE}, which an installed package "
            "does not have; clone the repository, run `make setup` there and use its "
            ".venv/bin/rollcall."
        )
    if _PACKAGE not in sys.modules:
        package = module_from_spec(spec)
        sys.modules[_PACKAGE] = package
        spec.loader.exec_module(package)
