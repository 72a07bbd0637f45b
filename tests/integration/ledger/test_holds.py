"""Holds and limits: what is kept, what is left, who is refused and by how much."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from fleet.database import Database
from fleet.envelope import Record
from schemas.holds import HoldRequested, LimitRequested
from services.ledger import wire
from services.ledger.handlers import change_holds, change_limits, expire_holds, post_journals
from tests.integration.ledger.books import Told, ask, balances, journals, letters, only, requested, told
from tests.support.records import record

STUDENT = "student:s-1"
PAID = (("external:bank", -1000), (STUDENT, 1000))
TOMORROW = datetime.now(UTC) + timedelta(days=1)


def hold(action: str = "place", name: str = "flight:F1", **fields: Any) -> Record:
    """A hold.requested record; placing says 400 on the student until tomorrow unless told otherwise."""
    defaults: dict[str, Any] = {
        "place": {"wallet": STUDENT, "currency": "USD", "amount": 400, "expires_at": TOMORROW},
        "post": {"to_wallet": "platform:school"},
        "void": {},
    }
    event = HoldRequested.model_validate({"action": action, "hold": name} | defaults[action] | fields)
    return record(wire.holds.REQUESTED, event, key=name)


def limit(floor: int | None, binds: str = "all", wallet: str = STUDENT) -> Record:
    event = LimitRequested.model_validate(
        {"wallet": wallet, "currency": "USD", "floor": floor, "binds": binds}
    )
    return record(wire.holds.LIMIT_REQUESTED, event, key=wallet)


async def order(ledger: Database, *records: Record) -> list[Told]:
    """Hand commands to the ledger as one batch; what it told about them."""
    before = len(await told(ledger))
    await change_holds(ledger, records)
    return (await told(ledger))[before:]


async def state(ledger: Database, wallet: str = STUDENT) -> tuple[int, int, int]:
    """(posted, pending, available) balance."""
    async with ledger.transaction() as tx:
        row = await tx.one(
            "SELECT balance, pending, available FROM ledger_public.wallets WHERE address = :wallet",
            wallet=wallet,
        )
    return row.balance, row.pending, row.available


@pytest.fixture
async def paid(ledger: Database) -> Database:
    """The student has 1000 and may not go below 0, whatever asks."""
    await ask(ledger, requested("payment:1", PAID))
    await change_limits(ledger, [limit(0)])
    return ledger


async def test_a_hold_is_pending_and_leaves_the_rest_available(paid: Database) -> None:
    [changed] = await order(paid, hold())
    assert (changed.topic, changed.key) == ("hold.changed", "flight:F1")
    body = changed.body
    assert (body["state"], body["amount"], body["repeated"]) == ("open", 400, False)
    assert (body["posted_balance"], body["pending_balance"], body["available_balance"]) == (1000, 400, 600)
    assert await state(paid) == (1000, 400, 600)


async def test_a_hold_over_the_limit_is_refused_with_the_shortfall(paid: Database) -> None:
    await order(paid, hold())
    [refused] = await order(paid, hold(name="flight:F2", amount=700))
    assert refused.topic == "hold.refused"
    assert (refused.body["reason"], refused.body["shortfall"]) == ("limit_exceeded", 100)
    assert "has 600 available and may not go below 0: short by 100" in refused.body["sentence"]
    assert await letters(paid) == []
    assert await state(paid) == (1000, 400, 600)


async def test_a_journal_over_the_limit_is_refused_and_counts_holds(paid: Database) -> None:
    await order(paid, hold())
    told_ = await ask(
        paid,
        requested("flight:F8:1", ((STUDENT, -601), ("platform:school", 601))),
        requested("flight:F9:1", ((STUDENT, -600), ("platform:school", 600))),
    )
    refused = only(told_, "journal.refused").body
    assert (refused["source"], refused["reason"], refused["shortfall"]) == (
        "flight:F8:1",
        "limit_exceeded",
        1,
    )
    assert await state(paid) == (400, 400, 0)


async def test_a_limit_that_binds_holds_lets_journals_pass(paid: Database) -> None:
    await change_limits(paid, [limit(0, "holds")])
    [posted] = await ask(paid, requested("flight:F1:1", ((STUDENT, -5000), ("platform:school", 5000))))
    assert posted.topic == "journal.posted"
    [refused] = await order(paid, hold(amount=1))
    assert refused.body["shortfall"] == 4001


async def test_a_wallet_below_its_limit_may_be_paid_into_but_not_taken_from(ledger: Database) -> None:
    await ask(ledger, requested("flight:F1:1", ((STUDENT, -500), ("platform:school", 500))))
    await change_limits(ledger, [limit(0)])
    told_ = await ask(
        ledger,
        requested("payment:1", (("external:bank", -100), (STUDENT, 100))),
        requested("flight:F2:1", ((STUDENT, -1), ("platform:school", 1))),
    )
    assert only(told_, "journal.posted").body["source"] == "payment:1"
    assert only(told_, "journal.refused").body["shortfall"] == 401


async def test_a_lifted_limit_refuses_nothing(paid: Database) -> None:
    await change_limits(paid, [limit(None)])
    [changed] = await order(paid, hold(amount=10**6))
    assert changed.body["available_balance"] == 1000 - 10**6


@pytest.mark.parametrize("amount", [None, 400, 150])
async def test_a_hold_posts_in_whole_or_in_part_and_frees_the_rest(
    paid: Database, amount: int | None
) -> None:
    moved = amount or 400
    _, changed, posted = await order(paid, hold(), hold("post", amount=amount, memo="flown"))
    assert (changed.body["state"], changed.body["posted_amount"]) == ("posted", moved)
    assert (posted.topic, posted.key) == ("journal.posted", "hold:flight:F1")
    assert changed.body["journal_id"] == posted.body["journal_id"]
    assert await state(paid) == (1000 - moved, 0, 1000 - moved)
    assert (await balances(paid))["platform:school"] == moved


async def test_a_voided_hold_frees_everything(paid: Database) -> None:
    _, changed = await order(paid, hold(), hold("void"))
    assert changed.body["state"] == "voided"
    assert await state(paid) == (1000, 0, 1000)


async def test_a_hold_that_ran_out_frees_everything_and_is_told(
    paid: Database, owner: asyncpg.Connection
) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=0.3)
    await order(paid, hold(expires_at=soon), hold(name="flight:F2", amount=1))
    await owner.execute("SELECT pg_sleep_until($1)", soon + timedelta(milliseconds=20))
    refused = only(await order(paid, hold("post")), "hold.refused")
    assert refused.body["reason"] == "hold_is_open"
    assert await expire_holds(paid) == 1
    assert await expire_holds(paid) == 0
    expired = (await told(paid))[-1]
    assert (expired.topic, expired.key, expired.body["state"]) == ("hold.changed", "flight:F1", "expired")
    assert await state(paid) == (1000, 1, 999)


@pytest.mark.parametrize("closing", ["post", "void"])
async def test_asked_again_a_command_changes_nothing_and_says_so(paid: Database, closing: str) -> None:
    once = await order(paid, hold(), hold(closing, amount=150))
    again = await order(paid, hold(closing, amount=150), hold())
    assert [event.body["repeated"] for event in once if event.topic == "hold.changed"] == [False, False]
    changed = [event for event in again if event.topic == "hold.changed"]
    assert [event.body["repeated"] for event in changed] == [True, True]
    assert len({event.body["changed_at"] for event in changed}) == 1


async def test_other_content_under_the_same_name_is_refused_and_kept_for_a_person(paid: Database) -> None:
    await order(paid, hold())
    events = await order(paid, hold(amount=401))
    assert only(events, "hold.refused").body["reason"] == "hold_repeats_with_the_same_content"
    assert await letters(paid) == [("hold_repeats_with_the_same_content", "hold:flight:F1")]


@pytest.mark.parametrize(
    ("commands", "reason"),
    [
        ([hold("post")], "hold_is_known"),
        ([hold("void")], "hold_is_known"),
        ([hold(), hold("post", amount=401)], "hold_posts_at_most_its_amount"),
        ([hold(), hold("post", to_wallet=STUDENT)], "hold_posts_to_another_wallet"),
        ([hold(), hold("void"), hold("post")], "hold_is_open"),
        ([hold(), hold("post"), hold("void")], "hold_is_open"),
        ([hold(), hold("post"), hold("post", amount=1)], "hold_is_open"),
        ([hold(expires_at="2026-01-01T00:00:00Z")], "hold_expires_later"),
        ([hold(wallet="pilot:s-1")], "unknown_wallet_kind"),
        ([hold(currency="ZZZ")], "unknown_currency"),
        ([hold(), hold("post", to_wallet="pilot:s-1")], "unknown_wallet_kind"),
    ],
)
async def test_what_the_rules_refuse_changes_nothing_and_stops_no_other(
    paid: Database, commands: Sequence[Record], reason: str
) -> None:
    events = await order(paid, *commands, hold(name="flight:F9", amount=1))
    assert only(events, "hold.refused").body["reason"] == reason
    assert [event.key for event in events if event.topic == "hold.changed"][-1] == "flight:F9"


async def test_two_holds_at_once_never_take_the_same_money(paid: Database) -> None:
    commands = [[hold(name=f"flight:F{n}", amount=300)] for n in range(8)]
    await asyncio.gather(*(change_holds(paid, one) for one in commands))
    topics = [event.topic for event in await told(paid)]
    assert (topics.count("hold.refused"), await state(paid)) == (5, (1000, 900, 100))


@pytest.mark.parametrize("limited", [False, True])
async def test_holds_placed_together_are_answered_as_one_by_one(ledger: Database, limited: bool) -> None:
    """What their floors refuse, what was placed before, and what an earlier one of the batch took."""
    asked = [
        ("first", 1, 400, -100),
        ("before", 1, 100, 900),  # placed before: no floor refuses it now
        ("second", 2, 300, None),
        ("too much", 1, 601, 0),
        ("last", 1, 500, 0),
        ("below", 1, 101, -100),
        ("again", 2, 700, -1),
        ("gone", 2, 1, 0),
    ]

    def holds(of: str) -> list[Record]:
        return [
            hold(name=f"{of}:{name}", wallet=f"student:{of}-{n}", amount=amount, floor=floor)
            for name, n, amount, floor in asked
        ]

    for of in ("together", "alone"):
        for n in (1, 2):
            wallet = f"student:{of}-{n}"
            await ask(ledger, requested(f"payment:{of}:{n}", (("external:bank", -1000), (wallet, 1000))))
            await change_limits(ledger, [limit(100 if limited else None, "holds", wallet)])
        await order(ledger, hold(name=f"{of}:before", wallet=f"student:{of}-1", amount=100))
    together = await order(ledger, *holds("together"))
    alone = [answer for one in holds("alone") for answer in await order(ledger, one)]
    assert [_of_nobody(one) for one in together] == [_of_nobody(one) for one in alone]
    refused = {one.key.partition(":")[2] for one in together if one.topic == "hold.refused"}
    assert refused == ({"too much", "last", "again"} if limited else {"too much", "below", "gone"})
    for n in (1, 2):
        assert await state(ledger, f"student:together-{n}") == await state(ledger, f"student:alone-{n}")


def _of_nobody(answer: Told) -> tuple[str, str]:
    """An answer without its time, and without the word that names whose it is."""
    body = {name: value for name, value in answer.body.items() if name != "changed_at"}
    return answer.topic, str(body).replace("together", "").replace("alone", "")


async def test_holds_and_journals_at_once_never_deadlock(paid: Database) -> None:
    await change_limits(paid, [limit(None)])
    back = ((STUDENT, -1), ("instructor:i-1", 1))
    for n in range(10):
        await asyncio.gather(
            change_holds(paid, [hold(name=f"a{n}", amount=1, wallet="instructor:i-1"), hold(name=f"b{n}")]),
            change_holds(paid, [hold(name=f"c{n}"), hold(name=f"d{n}", amount=1, wallet="instructor:i-1")]),
            post_journals(paid, [requested(f"flight:{n}-{k}:1", back) for k in range(5)]),
        )
        await asyncio.gather(
            change_holds(paid, [hold("post", f"a{n}", to_wallet=STUDENT), hold("post", f"b{n}", amount=7)]),
            change_holds(paid, [hold("post", f"c{n}", to_wallet="instructor:i-1"), hold("void", f"d{n}")]),
        )
    assert len(await journals(paid)) == 1 + 10 * (5 + 3)
    assert (await state(paid))[1] == 0


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("UPDATE hold SET amount = 1", "hold_closes_once"),
        ("UPDATE hold SET state = 'open', closed_at = NULL", "hold_closes_once"),
        ("DELETE FROM hold", "hold_is_append_only"),
        ("DELETE FROM wallet_limit", "wallet_limit_is_append_only"),
        ("UPDATE balance SET pending = 0", "balance_follows_entries"),
        ("UPDATE balance SET floor = NULL, floor_binds = NULL", "balance_follows_entries"),
        ("UPDATE hold SET state = 'posted', closed_at = now()", "posted_hold_has_its_journal"),
    ],
)
async def test_not_even_the_owner_changes_a_hold_or_a_limit_otherwise(
    paid: Database, owner: asyncpg.Connection, statement: str, rule: str
) -> None:
    await order(paid, hold())
    with pytest.raises(asyncpg.CheckViolationError) as caught:
        await owner.execute(statement)
    assert caught.value.constraint_name == rule


async def test_a_dba_is_held_to_the_same_limit_and_told_the_same(
    paid: Database, owner: asyncpg.Connection
) -> None:
    await owner.execute("SET ROLE hobbs_ledger")
    place = "SELECT place_hold('h', 'student:s-1', $1, 'USD', date_trunc('day', now()) + interval '2 days')"
    with pytest.raises(asyncpg.CheckViolationError, match="short by 1") as caught:
        await owner.execute(place, 1001)
    assert (caught.value.constraint_name, caught.value.detail) == ("limit_exceeded", "1")
    assert await owner.fetchval(place, 600) is True
    assert await owner.fetchval(place, 600) is False
    entries = '[{"wallet": "student:s-1", "amount": -401}, {"wallet": "platform:school", "amount": 401}]'
    with pytest.raises(asyncpg.CheckViolationError, match="400 available") as caught:
        await owner.execute(f"SELECT post_journal_with_locks(uuidv7(), 'manual', '1', 'USD', '{entries}')")
    journal: UUID = await owner.fetchval("SELECT post_hold('h', 'platform:school', 250)")
    assert await owner.fetchval("SELECT post_hold('h', 'platform:school', 250)") == journal
    assert await state(paid) == (750, 0, 750)
