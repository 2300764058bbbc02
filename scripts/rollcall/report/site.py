"""The pages: templates filled with listings, pictures and the answer to the first question."""

import hashlib
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from rollcall.ledger.status import StatusReport
from rollcall.report.charts import Picture
from rollcall.report.facts import Answer
from rollcall.report.listings import Reader, words

_TEMPLATES = Path(__file__).with_name("templates")
_PAGE_ROWS = 800
"""Rows of a listing that stand on a page; a search looks through these, the CSV has all."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its file, its title, its first sentences and what stands on it, by name."""

    file: str
    title: str
    lead: str
    listings: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()
    template: str = "listings.html.j2"


PAGES = (
    Page("index.html", "Overview", "", (), ("arrivals", "verdicts"), "overview.html.j2"),
    Page(
        "sources.html",
        "Sources and files",
        "What was delivered, when, and what became of it. A file is accepted, rejected or held; "
        "held ones wait for a person, and so may the removals of an accepted one.",
        ("sources", "feeds", "files"),
        ("arrivals",),
    ),
    Page(
        "rejected.html",
        "Rejected records",
        "Records that were not taken, by cause, with what to tell the vendor. The warehouse keeps "
        "the last good version of a rejected record, and the archive keeps the record itself.",
        template="rejected.html.j2",
    ),
    Page(
        "reconciliation.html",
        "Reconciliation",
        "Does the warehouse hold what the sources exported? Every difference has a reason; one "
        "without a reason keeps a cycle from being published.",
        (
            *("recon_missing_record", "recon_unexpected_record", "recon_diverging_value"),
            *("recon_file_balance", "recon_column_sum"),
        ),
    ),
    Page(
        "coverage.html",
        "Coverage",
        "Of all that came, how much counts, and where is the rest lost? For the question why our "
        "totals are not those of the vendor.",
        ("coverage_totals", "coverage", "coverage_by_school"),
    ),
    Page(
        "contests.html",
        "Contested values",
        "Which sources say different things of one student, and whose word stands: that of the "
        "roster, unless source_hierarchy.csv says otherwise of the field.",
        ("contested_fields", "contested_values"),
    ),
    Page(
        "mastery.html",
        "Mastery",
        "The state of every student as of the last good cycle. Search for a student's id, then "
        "type the command of the row to see the chain back to the line of the export.",
        ("objectives", "mastery", "gates", "overrides", "evidence"),
        ("mastery_by_cycle",),
    ),
    Page(
        "pilots.html",
        "Pilots",
        "Sources that are tried out. They build alone: of them, the rest of this report shows "
        "their files and what is to be done about these, and no outcome rests on them. Of sources "
        "that were tried out before, what was decided and on what grounds.",
        ("pilot_effect", "pilot_problems", "pilot_checks", "pilot_stages", "pilot_changes"),
    ),
    Page(
        "changes.html",
        "Changes",
        "Whose mastery or gate changed in which cycle, and why; the newest cycle first.",
        ("changed_mastery", "changed_gates"),
    ),
    Page(
        "cycles.html",
        "Cycles",
        "One sync after the other. Each has a page of its own.",
        ("cycles", "findings"),
        ("verdicts",),
    ),
    Page(
        "lag.html",
        "Age of the data",
        "How long events take to reach the warehouse: they wait for the export, then for the "
        "landing, then for the cycle.",
        ("lag", "fitness"),
        ("lag_by_cycle", "arrivals"),
    ),
    Page(
        "formats.html",
        "Formats",
        "When a source changed how it writes its files.",
        ("formats",),
    ),
    Page(
        "mapping.html",
        "Field mapping",
        "For reviewers: which column of which export goes where, and what is done to it. "
        "The command rollcall mapping export writes the same as a workbook to fill in.",
        ("reviewed_mapping", "mapping"),
    ),
    Page(
        "glossary.html",
        "Glossary",
        "The words of this report, and what the codes mean.",
        ("words", "codes"),
    ),
)


@dataclass(frozen=True, slots=True)
class Contents:
    """All that the pages show."""

    answer: Answer
    status: StatusReport
    reader: Reader
    pictures: dict[str, Picture]
    names: bool


