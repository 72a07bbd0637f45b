"""Jobs that are pressed by hand in a real browser, from the overview to what became of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from playwright.async_api import Page

from hobbs.demo.money import Cashier
from hobbs.demo.school import apply_school, school_with
from tests.support.browsing import NEEDS_CHROMIUM, WIDE, entered, press
from tests.support.console import School
from tests.support.corrections import cancellation, correction, lesson, publish_in_order, states

pytestmark = NEEDS_CHROMIUM

CLAWED: Final = lesson("k-taken-back", aircraft="N695SP", instructor="instructor-04")
WHOSE: Final = "instructor:instructor-04"
STRANGE: Final = lesson("k-strange", aircraft="N900ZZ", instructor="instructor-04")
BACKWARDS: Final = lesson("k-backwards", aircraft="N695SP", instructor="instructor-04", hobbs_in="999.0")
NEW_AIRCRAFT: Final = (
    '\n[[aircraft]]\ntail = "N900ZZ"\nmodel = "owned"\nmeter = "hobbs"\nrate_per_hour = 150.00\n'
)


@asynccontextmanager
async def at_the_desk(school: School, browser: Any, person: str) -> AsyncIterator[Page]:
    """A page of this person's, who has signed in; nothing may be blocked or missed by the end."""
    context = await browser.new_context(viewport={"width": WIDE, "height": 900})
    page, complaints = await entered(context, school, person)
    yield page
    assert complaints == [], "the browser blocked or missed something"
    await context.close()


async def test_what_a_payee_got_too_much_is_taken_back_at_stripe(school: School, browser: Any) -> None:
    """Correction, approval by another, the button, its preview, and the money is back."""
    fleet, figures = school.fleet, school.figures
    accounts = [one["stripe_account"] for one in await figures.payees()]
    cashier = Cashier(fleet)
    await asyncio.to_thread(cashier.keep_at_stripe, accounts)  # what is in the bank cannot be taken back
    await asyncio.to_thread(cashier.pay_in, "student-01", [1_500_000])
    await publish_in_order(fleet, [CLAWED])
    await school.story.settle()
    await publish_in_order(fleet, [cancellation(CLAWED, 2)])
    await school.story.settle()
    async with at_the_desk(school, browser, "bea") as bea:
        await bea.click("a:has-text('for approval') >> nth=0")
        await bea.click("a:has-text('k-taken-back:2')")
        assert "Done:" in await press(bea, "Approve")
    await school.story.settle()
    assert (await states(figures))["k-taken-back:2"] == "settling"
    async with at_the_desk(school, browser, "ann") as ann:
        await ann.goto(f"{school.origin}/")
        await ann.click("#duty-settlements")
        await ann.click("a:has-text('k-taken-back:2') >> nth=0")
        said = await press(ann, "Take back at Stripe", why="it was not flown", wallet=WHOSE)
        assert "Done:" in said
        await school.story.settle()
        await ann.click("a:has-text('Look at it')")
        assert "settled" in (await ann.inner_text("main")).lower()
    back = [one for one in await figures.effects() if one["kind"] == "reversal"]
    assert len(back) == 1
    assert (await states(figures))["k-taken-back:2"] == "settled"


async def test_refused_flights_are_mended_and_sent_again_or_corrected_and_discarded(
    school: School, browser: Any
) -> None:
    fleet = school.fleet
    await publish_in_order(fleet, [STRANGE, BACKWARDS])
    await school.story.settle()
    async with at_the_desk(school, browser, "otto") as otto:
        await otto.goto(f"{school.origin}/")
        await otto.click("#duty-refused_flights")
        await otto.click("tr:has-text('k-strange') a >> nth=0")
        assert "Put it there, then send this again" in await otto.inner_text("main")
        await asyncio.to_thread(apply_school, fleet, school_with(fleet.folder, NEW_AIRCRAFT))
        await school.story.settle()
        assert "Done:" in await press(otto, "Send again")
        await school.story.settle()
        await otto.goto(f"{school.origin}/flights/k-strange")
        assert "agree to the cent" in await otto.inner_text("main")
        right = correction(BACKWARDS, 2, hobbs_in="1001.3", corrected_by="ann")
        await publish_in_order(fleet, [right])
        await school.story.settle()
        await otto.goto(f"{school.origin}/flights/refused")
        await otto.click("tr:has-text('k-backwards') a >> nth=0")
        assert "have a corrected one published" in await otto.inner_text("main")
        said = await press(otto, "Discard", why="its correction is billed")
        assert "Done:" in said
        await otto.goto(f"{school.origin}/flights/refused")
        listed = await otto.inner_text("main")
        assert "k-backwards" not in listed
        assert "k-strange" not in listed
        await otto.goto(f"{school.origin}/flights/k-backwards")
        assert "agree to the cent" in await otto.inner_text("main")


async def test_a_limit_is_lowered_by_one_and_raised_by_two(school: School, browser: Any) -> None:
    """The school has no limit, and allows one person nothing: what rises needs a second one."""
    async with at_the_desk(school, browser, "paula") as paula:
        await paula.goto(f"{school.origin}/students/student-01")
        said = await press(paula, "Set the limit", why="pays by the month", limit="90000.00")
        assert "may owe at most 90000.00 USD from today on" in said
        await school.story.settle()
        await paula.click("a:has-text('Look at it')")
        assert "90,000.00" in await paula.inner_text("main")
        said = await press(paula, "Set the limit", why="pays by the month", limit="")
        assert "has no limit once another person approves it" in said
        await school.story.settle()
    async with at_the_desk(school, browser, "bea") as bea:
        await bea.goto(f"{school.origin}/")
        await bea.click("#duty-rates")
        await bea.click("a:has-text('student-01')")
        assert "Done:" in await press(bea, "Approve")
        await school.story.settle()
        await bea.goto(f"{school.origin}/students/student-01")
        assert "no limit" in await bea.inner_text("main")
