"""Whatever one object of Stripe's looks like, all others are written and the odd one is shown."""

from typing import Any

import pytest

from fleet.envelope import first_cause
from services.payouts.stripe import effects
from tests.integration.payouts.test_missed_events import made, pay
from tests.integration.payouts.test_webhooks import given_sent
from tests.integration.payouts.world import World


async def odd(world: World) -> list[tuple[str, str]]:
    rows = await world.rows("SELECT kind, object_id FROM odd_object WHERE closed_at IS NULL ORDER BY 1, 2")
    return [(row.kind, row.object_id) for row in rows]


async def read_again(world: World, account: str) -> None:
    await world.webhook("account.updated", {"id": account, "object": "account"}, account=account)
    await world.work()


async def test_a_negative_payout_is_kept_with_its_sign_and_carries_no_transfer(world: World) -> None:
    account = await given_sent(world, 700)
    debit = world.control.trigger("payout.debited", account=account, amount=500)
    world.control.trigger("payout.created", account=account)
    world.control.advance(3 * 86_400)
    await read_again(world, account)
    rows = await world.rows("SELECT stripe_payout_id, amount, status FROM payout ORDER BY amount")
    assert [(row.amount, row.status) for row in rows] == [(-500, "paid"), (1200, "paid")]
    parts = await world.rows("SELECT stripe_payout_id FROM payout_part")
    assert debit["id"] not in [part.stripe_payout_id for part in parts]
    assert await world.states() == ["in_bank"]
    told = [(n["kind"], n["recipient_kind"]) for n in await world.published("notification.requested")]
    assert {("bank_debited", "instructor"), ("bank_debited", "finance")} <= {*told}
    assert [s["amount"] for s in await world.published("payout.settled")] == [1200]
    assert await odd(world) == []


async def test_a_negative_payout_by_webhook_is_noted_and_no_dead_letter(world: World) -> None:
    account = await given_sent(world, 700)
    debit = world.control.trigger("payout.debited", account=account, amount=500)
    await world.webhook("payout.created", debit, account=account)
    await world.webhook("payout.failed", debit | {"status": "failed"}, account=account)
    [row] = await world.rows("SELECT amount, status FROM payout")
    assert (row.amount, row.status) == (-500, "failed")
    assert await world.states() == ["sent"]
    kinds = [n["kind"] for n in await world.published("notification.requested")]
    assert kinds.count("bank_debit_failed") == 2


ODD_FIELDS: list[dict[str, Any]] = [
    {"fields": {"status": "in_review"}},
    {"fields": {"amount": None}},
    {"fields": {"amount": "1200"}},
    {"fields": {"amount": 12.5}},
    {"fields": {"amount": True}},
    {"fields": {"amount": 10**30}},
    {"fields": {"currency": "usdc"}},
    {"fields": {"currency": {"code": "usd"}}},
    {"fields": {"created": None}},
    {"fields": {"created": 10**20}},
    {"fields": {"id": "po_" + "x" * 5000}},
    {"fields": {"id": None}},
    {"fields": {"id": "po_\x00"}},
    {"without": ["currency"]},
    {"without": ["status"]},
]


async def test_no_odd_payout_keeps_another_from_being_read(world: World) -> None:
    account = await given_sent(world, 700)
    for change in ODD_FIELDS:
        payout = world.control.trigger("payout.debited", account=account, amount=1)
        world.control.trigger("object.changed", object=payout["id"], **change)
    world.control.fund(len(ODD_FIELDS), account=account)
    world.control.trigger("payout.created", account=account)
    world.control.advance(3 * 86_400)
    for _ in range(2):
        await read_again(world, account)
    assert await world.states() == ["in_bank"]
    assert [row.status for row in await world.rows("SELECT status FROM payout WHERE amount > 0")] == ["paid"]
    found = await odd(world)
    assert [kind for kind, _ in found] == ["payout"] * len(ODD_FIELDS)
    told = [n for n in await world.published("notification.requested") if n["kind"] == "stripe_object_odd"]
    assert {n["recipient_kind"] for n in told} == {"finance"}
    assert sorted(n["about"] for n in told) == sorted(name for _, name in found), "finance hears of each once"


