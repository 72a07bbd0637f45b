"""Flights are billed and paid, then corrected in every way: the money ends where the last records say."""

import asyncio
import random
import tomllib
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from hobbs.demo.figures import Figures
from hobbs.demo.money import Cashier
from hobbs.demo.school import SCHOOL_FILE
from hobbs.demo.story import Story
from hobbs.demo.verdict import check_books
from hobbs.local.running_fleet import RunningFleet
from tests.crash.verdict import ask_checker
from tests.support.corrections import (
    APPROVERS,
    MAKER,
    OTHER_STUDENT,
    RECENT,
    Published,
    approve_everything,
    cancellation,
    correction,
    decide,
    lesson,
    publish_in_order,
    shuffled,
    states,
    wallets_at_the_end,
)
from tests.support.fleets import Silent

PAYEES = ("instructor:", "aircraft_owner:")
PAID_IN = 1_500_000

HOURS, MORE, SMALL = lesson("k-hours"), lesson("k-more"), lesson("k-small")
TEACHER, STUDENT = lesson("k-teacher"), lesson("k-student")
PLANE, DAY = lesson("k-plane"), lesson("k-day", aircraft="N695SP", date="2025-06-30")
ZERO = lesson("k-zero")
GONE = lesson("k-gone", aircraft="N989SP", instructor="instructor-03", hobbs_in="1004.0", dual_hours="4.0")
TWICE, MIXED, EARLY = lesson("k-twice"), lesson("k-mixed"), lesson("k-early")
SAME, REFUSED = lesson("k-same"), lesson("k-refused", aircraft="N0SUCH")
FLOWN = [HOURS, MORE, SMALL, TEACHER, STUDENT, PLANE, DAY, ZERO, GONE, TWICE, MIXED, SAME, REFUSED]
CORRECTIONS = [
    correction(HOURS, 2, hobbs_in="1000.9", flight_hours="0.9", dual_hours="0.9"),
    correction(MORE, 2, hobbs_in="1002.6", flight_hours="2.6", dual_hours="2.6"),
    correction(SMALL, 2, ground_hours="0.4"),
    correction(TEACHER, 2, instructor="instructor-04"),
    correction(STUDENT, 2, student="student-02"),
    correction(PLANE, 2, aircraft="N842SA"),
    correction(DAY, 2, date="2025-11-02"),
    correction(
        ZERO, 2, hobbs_in="1000.0", flight_hours="0.0", dual_hours="0.0", ground_hours="0.0"
    ),
    cancellation(GONE, 2),
    correction(TWICE, 2, ground_hours="1.5"),
    correction(TWICE, 2, ground_hours="1.5"),
    correction(SAME, 2),
    correction(REFUSED, 2, aircraft="N172TP"),
]  # fmt: skip
OUT_OF_ORDER = [
    correction(MIXED, 3, hobbs_in="1000.7", flight_hours="0.7", dual_hours="0.7"),
    correction(MIXED, 2, hobbs_in="1003.0", flight_hours="3.0", dual_hours="3.0"),
]
BEFORE_ITS_FLIGHT = [correction(EARLY, 2, dual_hours="0.6"), EARLY]
NEXT_FLIGHTS = [
    lesson(f"k-next-{number}", instructor=instructor, aircraft=aircraft, hobbs_in="1005.0", dual_hours="5.0")
    for number, (instructor, aircraft) in enumerate(
        [("instructor-01", "N364MA"), ("instructor-03", "N989SP"), ("instructor-04", "N842SA")]
    )
]


REFUNDED = lesson("k-refunded")
CLAWED, CHEQUE, FORGIVEN = (
    lesson("k-clawed"),
    lesson("k-cheque", aircraft="N695SP", instructor="instructor-03"),
    lesson("k-forgiven", aircraft="N695SP", instructor="instructor-04"),
)


