"""Each kind of operation is refused: seen wherever a person looks, and done once when the cause is gone."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from prometheus_client import REGISTRY
from pydantic import SecretStr

from fleet.database import Database
from fleet.envelope import first_cause
from fleet.grants import READER
from fleet.invariants import ask_all, service_invariants
from fleet.settings import Settings
from hobbs.doctor.findings import Finding, State
from hobbs.doctor.operations import examine_operations
from services.payouts import store
from services.payouts.desk import reads
from services.payouts.domain.operations import Kind
from services.payouts.domain.orders import MoneyToMove, order_reversal
from services.payouts.steps import gauges
from services.payouts.stripe.retries import Retries, fingerprint
from tests.integration.payouts.test_decisions import asked, taken
from tests.integration.payouts.world import World
from tests.support.databases import service_url

NOT_SIGNED_UP = (
    "You can only create new accounts if you've signed up for Connect, which you can do at "
    "https://dashboard.stripe.com/connect."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A refusal of one kind of operation: how it comes to be requested, and what people must read of it."""

    kind: Kind
    path: str
    message: str
    code: str | None
    todo: str
    told: str  # who is notified
    begin: Callable[[World], Awaitable[None]]

    def refuse(self, world: World) -> None:
        world.control.add_fault("refuse", path=self.path, message=self.message, code=self.code)


async def _unconfigured(world: World) -> None:
    world.control.fund(100_000)
    await world.configured("i1")
    await world.earned("i1", 8750)


async def _earning(world: World) -> None:
    world.control.fund(100_000)
    await world.payee("i1")
    await world.earned("i1", 8750)


async def _instant(world: World) -> None:
    world.control.fund(100_000)
    await world.payee("i1", instant_payout=True)
    await world.earned("i1", 8750)


async def _taking_back(world: World) -> None:
    await _earning(world)
    await world.work()
    [transfer] = await world.transfers()
    money = MoneyToMove(
        transfer_id=transfer.id, wallet=transfer.wallet, amount=5000, currency="USD", trace=first_cause()
    )
    order = order_reversal(money, stripe_transfer_id=transfer.stripe_transfer_id, cause="adjustment:A1")
    async with world.db.transaction() as tx:
        await store.operations.insert(tx, [order], world.clock())


ACCOUNT = Refusal(
    kind=Kind.ACCOUNT,
    path="/v*/accounts",
    message=NOT_SIGNED_UP,
    code=None,
    todo="sign the school's Stripe account up for Connect",
    told="operator",
    begin=_unconfigured,
)
TRANSFER = Refusal(
    kind=Kind.TRANSFER,
    path="/v1/transfers",
    message="Your platform may not make transfers at this time.",
    code="platform_not_ready",
    todo="remove its cause",
    told="finance",
    begin=_earning,
)
INSTANT = Refusal(
    kind=Kind.INSTANT_PAYOUT,
    path="/v1/payouts",
    message="The bank account is not eligible for instant payouts.",
    code="instant_payouts_unsupported",
    todo="the ordinary payout brings the money",
    told="finance",
    begin=_instant,
)
REVERSAL = Refusal(
    kind=Kind.REVERSAL,
    path="/v1/transfers/*/reversals",
    message="Insufficient funds in the connected account.",
    code="balance_insufficient",
    todo="wait until the payee's Stripe balance covers it",
    told="finance",
    begin=_taking_back,
)
EACH = pytest.mark.parametrize("refusal", [ACCOUNT, TRANSFER, INSTANT, REVERSAL], ids=lambda r: str(r.kind))


@asynccontextmanager
async def _reader(owner_url: str) -> AsyncIterator[Database]:
    database = Database(service_url(owner_url, "operator"), schema="public", role=READER, pool_size=1)
    yield database
    await database.close()


@pytest.fixture
async def published(owner_url: str) -> AsyncIterator[Database]:
    """What people may read: the published views, as the operator."""
    async with _reader(owner_url) as database:
        yield database


