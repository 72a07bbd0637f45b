"""`make pictures`: takes the pictures of the console anew, of the fleet that the tests of its folder share.

No test: pytest is only told of this file by name. The school and its people are invented.
"""

from pathlib import Path
from typing import Any, Final

import pytest
from playwright.async_api import ViewportSize, async_playwright

from tests.support.browsing import CHROMIUM, entered
from tests.support.console import School

FOLDER: Final = Path(__file__).parents[3] / "docs" / "pictures"
BYTES_MAX: Final = 250_000  # a page with more rows is larger
WIDE: Final = ViewportSize(width=1440, height=860)
NARROW: Final = ViewportSize(width=390, height=780)
# A picture's name, who looks, at what, how wide, in which colours.
PICTURES: Final = (
    ("overview", "ada", "/", WIDE, "light"),
    ("correction", "bea", "/corrections/k-waiting:2", WIDE, "light"),
    ("flight", "vera", "/flights/k-first", WIDE, "light"),
    ("transfers-dark", "otto", "/transfers", WIDE, "dark"),
    ("instructor-phone", "instructor-01", "/own", NARROW, "light"),
    ("corrections-phone", "bea", "/corrections", NARROW, "dark"),
)


@pytest.mark.parametrize(("name", "person", "path", "size", "theme"), PICTURES)
async def test_take(
    school: School, name: str, person: str, path: str, size: ViewportSize, theme: str
) -> None:
    await school.story.settle()
    FOLDER.mkdir(exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context: Any = await browser.new_context(viewport=size)
        await context.add_cookies([{"name": "theme", "value": theme, "url": school.origin}])
        page, _ = await entered(context, school, person)
        await page.goto(school.origin + path)
        await page.screenshot(path=FOLDER / f"{name}.png")
        await browser.close()
    assert (FOLDER / f"{name}.png").stat().st_size < BYTES_MAX