def write_site(contents: Contents, folder: Path) -> int:
    """Write every page into a folder; returns how many there are."""
    templates = _environment(contents)
    pages = [*_listed(contents), *_cycles(contents)]
    for page, more in pages:
        text = templates.get_template(page.template).render(
            page=page,
            title=page.title,
            page_tables=[contents.reader.tables[name] for name in page.listings],
            page_pictures=[
                contents.pictures[name] for name in page.pictures if name in contents.pictures
            ],
            **more,
        )
        (folder / page.file).write_text(text, encoding="utf-8", newline="\n")
    return len(pages)


def _environment(contents: Contents) -> jinja2.Environment:
    script = (_TEMPLATES / "report.js").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        answer=contents.answer,
        cycle_file=_cycle_file,
        names=contents.names,
        page_rows=_PAGE_ROWS,
        pages=PAGES,
        script=Markup(script),  # noqa: S704  (our own file)
        script_hash="sha256-" + b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        style=Markup((_TEMPLATES / "report.css").read_text(encoding="utf-8")),  # noqa: S704
        tables=contents.reader.tables,
        version=version("rollcall"),
        words=words,
    )
    return environment


def _cycle_file(cycle_id: int) -> str:
    return f"cycle-{cycle_id:05}.html"


def _listed(contents: Contents) -> Iterator[tuple[Page, dict[str, Any]]]:
    for page in PAGES:
        if page.template == "overview.html.j2":
            yield page, _overview(contents)
        elif page.template == "rejected.html.j2":
            yield page, {"causes": list(_causes(contents.reader))}
        else:
            yield page, {}


def _overview(contents: Contents) -> dict[str, Any]:
    reader = contents.reader
    newest = contents.answer.cycle_id
    overdue: dict[str, list[str]] = {}
    for feed in contents.status.feeds:
        if feed.status in ("late", "missing"):
            name = feed.feed.split("/")[-1].replace("_", " ")
            overdue.setdefault(feed.source_id, []).append(f"{name} ({feed.status})")
    balance = reader.part("recon_file_balance", "adds_up = ?", False)
    return {
        "sources": contents.status.sources,
        "overdue": {
            s.source_id: ", ".join(overdue.get(s.source_id, [])) for s in contents.status.sources
        },
        "deliveries": reader.part("deliveries", "cycle = ?", newest),
        "causes": reader.part("causes_by_cycle", "cycle = ?", newest),
        "changes": reader.part("changes_by_cycle", "cycle = ?", newest),
        "differences": [
            (reader.tables[name], reader.part(name, "explained = ?", False).total)
            for name in ("recon_missing_record", "recon_unexpected_record", "recon_diverging_value")
        ],
        "unbalanced": balance.total,
    }


def _causes(reader: Reader) -> Iterator[dict[str, Any]]:
    """Yield each cause of rejection with the files it was found in."""
    causes = reader.tables["causes"]
    for row in causes.rows:
        cause = dict(zip((column.name for column in causes.columns), row, strict=True))
        cause["files"] = reader.part("rejected_by_file", "code = ?", cause["code"])
        yield cause


def _cycles(contents: Contents) -> Iterator[tuple[Page, dict[str, Any]]]:
    """Yield a page for each cycle."""
    reader = contents.reader
    cycles = reader.tables["cycles"]
    found = [
        dict(zip((column.name for column in cycles.columns), row, strict=True))
        for row in cycles.rows
    ]
    numbers = {cycle["cycle"] for cycle in found}
    for cycle in found:
        number = cycle["cycle"]
        page = Page(_cycle_file(number), f"Cycle {number}", "", template="cycle.html.j2")
        headings = [("What came", "deliveries"), ("Files", "files")]
        if cycle["outcome"].startswith("published"):
            headings += [
                ("Rejected records", "causes_by_cycle"),
                ("Due feeds and age of the data", "lag"),
                ("What changed, and why", "changes_by_cycle"),
            ]
        yield (
            page,
            {
                "cycle": cycle,
                "earlier": number - 1 if number - 1 in numbers else None,
                "later": number + 1 if number + 1 in numbers else None,
                "parts_of_cycle": [
                    (heading, reader.part(name, "cycle = ?", number)) for heading, name in headings
                ],
            },
        )
