"""The life of transfers under any order of debts, answers, deaths, days and webhooks.

The model is what each payee is owed, and the table of what may follow what. Whatever happens, an operation
has at most one effect at Stripe, it is the one that was decided, and nobody is paid more than was earned;
when Stripe behaves again, everybody is paid what is owed less what corrections take, or a person was asked.
"""

import asyncio
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from fleet.envelope import Record
from hobbs.local.stripe_sim.control import Control
from services.payouts.domain.outcomes import OperationOutcome
from services.payouts.stripe.relay import StripeRelay
from tests.integration.payouts.conftest import empty
from tests.integration.payouts.world import World
from tests.support.machines import Machine, run_machine

PAYEES = ("a", "b")
FLIGHT = st.tuples(st.sampled_from(PAYEES), st.integers(1, 400))
MAY_FOLLOW = {
    None: {"pending", "held"},
    "pending": {"held", "sending", "sent", "cancelled"},
    "held": {"held", "pending", "sent", "cancelled"},
    "sending": {"sent", "pending", "held", "refused", "parked"},
    "refused": {"pending", "held", "sent"},
    "parked": {"sent"},
    "sent": {"in_bank"},
    "in_bank": {"sent"},
}
PAID, NOT_PAID, ASKED = {"sent", "in_bank"}, {"held", "refused"}, {"parked", "refused"}
# (kind, when): before the effect, after it, or instead of it.
ANSWERS = (
    ("reset", "before"),
    ("reset", "after"),
    ("server_error", "before"),
    ("server_error", "after"),
    ("bad_gateway", "after"),
    ("unavailable", "before"),
    ("conflict", "before"),
    ("rate_limit", "before"),
    ("balance_insufficient", "before"),
    ("account_invalid", "before"),
    ("unauthorized", "before"),
)
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """A relay that hears its answers and is held up before it records them."""

    relay: StripeRelay
    outcomes: list[OperationOutcome]


