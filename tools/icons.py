"""Draw the app's icons from the brand mark with headless Chromium: python -m tools.icons

Four PNGs for the manifest and one for an iPhone's home screen go to static/icons. A maskable icon fills its
square, with the mark inside the circle that every mask leaves.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "static" / "icons"
BACKGROUND = "#FFFFFF"
# File, size [px], share of the mark's box in the icon, radius of the corners in 24ths.
ICONS = (
    ("icon-192", 192, 1.0, 5.0),
    ("icon-512", 512, 1.0, 5.0),
    ("maskable-192", 192, 0.72, 0.0),
    ("maskable-512", 512, 0.72, 0.0),
    ("apple-touch-180", 180, 0.86, 0.0),
)


def drawing(size: int, share: float, radius: float) -> str:
    """Return the icon as a page of its own size."""
    paths = "".join(re.findall(r"<path[^>]*/>", (ROOT / "static/favicon.svg").read_text(encoding="utf-8")))
    edge = 12 * (1 - share)
    return (
        f'<body style="margin:0"><svg style="display:block" width="{size}" height="{size}"'
        f' viewBox="0 0 24 24">'
        f'<rect width="24" height="24" rx="{radius}" fill="{BACKGROUND}"/>'
        f'<g transform="translate({edge} {edge}) scale({share})">{paths}</g></svg></body>'
    )


def main() -> int:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.stderr.write("headless Chromium is not installed (Debian: apt install chromium)\n")
        return 1
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, size, share, radius in ICONS:
            page = browser.new_page(viewport={"width": size, "height": size})
            page.set_content(drawing(size, share, radius))
            page.screenshot(path=FOLDER / f"{name}.png", omit_background=True)
            page.close()
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