@pytest.mark.parametrize("seed", [1])
async def test_corrections_in_any_order_end_as_if_the_last_records_had_come_first(
    fleet: RunningFleet, figures: Figures, tmp_path: Path, seed: int
) -> None:
    school, file = SCHOOL_FILE.read_text(encoding="utf-8") + OTHER_STUDENT, tmp_path / "school.toml"
    file.write_text(school, encoding="utf-8")
    story = Story(fleet.fleet, figures, Silent(), fleet.require_running, file)
    await story.open_school()
    await story.onboard()
    await asyncio.to_thread(Cashier(fleet.fleet).pay_in, "student-01", [PAID_IN])
    await publish_in_order(fleet.fleet, FLOWN)
    await story.settle()

    chance = random.Random(seed)
    published = [*shuffled(CORRECTIONS, chance), *OUT_OF_ORDER, *BEFORE_ITS_FLIGHT]
    await publish_in_order(fleet.fleet, published)
    await story.settle()
    approvals = await approve_everything(fleet.fleet, figures)
    assert approvals.own_refused == approvals.done > 5
    assert approvals.second_done == approvals.second_refused > 0
    await story.settle()
    await publish_in_order(fleet.fleet, NEXT_FLIGHTS)
    await story.settle()

    assert Counter((await states(figures)).values()).keys() <= {"settled", "superseded"}
    await wallets_agree(figures, school, [*FLOWN, *published, *NEXT_FLIGHTS])
    await books_are_in_order(fleet, figures, file)


async def test_what_payees_were_paid_too_much_comes_back_from_stripe_by_cheque_or_not_at_all(
    fleet: RunningFleet, figures: Figures
) -> None:
    story = Story(fleet.fleet, figures, Silent(), fleet.require_running)
    await story.open_school()
    await story.onboard()
    cashier = Cashier(fleet.fleet)
    accounts = [payee["stripe_account"] for payee in await figures.payees()]
    await asyncio.to_thread(cashier.keep_at_stripe, accounts)  # what is in the bank cannot be taken back
    await asyncio.to_thread(cashier.pay_in, "student-01", [PAID_IN])
    await publish_in_order(fleet.fleet, [CLAWED, CHEQUE, FORGIVEN])
    await story.settle()
    earned = await paid_at_stripe(figures)
    await publish_in_order(fleet.fleet, [cancellation(flight, 2) for flight in (CLAWED, CHEQUE, FORGIVEN)])
    await story.settle()
    await approve_everything(fleet.fleet, figures)
    await story.settle()
    assert set((await states(figures)).values()) == {"settling"}

    cheque = {"number": "1044", "paid_on": RECENT, "to_or_from": "from", "wallet": "instructor:instructor-03"}
    forgiven = {"method": "forgiven", "wallet": "instructor:instructor-04"}
    assert (await decide(fleet.fleet, "claw_back", "k-clawed:2", MAKER)).outcome == "refused"
    assert (await decide(fleet.fleet, "settle", "k-forgiven:2", MAKER, forgiven)).outcome == "refused"
    answers = [
        await decide(fleet.fleet, "claw_back", "k-clawed:2", APPROVERS[0]),
        await decide(fleet.fleet, "settle", "k-cheque:2", APPROVERS[0], {"method": "manual_check", **cheque}),
        await decide(fleet.fleet, "settle", "k-forgiven:2", APPROVERS[0], forgiven),
    ]
    assert [answer.sentence for answer in answers if answer.outcome != "done"] == []
    await story.settle()

    assert set((await states(figures)).values()) == {"settled"}
    kept = {wallet: earned[wallet] for wallet in (cheque["wallet"], forgiven["wallet"])}
    assert await paid_at_stripe(figures) == kept
    found = await balances(figures)
    assert {wallet: found.get(wallet, 0) for wallet in earned} == dict.fromkeys(earned, 0)
    assert found["external:bank"] == -kept[cheque["wallet"]]
    assert found["platform:forgiven"] == -kept[forgiven["wallet"]]
    await books_are_in_order(fleet, figures)