@pytest.fixture
async def retries(world: World) -> Retries:
    """The loop that tries again; it knows its key already."""
    loop = Retries(world.db, world.clock, fingerprint("sk_test_one"), world.accounts)
    await loop.step()
    return loop


async def given_refused(world: World, refusal: Refusal) -> None:
    await refusal.begin(world)
    refusal.refuse(world)
    await world.work()
    [operation] = await world.operations(refusal.kind)
    assert operation.state == "refused"


async def doctors_findings(owner_url: str) -> list[Finding]:
    url = SecretStr(service_url(owner_url, "operator"))
    return await examine_operations(Settings(database_url=url, kafka_bootstrap="127.0.0.1:1"))


async def broken(world: World) -> dict[str, list[dict[str, Any]]]:
    """The invariants of payouts that do not hold, with the rows that break them."""
    outcomes = await ask_all(world.db, service_invariants("payouts"))
    assert [o.failure for o in outcomes if o.failure] == []
    return {o.invariant.name: o.examples for o in outcomes if not o.holds}


def effects(world: World, kind: Kind) -> int:
    """How often it really happened at Stripe."""
    if kind is Kind.ACCOUNT:
        return len(world.control.state()["accounts"])
    named = {Kind.INSTANT_PAYOUT: "payout"}.get(kind, str(kind))
    return len(world.control.effects(kind=named))


