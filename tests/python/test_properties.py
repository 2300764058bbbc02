"""Properties over made-up districts with faults: what holds whatever the files are.

One home holds several districts, each a source of its own, so that one run of dbt judges them all.
"""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from conftest import Project, failed, read_csv, state
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from made_districts import FEEDS, FIRST_NIGHT, Nights, nights
from mastery_district import project_with_seeds
from reference_model import Expected, File, expect

from rollcall.contracts.project import Contracts
from rollcall.cycle.fingerprint import FACTS_OF_A_RUN
from rollcall.home import Home
from rollcall.landing.inbox import land
from rollcall.project import PROJECT_DIR

NIGHTS = 3
END = FIRST_NIGHT + timedelta(days=9)
GROUPED_OTHERWISE = (
    *FACTS_OF_A_RUN,
    *("cycle_id", "first_cycle_id", "visible_at", "since", "evidence_visible_at"),
)
CURRENT = {
    *("progression.fct_mastery", "audit.audit_rejected_record"),
    "reconciliation.recon_file_balance",
}
Districts = dict[str, Nights]


def districts(count: int) -> st.SearchStrategy[Districts]:
    """Make that many districts, by the id of their source."""
    names = [f"d{number:02d}" for number in range(count)]
    return (
        st.tuples(*(nights(NIGHTS) for _ in names))
        .map(lambda made: dict(zip(names, made, strict=True)))
        .filter(is_rich)
    )


def is_rich(made: Districts) -> bool:
    """Say whether there is something to judge; the first that hypothesis makes are all empty."""
    files = [file for told in made.values() for night in told for file in night.files]
    return sum(len(file.text.splitlines()) - 1 for file in files) > 2 * len(files)


def deliver(made: Districts, number: int, inbox: Path) -> None:
    for source, told in made.items():
        told[number].deliver(inbox / source)


def scatter(made: Districts, chance: Random, folder: Path, group_count: int) -> list[Path]:
    """Deliver everything in another order, in so many groups that mix the nights."""
    every = [(source, night) for source, told in made.items() for night in told]
    chance.shuffle(every)
    inboxes = [folder / f"group_{number}" for number in range(group_count)]
    for place, (source, night) in enumerate(every):
        night.deliver(inboxes[place % group_count] / source)
    return inboxes


def files_of(made: Districts, ledger: Sequence[tuple[Any, ...]]) -> list[File]:
    """Take held removals from the ledger, all else from what was made."""
    texts = {
        (source, night.exported_at, file.name): (file.text, file.mode)
        for source, told in made.items()
        for night in told
        for file in night.files
    }
    found = []
    for file_id, source, name, exported_at, mode, is_held in ledger:
        text, made_mode = texts.pop((source, exported_at, name))
        assert mode == made_mode, (source, exported_at, name)
        feed, _ = FEEDS[name]
        found.append(File(file_id, source, feed, mode, exported_at, is_held, text))
    assert not texts, "every file is in the ledger"
    return found


LEDGER = (
    "select file_id, source_id, file_name, exported_at, mode, are_removals_held "
    "from landing.files where file_name in ('orgs.csv', 'lineItems.csv', 'results.csv') "
    "order by all"
)
UNCHANGED = (
    "select 'file' as what, to_json(t)::varchar from landing.files as t union all "
    "select 'delivery', to_json(t)::varchar from landing.deliveries as t union all "
    "select 'malformed', to_json(t)::varchar from landing.malformed_records as t union all "
    "select 'cycle', to_json(t)::varchar from landing.cycles as t union all "
    "select 'org', to_json(t)::varchar from raw_oneroster.orgs as t union all "
    "select 'result', to_json(t)::varchar from raw_oneroster.results as t order by all"
)


