"""Money at the simulator is conserved in any order of requests.

The endpoints are called directly, without HTTP, on a database in memory: a few hundred steps in a second.
"""

import contextlib
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hobbs.local.stripe_sim import (
    accounts,
    identifiers,
    onboarding,
    payment_intents,
    payouts,
    refunds,
    timers,
    transfers,
)
from hobbs.local.stripe_sim.balances import available, balance, post
from hobbs.local.stripe_sim.clock import Clock
from hobbs.local.stripe_sim.disputes import open_dispute
from hobbs.local.stripe_sim.errors import StripeError
from hobbs.local.stripe_sim.settings import Settings
from hobbs.local.stripe_sim.store import Store
from hobbs.local.stripe_sim.world import Call, Doc, World

AMOUNTS = st.integers(50, 20_000)
FLOATS = st.integers(20_000, 500_000)
PICK = st.integers(0, 1_000)
MOVES_BETWEEN_ACCOUNTS = {"transfer", "payment", "transfer_refund", "payment_refund"}


def a_world() -> World:
    return World(
        store=Store(Path(":memory:")),
        clock=Clock(wall=lambda: 1_800_000_000.0),
        settings=Settings(v1_accounts=True, transfers_alone_approved=True),
        api_version="test",
    )


class Money(RuleBasedStateMachine):
    """A state machine with two payees and every request that moves money."""

    @initialize()
    def open(self) -> None:
        identifiers.SOURCE.seed(0)  # what is due at once is settled by its id: the same steps, the same order
        self.world = a_world()
        self.taken = 0
        self.payees = [self.do(accounts.create, **EXPRESS)["id"] for _ in range(2)]
        for payee in self.payees:
            with self.world.store.transaction():
                onboarding.complete(self.world, payee)

    def teardown(self) -> None:
        self.world.store.db.close()

    def do(self, handler: Any, *, account: str = "", ids: dict[str, str] | None = None, **params: Any) -> Doc:
        """Call an endpoint as the server does; a refusal is a normal answer."""
        given = {name: str(value) if isinstance(value, int) else value for name, value in params.items()}
        call = Call(method="POST", path="/v1/test", params=given, ids=ids or {}, account=account)
        self.world.call = call
        with contextlib.suppress(StripeError), self.world.store.transaction():
            answer: Doc = handler(self.world, call)
            return answer
        return {}

    def some(self, kind: str, pick: int) -> str | None:
        ids = [
            row[0]
            for row in self.world.store.rows("SELECT id FROM object WHERE kind = :k AND account = ''", k=kind)
        ]
        return ids[pick % len(ids)] if ids else None

    @rule(amount=FLOATS)
    def fund(self, amount: int) -> None:
        with self.world.store.transaction():
            post(self.world, type="topup", account="", currency="usd", amount=amount, source=None)

    @rule(amount=AMOUNTS, card=st.sampled_from(["visa", "bypassPending", "chargeDeclined", "createDispute"]))
    def pay(self, amount: int, card: str) -> None:
        method = f"pm_card_{card}"
        self.do(payment_intents.create, amount=amount, currency="usd", payment_method=method, confirm="true")

    @rule(amount=AMOUNTS, pick=PICK, sourced=st.booleans())
    def transfer(self, amount: int, pick: int, sourced: bool) -> None:
        given: Doc = {"amount": amount, "currency": "usd", "destination": self.payees[pick % 2]}
        source = self.some("charge", pick)
        if sourced and source:
            given["source_transaction"] = source
        self.do(transfers.create, **given)

    @rule(amount=AMOUNTS, pick=PICK)
    def reverse(self, amount: int, pick: int) -> None:
        transfer = self.some("transfer", pick)
        if transfer:
            self.do(transfers.create_reversal, ids={"id": transfer}, amount=amount)

    @rule(amount=AMOUNTS, pick=PICK, method=st.sampled_from(["instant", "standard"]))
    def pay_out(self, amount: int, pick: int, method: str) -> None:
        self.do(payouts.create, account=self.payees[pick % 2], amount=amount, currency="usd", method=method)

    @rule(amount=AMOUNTS, pick=PICK)
    def refund(self, amount: int, pick: int) -> None:
        charge = self.some("charge", pick)
        if charge:
            self.do(refunds.create, charge=charge, amount=amount)

    @rule(pick=PICK)
    def dispute(self, pick: int) -> None:
        charge = self.some("charge", pick)
        if charge:
            with contextlib.suppress(LookupError), self.world.store.transaction():
                open_dispute(self.world, charge)

    @rule(amount=AMOUNTS, pick=PICK)
    def take_from_a_payee(self, amount: int, pick: int) -> None:
        """As a refund or a dispute of a charge of theirs would: the account may come to owe."""
        with self.world.store.transaction():
            payee = self.payees[pick % 2]
            post(
                self.world, type="payment_refund", account=payee, currency="usd", amount=-amount, source=None
            )
        self.taken += amount

    @rule(pick=PICK)
    def break_the_bank(self, pick: int) -> None:
        with self.world.store.transaction():
            onboarding.break_bank(self.world, self.payees[pick % 2])

    @rule()
    def repair_the_banks(self) -> None:
        with self.world.store.transaction():
            for payee in self.payees:
                onboarding.complete(self.world, payee)

    @rule(pick=PICK, amount=AMOUNTS)
    def let_a_payee_be_paid_to_the_end(self, pick: int, amount: int) -> None:
        """The usual sequence, which random steps would rarely find."""
        self.fund(amount)
        self.transfer(amount, pick, sourced=False)
        timers.advance(self.world, 90_000)

    @rule(seconds=st.sampled_from([1, 3_600, 90_000, 400_000]))
    def wait(self, seconds: int) -> None:
        timers.advance(self.world, seconds)

    def booked(self, account: str) -> list[Doc]:
        return list(self.world.store.newest("balance_transaction", account))

    @invariant()
    def balances_are_the_sum_of_their_transactions(self) -> None:
        for account in ("", *self.payees):
            transactions = self.booked(account)
            (available,) = self.world.store.row(
                "SELECT coalesce(sum(available), 0) FROM balance WHERE account = :account", account=account
            ) or (0,)
            (pending,) = self.world.store.row(
                "SELECT coalesce(sum(net), 0) FROM pending_funds WHERE account = :account", account=account
            ) or (0,)
            assert available == sum(one["net"] for one in transactions if one["status"] == "available")
            assert pending == sum(one["net"] for one in transactions if one["status"] == "pending")
            assert all(one["net"] == one["amount"] - one["fee"] for one in transactions)

    @invariant()
    def moves_between_accounts_cancel_out(self) -> None:
        everywhere = [one for account in ("", *self.payees) for one in self.booked(account)]
        moved = sum(one["net"] for one in everywhere if one["type"] in MOVES_BETWEEN_ACCOUNTS)
        assert moved == -self.taken

    @invariant()
    def what_an_account_still_owes_its_bank_is_what_it_has(self) -> None:
        for payee in self.payees:
            (unswept,) = self.world.store.row(
                "SELECT coalesce(sum(json_extract(body, '$.net')), 0) FROM unswept JOIN object"
                " ON object.id = transaction_id WHERE unswept.account = :account",
                account=payee,
            ) or (0,)
            (available,) = self.world.store.row(
                "SELECT coalesce(sum(available), 0) FROM balance WHERE account = :account", account=payee
            ) or (0,)
            assert unswept == available

    @invariant()
    def an_automatic_payout_is_the_sum_of_what_it_carries(self) -> None:
        for payee in self.payees:
            carried = [
                one["id"] for payout in self.automatic(payee) for one in self.carried_by(payout, payee)
            ]
            assert len(carried) == len(set(carried))
            for payout in self.automatic(payee):
                items = [one for one in self.carried_by(payout, payee) if one["source"] != payout["id"]]
                assert sum(one["net"] for one in items) == payout["amount"]

    def automatic(self, payee: str) -> list[Doc]:
        return [payout for payout in self.world.store.newest("payout", payee) if payout["automatic"]]

    def carried_by(self, payout: Doc, payee: str) -> list[Doc]:
        return list(self.world.store.newest_with("balance_transaction.payout", payout["id"], payee))

    @invariant()
    def what_payees_owe_is_reserved_from_the_platform(self) -> None:
        """support.stripe.com/questions/reserves-for-connect-platforms-and-connected-accounts."""
        rows = self.world.store.rows("SELECT available FROM balance WHERE account <> ''")
        owed = sum(-available for (available,) in rows if available < 0)
        [reserved] = balance(self.world, "")["connect_reserved"]
        assert reserved["amount"] == owed
        moves = [one["net"] for one in self.booked("") if one["type"] == "reserve_transaction"]
        assert sum(moves) == -owed

    @invariant()
    def a_refund_moves_money_once_it_succeeded(self) -> None:
        """docs.stripe.com/refunds: held as pending until the balance covers it."""
        for one in self.world.store.newest("refund", ""):
            moved = one["balance_transaction"] is not None
            assert moved == (one["status"] in ("succeeded", "failed"))
            assert (one.get("pending_reason") == "insufficient_funds") == (one["status"] == "pending")

    @invariant()
    def a_charge_counts_the_refunds_that_did_not_fail(self) -> None:
        refunds = list(self.world.store.newest("refund", ""))
        for charge in self.world.store.newest("charge", ""):
            standing = [r for r in refunds if r["charge"] == charge["id"] and r["status"] != "failed"]
            assert charge["amount_refunded"] == sum(one["amount"] for one in standing) <= charge["amount"]

    @invariant()
    def a_transfer_is_reversed_by_its_reversals(self) -> None:
        reversals = list(self.world.store.newest("transfer_reversal", ""))
        for transfer in self.world.store.newest("transfer", ""):
            total = sum(one["amount"] for one in reversals if one["transfer"] == transfer["id"])
            assert transfer["amount_reversed"] == total <= transfer["amount"]
            assert transfer["reversed"] == (total == transfer["amount"])

    @invariant()
    def every_movement_is_one_effect(self) -> None:
        for effect, kind in (
            ("transfer", "transfer"),
            ("reversal", "transfer_reversal"),
            ("refund", "refund"),
        ):
            recorded = self.world.store.rows("SELECT object_id FROM effect WHERE kind = :kind", kind=effect)
            made = [
                one["id"]
                for one in self.world.store.newest(kind, "")
                if kind != "refund" or one["balance_transaction"]
            ]
            assert sorted(row[0] for row in recorded) == sorted(made)


def test_what_is_due_at_once_becomes_available_once() -> None:
    """Giving back what was reserved for a payee who owed settles too, in the middle of settling."""
    world = a_world()
    money: Doc = {"account": "acct_1", "currency": "usd", "source": None}
    with contextlib.closing(world.store.db):
        with world.store.transaction():
            post(world, type="payment_refund", amount=-100, **money)
            for amount in (50, 31):
                post(world, type="payment", amount=amount, available_on=world.now + 60, **money)
        timers.advance(world, 61)
        assert available(world, "acct_1", "usd") == 50 + 31 - 100


EXPRESS: Doc = {"type": "express", "capabilities": {"transfers": {"requested": "true"}}}

TestMoneyIsConserved = Money.TestCase
TestMoneyIsConserved.settings = settings(
    max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