@EACH
async def test_what_stripe_refused_is_seen_wherever_a_person_looks(
    world: World,
    retries: Retries,
    published: Database,
    owner_url: str,
    refusal: Refusal,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await given_refused(world, refusal)
    async with published.transaction() as tx:
        [listed] = await reads.list_stopped(tx)
        [payee] = await reads.list_payees(tx)
        [transfer] = await reads.list_transfers(tx, states=None, wallet=None, reason=None, most=9)
        shown = await reads.whole_transfer(tx, transfer["id"])
    assert (listed["kind"], listed["state"], listed["sentence"]) == (refusal.kind, "refused", refusal.message)
    assert refusal.todo in listed["todo"]
    assert listed["retry_at"] is not None

    if refusal.kind is Kind.ACCOUNT:
        assert (payee["status"], payee["sentence"]) == ("account was refused", refusal.message)
        assert (transfer["state"], transfer["reason"]) == ("held", "account_refused")
        assert refusal.message in transfer["sentence"]
        assert refusal.todo in transfer["sentence"]
    else:
        assert shown is not None
        assert refusal.message in [step["sentence"] for step in shown["operations"]]
    if refusal.kind is Kind.TRANSFER:
        assert (transfer["state"], transfer["sentence"]) == ("refused", refusal.message)

    assert list(await broken(world)) == ["stopped_operations_are_dealt_with"]
    [finding] = await doctors_findings(owner_url)
    assert finding.state is (State.warning if refusal.kind is Kind.INSTANT_PAYOUT else State.wrong)
    assert refusal.message in finding.found
    assert refusal.todo in finding.fix

    [line] = [r for r in caplog.records if r.getMessage() == "an operation at Stripe is stopped"]
    assert line.levelno == logging.WARNING
    assert line.__dict__["kind"] == refusal.kind
    assert refusal.message not in str(line.__dict__), "Stripe may quote what a person entered"

    await gauges.measure(world.db)
    labels = {"kind": str(refusal.kind), "state": "refused"}
    assert REGISTRY.get_sample_value("payouts_operations_stopped", labels) == 1

    told = [n for n in await world.published("notification.requested") if refusal.message in n["sentence"]]
    assert refusal.told in [n["recipient_kind"] for n in told]
    assert any(refusal.todo in n["sentence"] for n in told)


@EACH
async def test_what_stripe_refused_is_done_once_when_its_cause_is_gone(
    world: World, retries: Retries, refusal: Refusal
) -> None:
    await given_refused(world, refusal)
    before = effects(world, refusal.kind)
    world.clock.advance(hours=23)
    await retries.step()
    await world.work()
    assert effects(world, refusal.kind) == before, "Stripe would replay its refusal for a day"

    world.control.clear_faults()
    world.clock.advance(hours=2)
    await retries.step()
    await world.work()
    assert effects(world, refusal.kind) == before + 1
    assert await broken(world) == {}
    for _ in range(3):
        world.clock.advance(days=30)
        await retries.step()
        await world.work()
    assert effects(world, refusal.kind) == before + 1
    assert await broken(world) == {}


@EACH
async def test_a_refusal_that_is_repeated_is_told_once_and_asked_less_and_less_often(
    world: World, retries: Retries, refusal: Refusal
) -> None:
    await given_refused(world, refusal)
    told = len(await world.published("notification.requested"))
    asked_at = []
    for day in range(18):
        world.clock.advance(days=1, minutes=1)
        before = await attempts(world, refusal.kind)
        await retries.step()
        await world.work()
        if await attempts(world, refusal.kind) > before:
            asked_at.append(day + 1)
    assert asked_at == [1, 3, 10, 17]
    assert len(await world.published("notification.requested")) == told
    keys = await world.rows("SELECT idempotency_key AS key FROM attempt WHERE verdict <> 'done'")
    assert len({row.key for row in keys}) == len(keys), "never twice under one key"
    assert list(await broken(world)) == ["stopped_operations_are_dealt_with"]


async def attempts(world: World, kind: Kind) -> int:
    [row] = await world.rows(
        "SELECT count(*) AS n FROM attempt JOIN operation ON operation.id = operation_id WHERE kind = :kind",
        kind=kind,
    )
    return int(row.n)


@EACH
async def test_another_sentence_is_another_cause_and_is_told(
    world: World, retries: Retries, refusal: Refusal
) -> None:
    await given_refused(world, refusal)
    told = len(await world.published("notification.requested"))
    world.control.clear_faults()
    other = replace(
        refusal, message="The payee's country is not supported by Stripe.", code="country_unsupported"
    )
    if refusal.kind is Kind.REVERSAL:
        other = replace(refusal, message="The balance is short again.")
    other.refuse(world)
    world.clock.advance(hours=25)
    await retries.step()
    await world.work()
    assert len(await world.published("notification.requested")) > told
    if refusal.kind is Kind.ACCOUNT:
        [transfer] = await world.transfers()
        assert other.message in transfer.sentence
    assert list(await broken(world)) == ["stopped_operations_are_dealt_with"]


@EACH
async def test_one_command_tries_all_of_it_again_and_says_what_first(
    world: World, retries: Retries, refusal: Refusal
) -> None:
    await given_refused(world, refusal)
    before = effects(world, refusal.kind)
    world.control.clear_faults()
    nothing = await taken(world, asked("retry_refused", "refused", parameters={"kind": "nothing"}))
    assert (nothing.outcome, nothing.sentence) == ("refused", "nothing of that kind stands refused")
    preview = await taken(world, asked("retry_refused", "refused", dry_run=True))
    assert preview.outcome == "previewed", preview.sentence
    assert f"1 of 1 refused operations are tried again: 1 {refusal.kind}" in preview.sentence
    if refusal.kind is not Kind.ACCOUNT:
        assert " USD)" in preview.sentence
    sent = asked("retry_refused", "refused", why="it is fixed", preview_hash=preview.preview_hash)
    answer = await taken(world, sent)
    assert answer.outcome == "done", answer.sentence
    await retries.step()  # it orders accounts
    again = await taken(world, asked("retry_refused", "refused"))
    assert again.outcome == "refused", "its retry is under way"
    await world.work()
    assert effects(world, refusal.kind) == before + 1
    steps = await world.rows("SELECT what, actor, sentence FROM operation_history ORDER BY id")
    assert [s.what for s in steps] == ["refused", "retried"]
    assert (steps[1].actor, steps[1].sentence) == ("operator:ann", "it is fixed")
    assert await broken(world) == {}
