"""A real browser for the console's tests: Debian's Chromium, and a page in which somebody has signed in."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest
from playwright.async_api import BrowserContext, Page, async_playwright

from tests.support.console import School

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser")
NEEDS_CHROMIUM: Final = pytest.mark.skipif(
    CHROMIUM is None, reason="ABSENT: no Chromium on this machine: apt-get install chromium"
)
WIDE: Final = 1440
PATIENCE_MS: Final = 60_000  # for a busy machine


@asynccontextmanager
async def chromium() -> AsyncIterator[Any]:
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        await opened.close()


async def entered(context: BrowserContext, school: School, person: str) -> tuple[Page, list[str]]:
    """A page in which this person has just signed in, and what the browser complains of from then on."""
    page, complaints = await context.new_page(), list[str]()
    page.on(
        "console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.set_default_timeout(PATIENCE_MS)
    await page.goto(school.fleet.console_url)
    await page.click(f"button[value={person}]")
    await page.wait_for_selector("#content")
    return page, complaints


async def press(page: Page, act: str, why: str = "", **fields: str) -> str:
    """Fill in an act's form, look at its preview and have it done; what the receipt says.

    act: the title of its form. fields: by the name of the parameter; of a choice, its value.
    """
    form = page.locator("details.doing", has=page.locator("summary", has_text=act))
    if await form.get_attribute("open") is None:
        await form.locator("summary").click()
    for name, value in fields.items():
        place = form.locator(f"[name='p.{name}']")
        if await place.evaluate("one => one.localName") == "select":
            await place.select_option(value)
        elif await place.get_attribute("type") == "checkbox":
            await place.set_checked(value == "yes")
        else:
            await place.fill(value)
    if why:
        await form.locator("[name=why]").fill(why)
    await form.locator("button").last.click()
    await page.wait_for_selector("text=It would do this:")
    await page.click("form.confirm button")
    await page.wait_for_selector("#outcome:has-text('Receipt: decision') >> text=/Done:|Refused:/")
    return await page.inner_text("#outcome")
