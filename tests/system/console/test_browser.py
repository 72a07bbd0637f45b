"""A real browser: a job from the overview to its receipt, and every page wide and narrow, light and dark."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest
from playwright.async_api import Page

from fleet.zones import local_date
from hobbs.demo.school import SCHOOL_FILE, apply_school
from tests.contract.clients.installed import Absent
from tests.support.browsing import NEEDS_CHROMIUM, WIDE, entered
from tests.support.console import School, axe_source
from tests.support.corrections import lesson
from tests.support.reserves import school_with_a_reserve
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
# Of these elements alone the colours are asked for: what stands elsewhere as here was looked at there.
MARK: Final = """numbers => {
    const every = document.querySelectorAll("body *")
    for (const number of numbers) every[number].setAttribute("data-unseen", "")
}"""
UNSEEN: Final = {"include": ["[data-unseen]"]}
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
STOPS_MAX: Final = 80
ALERTS: Final = "SELECT id FROM reserves.alert WHERE resolved_at IS NULL"
COMPARED: Final = """
    INSERT INTO reserves.day (business_date, currency, run, stripe_opening, stripe_moved, stripe_closing,
                              books_opening, books_moved, books_closing, explained, breaks_open, movements,
                              completed_at)
    VALUES ($1, 'USD', 1, 0, 0, 0, 0, 0, 0, 0, 0, '[]', now())