def assert_is_expected(home: Project, expected: Expected) -> None:
    """Compare verdicts and marts with the reference model, record by record."""
    verdicts = dict(home.ledger("select file_id, verdict from landing.files"))
    for file_id in expected.counts:
        assert verdicts[file_id] == ("held" if file_id in expected.held else "accepted")
    queries = {
        "oneroster/orgs": "select source_id, org_id, name, org_type, parent_org_id, is_active "
        "from core.dim_org",
        "oneroster/line_items": "select source_id, line_item_id, name, class_id, score_min, "
        "score_max, is_active from core.dim_line_item",
        "oneroster/results": "select source_id, result_id, line_item_id, student_id, "
        "score_status, score, score_date, is_active from core.fct_result",
    }
    for feed, query in queries.items():
        found = {(row[0], row[1]): row[2:] for row in home.warehouse(query)}
        assert found == expected.core[feed], feed
    mastery = home.warehouse(
        "select roster_source_id, student_id, objective_id, state, evidence_count, score_percent "
        "from progression.fct_mastery"
    )
    assert {row[:3]: row[3:] for row in mastery} == expected.mastery
    counts = home.warehouse(
        "select file_id, record_count, malformed_count, rejected_count, duplicate_count, "
        "accepted_count from audit.audit_ingestion_log"
    )
    used = expected.counts.keys() - expected.held
    assert {row[0]: row[1:] for row in counts if row[0] in used} == {
        file_id: expected.counts[file_id] for file_id in used
    }
    for count, *parts in expected.counts.values():
        assert count == sum(parts)


def project_for(made: Districts, folder: Path) -> None:
    """Copy the project for sources whose verdicts depend on nothing but the file."""
    project = project_with_seeds(folder / "project", {})
    contracts = project / "seeds" / "contracts"
    limits = (contracts / "limits.csv").read_text(encoding="utf-8")
    for name in ("max_removed_percent,10", "max_renamed_percent,50"):
        assert f"*,{name}," in limits
        limits = limits.replace(f"*,{name},", f"*,{name.partition(',')[0]},100,")
    limits = limits.replace("*,floor_count,5,", "*,floor_count,1000000,")
    (contracts / "limits.csv").write_text(limits, encoding="utf-8")
    sources = contracts / "sources.csv"
    like = next(row for row in read_csv(sources) if row["source_id"] == "sis")
    with sources.open("a", encoding="utf-8") as stream:
        for source in made:
            row = like | {"source_id": source, "roster_source_id": source, "due_feeds": ""}
            stream.write(",".join(row.values()) + "\n")


def check_with_dbt(made: Districts, chance: Random, folder: Path, group_count: int) -> None:
    project_for(made, folder)
    one, other = Project(folder / "one", folder), Project(folder / "other", folder)
    for number in range(NIGHTS):
        inbox = folder / f"night_{number}"
        deliver(made, number, inbox)
        now = END if number == NIGHTS - 1 else FIRST_NIGHT + timedelta(days=number, hours=12)
        done = replace(one, inbox=inbox).cycle(f"{now.isoformat()}Z")
        assert done.code in (0, 3), done.out + done.err
    assert_is_expected(one, expect(files_of(made, one.ledger(LEDGER))))

    before, ledger = state(one.home), one.ledger(UNCHANGED)
    again = replace(one, inbox=inbox).cycle(f"{END.isoformat()}Z")
    assert again.json["completed"] == []
    assert again.json["landed"]["deliveries_again"] == len(made)
    assert (state(one.home), one.ledger(UNCHANGED)) == (before, ledger), "the same again"

    inboxes = scatter(made, chance, folder, group_count)
    for number, inbox in enumerate(inboxes):
        now = END - timedelta(hours=group_count - 1 - number)
        home = replace(other, inbox=inbox)
        is_last = number == len(inboxes) - 1
        done = home.cycle(f"{now.isoformat()}Z") if is_last or number % 2 else home.land()
        assert done.code in (0, 3), done.out + done.err
    assert current(one) == current(other), "in whatever order and grouping they came"

    shutil.copyfile(one.home / "warehouse.duckdb", one.home / "building.duckdb")
    build = ("build", "--exclude-resource-type", "unit_test", "--full-refresh")
    assert not failed(one.dbt(*build))
    assert state(one.home, "building.duckdb") == before, "incremental equals full"


def current(home: Project) -> dict[str, str]:
    found = state(home.home, leaving_out=GROUPED_OTHERWISE)
    return {
        table: digest
        for table, digest in found.items()
        if table.startswith("core.") or table in CURRENT
    }