async def test_what_a_student_paid_too_much_goes_back_to_the_card(
    fleet: RunningFleet, figures: Figures
) -> None:
    """Two payments cover the refund, the newest first; the books have it once, by the refunds' webhooks."""
    story = Story(fleet.fleet, figures, Silent(), fleet.require_running)
    await story.open_school()
    await story.onboard()
    await asyncio.to_thread(Cashier(fleet.fleet).pay_in, "student-01", [PAID_IN])
    await publish_in_order(fleet.fleet, [REFUNDED])
    await story.settle()  # Stripe's times have whole seconds: the second payment has to be a later one
    await asyncio.to_thread(Cashier(fleet.fleet).pay_in, "student-01", [5_000])
    await story.settle()
    charged = -(await balance_of_flights(figures, "student:student-01"))
    await publish_in_order(fleet.fleet, [cancellation(REFUNDED, 2)])
    await story.settle()
    await approve_everything(fleet.fleet, figures)
    await story.settle()
    before = (await balances(figures))["student:student-01"]
    refund = {"method": "refund", "wallet": "student:student-01"}
    answer = await decide(fleet.fleet, "settle", "k-refunded:2", APPROVERS[0], refund)
    assert answer.outcome == "done", answer.sentence
    await story.settle()

    refunds = [effect["amount"] for effect in await figures.effects() if effect["kind"] == "refund"]
    assert refunds == [5_000, charged - 5_000]
    after = (await balances(figures))["student:student-01"]
    assert (before, after) == (PAID_IN + 5_000, PAID_IN + 5_000 - charged)
    [settled] = await figures.rows(_REFUND_SETTLEMENTS)
    assert (settled["state"], settled["amount"]) == ("settled", charged)
    await books_are_in_order(fleet, figures)


async def balances(figures: Figures) -> dict[str, int]:
    return {row["address"]: row["balance"] for row in await figures.rows(_BALANCES)}


async def balance_of_flights(figures: Figures, wallet: str) -> int:
    return {row["address"]: int(row["amount"]) for row in await figures.rows(_OF_FLIGHTS)}[wallet]


async def books_are_in_order(fleet: RunningFleet, figures: Figures, school: Path | None = None) -> None:
    """The checker finds nothing, and every invariant of `hobbs check` holds. school: not the demo's."""
    code, found = await ask_checker(fleet.fleet, school=school)
    assert code == 0, found
    assert [verdict for verdict in await check_books(fleet.fleet, figures) if not verdict.holds] == []


async def wallets_agree(figures: Figures, school: str, records: Sequence[Published]) -> None:
    """The ledger, and what Stripe paid, are what the last records give, to the cent."""
    wanted = wallets_at_the_end(tomllib.loads(school, parse_float=Decimal), records)
    rows = await figures.rows(_OF_FLIGHTS)
    assert {row["address"]: row["amount"] for row in rows} == wanted
    paid = await paid_at_stripe(figures)
    assert paid == {w: a for w, a in wanted.items() if w.startswith(PAYEES)}


async def paid_at_stripe(figures: Figures) -> dict[str, int]:
    """What Stripe's transfers brought each payee, less what reversals took back; none of zero."""
    accounts = {payee["stripe_account"]: payee["wallet"] for payee in await figures.payees()}
    effects = await figures.effects()
    paid: Counter[str] = Counter()
    for effect in effects:
        if sign := {"transfer": 1, "reversal": -1}.get(effect["kind"]):
            paid[accounts[effect["destination"]]] += sign * effect["amount"]
    return {wallet: amount for wallet, amount in paid.items() if amount}


_REFUND_SETTLEMENTS = "SELECT state, amount FROM adjustments.settlement WHERE method = 'refund'"
_BALANCES = "SELECT address, balance FROM ledger_public.wallets WHERE balance <> 0"
_OF_FLIGHTS = """
    SELECT address, sum(amount)::bigint AS amount FROM ledger_public.entries
    WHERE event_type IN ('flight', 'adjustment') GROUP BY address HAVING sum(amount) <> 0
"""