"""
# Nobody's transfer waits for it: other tests use the same fleet.
RESERVE: Final = """
[[reserve]]
minimum = 100000.00
exempt_wallets = ["instructor", "aircraft_owner"]
"""

pytestmark = NEEDS_CHROMIUM


async def test_a_correction_is_rejected_by_keyboard_alone(school: School, browser: Any) -> None:
    (name,) = await school.given_waiting(lesson("k-keys"), corrected_by="ann")
    context = await browser.new_context(viewport={"width": WIDE, "height": 900})
    page, complaints = await entered(context, school, "bea")
    await page.goto(f"{school.origin}/corrections/{name}")
    await page.keyboard.press("Tab")
    assert await focused(page) == "To the content", "the first stop leads past the menu"
    await page.keyboard.press("Enter")
    await reach(page, "Reject")
    await page.keyboard.press("Enter")
    await reach(page, "why")
    await page.keyboard.type("the meter was right")
    await reach(page, "Reject: show what it does")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("form.confirm")
    await reach(page, "Reject", tag="BUTTON")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("text=Done:")
    assert complaints == []
    await context.close()


FOCUSED: Final = """() => {
    const one = document.activeElement
    const outline = getComputedStyle(one).outlineStyle + getComputedStyle(one).boxShadow
    return [one.tagName, (one.innerText || one.name || "").trim(), outline !== "nonenone"]
}"""


async def focused(page: Page) -> str:
    """What the keyboard is on, which has to be seen."""
    _, text, is_seen = await page.evaluate(FOCUSED)
    assert is_seen, f"nothing shows that {text} is chosen"
    return str(text)


async def reach(page: Page, text: str, *, tag: str = "") -> None:
    """Go on with the tab key until something of this text is chosen."""
    for _ in range(STOPS_MAX):
        await page.keyboard.press("Tab")
        if await focused(page) == text and tag in ("", (await page.evaluate(FOCUSED))[0]):
            return
    raise AssertionError(f"the tab key does not come to {text}")


async def test_what_is_printed_is_the_page_without_menu_and_buttons(school: School, browser: Any) -> None:
    context = await browser.new_context(viewport={"width": WIDE, "height": 900})
    page, _ = await entered(context, school, "ann")
    for path in ("/", "/corrections/k-waiting:2", "/payees", "/students/student-01", "/flights/k-first"):
        await page.goto(school.origin + path)
        for theme in ("light", "dark"):
            await page.evaluate("theme => document.documentElement.dataset.bsTheme = theme", theme)
            await page.emulate_media(media="print")
            assert await page.evaluate(ON_PAPER) == [], (path, theme)
            await page.emulate_media(media="screen")
    await context.close()


# What nobody can use on paper, and what cannot be read there: ink that is nearly white.
ON_PAPER: Final = """() => {
    const shown = one => one.checkVisibility()
    const controls = [...document.querySelectorAll("nav, button, input, select, textarea, .btn, .doing")]
    const light = one => getComputedStyle(one).color.match(/\\d+/g).slice(0, 3).every(part => part > 140)
    const every = [...document.querySelectorAll("main *")].filter(one => shown(one) && one.innerText)
    const texts = every.filter(light)
    const paper = getComputedStyle(document.body).backgroundColor
    return [
        ...controls.filter(shown).map(one => "a control: " + one.outerHTML.slice(0, 80)),
        ...texts.slice(0, 5).map(one => "light: " + one.outerHTML.slice(0, 80)),
        ...(paper === "rgb(255, 255, 255)" ? [] : ["the paper is " + paper]),
    ]
}"""


# What has to be read without a script and is not seen: asked by the driver, whose own scripts run always.
UNREAD: Final = """() => {
    const has_room = one => one.getBoundingClientRect().width > 0 && one.getBoundingClientRect().height > 0
    const seen = one => one !== null && one.checkVisibility({visibilityProperty: true}) && has_room(one)
    const tables = [...document.querySelectorAll("main table:not(details table)")]  // folds open
    return [
        ...["h1", "nav a"].filter(name => !seen(document.querySelector(name))),
        ...tables.filter(one => !seen(one)).map(one => "the table " + one.getAttribute("aria-label")),
    ]
}"""


async def test_every_kind_of_page_reads_without_javascript(school: School, browser: Any) -> None:
    context = await browser.new_context(viewport={"width": NARROW, "height": 900}, java_script_enabled=False)
    page = await context.new_page()
    await page.goto(school.fleet.console_url)
    await page.click("button[value=ada]")
    pages: dict[str, str] = {}
    for path in await crawled(school, "ada", begin="/"):
        if "as=" not in path:
            pages.setdefault(pattern_of(path.partition("?")[0]), path)
    unread = list[str]()
    for path in pages.values():
        await page.goto(school.origin + path)
        unread += [f"{path}: {one}" for one in await page.evaluate(UNREAD)]
    assert unread == []
    await page.goto(f"{school.origin}/flights")
    await page.fill("input[name='f.student']", "student-01")
    await page.click("form.filters button")
    assert "f.student=student-01" in page.url
    await page.goto(school.origin + "/corrections/k-waiting:2")
    await page.click("button:has-text('Approve: show what it does')")
    await page.wait_for_selector("text=It would do this")
    await context.close()


async def test_an_alert_is_acknowledged_and_a_day_is_signed_in_a_browser(
    school: School, browser: Any, tmp_path: Path
) -> None:
    await asyncio.to_thread(apply_school, school.fleet, school_with_a_reserve(tmp_path, RESERVE))
    async with asyncio.timeout(60):
        while not await school.figures.rows(ALERTS):  # noqa: ASYNC110 - another process's state
            await asyncio.sleep(0.2)
    yesterday = local_date(datetime.now(UTC), "America/New_York") - timedelta(days=1)
    owner = await asyncpg.connect(school.fleet.owner_url)
    await owner.execute("SET search_path TO reserves")
    await owner.execute(COMPARED, yesterday)
    await owner.close()
    context = await browser.new_context(viewport={"width": WIDE, "height": 900})
    page, complaints = await entered(context, school, "ada")
    await page.goto(f"{school.origin}/?now=1")
    await page.click("a:has-text('nobody acknowledged')")
    await page.fill("form:has(input[value=acknowledge_alert]) input[name=why]", "a top-up is on its way")
    await page.click("button:has-text('Acknowledge: show what it does')")
    await page.click("form.confirm button")
    await page.wait_for_selector("text=Done:")
    await page.click("text=Look at it")
    assert "ada acknowledged it" in await page.inner_text("main")
    await page.goto(f"{school.origin}/reconciliation")
    await page.click(f"td a:has-text('{yesterday}')")
    await page.click("summary:has-text('Sign')")
    await page.fill("form:has(input[value=sign_day]) input[name=why]", "looked at")
    await page.click("button:has-text('Sign: show what it does')")
    await page.click("form.confirm button")
    await page.wait_for_selector("text=Done:")
    await page.click("text=Look at it")
    assert "ada signed this day" in await page.inner_text("main")
    assert complaints == []
    await context.close()
    await asyncio.to_thread(apply_school, school.fleet, SCHOOL_FILE)


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
        places = await page.evaluate(PLACES)
        if not {kind, *places} - seen:
            continue  # somebody else's page of this kind had all of it
        await page.evaluate(axe)
        found += [f"{path}: {said}" for said in await violations(page, THE_REST)]
        unseen = [number for number, place in enumerate(places) if place not in seen]
        await page.evaluate(MARK, unseen)
        for theme in ("light", "dark") if unseen else ():
            await page.evaluate("theme => document.documentElement.dataset.bsTheme = theme", theme)
            found += [f"{path} {theme}: {said}" for said in await violations(page, COLOURS, UNSEEN)]
        seen |= {kind, *places}
    assert found == []
    assert complaints == [], "the browser blocked or missed something"
    await context.close()


async def violations(page: Page, rules: Mapping[str, Any], of: Any = None) -> list[str]:
    """What axe says of the page, or of a part of it."""
    result = await page.evaluate("([of, rules]) => axe.run(of || document, rules)", [of, rules])
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in result["violations"]]
