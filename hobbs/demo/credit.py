"""The demo's credit: a card is declined, so a flight is refused; another card pays, and it may go."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Final

import httpx

from hobbs.demo.figures import Figures, Row
from hobbs.demo.money import GOOD_CARD
from hobbs.demo.progress import Watcher
from hobbs.demo.school import apply_school, publish, run_hobbs, school_with
from hobbs.demo.story import Story
from hobbs.demo.verdict import Verdict
from hobbs.local.fleet_processes import Fleet
from schemas.dispatches import FlightDispatched
from schemas.flights import FlightCompleted

STUDENT: Final = "student-02"
LIMIT: Final = "300.00"
FLOWN, NEXT = "demo-credit-1", "demo-credit-2"
BAD_CARD: Final = "pm_card_chargeCustomerFail"  # it can be saved, and every charge is declined
BOOK: Final = f"""
[[student]]
id = "{STUDENT}"
name = "Casey Marlow"
email = "casey@example.org"

[[credit_limit]]
id = "{STUDENT}"
limit = {LIMIT}
"""
HOURS: Final = Decimal("1.0")
METER_OUT: Final = Decimal("3000.0")
ANSWERS: Final = [(FLOWN, 1, "closed"), (NEXT, 1, "refused"), (NEXT, 2, "cleared")]
_CHARGES: Final = """
    SELECT amount, state FROM receivables_public.auto_charges WHERE student = $1 ORDER BY decided_at
"""
_DISPATCHES: Final = """
    SELECT flight_id, revision, state FROM receivables_public.dispatches
    WHERE student = $1 ORDER BY estimated_at
"""
_METHODS: Final = "SELECT count(*) AS n FROM receivables_public.saved_methods WHERE student = $1"
_KNOWN: Final = "SELECT FROM receivables_public.credit_limits WHERE student = $1"
_ANSWER: Final = """
    SELECT state FROM receivables_public.dispatches
    WHERE flight_id = $1 AND revision = $2 AND answered_at IS NOT NULL
"""

CREDIT_TABLES: Final = {
    f"{STUDENT} may owe {LIMIT}": f"""
        SELECT what, amount, answer FROM (
            SELECT estimated_at AS at, 'dispatched: ' || flight_id || ', attempt ' || revision AS what,
                   estimate AS amount, coalesce(nullif(sentence, ''), 'cleared') AS answer
            FROM receivables_public.dispatches WHERE student = '{STUDENT}'
            UNION ALL
            SELECT billed_at, 'flown and billed: ' || flight_id, charge, '' FROM billing_public.bills
            WHERE student = '{STUDENT}'
            UNION ALL
            SELECT decided_at, 'saved card charged for ' || cause, amount,
                   CASE state WHEN 'succeeded' THEN 'paid' ELSE sentence END
            FROM receivables_public.auto_charges WHERE student = '{STUDENT}') AS step
        ORDER BY at
    """,  # noqa: S608
}


async def fly_on_credit(fleet: Fleet, figures: Figures, story: Story, watcher: Watcher) -> None:
    """Save a card that declines, fly, be refused, save another one, and be cleared."""
    watcher.say(f"{STUDENT} may owe {LIMIT}, saves a card on Stripe's page and lets each flight be charged")
    await asyncio.to_thread(apply_school, fleet, school_with(fleet.folder, BOOK))

    async def known() -> bool:
        return bool(await figures.rows(_KNOWN, STUDENT))

    await story.until(known, "limits that are not in force")
    await _save_a_card(fleet, figures, story, BAD_CARD)
    allowed = ("--each-flight", "--most", LIMIT, "--yes", "--who", STUDENT, "--why", "by hand at the desk")
    await asyncio.to_thread(run_hobbs, fleet, "payments", "auto", STUDENT, *allowed)
    await _dispatch(fleet, figures, story, FLOWN)
    await publish(fleet, "flight.completed", FLOWN, _flown())
    await story.until(partial(_charges_are, figures, ["declined"]), "charges without an answer")
    await story.settle()
    watcher.say("the card is declined, so the next flight is refused")
    await _dispatch(fleet, figures, story, NEXT)
    watcher.say("another card is saved, what is owed is charged to it, and the flight may go")
    await _save_a_card(fleet, figures, story, GOOD_CARD)
    await story.until(partial(_charges_are, figures, ["declined", "succeeded"]), "charges without an answer")
    await story.settle()
    await _dispatch(fleet, figures, story, NEXT, revision=2)


async def read_credit(figures: Figures) -> Verdict:
    """Compare the student's dispatches and charges with what a school expects of them."""
    dispatches = await figures.rows(_DISPATCHES, STUDENT)
    charges = await figures.rows(_CHARGES, STUDENT)
    return credit_held(dispatches, charges, await figures.effects())


def credit_held(dispatches: Sequence[Row], charges: Sequence[Row], effects: Sequence[Row]) -> Verdict:
    """The flight beyond the limit was refused, and what a charge asked for was taken once."""
    answers = [(row["flight_id"], row["revision"], row["state"]) for row in dispatches]
    asked = sorted(row["amount"] for row in charges if row["state"] == "succeeded")
    taken = sorted(
        effect["amount"]
        for effect in effects
        if effect["kind"] == "charge" and effect["metadata"].get("hobbs_student") == STUDENT
    )
    holds = answers == ANSWERS and bool(asked) and asked == taken
    return Verdict(
        name="credit: the flight beyond the limit was refused, and the saved card was charged exactly once",
        holds=holds,
        detail="" if holds else f"answers {answers}, charged {asked}, taken at Stripe {taken}",
    )


async def _save_a_card(fleet: Fleet, figures: Figures, story: Story, card: str) -> None:
    before = (await figures.rows(_METHODS, STUDENT))[0]["n"]
    answer = await asyncio.to_thread(run_hobbs, fleet, "payments", "link", STUDENT, "-o", "json")
    async with httpx.AsyncClient(timeout=20, trust_env=False) as browser:
        form = {"payment_method": card, "action": "pay"}
        page = await browser.post(json.loads(answer)["url"], data=form, follow_redirects=False)
    if page.is_error:
        raise RuntimeError(f"the page for saving a card answered {page.status_code}")

    async def saved() -> bool:
        return bool((await figures.rows(_METHODS, STUDENT))[0]["n"] > before)

    await story.until(saved, "cards that nobody heard of")


async def _dispatch(fleet: Fleet, figures: Figures, story: Story, flight: str, *, revision: int = 1) -> None:
    """Ask whether the flight may go, and wait for the answer."""
    asked = FlightDispatched(
        flight_id=flight,
        revision=revision,
        departs_at=datetime.now(UTC) + timedelta(minutes=30),
        aircraft="N364MA",
        student=STUDENT,
        instructor="instructor-03",
        flight_hours=HOURS,
        dual_hours=HOURS,
    )
    await publish(fleet, "flight.dispatched", flight, asked)

    async def answered() -> bool:
        return bool(await figures.rows(_ANSWER, flight, revision))

    await story.until(answered, "dispatches without an answer")


async def _charges_are(figures: Figures, states: list[str]) -> bool:
    return [row["state"] for row in await figures.rows(_CHARGES, STUDENT)] == states


def _flown() -> FlightCompleted:
    return FlightCompleted(
        flight_id=FLOWN,
        date=datetime.now(UTC).date(),
        aircraft="N364MA",
        student=STUDENT,
        instructor="instructor-03",
        hobbs_out=METER_OUT,
        hobbs_in=METER_OUT + HOURS,
        flight_hours=HOURS,
        dual_hours=HOURS,
    )
