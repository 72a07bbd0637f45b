"""The ledger core under any order of journals, repeats, reverts, holds and limits.

The model is a list of amounts for each wallet, what is kept by open holds, and a floor. What the ledger
refuses must be exactly what the model refuses, and what it replies must be what the model says.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import count

import asyncpg
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from fleet.database import Database
from fleet.envelope import uuid7
from services.ledger import steps
from services.ledger.desk import reads
from services.ledger.domain.holds import HoldChange, HoldCommand, LimitChange, LimitCommand, RefusedCommand
from services.ledger.domain.journals import (
    EntryRequest,
    JournalReply,
    JournalRequest,
    PostedJournal,
    RefusedJournal,
)
from services.ledger.domain.reverts import RevertRequest, revert_source
from tests.integration.ledger.ledger_model import Hold, Legs, Model, balanced
from tests.support.machines import Machine, run_machine

DAY_0 = datetime(2026, 5, 1, tzinfo=UTC)
NEXT_YEAR = datetime.now(UTC) + timedelta(days=365)
NAMES = ("student", "instructor", "platform", "external")
NAME = st.sampled_from(NAMES)
AMOUNT = st.integers(1, 100)
DAY = st.integers(0, 4)
WHICH = st.integers(0, 50)

_examples = count()
_sources = count()

LEGS = st.one_of(
    st.tuples(NAME, NAME, AMOUNT).map(lambda t: ((t[0], -t[2]), (t[1], t[2]))),
    st.tuples(NAME, NAME, NAME, AMOUNT, AMOUNT).map(
        lambda t: ((t[0], -t[3] - t[4]), (t[1], t[3]), (t[2], t[4]))
    ),
    st.tuples(NAME, NAME, AMOUNT).map(lambda t: ((t[0], -t[2]), (t[1], t[2] + 1))),  # does not balance
)


class Ledger(Machine):
    """Commands, each replied as the model says."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, database: Database, owner: asyncpg.Connection
    ) -> None:
        super().__init__(loop)
        self.database = database
        self.owner = owner
        self.model = Model()
        self.known: list[tuple[datetime, int]] = []  # instants, and how many journals stood then

    @initialize(kept=st.lists(st.tuples(NAME, AMOUNT), min_size=1, max_size=3))
    def begin(self, kept: list[tuple[str, int]]) -> None:
        self.example = f"x{next(_examples)}"
        for wallet, amount in kept:
            self.place_hold(wallet, amount)

    @rule(asked=st.lists(st.tuples(LEGS, DAY), min_size=1, max_size=3))
    def post(self, asked: list[tuple[Legs, int]]) -> None:
        """A batch of new journals: each is judged by what those before it left."""
        named = [(f"s{next(_sources)}", legs, day) for legs, day in asked]
        replies = self.wait(self._post([self._request(*one) for one in named]))
        for (source, legs, day), reply in zip(named, replies, strict=True):
            self._judge(source, legs, day, reply)

    @precondition(lambda self: self.model.journals)
    @rule(which=WHICH)
    def repeat(self, which: int) -> None:
        source = self._one_of(self.model.journals, which)
        legs, day = self.model.journals[source]
        if not source.startswith(("revert:", "hold:")):
            [reply] = self.wait(self._post([self._request(source, legs, day)]))
            assert isinstance(reply, PostedJournal)
            assert reply.repeated

    @precondition(lambda self: self.model.journals)
    @rule(which=WHICH, legs=LEGS, day=DAY)
    def repeat_with_other_content(self, which: int, legs: Legs, day: int) -> None:
        source = self._one_of(self.model.journals, which)
        there, its_day = self.model.journals[source]
        if (sorted(legs), day) != (sorted(there), its_day):
            [reply] = self.wait(self._post([self._request(source, legs, day)]))
            assert isinstance(reply, RefusedJournal)
            assert reply.reason == ("source_reused" if balanced(legs) else "not_balanced")

    @precondition(lambda self: self.model.journals)
    @rule(which=WHICH, day=DAY)
    def revert(self, which: int, day: int) -> None:
        """Of whatever journal, a revert included."""
        source = self._one_of(self.model.journals, which)
        legs = tuple((wallet, -amount) for wallet, amount in self.model.journals[source][0])
        reply = self.wait(self._revert(source, day))
        name = self.wait(self._revert_source(source))
        if name not in self.model.journals:
            self._judge(name, legs, day, reply)
        else:
            assert isinstance(reply, PostedJournal)
            assert reply.repeated

    @rule(wallet=NAME, amount=AMOUNT)
    def place_hold(self, wallet: str, amount: int) -> None:
        name = f"{self.example}-h{len(self.model.holds)}"
        short = 0
        if wallet in self.model.floors:
            short = self.model.floors[wallet][0] - (self.model.available(wallet) - amount)
        reply = self.wait(self._place(name, wallet, amount))
        if short > 0:
            assert isinstance(reply, RefusedCommand)
            assert (reply.reason, reply.shortfall) == ("limit_exceeded", short)
        else:
            self.model.holds[name] = Hold(wallet=wallet, amount=amount)
            self._agrees(reply, name, repeated=False)

    @precondition(lambda self: self.model.holds)
    @rule(which=WHICH, more=st.integers(0, 1))
    def place_again(self, which: int, more: int) -> None:
        name = self._one_of(self.model.holds, which)
        hold = self.model.holds[name]
        reply = self.wait(self._place(name, hold.wallet, hold.amount + more))
        if hold.over or more:
            assert isinstance(reply, RefusedCommand)
        else:
            self._agrees(reply, name, repeated=True)

    @precondition(lambda self: self.model.holds)
    @rule(which=WHICH, to=NAME, less=st.sampled_from((0, 0, 1, -1)), day=DAY)
    def post_hold(self, which: int, to: str, less: int, day: int) -> None:
        name = self._one_of(self.model.holds, which)
        hold = self.model.holds[name]
        part = max(hold.amount - less, 1)
        reply = self.wait(self._post_hold(name, to, part, day))
        if to != hold.wallet and hold.posted == (to, part):
            self._agrees(reply, name, repeated=True)
        elif to == hold.wallet or hold.state != "open" or hold.over or part > hold.amount:
            assert isinstance(reply, RefusedCommand)
        else:
            self._post_hold_if_covered(name, hold, to, part, day, reply)

    def _post_hold_if_covered(
        self, name: str, hold: Hold, to: str, part: int, day: int, reply: HoldChange | RefusedCommand
    ) -> None:
        legs = ((hold.wallet, -part), (to, part))
        hold.state = "posted"  # what it keeps is free for what it posts
        if short := self.model.short(legs):
            hold.state = "open"
            assert isinstance(reply, RefusedCommand)
            assert reply.reason == "limit_exceeded"
            assert reply.shortfall in short
        else:
            hold.posted = (to, part)
            self.model.post(f"hold:{name}", legs, day)
            self._agrees(reply, name, repeated=False)

    @precondition(lambda self: self.model.holds)
    @rule(which=WHICH)
    def void_hold(self, which: int) -> None:
        name = self._one_of(self.model.holds, which)
        hold = self.model.holds[name]
        reply = self.wait(self._change(HoldCommand(action="void", hold=name)))
        if hold.state == "posted":
            assert isinstance(reply, RefusedCommand)
            assert reply.reason == "hold_is_open"
        else:
            repeated, hold.state = hold.state != "open", "voided" if hold.state == "open" else hold.state
            self._agrees(reply, name, repeated=repeated)

    @precondition(lambda self: any(h.state == "open" and not h.over for h in self.model.holds.values()))
    @rule(which=WHICH)
    def let_its_time_pass(self, which: int) -> None:
        still = {n: h for n, h in self.model.holds.items() if h.state == "open" and not h.over}
        name = self._one_of(still, which)
        self.wait(self._let_time_pass(name))
        self.model.holds[name].over = True

    @rule()
    def expire_holds(self) -> None:
        over = [name for name, hold in self.model.holds.items() if hold.state == "open" and hold.over]
        expired = [
            hold.hold for hold in self.wait(self._expire()) if hold.hold.startswith(f"{self.example}-")
        ]
        assert sorted(expired) == sorted(over)
        for name in over:
            self.model.holds[name].state = "expired"

    @rule(wallet=NAME, floor=st.none() | st.integers(-150, 50), binds=st.sampled_from(("holds", "all")))
    def set_limit(self, wallet: str, floor: int | None, binds: str) -> None:
        there = self.model.floors.get(wallet)
        wanted = None if floor is None else (floor, binds)
        reply = self.wait(self._limit(wallet, floor, binds))
        assert not isinstance(reply, RefusedCommand)
        assert (reply.floor, reply.available_balance) == (floor, self.model.available(wallet))
        assert reply.repeated == (there == wanted)
        if wanted:
            self.model.floors[wallet] = wanted
        else:
            self.model.floors.pop(wallet, None)

    @rule()
    def remember_this_instant(self) -> None:
        self.known.append((self.wait(self._now()), len(self.model.journals)))

    @rule(wallet=NAME, day=DAY, which=WHICH)
    def balance_at_an_instant(self, wallet: str, day: int, which: int) -> None:
        """As known now, and as known at an instant that was remembered."""
        then, journals = self.known[which % len(self.known)] if self.known else (None, 0)
        now = self.wait(self._at(wallet, day, None))
        assert now == self.model.at(wallet, day, len(self.model.journals))
        if then:
            assert self.wait(self._at(wallet, day, then)) == self.model.at(wallet, day, journals)

    @invariant()
    def every_wallet_is_the_sum_of_its_entries(self) -> None:
        wallets = self.wait(self._wallets())
        for name, (balance, pending, entries) in wallets.items():
            model = self.model.entries[name]
            assert (balance, pending, entries) == (sum(model), self.model.pending(name), len(model))
        assert {name for name, model in self.model.entries.items() if model} <= set(wallets)
        assert sum(balance for balance, _, _ in wallets.values()) == 0

    @invariant()
    def every_entry_continues_its_wallet(self) -> None:
        running: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
        for name, amount, after, version in self.wait(self._entries()):
            running[name].append((amount, after, version))
        for name, entries in running.items():
            amounts = self.model.entries[name]
            sums = [sum(amounts[: n + 1]) for n in range(len(amounts))]
            assert entries == list(zip(amounts, sums, range(1, len(amounts) + 1), strict=True))

    def _judge(self, source: str, legs: Legs, day: int, reply: JournalReply) -> None:
        if not balanced(legs):
            assert isinstance(reply, RefusedJournal)
            assert reply.reason == "not_balanced"
        elif short := self.model.short(legs):
            assert isinstance(reply, RefusedJournal)
            assert reply.reason == "limit_exceeded"
            assert reply.shortfall in short
        else:
            assert isinstance(reply, PostedJournal)
            assert not reply.repeated
            self.model.post(source, legs, day)

    def _agrees(self, reply: HoldChange | RefusedCommand, name: str, *, repeated: bool) -> None:
        hold = self.model.holds[name]
        assert isinstance(reply, HoldChange), reply.sentence
        assert (reply.state, reply.repeated) == (hold.state, repeated)
        assert reply.posted_balance == self.model.balance(hold.wallet)
        assert reply.pending_balance == self.model.pending(hold.wallet)
        assert reply.available_balance == self.model.available(hold.wallet)

    def _one_of(self, things: Mapping[str, object], which: int) -> str:
        return list(things)[which % len(things)]

    def _wallet(self, name: str) -> str:
        return f"{name}:{self.example}"

    def _request(self, source: str, legs: Legs, day: int) -> JournalRequest:
        entries = tuple(
            EntryRequest(wallet=self._wallet(name), currency="USD", amount=amount) for name, amount in legs
        )
        return JournalRequest(
            journal_id=uuid7(), source=source, event_type="test", occurred_at=noon(day), entries=entries
        )

    async def _post(self, requests: list[JournalRequest]) -> list[JournalReply]:
        async with self.database.transaction() as tx:
            return await steps.posting.post(tx, requests)

    async def _revert(self, source: str, day: int) -> JournalReply:
        request = RevertRequest(journal_id=uuid7(), reverts=source, occurred_at=noon(day))
        async with self.database.transaction() as tx:
            [reply] = await steps.reverts.revert(tx, [request])
        return reply

    async def _revert_source(self, source: str) -> str:
        async with self.database.transaction() as tx:
            there = await reads.journals.find_journal(tx, source)
        assert there is not None
        return revert_source(there.journal_id)

    async def _place(self, name: str, wallet: str, amount: int) -> HoldChange | RefusedCommand:
        return await self._change(
            HoldCommand(
                action="place",
                hold=name,
                wallet=self._wallet(wallet),
                currency="USD",
                amount=amount,
                expires_at=NEXT_YEAR,
            )
        )

    async def _post_hold(self, name: str, to: str, part: int, day: int) -> HoldChange | RefusedCommand:
        to_wallet = self._wallet(to)
        return await self._change(
            HoldCommand(action="post", hold=name, to_wallet=to_wallet, amount=part, occurred_at=noon(day))
        )

    async def _change(self, command: HoldCommand) -> HoldChange | RefusedCommand:
        async with self.database.transaction() as tx:
            [reply] = await steps.holds.change(tx, [command])
        return reply

    async def _limit(self, wallet: str, floor: int | None, binds: str) -> LimitChange | RefusedCommand:
        command = LimitCommand(
            wallet=self._wallet(wallet),
            currency="USD",
            floor=floor,
            binds="all" if binds == "all" else "holds",
        )
        async with self.database.transaction() as tx:
            [reply] = await steps.holds.limit(tx, [command])
        return reply

    async def _expire(self) -> list[HoldChange]:
        async with self.database.transaction() as tx:
            return await steps.holds.expire(tx)

    async def _let_time_pass(self, name: str) -> None:
        """Only the owner can: a hold never changes, so its guard is off for the moment."""
        async with self.owner.transaction():
            await self.owner.execute("ALTER TABLE hold DISABLE TRIGGER hold_moves_pending")
            await self.owner.execute("UPDATE hold SET expires_at = placed_at WHERE name = $1", name)
            await self.owner.execute("ALTER TABLE hold ENABLE ALWAYS TRIGGER hold_moves_pending")

    async def _now(self) -> datetime:
        now: datetime = await self.owner.fetchval("SELECT clock_timestamp()")
        return now

    async def _at(self, wallet: str, day: int, known_by: datetime | None) -> int:
        async with self.database.transaction() as tx:
            found = await reads.balances.balances_at(
                tx, wallet=self._wallet(wallet), kind=None, occurred_by=noon(day), known_by=known_by
            )
        return sum(one.balance for one in found)

    async def _wallets(self) -> dict[str, tuple[int, int, int]]:
        rows = await self.owner.fetch(
            "SELECT kind, balance, pending, entries FROM ledger_public.wallets"
            " WHERE split_part(address, ':', 2) = $1",
            self.example,
        )
        return {row["kind"]: (row["balance"], row["pending"], row["entries"]) for row in rows}

    async def _entries(self) -> list[tuple[str, int, int, int]]:
        rows = await self.owner.fetch(
            "SELECT kind, amount, balance_after, version FROM ledger_public.entries"
            " WHERE split_part(address, ':', 2) = $1 ORDER BY address, version",
            self.example,
        )
        return [tuple(row) for row in rows]


def noon(day: int) -> datetime:
    return DAY_0 + timedelta(days=day, hours=12)


async def test_the_ledger_answers_every_command_as_lists_of_amounts_say(
    ledger: Database, owner: asyncpg.Connection
) -> None:
    await run_machine(lambda loop: Ledger(loop, ledger, owner), examples=80, steps=25)
