"""What Stripe refused is tried again when its cause may have gone, never twice, and never at a wrong time."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from fleet import faults
from services.payouts.domain.operations import Kind
from services.payouts.stripe.retries import Retries, fingerprint
from tests.integration.payouts.test_decisions import asked, taken
from tests.integration.payouts.test_payees import school_in
from tests.integration.payouts.test_stopped import (
    ACCOUNT,
    EACH,
    INSTANT,
    NOT_SIGNED_UP,
    REVERSAL,
    Refusal,
    attempts,
    broken,
    effects,
    given_refused,
)
from tests.integration.payouts.world import World


def loop(world: World, key: str = "sk_test_one") -> Retries:
    return Retries(world.db, world.clock, fingerprint(key), world.accounts)


async def passed(world: World, *, key: str = "sk_test_one") -> None:
    """Let what is due be tried again, and answered."""
    await loop(world, key).step()
    await world.work()


async def test_any_accepted_version_of_the_book_has_refused_accounts_asked_for_again(world: World) -> None:
    await passed(world)
    await given_refused(world, ACCOUNT)
    world.control.clear_faults()
    await passed(world)
    assert effects(world, Kind.ACCOUNT) == 0, "nothing says that the cause has gone"
    await school_in(world, "America/Denver")
    await passed(world)
    assert effects(world, Kind.ACCOUNT) == 1
    await school_in(world, "America/Boise")
    await passed(world)
    assert effects(world, Kind.ACCOUNT) == 1
    steps = await world.rows("SELECT what, sentence, actor FROM operation_history ORDER BY id")
    assert [(s.what, s.actor) for s in steps] == [("refused", "payouts"), ("retried", "payouts")]
    assert steps[1].sentence == "a version of the school's book was accepted"


async def test_another_key_has_it_tried_again_and_a_restart_with_the_same_does_not(world: World) -> None:
    await passed(world)
    await given_refused(world, ACCOUNT)
    asked_before = await attempts(world, Kind.ACCOUNT)
    for key in ("sk_test_one", "sk_test_one"):
        await passed(world, key=key)
    assert await attempts(world, Kind.ACCOUNT) == asked_before
    await passed(world, key="sk_test_two")
    assert await attempts(world, Kind.ACCOUNT) == asked_before + 1, "refused once more, by the new key"
    for key in ("sk_test_one", "sk_test_two"):
        await passed(world, key=key)
    assert await attempts(world, Kind.ACCOUNT) == asked_before + 1, "neither is new any more"
    world.control.clear_faults()
    await passed(world, key="sk_test_three")
    assert effects(world, Kind.ACCOUNT) == 1
    kept = await world.rows("SELECT stripe_access::text AS row FROM stripe_access")
    assert len(kept) == 3
    assert not any("sk_test" in row.row for row in kept)


async def test_another_key_does_not_repeat_what_lies_with_the_payee(world: World) -> None:
    await passed(world)
    await given_refused(world, INSTANT)
    world.control.clear_faults()
    await passed(world, key="sk_test_two")
    assert effects(world, Kind.INSTANT_PAYOUT) == 0


async def test_a_cause_of_the_platform_is_told_once_and_ends_for_everybody_with_one_account(
    world: World,
) -> None:
    await passed(world)
    world.control.add_fault("refuse", path="/v*/accounts", message=NOT_SIGNED_UP)
    await world.configured("i1", "i2", "i3")
    await world.work()
    assert [o.state for o in await world.operations("account")] == ["refused"] * 3
    told = [n for n in await world.published("notification.requested") if NOT_SIGNED_UP in n["sentence"]]
    assert [n["recipient_kind"] for n in told] == ["operator"]
    world.control.clear_faults()
    await world.configured("i2", email="i2@example.org")
    await world.work()
    assert effects(world, Kind.ACCOUNT) == 1
    await passed(world)
    assert effects(world, Kind.ACCOUNT) == 3
    assert await broken(world) == {}


async def test_of_a_transfer_that_is_refused_each_payee_hears(world: World) -> None:
    world.control.fund(100_000)
    await world.payees("i1", "i2")
    world.control.add_fault("refuse", path="/v1/transfers", message="No transfers today.")
    for payee in ("i1", "i2"):
        await world.earned(payee, 700)
        await world.work()
    told = [n for n in await world.published("notification.requested") if "No transfers" in n["sentence"]]
    assert [n["recipient"] for n in told] == ["i1", "finance", "i2", "finance"]


async def test_several_loops_at_once_try_again_once(world: World) -> None:
    await passed(world)
    await given_refused(world, ACCOUNT)
    world.control.clear_faults()
    world.clock.advance(hours=25)
    await asyncio.gather(*(loop(world).step() for _ in range(4)))
    await world.work()
    assert effects(world, Kind.ACCOUNT) == 1
    assert await attempts(world, Kind.ACCOUNT) == 2


async def test_an_instant_payout_is_over_when_the_ordinary_one_brought_the_money(world: World) -> None:
    await passed(world)
    await given_refused(world, INSTANT)
    account = await world.account_of("i1")
    payout = {"id": "po_1", "object": "payout", "amount": 8750, "currency": "usd", "method": "standard"}
    payout |= {"automatic": True, "status": "in_transit", "created": int(world.clock().timestamp())}
    await world.webhook("payout.created", payout, account=account)
    waits = await taken(world, asked("retry_refused", "refused"))
    assert (waits.outcome, "on its way to the bank" in waits.sentence) == ("refused", True)
    world.control.clear_faults()
    world.clock.advance(hours=25)
    await passed(world)
    assert effects(world, Kind.INSTANT_PAYOUT) == 0

    await world.webhook("payout.paid", payout | {"status": "paid"}, account=account)
    assert await world.states() == ["in_bank"]
    assert await broken(world) == {}, "nobody has to do anything"
    world.clock.advance(hours=25)
    await passed(world)
    [operation] = await world.operations("instant_payout")
    assert (operation.state, operation.reason) == ("cancelled", "closed")
    assert effects(world, Kind.INSTANT_PAYOUT) == 0


async def test_an_instant_payout_is_tried_again_when_stripe_enables_the_account(world: World) -> None:
    await passed(world)
    refusal = replace(INSTANT, code="payouts_not_allowed", message="Payouts are paused for this account.")
    await given_refused(world, refusal)
    world.control.clear_faults()
    account = await world.account_of("i1")
    world.control.onboard(account, "restrict", disabled_reason="requirements.past_due")
    await world.webhook("account.updated", {"id": account, "object": "account"}, account=account)
    await world.work()
    world.control.onboard(account)
    await world.webhook("account.updated", {"id": account, "object": "account"}, account=account)
    await world.work()
    assert effects(world, Kind.INSTANT_PAYOUT) == 1


async def test_a_reversal_is_not_repeated_when_somebody_took_money_back_meanwhile(world: World) -> None:
    await passed(world)
    await given_refused(world, REVERSAL)
    world.control.clear_faults()
    [transfer] = await world.transfers()
    world.clock.advance(hours=1)
    async with world.db.transaction() as tx:
        await tx.execute(
            "INSERT INTO reversal (stripe_reversal_id, transfer_id, amount, reversed_at)"
            " VALUES ('trr_hand', :id, 1000, :at)",
            id=transfer.id,
            at=world.clock(),
        )
        await tx.execute(
            "UPDATE transfer SET state = 'partly_reversed', amount_reversed = 1000 WHERE id = :id",
            id=transfer.id,
        )
    world.clock.advance(hours=25)
    await passed(world)
    assert effects(world, Kind.REVERSAL) == 0
    [operation] = await world.operations("reversal")
    assert operation.state == "refused"
    closed = await taken(world, asked("close_refused", str(operation.id), why="taken off the next money"))
    assert closed.outcome == "done", closed.sentence
    again = await taken(world, asked("retry_refused", "refused"))
    assert again.sentence == "nothing of that kind stands refused"
    world.clock.advance(days=30)
    await passed(world)
    assert effects(world, Kind.REVERSAL) == 0


async def test_a_reversal_of_more_than_is_left_is_refused_to_a_person(world: World) -> None:
    await passed(world)
    await given_refused(world, REVERSAL)
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE transfer SET state = 'partly_reversed', amount_reversed = 5000")
    answer = await taken(world, asked("retry_refused", "refused"))
    assert (answer.outcome, answer.sentence) == (
        "refused",
        "less is left of the transfer than it would take back",
    )


@pytest.mark.parametrize("refusal", [ACCOUNT], ids=["account"])
async def test_only_what_may_be_given_up_so_is_closed(world: World, refusal: Refusal) -> None:
    await given_refused(world, refusal)
    [operation] = await world.operations("account")
    answer = await taken(world, asked("close_refused", str(operation.id)))
    assert answer.outcome == "refused"
    assert "take the payee out of the school's book" in answer.sentence
    assert (await taken(world, asked("close_refused", "F1"))).sentence == "F1 is no operation's id"


@EACH
async def test_a_refusal_is_never_recorded_without_being_told(
    world: World, monkeypatch: pytest.MonkeyPatch, refusal: Refusal
) -> None:
    await refusal.begin(world)
    refusal.refuse(world)
    told = len(await world.published("notification.requested"))
    if refusal.kind is Kind.INSTANT_PAYOUT:
        await world.once()  # its transfer
        told = len(await world.published("notification.requested"))
    relay = world.relay()
    [claimed] = await relay.claim(1)
    outcome = await relay.call(claimed)
    assert outcome is not None
    monkeypatch.setattr(faults, "_plan", faults.Plan(faults.parse_plan("relay.mid_record=raise@1"), None))
    with pytest.raises(faults.InjectedFault):
        await relay.record([outcome])
    [operation] = await world.operations(refusal.kind)
    assert (operation.state, operation.told) == ("in_flight", None)
    assert len(await world.published("notification.requested")) == told
    assert await world.rows("SELECT 1 AS x FROM operation_history") == []
    monkeypatch.setattr(faults, "_plan", None)
    world.clock.advance(minutes=5)
    await world.work()
    assert len(await world.published("notification.requested")) > told
    assert list(await broken(world)) == ["stopped_operations_are_dealt_with"]


@EACH
async def test_who_dies_while_it_tries_again_leaves_it_due(
    world: World, monkeypatch: pytest.MonkeyPatch, refusal: Refusal
) -> None:
    retries = loop(world)
    await retries.step()
    await given_refused(world, refusal)
    world.control.clear_faults()
    before = effects(world, refusal.kind)
    world.clock.advance(hours=25)
    monkeypatch.setattr(faults, "_plan", faults.Plan(faults.parse_plan("payouts.retried=raise@1"), None))
    with pytest.raises(faults.InjectedFault):
        await retries.step()
    assert [o.state for o in await world.operations(refusal.kind)] == ["refused"]
    monkeypatch.setattr(faults, "_plan", None)
    await passed(world)
    await passed(world)
    assert effects(world, refusal.kind) == before + 1


async def test_what_is_parked_because_lookups_failed_is_looked_up_again_and_sent_once(world: World) -> None:
    await passed(world)
    world.control.fund(100_000)
    await world.payee("i1")
    await world.earned("i1", 8750)
    await world.park("before")
    assert await world.states() == ["parked"]
    await passed(world)
    assert await world.states() == ["parked"]
    world.clock.advance(hours=1, minutes=1)
    await passed(world)
    for _ in range(3):
        world.clock.advance(seconds=15)
        await world.work()
    assert world.paid() == [8750]
    assert await broken(world) == {}


async def test_a_parked_request_for_an_account_is_shown_as_parked(world: World) -> None:
    await passed(world)
    world.control.add_fault("server_error", when="after", path="/v*/accounts", count=3)
    world.control.add_fault("unavailable", method="GET", path="/v*/accounts")
    world.policy = replace(world.policy, lookup_gap=timedelta(milliseconds=1), lookups_max=1)
    await world.configured("i1")
    await world.earned("i1", 8750)
    await world.work()
    [transfer] = await world.transfers()
    assert (transfer.state, transfer.reason) == ("held", "parked_operation")
    assert "outcome_unknown" in transfer.sentence
    [payee] = await world.rows("SELECT status FROM payouts_public.payees")
    assert payee.status == "account request is parked"
    world.control.clear_faults()
    world.clock.advance(hours=1, minutes=1)
    await passed(world)
    assert effects(world, Kind.ACCOUNT) == 1
    assert (await world.account_of("i1")).startswith("acct_")