async def test_a_payout_of_amount_zero_is_kept(world: World) -> None:
    account = await given_sent(world, 700)
    first = world.control.trigger("payout.created", account=account)
    world.control.trigger(
        "object.changed", object=first["id"], fields={"amount": 0, "failure_message": ["x"]}
    )
    world.control.advance(3 * 86_400)
    await read_again(world, account)
    assert [row.amount for row in await world.rows("SELECT amount FROM payout")] == [0]


async def test_an_odd_object_is_forgotten_once_it_reads_well(world: World) -> None:
    account = await given_sent(world, 700)
    first = world.control.trigger("payout.created", account=account)
    world.control.trigger("object.changed", object=first["id"], fields={"status": "in_review"})
    await read_again(world, account)
    assert await odd(world) == [("payout", first["id"])]
    world.control.trigger("object.changed", object=first["id"], fields={"status": "paid"})
    await read_again(world, account)
    assert await odd(world) == []
    assert await world.states() == ["in_bank"]


@pytest.mark.parametrize(
    "fields",
    [
        {"capabilities": None},
        {"capabilities": ["transfers"]},
        {"requirements": None},
        {"requirements": "none"},
        {"requirements": {"currently_due": None, "past_due": [None, 5, {}], "disabled_reason": {"a": 1}}},
        {"payouts_enabled": "false"},
    ],
    ids=str,
)
async def test_an_odd_account_is_written_and_its_payouts_too(world: World, fields: dict[str, Any]) -> None:
    account = await given_sent(world, 700)
    world.control.trigger("payout.created", account=account)
    world.control.advance(3 * 86_400)
    world.control.trigger("object.changed", object=account, fields=fields)
    await read_again(world, account)
    assert await world.states() == ["in_bank"]


@pytest.mark.parametrize(
    "change",
    [
        {"fields": {"amount_reversed": None}},
        {"fields": {"amount_reversed": "200"}},
        {"without": ["currency"]},
    ],
    ids=str,
)
async def test_one_odd_transfer_keeps_no_other_from_being_read(world: World, change: dict[str, Any]) -> None:
    account = await given_sent(world, 700, 800)
    one, other = sorted(await world.transfers(), key=lambda t: t.amount)
    await reverse(world, other, 200)
    world.control.trigger("object.changed", object=one.stripe_transfer_id, **change)
    await read_again(world, account)
    states = {t.amount: t.state for t in await world.transfers()}
    assert states == {700: "sent", 800: "partly_reversed"}
    assert await odd(world) == [("transfer", one.stripe_transfer_id)]


async def reverse(world: World, transfer: Any, amount: int) -> dict[str, Any]:
    """Reverse part of a transfer by hand; the reversal."""
    v1: Any = world.client._client.v1
    made = await v1.transfers.reversals.create_async(transfer.stripe_transfer_id, {"amount": amount})
    reversal: dict[str, Any] = made.to_dict()
    return reversal


ODD_REVERSALS: list[dict[str, Any]] = [
    {"fields": {"amount": None}},
    {"fields": {"amount": 0}},
    {"fields": {"amount": -50}},
    {"fields": {"amount": 5000}},
    {"fields": {"currency": "eur"}},
    {"fields": {"transfer": None}},
    {"without": ["created"]},
]


async def test_no_odd_reversal_keeps_another_from_being_noted(world: World) -> None:
    account = await given_sent(world, 700)
    [transfer] = await world.transfers()
    ids = []
    for change in ODD_REVERSALS:
        made = await reverse(world, transfer, 10)
        world.control.trigger("object.changed", object=made["id"], **change)
        ids.append(("reversal", made["id"]))
    await reverse(world, transfer, 200)
    await read_again(world, account)
    [transfer] = await world.transfers()
    assert (transfer.state, transfer.amount_reversed) == ("partly_reversed", 200)
    assert await odd(world) == sorted(ids)


