"""Looking at a page as it is shown: light and dark, phone and desk, by axe and by its edges."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import axe_playwright_python
from playwright.sync_api import Page

from tests.browser.visitor import Visitor

WIDTHS = (390, 1280)
SCHEMES = ("light", "dark")
RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
FIND_FAULTS = """async (rules) => {
  const found = await axe.run(document, {runOnly: rules, resultTypes: ["violations"]});
  return found.violations.flatMap(({id, nodes}) => nodes.map(({html}) => id + ": " + html));
}"""
# A table may scroll in itself; the page may not.
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def find_faults(visitor: Visitor, name: str) -> list[str]:
    """What axe and a ruler find wrong with the page, in each scheme and at each width."""
    page, faults = visitor.page, []
    before = page.viewport_size
    page.evaluate(AXE)
    for width, scheme in itertools.product(WIDTHS, SCHEMES):
        look = f"{name}-{width}-{scheme}"
        _show(page, width, scheme)
        faults += [f"{look}: {fault}" for fault in page.evaluate(FIND_FAULTS, RULES)]
        if page.evaluate(OVERFLOW) > 0:
            faults.append(f"{look}: wider than the screen")
        visitor.picture(re.sub(r"\W+", "-", look))
    if before:
        _show(page, before["width"], "light")
    return faults


def _show(page: Page, width: int, scheme: str) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
