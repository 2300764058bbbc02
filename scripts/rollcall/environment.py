"""The caller's environment, kept from the libraries that would let it decide something."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SEEN = ("HOME", "LANG", "PATH", "TMPDIR", "TZ")


@contextmanager
def undisturbed(also: dict[str, str]) -> Iterator[None]:
    """Keep the caller's environment from a library, and a library from changing the working folder.

    A `DBT_*` or `MPL*` of the caller decides nothing; and for every line of its log dbt looks
    through all variables for secrets.

    Args:
        also: variables that are set meanwhile.
    """
    before, folder = dict(os.environ), Path.cwd()
    os.environ.clear()
    os.environ.update({name: before[name] for name in _SEEN if name in before} | also)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        os.chdir(folder)
