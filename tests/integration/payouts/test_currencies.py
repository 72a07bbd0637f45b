"""Amounts reach Stripe as it writes them; what it cannot send goes with the payee's next transfer."""

import pytest

from fleet.invariants import service_invariants
from tests.integration.payouts.world import World


@pytest.fixture(autouse=True)
def settled_as_they_are(world: World) -> None:
    """The payees' accounts hold these currencies: nothing is converted, and they are paid out at once."""
    held = ["bhd", "huf", "isk", "jpy", "kwd", "twd", "ugx"]
    most = {"instant_amount_max": 10_000_000, "instant_daily_volume_max": 10_000_000}
    world.control.set(settlement_currencies=held, instant_currencies=held, **most)


async def broken(world: World) -> list[str]:
    return [i.name for i in service_invariants("payouts") if await world.rows(i.sql.replace(":", r"\:"))]


@pytest.mark.parametrize(
    ("currency", "books", "stripe"),
    [("UGX", 1234, 123_400), ("ISK", 5, 500), ("JPY", 1234, 1234), ("HUF", 1234, 1234), ("KWD", 1230, 1230)],
)
async def test_a_transfer_is_the_same_money_at_stripe(
    world: World, currency: str, books: int, stripe: int
) -> None:
    world.control.fund(10_000_000, currency=currency.lower())
    await world.payee("i1")
    await world.earned("i1", books, currency=currency)
    await world.work()
    assert world.paid() == [stripe]
    [sent] = await world.published("transfer.sent")
    assert (sent["amount"], sent["currency"]) == (books, currency)
    [journal] = await world.published("journal.requested")
    assert [e["amount"] for e in journal["entries"]] == [-books, books]
    assert await broken(world) == []


async def test_what_a_three_decimal_currency_cannot_send_goes_with_the_next_transfer(world: World) -> None:
    world.control.fund(10_000_000, currency="kwd")
    await world.payee("i1")
    await world.earned("i1", 1234, currency="KWD")
    await world.earned("i1", 1236, currency="KWD")
    await world.earned("i1", 3, currency="KWD")
    await world.work()
    assert world.paid() == [1230, 1240]
    assert await broken(world) == []
    await world.earned("i1", 8, currency="KWD")
    await world.work()
    assert world.paid() == [1230, 1240, 10]
    [left] = await world.rows("SELECT sum(amount) AS n FROM payable WHERE transfer_id IS NULL")
    assert left.n == 1
    sources = [source for sent in await world.published("transfer.sent") for source in sent["sources"]]
    assert all(source.startswith("flight:") for source in sources)
    assert await broken(world) == []


async def test_flights_of_one_batch_carry_from_transfer_to_transfer(world: World) -> None:
    world.control.fund(10_000_000, currency="bhd")
    await world.payee("i1")
    await world.earned("i1", 1234, 1234, 1234, currency="BHD")
    await world.work()
    assert sorted(world.paid()) == [1230, 1230, 1240]
    assert await broken(world) == []


async def test_held_money_and_what_is_owed_leave_no_amount_that_stripe_refuses(world: World) -> None:
    world.control.fund(10_000_000, currency="kwd")
    await world.earned("i1", 1234, 2345, currency="KWD")
    record = world.posted("instructor:i1", -301, event_type="adjustment", currency="KWD")
    await world.payee("i1")
    await world.hand(record)
    await world.earned("i1", 5, currency="KWD")
    await world.work()
    assert all(amount % 10 == 0 for amount in world.paid())
    [total] = await world.rows(
        "SELECT sum(amount) FILTER (WHERE transfer_id IS NULL) AS open, sum(amount) AS all FROM payable"
    )
    assert sum(world.paid()) + total.open == total.all == 1234 + 2345 - 301 + 5
    assert await broken(world) == []


@pytest.mark.parametrize(
    ("currency", "transferred", "paid_out"),
    [("HUF", 12_345, 12_200), ("TWD", 12_345, 12_200), ("KWD", 12_340, 12_210), ("UGX", 9_000, 8_910)],
)
async def test_an_instant_payout_is_an_amount_that_the_bank_takes(
    world: World, currency: str, transferred: int, paid_out: int
) -> None:
    world.control.fund(10_000_000, currency=currency.lower())
    await world.payee("i1", instant_payout=True)
    await world.earned("i1", transferred, currency=currency)
    await world.work()
    [payout] = await world.rows("SELECT amount, currency, fee FROM payout")
    assert (payout.amount, payout.currency) == (paid_out, currency)
    assert [o.state for o in await world.operations("instant_payout")] == ["succeeded"]
    world.control.advance(3600)
    world.clock.advance(minutes=11)
    await world.work()
    assert await broken(world) == []


async def test_a_reversal_and_a_payout_come_back_in_the_books_units(world: World) -> None:
    world.control.fund(10_000_000, currency="ugx")
    account = await world.payee("i1")
    await world.earned("i1", 1000, currency="UGX")
    await world.work()
    world.control.trigger("payout.created", account=account, currency="ugx")
    world.control.advance(3 * 86_400)
    world.clock.advance(minutes=11)
    await world.work()
    assert await world.states() == ["in_bank"]
    [payout] = await world.rows("SELECT amount FROM payout")
    assert payout.amount == 1000


async def test_transfers_wait_for_a_balance_in_stripes_units(world: World) -> None:
    world.control.fund(10_000, currency="ugx")  # 100 UGX
    await world.payee("i1")
    await world.earned("i1", 150, currency="UGX")
    await world.work()
    assert await world.states() == ["held"]
    world.control.fund(5_000, currency="ugx")
    await world.work()
    assert world.paid() == [15_000]
