"""A logbook made up from a seed is billed, paid and corrected by every door, in any order; people decide.

Whatever came first: every wallet, and what Stripe paid and took back, is what the independent calculator
makes of the last records. `SEEDS=7,8,9` tries other logbooks, one after the other, on the same fleet.
"""

import asyncio
import json
import os
import random
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import httpx

from hobbs.demo.figures import Figures
from hobbs.demo.money import Cashier
from hobbs.demo.school import SCHOOL_FILE, run_hobbs
from hobbs.demo.story import Story
from hobbs.local.fleet_processes import Fleet
from hobbs.local.running_fleet import RunningFleet
from hobbs.local.stripe_sim.control import Control
from tests.checker.flight_rules import CANCELLED, TOPIC
from tests.support.corrections import OTHER_STUDENT, Published, publish_in_order, states
from tests.support.fleets import Silent
from tests.support.logbooks import Door, Logbook, Then, earnings, make_logbook
from tests.support.people import People
from tests.system.test_corrections import PAYEES, books_are_in_order, by_flights, paid_at_stripe

SEEDS = [int(seed) for seed in os.environ.get("SEEDS", "1").split(",")]
FLIGHTS = int(os.environ.get("FLIGHTS", "8"))
EACH_PAYMENT, PAYMENTS = 5_000_000, 2
WATERFALL = '\n[adjustments]\nwaterfall = ["stripe_reversal", "future_payout_offset"]\n'


async def test_a_corrected_logbook_ends_where_its_last_records_say(
    fleet: RunningFleet, figures: Figures, tmp_path: Path
) -> None:
    chance, file = random.Random(f"school {SEEDS}"), tmp_path / "school.toml"
    text = SCHOOL_FILE.read_text(encoding="utf-8") + OTHER_STUDENT + chance.choice((WATERFALL, ""))
    file.write_text(text, encoding="utf-8")
    story = Story(fleet.fleet, figures, Silent(), fleet.require_running, file)
    await story.open_school()
    await story.onboard()
    await keep_some_money_at_stripe(fleet.fleet, figures, chance)
    doors = Doors(fleet.fleet, tmp_path)
    people, wanted = People(fleet=fleet.fleet, figures=figures), Counter[str]()
    for seed in SEEDS:
        chance = random.Random(seed)
        book = tomllib.loads(text, parse_float=Decimal)
        logbook = make_logbook(chance, book, flights=FLIGHTS, prefix=f"s{seed}")
        await correct(fleet.fleet, story, logbook, doors, people, chance)
        more = Logbook(
            last={body["flight_id"]: (topic, body) for topic, body in earnings(f"s{seed}", times=2)}
        )
        await publish_in_order(fleet.fleet, more.last.values())
        await story.settle()
        wanted.update(logbook.wallets(book))
        wanted.update(more.wallets(book))
        assert set((await states(figures)).values()) <= {"settled", "superseded"}, f"seed {seed}"
        await money_agrees(figures, wanted, people, paid_in=EACH_PAYMENT * PAYMENTS * (1 + SEEDS.index(seed)))
        await books_are_in_order(fleet, figures, file)


