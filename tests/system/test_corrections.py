"""What payees were paid, and students charged, too much: it comes back by every way of settlement."""

import asyncio
import json
from collections import Counter
from pathlib import Path

import stripe

from hobbs.demo.figures import Figures
from hobbs.demo.money import Cashier
from hobbs.demo.school import run_hobbs
from hobbs.demo.story import Story
from hobbs.demo.verdict import check_books
from hobbs.local.running_fleet import RunningFleet
from hobbs.local.stripe_sim.control import Control
from tests.contract.stripe.test_bank_debits import saved
from tests.contract.stripe.test_payments import pay
from tests.crash.verdict import ask_checker
from tests.support.corrections import (
    APPROVERS,
    MAKER,
    RECENT,
    approve_everything,
    cancellation,
    decide,
    lesson,
    publish_in_order,
    states,
)
from tests.support.fleets import Silent

PAYEES = ("instructor:", "aircraft_owner:")
PAID_IN = 1_500_000

REFUNDED = lesson("k-refunded")
CLAWED, CHEQUE, FORGIVEN = (
    lesson("k-clawed"),
    lesson("k-cheque", aircraft="N695SP", instructor="instructor-03"),
    lesson("k-forgiven", aircraft="N695SP", instructor="instructor-04"),
)


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
    charged = -(await by_flights(figures))["student:student-01"]
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
    await _a_bank_takes_a_debit_back(fleet, figures, story)
    await _a_cheque_bounces(fleet, figures, story)
    assert (await balances(figures))["student:student-01"] == after
    await books_are_in_order(fleet, figures)


async def _a_bank_takes_a_debit_back(fleet: RunningFleet, figures: Figures, story: Story) -> None:
    """A bank debit of the student succeeds, and fails after its money was on Stripe's balance."""
    before = (await balances(figures))["student:student-01"]
    with Control(fleet.fleet.stripe_api_base) as control:
        # Without a fee: that Stripe gives it back with the payment is not booked yet (decision 0357).
        await asyncio.to_thread(control.set, ach_succeeds_after_s=0.2, ach_fee_basis_points=0)
    debit = await asyncio.to_thread(_debit, fleet, 40_000)

    async def is_paid() -> bool:
        return bool(await figures.rows(_DEBIT, debit))

    await story.until(is_paid, "debits that nobody heard of")
    await story.settle()
    assert (await balances(figures))["student:student-01"] == before + 40_000
    with Control(fleet.fleet.stripe_api_base) as control:
        await asyncio.to_thread(control.trigger, "bank_debit.failed_late", charge=debit)

    async def is_taken_back() -> bool:
        [row] = await figures.rows(_DEBIT, debit)
        return bool(row["failure_code"] == "insufficient_funds")

    await story.until(is_taken_back, "failures that nobody heard of")
    await story.settle()
    assert (await balances(figures))["student:student-01"] == before


def _debit(fleet: RunningFleet, amount: int) -> str:
    """Debit a bank account of the student, off session; the charge."""
    base = {"api": fleet.fleet.stripe_api_base}
    client = stripe.StripeClient(fleet.fleet.stripe_secret_key, base_addresses=base)  # type: ignore[arg-type]
    owner, method = saved(client)
    named = {"hobbs_student": "student-01"}
    return str(pay(client, method, amount, customer=owner, off_session=True, metadata=named).latest_charge)


async def _a_cheque_bounces(fleet: RunningFleet, figures: Figures, story: Story) -> None:
    """By the command line: recorded, deposited, cleared, and returned after all."""

    async def say(*words: str) -> str:
        return await asyncio.to_thread(run_hobbs, fleet.fleet, "payments", *words)

    told = ("--method", "cheque", "--number", "1044", "--amount", "25.00", "--yes")
    await say("record", "student-01", *told)
    [cheque] = json.loads(await say("recorded", "-o", "json"))
    await say("deposit", "2026-048", "--yes")
    await say("clear", cheque["id"], "--yes")
    await story.settle()
    found = await balances(figures)
    assert found["external:bank"] == -2_500
    assert not {"external:cash", "liability:cheques"} & found.keys(), "nothing is kept, nothing waits"
    await say("bounce", cheque["id"], "--why", "no funds", "--yes")
    await story.settle()


async def balances(figures: Figures) -> dict[str, int]:
    return {row["address"]: row["balance"] for row in await figures.rows(_BALANCES)}


async def by_flights(figures: Figures) -> dict[str, int]:
    """What flights and their corrections put on each wallet; none of zero."""
    return {row["address"]: row["amount"] for row in await figures.rows(_OF_FLIGHTS)}


async def books_are_in_order(fleet: RunningFleet, figures: Figures, school: Path | None = None) -> None:
    """The checker finds nothing, and every invariant of `hobbs check` holds. school: not the demo's."""
    code, found = await ask_checker(fleet.fleet, school=school)
    assert code == 0, found
    assert [verdict for verdict in await check_books(fleet.fleet, figures) if not verdict.holds] == []


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
_DEBIT = "SELECT failure_code FROM receivables_public.payments WHERE charge_id = $1"
