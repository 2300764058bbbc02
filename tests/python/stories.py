"""Many stories told in one home, so that one cycle a night serves all of them.

A story is a generator: it delivers, yields the night after whose cycle it goes on, looks and
delivers again. It has a roster, a gradebook and an inbox of its own, and looks at these alone. All
stories whose tests are to be run are told together before the first of them; each test says how its
own story ended.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import pytest
from conftest import Done, Project, read_csv

from sample_district.people import fill_in

Told = TypeVar("Told")
Telling = Iterator[int]
Ending = BaseException | None


@dataclass
class SharedHome:
    """The home of all stories, which runs from a copy of the project, and its last cycle."""

    project: Project
    last: Done | None = None

    def cycle(self, night: int) -> None:
        """Run a cycle over what lies in the inboxes of all stories."""
        inbox = self.project.inbox
        shutil.rmtree(inbox)
        for own in sorted(inbox.with_name("inboxes").iterdir()):
            shutil.copytree(own, inbox, dirs_exist_ok=True)
        self.last = self.project.cycle(f"2026-09-{night:02d}T18:00:00Z")
        assert self.last.code in (0, 3), self.last.out + self.last.err
        self.check_that_nothing_is_hidden(self.last)

    def check_that_nothing_is_hidden(self, last: Done) -> None:
        """Hold a cycle to what its exit code promises: all is taken, or said."""
        asking = [
            file
            for file in last.json["landed"]["files"]
            if file["verdict"] != "accepted" or file["are_removals_held"]
        ]
        asking += last.json["landed"]["questions"] + last.json["waiting"] + last.json["missing"]
        assert last.code == 3 or not asking, asking
        taken_nothing = """
            select source_id, delivery_name, file_name from audit.audit_ingestion_log
            where verdict = 'accepted' and record_count > 0
                and accepted_count + duplicate_count = 0
        """
        assert self.project.warehouse(taken_nothing) == []
        for table in ("missing_record", "unexpected_record", "diverging_value"):
            hidden = f"select * from reconciliation.recon_{table} where not is_explained"
            assert self.project.warehouse(hidden) == []
        lost = "select * from reconciliation.recon_file_balance where not is_balanced"
        assert self.project.warehouse(lost) == []


@dataclass(frozen=True)
class Scene:
    """What a story has of its own: the ids of two sources, and a district that lands them alone."""

    shared: SharedHome
    district: Project
    roster_source: str
    gradebook: str

    @property
    def said(self) -> Any:
        """What the last cycle said."""
        assert self.shared.last is not None
        return self.shared.last.json

    def alarms(self) -> list[str]:
        """Name what the last cycle said of these sources that asks for a person."""
        own = (self.roster_source, self.gradebook)
        asking = [
            file["code"]
            for file in self.said["landed"]["files"]
            if file["verdict"] != "accepted" or file["are_removals_held"]
            if file["source_id"] in own
        ]
        missing = [export["feed"] for export in self.said["missing"] if export["source_id"] in own]
        return [*asking, *missing]

    def declare(self, **changes: str) -> None:
        """Declare both sources like the shipped ones; `changes` gives columns other values."""
        path = self.district.project / "seeds" / "contracts" / "sources.csv"
        shipped = {row["source_id"]: row for row in read_csv(path)}
        with path.open("a", encoding="utf-8") as stream:
            for source_id, like in ((self.roster_source, "sis"), (self.gradebook, "lms")):
                own = {"source_id": source_id, "roster_source_id": self.roster_source}
                stream.write(",".join((shipped[like] | own | changes).values()) + "\n")
                (self.district.inbox / source_id).mkdir(parents=True)

    def add(self, seed: str, rows: str) -> None:
        """Add rows to a seed, named as in `seeds/`."""
        self.district.add(seed, rows)


def nothing_is_due(scene: Scene) -> Scene:
    """Begin with two sources of which no export is due."""
    scene.declare(due_feeds="")
    return scene


class Tellings:
    """What became of the stories of a run, by the name of their test."""

    def __init__(self, shared: SharedHome) -> None:
        self.shared = shared
        self.stories: dict[str, Any] = {}
        self.endings: dict[str, Ending] = {}

    def tell(self, tests: Mapping[str, Any]) -> None:
        """Tell the stories of tests to their ends, with one cycle a night that any waits for."""
        tellings = {}
        for number, (name, test) in enumerate(tests.items(), 1):
            inbox = self.shared.project.inbox.with_name("inboxes") / str(number)
            district = replace(self.shared.project, inbox=inbox)
            scene = Scene(self.shared, district, f"sis_{number}", f"lms_{number}")
            self.stories[name] = test.begin(scene)
            tellings[name] = test.tell(self.stories[name])
        waiting = dict.fromkeys(tellings, 0)
        night = 0
        while waiting:
            due = [name for name, until in waiting.items() if until == night]
            for name in sorted(due, key=lambda name: not tests[name].looks_at_all):
                try:
                    waiting[name] = next(tellings[name])
                    assert waiting[name] > night, "a story only goes forward"
                except StopIteration:
                    self.endings[name] = None
                except (Exception, pytest.fail.Exception) as error:  # one that fails ends alone
                    self.endings[name] = error
                if name in self.endings:
                    del waiting[name]
            if waiting:
                night = min(waiting.values())
                self.shared.cycle(night)


def told_together(
    begin: Callable[[Scene], Told], *, others_look: bool = False, looks_at_all: bool = False
) -> Callable[[Callable[[Told], Telling]], Callable[[Tellings], None]]:
    """Make a test of a story, which begins with what `begin` makes of its scene.

    Where `others_look` at what it came to, it is told for any test of its module. One that
    `looks_at_all` of the home goes on before the others land or decide something.
    """

    def make_test(tell: Callable[[Told], Telling]) -> Callable[[Tellings], None]:
        def test(tellings: Tellings) -> None:
            if ending := tellings.endings[tell.__name__]:
                raise ending

        test.__name__, test.__doc__, test.__module__ = tell.__name__, tell.__doc__, tell.__module__
        vars(test).update(
            begin=begin, tell=tell, others_look=others_look, looks_at_all=looks_at_all
        )
        return test

    return make_test


def chosen(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return the tests of the stories that are to be told, by name."""
    items = [item for item in request.session.items if isinstance(item, pytest.Function)]
    tests = [item.function for item in items]
    tests += [
        test
        for module in dict.fromkeys(item.module for item in items)
        for test in vars(module).values()
        if getattr(test, "others_look", False)
    ]
    return {test.__name__: test for test in tests if hasattr(test, "tell")}


def approve_mapping_of(project: Project, source: str, now: str) -> None:
    """Approve every column of a source, as people do it in the workbook."""
    path = project.home.parent / f"mapping_{source}.xlsx"
    assert project.run("mapping", "export", source, "--out", str(path), now=now).code == 0
    fill_in(path, "Ada Reviewer", now[:10])
    assert project.run("mapping", "approve", str(path), now=now).code == 0
