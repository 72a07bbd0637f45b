"""A real browser: a job from the overview to its receipt, and every page wide and narrow, light and dark."""

from collections.abc import Mapping
from typing import Any, Final

import pytest
from playwright.async_api import Page

from tests.contract.clients.installed import Absent
from tests.support.browsing import NEEDS_CHROMIUM, WIDE, entered
from tests.support.console import School, axe_source
from tests.support.corrections import lesson
from tests.system.console.test_rows import crawled, pattern_of

COLOURS: Final = {"runOnly": ["color-contrast"], "resultTypes": ["violations"]}
THE_REST: Final = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
    "rules": {"color-contrast": {"enabled": False}},
    "resultTypes": ["violations"],
}
# axe looks at each cell, and rows after the sixth are built as those before them.
FEWER_ROWS: Final = "document.querySelectorAll('tbody tr:nth-child(n+7)').forEach(row => row.remove())"
# Where an element stands and of which classes: its colours follow, as no page has styles of its own.
PLACES: Final = """[...document.querySelectorAll("body *")].map(element => {
    const way = []
    for (let one = element; one !== document.body; one = one.parentElement)
        way.push(one.localName + "." + one.className)
    return way.join(" ")
})"""
# What is wider than its place: the page, a table in its frame, a part of a form in its card.
TOO_WIDE: Final = """() => {
    const wider = one => one.scrollWidth > one.clientWidth + 1
    const end = one => one.getBoundingClientRect().right
    const parts = ["button", "input", "select", "textarea", ".btn"].map(name => ".card " + name).join(",")
    const found = wider(document.documentElement) ? ["the page"] : []
    for (const table of document.querySelectorAll(".table-responsive"))
        if (wider(table)) found.push("the table " + table.getAttribute("aria-label"))
    for (const part of document.querySelectorAll(parts))
        if (end(part) > end(part.closest(".card"))) found.push(part.outerHTML.slice(0, 100))
    return found
}"""
NARROW = 390

pytestmark = NEEDS_CHROMIUM


async def test_a_correction_is_approved_from_the_overview_in_three_clicks(
    school: School, browser: Any
) -> None:
    (name,) = await school.given_waiting(lesson("k-browser"), corrected_by="ann")
    context = await browser.new_context(viewport={"width": WIDE, "height": 900})
    page, complaints = await entered(context, school, "bea")
    await page.click("a:has-text('wait for approval')")
    await page.click(f"a:has-text('{name}')")
    await page.click("button:has-text('Approve: show what it does')")
    await page.click("form.confirm button")
    await page.wait_for_selector("text=Done:")
    assert "Receipt: decision" in await page.inner_text("main")
    assert complaints == [], "the browser blocked or missed something"
    await context.close()


@pytest.mark.parametrize(
    ("person", "begin"),
    [("ada", "/"), ("otto", "/"), ("instructor-01", "/own"), ("owner-01", "/own"), ("student-01", "/own")],
)
async def test_every_page_fits_and_axe_finds_nothing(
    school: School, browser: Any, person: str, begin: str
) -> None:
    try:
        axe = axe_source()
    except Absent as absent:
        pytest.skip(f"ABSENT: {absent}")
    pages: dict[str, str] = {}
    for path in await crawled(school, person, begin=begin):
        if "as=" not in path:
            pages.setdefault(pattern_of(path.partition("?")[0]), path)
    context = await browser.new_context(
        viewport={"width": WIDE, "height": 900}, bypass_csp=True, reduced_motion="reduce"
    )
    page, complaints = await entered(context, school, person)
    found, seen = list[str](), school.looked_at
    for kind, path in pages.items():
        await page.goto(school.origin + path)
        for width in (NARROW, WIDE):
            await page.set_viewport_size({"width": width, "height": 900})
            found += [f"{path} at {width} px: {part} is too wide" for part in await page.evaluate(TOO_WIDE)]
        await page.evaluate(FEWER_ROWS)
        places = set(await page.evaluate(PLACES))
        if not {kind, *places} - seen:
            continue  # somebody else's page of this kind had all of it
        await page.evaluate(axe)
        found += [f"{path}: {said}" for said in await violations(page, THE_REST)]
        for theme in ("light", "dark") if places - seen else ():
            await page.evaluate("theme => document.documentElement.dataset.bsTheme = theme", theme)
            found += [f"{path} {theme}: {said}" for said in await violations(page, COLOURS)]
        seen |= {kind, *places}
    assert found == []
    assert complaints == [], "the browser blocked or missed something"
    await context.close()


async def violations(page: Page, rules: Mapping[str, Any]) -> list[str]:
    result = await page.evaluate("rules => axe.run(document, rules)", rules)
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in result["violations"]]