async def test_a_list_that_is_none_is_told(world: World) -> None:
    lists: list[Any] = [None, {}, "x", [None], [[]], [5]]
    async with world.db.transaction() as tx:
        for listed in lists:
            await effects.note_reversals(tx, listed, world.clock(), first_cause())
    assert len(await odd(world)) == len(lists)


ODD_TRANSACTIONS: list[dict[str, Any]] = [
    {"fields": {"net": 1}},
    {"fields": {"fee": -5}},
    {"fields": {"fee": None}},
    {"fields": {"amount": -2000}},
    {"fields": {"currency": None}},
    {"fields": {"available_on": None}},
    {"fields": {"source": "ch_another"}},
]


async def test_charges_that_do_not_add_up_are_not_published(world: World) -> None:
    world.control.set(charge_transaction_after_s=0)
    paid = [
        world.control.trigger("payment_intent.succeeded")["latest_charge"] for _ in (0, *ODD_TRANSACTIONS)
    ]
    charges = [e["data"]["object"] for e in world.control.events() if e["type"] == "charge.succeeded"]
    booked = {charge["id"]: charge["balance_transaction"] for charge in charges}
    for charge_id, change in zip(paid[1:], ODD_TRANSACTIONS, strict=True):
        world.control.trigger("object.changed", object=booked[charge_id], **change)
    for charge in charges:
        await world.webhook("charge.succeeded", charge)
    await world.work()
    assert [settled["charge_id"] for settled in await world.published("charge.settled")] == paid[:1]
    assert await odd(world) == sorted(("charge_fee", charge_id) for charge_id in paid[1:])


async def test_an_instant_payout_s_fee_in_another_currency_is_not_booked(world: World) -> None:
    world.control.fund(1_000_000)
    await world.payee("i1", instant_payout=True)
    await world.earned("i1", 10_000)
    relay = world.relay()
    for _ in range(2):
        await world.once(relay)
    [payout] = await world.rows("SELECT stripe_payout_id FROM payout")
    transaction = next(e for e in world.control.events() if e["type"] == "payout.created")
    about = transaction["data"]["object"]["balance_transaction"]
    world.control.trigger("object.changed", object=about, fields={"currency": "eur"})
    await world.work()
    assert [j["event_type"] for j in await world.published("journal.requested")] == ["transfer"]
    assert await odd(world) == [("payout_fee", payout.stripe_payout_id)]
    world.control.trigger("object.changed", object=about, fields={"currency": "usd"})
    world.clock.advance(hours=2)
    await world.work()
    assert await odd(world) == []
    assert "instant_fee" in [j["event_type"] for j in await world.published("journal.requested")]


async def test_whatever_an_event_in_the_list_looks_like_the_others_are_noted(world: World) -> None:
    pay(world)
    events: list[Any] = [{n: v for n, v in e.items() if n != "cursor"} for e in made(world)]
    nothing: list[Any] = [None, "evt", [], 5, {}, {"id": None}, {**events[0], "type": "a\x00b"}]
    missed = world.missed_events()
    place = await missed.begin()
    assert place is not None
    assert await missed.note(place, {"data": [*nothing, *events[1:], None], "has_more": False}) is None
    assert len(await world.rows("SELECT event_id FROM missed_event")) == len(events) - 1
    assert len(await world.rows("SELECT object_id FROM odd_object WHERE kind = 'event'")) == len(nothing)


@pytest.mark.parametrize("listed", [None, {}, "x"])
async def test_a_list_of_events_without_data_is_read_again(world: World, listed: Any) -> None:
    missed = world.missed_events()
    place = await missed.begin()
    assert place is not None
    assert await missed.note(place, {"data": listed, "has_more": True}) is None
    again = await missed.begin()
    assert again is not None
    assert again.listed_until == place.listed_until
    assert len(await world.rows("SELECT object_id FROM odd_object")) == 1
