"""Many stories told in one home, so that one cycle a night serves all of them.

A story is a generator: it delivers, yields the night after whose cycle it goes on, looks and
delivers again. It has sources of its own, and looks at these alone. The stories of a module that
are to be run are told together before its first test; each test says how its own story ended.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import pytest
from conftest import Project, read_csv

Told = TypeVar("Told")
Telling = Iterator[int]
Ending = BaseException | None
Endings = Mapping[str, Ending]


def told_together(tell: Callable[[Told], Telling]) -> Callable[[Endings], None]:
    """Make a test of a story; the module's fixture `endings` tells it with the others."""

    def test(endings: Endings) -> None:
        if ending := endings[tell.__name__]:
            raise ending

    test.__name__, test.__doc__, test.__module__ = tell.__name__, tell.__doc__, tell.__module__
    vars(test)["tell"] = tell
    return test


def chosen(request: pytest.FixtureRequest) -> dict[str, Callable[[Any], Telling]]:
    """Return the stories of a module whose tests are to be run, by name."""
    functions = [
        item.function
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.path == request.path
    ]
    return {test.__name__: test.tell for test in functions if hasattr(test, "tell")}


def tell_all(stories: Mapping[str, Telling], cycle: Callable[[int], object]) -> Endings:
    """Tell stories to their ends, with one cycle for each night that any of them waits for."""
    endings: dict[str, Ending] = {}
    waiting = dict.fromkeys(stories, 0)
    night = 0
    while waiting:
        for name in [name for name, until in waiting.items() if until == night]:
            try:
                waiting[name] = next(stories[name])
                assert waiting[name] > night, "a story only goes forward"
            except StopIteration:
                endings[name] = None
            except (Exception, pytest.fail.Exception) as error:  # one that fails ends alone
                endings[name] = error
            if name in endings:
                del waiting[name]
        if waiting:
            night = min(waiting.values())
            cycle(night)
    return endings


def declare_sources(project: Project, sources: Mapping[str, str], **changes: str) -> None:
    """Declare further sources, each like a shipped one: `sources` maps the new id to that.

    `changes` gives columns other values.
    """
    path = project.project / "seeds" / "contracts" / "sources.csv"
    shipped = {row["source_id"]: row for row in read_csv(path)}
    with path.open("a", encoding="utf-8") as stream:
        for source_id, like in sources.items():
            row = shipped[like] | changes | {"source_id": source_id}
            stream.write(",".join(row.values()) + "\n")
            (project.inbox / source_id).mkdir(parents=True)