class Transfers(Machine):
    """Two payees, a relay that may be replaced at any moment, and the simulated Stripe."""

    def __init__(self, loop: asyncio.AbstractEventLoop, world: World, owner_url: str) -> None:
        super().__init__(loop)
        self.world = world
        self.stripe: Control = world.control
        self.owner_url = owner_url
        self.owed: Counter[str] = Counter()
        self.earned: Counter[str] = Counter()
        self.debts: list[Record] = []
        self.late: list[Late] = []
        self.wrong_by_h = 0

    @initialize(funds=st.sampled_from((0, 500, 100_000)), flights=st.lists(FLIGHT, min_size=2, max_size=5))
    def begin(self, funds: int, flights: list[tuple[str, int]]) -> None:
        self.stripe.reset()
        if funds:
            self.stripe.fund(funds)
        self.wait(self._begin())
        for flight in flights:
            self.flies(flight)

    @rule(flight=FLIGHT)
    def flies(self, flight: tuple[str, int]) -> None:
        payee, amount = flight
        debt = self.world.posted(f"instructor:{payee}", amount)
        self.debts.append(debt)
        self.owed[payee] += amount
        self.earned[payee] += amount
        self.wait(self._owe(debt))

    @rule(correction=FLIGHT)
    def is_corrected(self, correction: tuple[str, int]) -> None:
        """What a payee got, or is to get, was too much: it is taken off what is not sent yet."""
        payee, amount = correction
        taken = self.world.posted(f"instructor:{payee}", -amount, event_type="adjustment")
        self.debts.append(taken)
        self.owed[payee] -= amount
        self.wait(self._owe(taken))

    @precondition(lambda self: self.debts)
    @rule(which=st.integers(0, 20))
    def hears_of_a_flight_again(self, which: int) -> None:
        self.wait(self._owe(self.debts[which % len(self.debts)]))

    @rule(amount=st.sampled_from((200, 1_000)))
    def money_comes(self, amount: int) -> None:
        self.stripe.fund(amount)
        self.wait(self.world.treasury().step())

    @rule()
    def relay(self) -> None:
        self.wait(self.world.once())

    @rule(answer=st.sampled_from(ANSWERS), times=st.integers(1, 3))
    def relay_hears(self, answer: tuple[str, str], times: int) -> None:
        kind, when = answer
        self.stripe.add_fault(kind, when=when, path="/v1/transfers", count=times)
        for _ in range(times):
            self.wait(self.world.once())
            self.time_passes(60.0)
        self.stripe.clear_faults()

    @rule(hours=st.integers(-5, 5))
    def clock_is_wrong(self, hours: int) -> None:
        """Of the machine the relay runs on. Between Stripe's clock and ours 12 hours may lie, no more."""
        self.world.clock.advance(hours=hours - self.wrong_by_h)
        self.wrong_by_h = hours

    @rule()
    def lookup_fails(self) -> None:
        self.stripe.add_fault("unavailable", method="GET", path="/v1/transfers", count=1)
        self.wait(self.world.once())
        self.stripe.clear_faults()

    @rule()
    def relay_dies_after_its_claim(self) -> None:
        self.wait(self.world.relay().claim(10))

    @rule()
    def relay_dies_after_the_effect(self) -> None:
        self.wait(self._call())

    @rule()
    def relay_is_held_up_before_it_records(self) -> None:
        self.late.append(self.wait(self._call()))

    @precondition(lambda self: self.late)
    @rule(which=st.integers(0, 5))
    def late_relay_records(self, which: int) -> None:
        late = self.late.pop(which % len(self.late))
        self.wait(late.relay.record(late.outcomes))

    @rule(seconds=st.sampled_from((1.0, 60.0, 60.0, DAY_S / 2 + 60)))
    def time_passes(self, seconds: float) -> None:
        self.world.clock.advance(seconds=seconds)
        self.stripe.advance(seconds)

    @rule()
    def keys_are_forgotten(self) -> None:
        """A day and more: the same key would now move the money again."""
        self.world.clock.advance(seconds=1.5 * DAY_S)
        self.stripe.advance(1.5 * DAY_S)

    @rule(which=st.lists(st.integers(0, 60), min_size=1, max_size=4))
    def webhooks_come(self, which: list[int]) -> None:
        """Whatever Stripe has to tell, in any order, again and again, in one batch."""
        if events := self.stripe.events():
            self.wait(self._heed([events[number % len(events)] for number in which]))

    @rule(payee=st.sampled_from(PAYEES), outcome=st.sampled_from(("restrict", "complete")))
    def account_changes(self, payee: str, outcome: str) -> None:
        """Stripe refuses transfers to a restricted account; Hobbs hears of it later, or by the refusal."""
        self.stripe.onboard(self.accounts[payee], outcome)

    @rule()
    def accounts_are_read(self) -> None:
        self.wait(self.world.rereader().step())

    @invariant()
    def money_is_where_it_should_be(self) -> None:
        seen = self.wait(self._look())
        an_operation_has_one_effect_and_it_is_the_decided_one(seen)
        a_transfer_is_what_its_effect_says(seen)
        states_follow_the_table(seen)
        assert all(
            seen.decided[p] + seen.open[p] == self.owed[p] for p in PAYEES
        )  # each debt is counted once
        assert all(seen.open[p] <= 0 for p in PAYEES)  # whatever is earned is in a transfer
        assert all(seen.paid[p] <= self.earned[p] for p in PAYEES)

    def teardown(self) -> None:
        """Stripe behaves, money is there, all its webhooks come: what is not in a person's hands is paid."""
        self.stripe.clear_faults()
        self.stripe.fund(1_000_000)
        for account in self.accounts.values():
            self.stripe.onboard(account)
        for _ in range(3):  # leases and keys end, doubts are looked up twice, refused accounts read again
            self.time_passes(DAY_S / 2 + 60)
            self.wait(self.world.work())
        if events := self.stripe.events():
            self.wait(self._heed(events))
        self.time_passes(60.0)
        self.wait(self.world.work())
        self.money_is_where_it_should_be()
        seen = self.wait(self._look())
        for payee in PAYEES:
            states = {t.state for t in seen.transfers if t.wallet == f"instructor:{payee}"} - {"cancelled"}
            if not states & ASKED:
                assert states <= (PAID | {"held"} if seen.open[payee] else PAID)
                assert seen.decided[payee] + seen.open[payee] == self.owed[payee]
                assert seen.open[payee] or seen.paid[payee] == self.owed[payee]

    async def _begin(self) -> None:
        await empty(self.owner_url)
        self.world.clock.moved *= 0
        self.world.version = 0
        self.accounts = dict(zip(PAYEES, await self.world.payees(*PAYEES), strict=True))

    async def _owe(self, debt: Record) -> None:
        await self.world.hand(debt)

    async def _call(self) -> Late:
        relay = self.world.relay()
        claimed = await relay.claim(10)
        heard = [await relay.call(operation) for operation in claimed]
        return Late(relay=relay, outcomes=[outcome for outcome in heard if outcome is not None])

    async def _heed(self, events: list[dict[str, Any]]) -> None:
        batch = [
            self.world.webhook_record(
                event["type"], event["data"]["object"], account=event.get("account"), event_id=event["id"]
            )
            for event in events
        ]
        await self.world.handle(*batch)

    async def _look(self) -> "Seen":
        histories: dict[UUID, list[str]] = defaultdict(list)
        for row in await self.world.rows("SELECT transfer_id, to_state FROM transfer_history ORDER BY id"):
            histories[row.transfer_id].append(row.to_state)
        return Seen(
            operations={str(o.id): o for o in await self.world.operations()},
            transfers=await self.world.transfers(),
            open_payables=await self.world.rows(
                "SELECT wallet, amount FROM payable WHERE transfer_id IS NULL"
            ),
            histories=histories,
            effects=self.stripe.effects(kind="transfer"),
            told=[event["source"] for event in await self.world.published("journal.requested")],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is in the tables and what happened at Stripe."""

    operations: dict[str, Any]
    transfers: list[Any]
    open_payables: list[Any]
    histories: dict[UUID, list[str]]
    effects: list[dict[str, Any]]
    told: list[str]

    @property
    def decided(self) -> Counter[str]:
        decided: Counter[str] = Counter()
        for transfer in self.transfers:
            if transfer.state != "cancelled":
                decided[transfer.wallet.partition(":")[2]] += transfer.amount
        return decided

    @property
    def open(self) -> Counter[str]:
        """What each payee owes that is in no transfer yet, as a negative number."""
        total: Counter[str] = Counter()
        for payable in self.open_payables:
            total[payable.wallet.partition(":")[2]] += payable.amount
        return total

    @property
    def paid(self) -> Counter[str]:
        """What each payee got, whatever the tables say."""
        paid: Counter[str] = Counter()
        for effect in self.effects:
            paid[self.operations[effect["operation_id"]].wallet.partition(":")[2]] += effect["amount"]
        return paid


def an_operation_has_one_effect_and_it_is_the_decided_one(seen: Seen) -> None:
    assert len({effect["operation_id"] for effect in seen.effects}) == len(seen.effects)
    for effect in seen.effects:
        decided = seen.operations[effect["operation_id"]]
        assert effect["amount"] == decided.amount
        assert effect["destination"] == decided.params["destination"]


def a_transfer_is_what_its_effect_says(seen: Seen) -> None:
    """Paid and told to the ledger once when there is an effect, and never given up while there is one."""
    effects = {seen.operations[effect["operation_id"]].transfer_id for effect in seen.effects}
    for transfer in seen.transfers:
        assert transfer.id in effects or transfer.state not in PAID
        assert transfer.id not in effects or transfer.state not in NOT_PAID
        assert seen.told.count(f"transfer:{transfer.id}") == (transfer.state in PAID)


def states_follow_the_table(seen: Seen) -> None:
    for transfer, states in seen.histories.items():
        for before, after in zip([None, *states], states, strict=False):
            assert after in MAY_FOLLOW[before], (transfer, states)


async def test_a_payee_is_paid_what_is_owed_once_whatever_stripe_answers(
    world: World, owner_url: str
) -> None:
    await run_machine(lambda loop: Transfers(loop, world, owner_url), examples=12, steps=25)