ONCE = settings(
    max_examples=1,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


@ONCE
@given(made=districts(6), chance=st.randoms(use_true_random=False))
def test_the_warehouse_is_what_the_files_say(
    tmp_path_factory: pytest.TempPathFactory, made: Districts, chance: Random
) -> None:
    check_with_dbt(made, chance, tmp_path_factory.mktemp("made"), group_count=2)


@cache
def many_districts() -> list[Districts]:
    """Make 2,000 districts, 100 in each of 20 homes."""
    drawn: list[Nights] = []

    @settings(ONCE, max_examples=200)
    @given(made=districts(10))
    def draw(made: Districts) -> None:
        drawn.extend(made.values())

    draw()
    assert len(drawn) == 2_000
    return [
        {f"d{number:02d}": made for number, made in enumerate(drawn[start : start + 100])}
        for start in range(0, len(drawn), 100)
    ]


@pytest.mark.long
@pytest.mark.parametrize("home", range(20))
def test_the_warehouse_is_what_the_files_say_at_length(tmp_path: Path, home: int) -> None:
    chance = Random(home)  # noqa: S311  (it decides an order of deliveries)
    check_with_dbt(many_districts()[home], chance, tmp_path, group_count=4)
    shutil.rmtree(tmp_path)


def loader_contracts(made: Districts) -> Contracts:
    shipped = Contracts.load(PROJECT_DIR / "seeds" / "contracts")
    like = shipped.sources["sis"]
    no_limits = {"max_removed_percent": 100, "max_renamed_percent": 100, "floor_count": 1_000_000}
    like = replace(like, due_feeds=(), limits=replace(like.limits, **no_limits))
    sources = {name: replace(like, source_id=name) for name in made}
    return replace(shipped, sources=sources)


def check_loader(made: Districts, chance: Random, folder: Path) -> None:
    """Land night by night, and otherwise; neither order nor repetition changes an entry."""
    contracts = loader_contracts(made)
    at = END
    one, other = Project(folder / "one", folder), Project(folder / "other", folder)
    inboxes = [folder / f"night_{number}" for number in range(NIGHTS)]
    for number, inbox in enumerate(inboxes):
        deliver(made, number, inbox)
    scattered = scatter(made, chance, folder, 4)
    for home, order in ((one, inboxes), (other, scattered)):
        Home(home.home).prepare()
        for inbox in order:
            land(Home(home.home), inbox, contracts, at)
    entries = "select * exclude (job_id) from landing.files order by all"
    assert one.ledger(entries) == other.ledger(entries)
    before = one.ledger(UNCHANGED)
    for inbox in scattered:
        assert land(Home(one.home), inbox, contracts, at).deliveries_landed == 0
    assert one.ledger(UNCHANGED) == before
    counted = one.ledger(
        "select file_id, record_count, malformed_count, stored + malformed_count "
        "from landing.files inner join ("
        + " union all ".join(
            f"select file_id, count(*) as stored from raw_oneroster.{name} group by file_id"
            for name in ("orgs", "line_items", "results")
        )
        + ") using (file_id)"
    )
    counts = expect(files_of(made, one.ledger(LEDGER))).counts
    for file_id, record_count, malformed_count, answered_count in counted:
        assert counts[file_id][:2] == (record_count, malformed_count)
        assert record_count == answered_count


@ONCE
@given(made=districts(10), chance=st.randoms(use_true_random=False))
def test_landing_depends_on_the_files_alone(
    tmp_path_factory: pytest.TempPathFactory, made: Districts, chance: Random
) -> None:
    check_loader(made, chance, tmp_path_factory.mktemp("landed"))


@pytest.mark.long
@settings(ONCE, max_examples=200)
@given(made=districts(10), chance=st.randoms(use_true_random=False))
def test_landing_depends_on_the_files_alone_at_length(
    tmp_path_factory: pytest.TempPathFactory, made: Districts, chance: Random
) -> None:
    folder = tmp_path_factory.mktemp("landed")
    check_loader(made, chance, folder)
    shutil.rmtree(folder)
