"""Take the pictures of the README: the report of the demo's bad night, and the lineage.

Usage: python tests/python/screenshots.py DEMO_HOME CATALOGUE FOLDER
"""

import sys
from pathlib import Path

from browser import chromium

CHAIN = (
    "stg_oneroster__results",
    "fct_result",
    "int_evidence__oneroster_results",
    "fct_evidence",
    "int_objective_evidence",
    "int_mastery_scored",
    "int_mastery_status",
    "fct_mastery%2B1",
)
LINEAGE = f"#!/overview?g_v=1&g_i={'%20'.join(CHAIN)}"


def main(home: Path, catalogue: Path, folder: Path) -> None:
    """Write report.png and lineage.png."""
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1180, "height": 760})
        page.goto((home / "report" / "index.html").resolve().as_uri())
        page.screenshot(path=folder / "report.png")
        page = browser.new_page(viewport={"width": 1180, "height": 400}, device_scale_factor=2)
        page.goto(catalogue.resolve().as_uri() + LINEAGE)
        page.wait_for_timeout(4000)  # the graph moves into place
        page.screenshot(path=folder / "lineage.png")


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:]))
