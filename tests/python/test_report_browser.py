"""The report in a real browser: searched, sorted, followed, printed, and checked for everybody."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import chromium
from conftest import HOSTILE, SAMPLE, District
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request, expect
from test_report import pages

from rollcall.report.site import PAGES

pytestmark = pytest.mark.more

LONGEST_LOAD_MS = 1000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Give a browser for the tests of this module."""
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Give a page; at the end nothing may have been said in error, asked or fetched elsewhere."""
    troubles: list[str] = []
    opened = browser.new_page(viewport={"width": 1280, "height": 900})

    def on_console(message: ConsoleMessage) -> None:
        troubles.append(f"console: {message.text}")

    def on_dialog(dialog: Dialog) -> None:
        troubles.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def on_request(request: Request) -> None:
        if not request.url.startswith("file:"):
            troubles.append(f"request: {request.url}")

    opened.on("console", on_console)
    opened.on("pageerror", lambda error: troubles.append(f"error: {error}"))
    opened.on("dialog", on_dialog)
    opened.on("request", on_request)
    yield opened
    opened.close()
    assert troubles == []


def show(page: Page, home: Path, name: str) -> None:
    page.goto((home / "report" / name).as_uri())


@pytest.fixture(scope="module")
def home(sample_run: tuple[District, list[int]]) -> Path:
    """Give the home of the sample."""
    return sample_run[0].home


def test_every_page_opens_within_a_second(page: Page, home: Path) -> None:
    for path in pages(home):
        times = []
        for _ in range(2):
            show(page, home, path.name)
            times.append(
                page.evaluate(
                    "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
                )
            )
        assert min(times) < LONGEST_LOAD_MS, path.name


@pytest.mark.parametrize("name", [*(listed.file for listed in PAGES), "cycle-00008.html"])
def test_everybody_can_read_the_page(page: Page, home: Path, name: str) -> None:
    show(page, home, name)
    page.evaluate(
        "document.querySelectorAll('tbody').forEach("
        "body => [...body.rows].slice(20).forEach(row => row.remove()))"
    )  # rows are alike, and each takes the check its time
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= page.evaluate("document.documentElement.clientWidth")


def test_a_search_finds_a_student_and_the_command_that_traces_the_outcome(
    page: Page, home: Path
) -> None:
    show(page, home, "mastery.html")
    listing = page.locator("#mastery_rows")
    listing.get_by_role("searchbox", name="Search").fill("st-000002 math.5.oa.1")
    rows = listing.locator("tbody tr:visible")
    assert rows.count() == 1
    assert "1 of" in listing.get_by_role("status").inner_text()
    command = rows.locator("code").inner_text()
    assert command == "rollcall trace --student ST-000002 --objective MATH.5.OA.1"
    traced = District(home, SAMPLE).run(*shlex.split(command)[1:])
    assert traced.code == 0, traced.err
    assert rows.locator("td").nth(2).inner_text() in traced.out.replace("_", " ")
    listing.get_by_role("searchbox").fill("")
    assert rows.count() > 100


def test_tables_are_sorted_by_number_with_the_keyboard(page: Page, home: Path) -> None:
    show(page, home, "cycles.html")
    table = page.locator("#cycles_table")
    head = table.locator("th", has_text="records")
    head.get_by_role("button").focus()
    column = head.evaluate("cell => cell.cellIndex") + 1
    for way in ("ascending", "descending"):
        page.keyboard.press("Enter")
        expect(head).to_have_attribute("aria-sort", way)
        texts = table.locator(f"tbody td:nth-child({column})").all_inner_texts()
        numbers = [int(text.replace(",", "")) for text in texts]
        assert numbers == sorted(numbers, reverse=way == "descending")
        assert len(set(numbers)) > 5


def test_from_a_rejected_record_to_its_explanation(page: Page, home: Path) -> None:
    show(page, home, "rejected.html")
    listing = page.locator("#rejected_rows")
    listing.get_by_role("searchbox").fill("INVALID_DATE")
    listing.locator("tbody tr:visible").get_by_role("link", name="INVALID_DATE").click()
    expect(page).to_have_url(re.compile(r"glossary\.html#INVALID_DATE$"))
    explanation = page.locator("tr:target")
    assert "A required date is not written as the layout says" in explanation.inner_text()
    box = explanation.bounding_box()
    assert box is not None
    assert 0 <= box["y"] < 900


def test_the_page_on_coverage_says_where_records_are_lost(page: Page, home: Path) -> None:
    show(page, home, "coverage.html")
    listing = page.locator("#coverage_rows")
    listing.get_by_role("searchbox", name="Search").fill("map known student")
    rows = listing.locator("tbody tr:visible")
    assert rows.count() == 1
    said = rows.locator("td").all_inner_texts()
    assert said[3:5] == ["of a known student", "83"]
    assert said[6:] == ["1", "1 bear the id of a student of another name or birth date"]
    listing.get_by_role("searchbox", name="Search").fill("map file that waits")
    last_years = rows.locator("td").all_inner_texts()
    assert last_years[6:] == ["82", "82 are in a file that waits, or was refused or replaced"]
    totals = page.locator("#coverage_totals_table tbody td").all_inner_texts()
    assert totals.count("43") == 2
    by_school = page.locator("#coverage_by_school_table tbody tr")
    assert by_school.count() == 4


def test_the_first_key_leads_past_the_navigation(page: Page, home: Path) -> None:
    show(page, home, "index.html")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#main$"))
    page.get_by_role("link", name="Rejected records").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Rejected records")


def test_every_picture_says_its_figures_in_words_and_as_a_table(page: Page, home: Path) -> None:
    show(page, home, "lag.html")
    for picture in page.get_by_role("img").all():
        described = picture.get_attribute("aria-describedby")
        assert len(page.locator(f"#{described}").inner_text()) > 30
    assert page.get_by_role("img").count() == 2
    page.get_by_text("The figures of this picture").first.click()
    assert page.locator("details[open] tbody tr").count() >= 9


def test_a_page_is_printed_without_what_only_a_screen_needs(page: Page, home: Path) -> None:
    show(page, home, "index.html")
    page.emulate_media(media="print")
    assert not page.get_by_role("navigation").is_visible()
    assert page.locator(".answer").is_visible()
    assert not page.locator(".tools").first.is_visible()
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_hostile_exports_are_shown_as_text(page: Page, hostile: District) -> None:
    for path in pages(hostile.home):
        show(page, hostile.home, path.name)
        assert page.title() != "taken"
        assert page.locator("script").count() == 1
        assert page.locator("img").count() == 0
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= page.evaluate("document.documentElement.clientWidth"), path.name
    show(page, hostile.home, "rejected.html")
    text = page.locator("#rejected_table").inner_text()
    for key in (HOSTILE[0], HOSTILE[1], HOSTILE[3]):
        assert key in text
