"""From an empty school to a paid instructor, told once: what people do, they do in a real browser.

The book is a file (`hobbs school apply`) and flights are the scheduler's: both come as they come in a school.
Everything else is clicked: a new rate by two people, the payee's account, the student's card, a correction.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Page, expect

from hobbs.demo.school import apply_school
from hobbs.local.stack import Simulator
from tests.support.a_school import empty_school
from tests.support.browsing import NEEDS_CHROMIUM, WIDE, chromium, entered, press
from tests.support.console import School
from tests.support.corrections import correction, lesson, publish_in_order
from tests.support.databases import Cluster, Template

pytestmark = NEEDS_CHROMIUM

FLOWN: Final = lesson("first-lesson")
RIGHT: Final = correction(
    FLOWN, 2, hobbs_in="1002.3", flight_hours="2.3", dual_hours="2.3", corrected_by="dispatch"
)
DAY: Final = str(FLOWN[1]["date"])
# The instructor's new 50.00 an hour for 1.3 h and 40.00 for 0.5 h on the ground; then an hour more.
EARNED: Final = ("85.00", "50.00")
EARNED_CENTS: Final = 13_500


@asynccontextmanager
async def signed_in(school: School, browser: Any, person: str) -> AsyncIterator[Page]:
    """A page of this person's; by the end the browser may have blocked or missed nothing."""
    context = await browser.new_context(viewport={"width": WIDE, "height": 900})
    page, complaints = await entered(context, school, person)
    yield page
    assert complaints == []
    await context.close()


async def said_on(page: Page, words: str) -> None:
    """Look again until the page says these words: what it shows may be seconds old."""
    async with asyncio.timeout(60):
        while words not in await page.inner_text("main"):
            await asyncio.sleep(0.5)
            await page.reload()


async def test_a_school_begins_and_its_instructor_is_paid(
    tmp_path: Path, cluster: Cluster, template: Template, kafka: str, stripe_sim_process: Simulator
) -> None:
    async with (
        empty_school(tmp_path, cluster, template, kafka, stripe_sim_process) as school,
        chromium() as browser,
    ):
        await the_empty_console_says_how_to_begin(school, browser)
        await a_rate_is_changed_by_two(school, browser)
        await the_instructor_finishes_the_account(school, browser)
        await publish_in_order(school.fleet, [FLOWN, RIGHT])
        await school.story.settle()
        await the_correction_is_approved(school, browser)
        await the_student_pays(school, browser)
        await the_office_sees_the_transfers_in_the_bank(school, browser)
        await the_instructor_sees_transfers_and_statement(school, browser)


async def the_empty_console_says_how_to_begin(school: School, browser: Any) -> None:
    async with signed_in(school, browser, "ada") as ada:
        assert "hobbs school apply" in await ada.inner_text("main")
        await asyncio.to_thread(apply_school, school.fleet)
        await school.story.settle()
        await ada.goto(f"{school.origin}/?now=1")
        await said_on(ada, "payees cannot be paid yet")
        assert "There is no school yet" not in await ada.inner_text("main")


async def a_rate_is_changed_by_two(school: School, browser: Any) -> None:
    async with signed_in(school, browser, "paula") as paula:
        await paula.click("nav >> a:has-text('Rates')")
        await paula.fill("input[name='f.key']", "instructor-01")
        await paula.click("form.filters button")
        await paula.click("main td a >> nth=0")
        await paula.click("a:has-text('What another rate would do')")
        said = await press(
            paula,
            "Propose these rates",
            why="a year here",
            **{"effective_from": DAY, "amounts.flight_per_hour": "50.00"},
        )
        assert "Done:" in said, said
    async with signed_in(school, browser, "bea") as bea:
        await bea.goto(f"{school.origin}/?now=1")
        await bea.click("#duty-rates")
        await bea.click("main td a >> nth=0")
        assert "Done:" in await press(bea, "Approve")


async def the_instructor_finishes_the_account(school: School, browser: Any) -> None:
    async with signed_in(school, browser, "instructor-01") as avery:
        assert "You cannot be paid yet" in await avery.inner_text("main")
        assert "Done:" in await press(avery, "Finish my account at Stripe")
        await avery.click("a:has-text('Go on at Stripe')")
        await avery.click("button")  # what stands for Stripe's forms
        await school.story.settle()
        await avery.goto(f"{school.origin}/own")
        await expect(avery.locator("main")).not_to_contain_text("You cannot be paid yet")


async def the_correction_is_approved(school: School, browser: Any) -> None:
    async with signed_in(school, browser, "bea") as bea:
        await bea.goto(f"{school.origin}/?now=1")
        await bea.click("a:has-text('for approval') >> nth=0")
        await bea.click("a:has-text('first-lesson:2')")
        assert "Done:" in await press(bea, "Approve")
        await school.story.settle()
        await bea.goto(f"{school.origin}/flights/first-lesson")
        assert "agree to the cent" in await bea.inner_text("main")


async def the_student_pays(school: School, browser: Any) -> None:
    """All that is owed, which the form says by itself: the transfer waited for the money."""
    async with signed_in(school, browser, "instructor-01") as avery:
        assert "Transfers that wait, and why" in await avery.inner_text("main")
    async with signed_in(school, browser, "student-01") as robin:
        await robin.click("main >> a:has-text('Pay, and my card')")
        assert "Done:" in await press(robin, "Pay by card or bank account")
        await robin.click("a:has-text('Go on at Stripe')")
        await robin.click("button[value=pay]")
        await school.story.settle()
        await robin.goto(f"{school.origin}/own/items")
        assert "first-lesson" not in await robin.inner_text("main")


async def the_office_sees_the_transfers_in_the_bank(school: School, browser: Any) -> None:
    async with signed_in(school, browser, "vera") as vera:
        await vera.click("nav >> a:has-text('Transfers')")
        for amount in EARNED:
            row = vera.locator(f"main tr:has-text('{amount}'):has-text('Avery Collins')")
            assert "in bank" in (await row.inner_text()).lower()
        await vera.click(f"main td a:has-text('{EARNED[0]}')")
        assert await vera.locator("main form.act").count() == 0, "who looks only is offered nothing to do"


async def the_instructor_sees_transfers_and_statement(school: School, browser: Any) -> None:
    async with signed_in(school, browser, "instructor-01") as avery:
        await avery.click("nav >> a:has-text('My transfers')")
        shown = await avery.inner_text("main")
        assert [amount for amount in EARNED if amount not in shown] == []
        shown = await every_month_s_statement(avery)
        assert [words for words in (*EARNED, "first-lesson") if words not in shown] == []
    (balance,) = await school.figures.rows(
        "SELECT balance FROM ledger_public.wallets WHERE address = 'instructor:instructor-01'"
    )
    assert balance["balance"] == 0
    paid = [one["amount"] for one in await school.figures.effects() if one["kind"] == "transfer"]
    assert sum(paid) == EARNED_CENTS, "once, and no more"


async def every_month_s_statement(instructor: Any) -> str:
    """A flight of the last days of a month is paid in the next one: then there are two."""
    shown = ""
    await instructor.click("nav >> a:has-text('My statements')")
    months = await instructor.locator("main td:first-child a").count()
    for number in range(months):
        await instructor.click(f"main td:first-child a >> nth={number}")
        shown += await instructor.inner_text("main")
        await instructor.go_back()
    return shown