async def keep_some_money_at_stripe(fleet: Fleet, figures: Figures, chance: random.Random) -> None:
    """Stripe pays some payees out only when somebody asks: what is not in a bank can be taken back.

    It limits no day's instant payouts.
    """
    with Control(fleet.stripe_api_base) as stripe:
        stripe.set(instant_daily_volume_max=10_000_000_000)
    accounts = [payee["stripe_account"] for payee in await figures.payees()]
    await asyncio.to_thread(Cashier(fleet).keep_at_stripe, chance.sample(accounts, len(accounts) * 2 // 3))


async def correct(
    fleet: Fleet, story: Story, logbook: Logbook, doors: "Doors", people: People, chance: random.Random
) -> None:
    """Fly, bill and pay; then deliver what follows while people decide, until nothing waits for them."""
    await asyncio.to_thread(Cashier(fleet).pay_in, "student-01", [EACH_PAYMENT] * PAYMENTS)
    await doors.deliver(Door.FILE, [record for record in logbook.flown if record[0] == TOPIC])
    await story.settle()
    for delivery in logbook.deliveries:
        if delivery.at_rest:
            await story.settle()
        for door, records in delivery.parts:
            await doors.deliver(door, records)
        if delivery.then is not Then.NOTHING:
            await story.settle()
        if delivery.then is Then.APPROVE:
            await people.approve_everything(logbook.makers)
            await story.settle()
            await people.settle_otherwise(logbook.makers, chance)
    await story.settle()
    while await people.approve_everything(logbook.makers):
        await story.settle()
    await people.settle_otherwise(logbook.makers, chance)
    await story.settle()


class Doors:
    """The doors by which a scheduler's records come in, of one deployment."""

    def __init__(self, fleet: Fleet, folder: Path) -> None:
        self._fleet = fleet
        self._folder = folder
        self._files = 0
        made = json.loads(run_hobbs(fleet, "flights", "keys", "create", "scheduler", "-o", "json"))
        self._key = (made[0] if isinstance(made, list) else made)["key"]

    async def deliver(self, door: Door, records: Sequence[Published]) -> None:
        """Hand records over; all flights, or all what corrects some."""
        if door is Door.KAFKA:
            await publish_in_order(self._fleet, records)
        elif door is Door.FILE:
            await asyncio.to_thread(self._by_file, records)
        else:
            await self._by_gateway(records)

    def _by_file(self, records: Sequence[Published]) -> None:
        """A row that is twice in one file is rejected, so what comes again is another file."""
        rows = [json.dumps(_row(*record)) for record in records]
        self._files += 1
        path = self._folder / f"records-{self._files}.jsonl"
        path.write_text("\n".join(dict.fromkeys(rows)), encoding="utf-8")
        command = "publish" if records[0][0] == TOPIC else "correct"
        run_hobbs(self._fleet, "flights", command, str(path), "--yes")
        if again := [record for place, record in enumerate(records) if rows[place] in rows[:place]]:
            self._by_file(again)

    async def _by_gateway(self, records: Sequence[Published]) -> None:
        headers = {"Authorization": f"Bearer {self._key}"}
        async with httpx.AsyncClient(timeout=20, headers=headers, trust_env=False) as client:
            for topic, body in records:
                address = f"{self._fleet.gateway_url}/v1/flights{_ADDRESS.get(topic, '/corrections')}"
                answer = await client.post(address, json=body)
                assert answer.status_code in (200, 202, 409), answer.text


_ADDRESS: Mapping[str, str] = {TOPIC: "", CANCELLED: "/cancellations"}


def _row(topic: str, body: Mapping[str, object]) -> dict[str, object]:
    """A record as a row of a file of corrections."""
    if topic != CANCELLED:
        return dict(body)
    kept = {name: value for name, value in body.items() if name != "cancelled_by"}
    return {**kept, "corrected_by": body["cancelled_by"], "cancelled": "yes"}


async def money_agrees(figures: Figures, flown: Mapping[str, int], people: People, *, paid_in: int) -> None:
    """Each wallet of a person and each of the school's that only flights and people move, to the cent."""
    flown = {wallet: amount for wallet, amount in flown.items() if amount}
    assert await by_flights(figures) == flown
    ended = Counter(people.ended)
    paid = {w: flown.get(w, 0) + ended[w] for w in {*flown, *ended} if w.startswith(PAYEES)}
    assert await paid_at_stripe(figures) == {wallet: amount for wallet, amount in paid.items() if amount}
    wanted = Counter(flown)
    wanted.update(ended)
    wanted.update({wallet: -amount for wallet, amount in paid.items()})
    wanted["student:student-01"] += paid_in
    balances = {row["address"]: row["balance"] for row in await figures.rows(_BALANCES)}
    assert balances == {w: a for w, a in wanted.items() if a and w != "platform:school"}


# The school's own wallet bears Stripe's fees too; the checker compares it and Stripe's cash.
_BALANCES = """
    SELECT address, balance FROM ledger_public.wallets
    WHERE balance <> 0 AND address NOT IN ('platform:school', 'external:stripe')
"""
