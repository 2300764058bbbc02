"""Take the picture of the README: the report of the demo's last night.

Usage: python tests/python/screenshots.py DEMO_HOME FOLDER
"""

import sys
from pathlib import Path

from browser import chromium


def main(home: Path, folder: Path) -> None:
    """Write report.png."""
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1180, "height": 760})
        page.goto((home / "report" / "index.html").resolve().as_uri())
        page.screenshot(path=folder / "report.png")


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:]))
