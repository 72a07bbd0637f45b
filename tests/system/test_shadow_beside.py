"""A shadow works beside a live fleet: it finds what differs and nothing else, and reaches nobody."""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest
from typer.testing import CliRunner

from fleet.reader import Reader
from hobbs.cli import assemble
from hobbs.demo.figures import Figures, Row
from hobbs.demo.school import FLIGHTS_FILE, SCHOOL_FILE
from hobbs.demo.story import Story
from hobbs.local.fleet_processes import Fleet
from hobbs.local.running_fleet import RunningFleet
from schemas.topics import TOPICS
from tests.support.databases import Cluster, service_url
from tests.support.fleets import Silent
from tests.support.shadows import Refused, Shadow, shadow_of, typed
from tests.support.stripe import StripeSim

FLOWN: Final = 16
WITHIN_S: Final = 120.0
DEARER: Final = "N695SP"
UNKNOWN: Final = "N740SP"
BILLS: Final = """
    SELECT flight_id, aircraft, billed_tenths AS tenths,
           (SELECT (line ->> 'rate')::int FROM jsonb_array_elements(lines) AS line
            WHERE line ->> 'kind' = 'rental') AS rate
    FROM billing_public.bills WHERE in_force ORDER BY flight_id
"""
OWED: Final = (
    "SELECT wallet, sum(amount)::bigint AS owed FROM payouts.payable GROUP BY wallet ORDER BY wallet"
)
FLIGHT_ENTRIES: Final = """
    SELECT address, sum(amount)::bigint AS amount FROM ledger_public.entries WHERE event_type = 'flight'
    GROUP BY address ORDER BY address
"""
DECIDED: Final = "SELECT state, reason FROM payouts.transfer"


@pytest.fixture
async def flown(
    fleet: RunningFleet, figures: Figures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Figures:
    """A live fleet that has billed flights and paid for them; `hobbs` reads it."""
    for name, value in fleet.fleet.environment("operator").items():
        monkeypatch.setenv(name, value)
    logbook = tmp_path / "flights.csv"
    logbook.write_text("".join(FLIGHTS_FILE.read_text().splitlines(keepends=True)[: FLOWN + 1]))
    story = Story(fleet.fleet, figures, Silent(), fleet.require_running, flights=logbook)
    await story.open_school()
    await story.fly()
    return figures


async def test_a_shadow_finds_what_differs_and_reaches_nobody(
    flown: Figures, fleet: RunningFleet, cluster: Cluster, stripe_sim: StripeSim, tmp_path: Path
) -> None:
    effects, ends = stripe_sim.effects(), await live_ends(fleet.fleet)
    assert effects, "the live fleet has paid somebody"
    bills = await flown.rows(BILLS)

    async with shadow_of(fleet.fleet, cluster) as shadow, shadow.at_work():
        code, found, said = await compared(shadow)
        assert (code, found) == (0, []), said
        assert f"{len(bills)} flights compared, 0 differ" in said
        await until_rows(shadow, FLIGHT_ENTRIES, await flown.rows(FLIGHT_ENTRIES))
        await until_rows(shadow, OWED, await flown.rows(OWED))
        decided = await shadows_rows(shadow, DECIDED)
        assert decided
        assert {row["state"] for row in decided} == {"held"}
        assert await shadows_rows(shadow, "SELECT id FROM payouts.operation") == []

    with pytest.raises(Refused, match="has records of another shadow"):
        async with shadow_of(fleet.fleet, cluster):
            pass
    async with shadow_of(fleet.fleet, cluster, "--own-book", own="next.") as shadow:
        school = tmp_path / "next.toml"
        school.write_text(next_years_rates())
        apply = ("school", "apply", str(school), "--why", "next year", "--yes", "--no-wait")
        await typed(shadow.operator, *apply)
        async with shadow.at_work():
            code, found, said = await compared(shadow)
            assert code == 1, said
            seeded = {bill["flight_id"]: bill["aircraft"] for bill in bills if is_seeded(bill)}
            assert {row["flight_id"] for row in found} == seeded.keys()
            assert {(seeded[row["flight_id"]], row["cause"]) for row in found} == {
                (DEARER, "rate version"),
                (UNKNOWN, "missing here"),
            }
            assert students_difference(found) == students_difference_expected(bills)

    assert stripe_sim.effects() == effects
    assert await live_ends(fleet.fleet) == ends, "no record on a live topic"


def is_seeded(bill: Row) -> bool:
    dearer: bool = bill["aircraft"] == DEARER and bill["rate"] == 15_000
    return dearer or bill["aircraft"] == UNKNOWN


def next_years_rates() -> str:
    """The school's book with one aircraft dearer by 2.00 an hour, and without another one."""
    cards = SCHOOL_FILE.read_text(encoding="utf-8").split("\n\n")
    kept = [card for card in cards if f'tail = "{UNKNOWN}"' not in card]
    assert len(kept) == len(cards) - 1
    return "\n\n".join(
        card.replace("rate_per_hour = 150.00", "rate_per_hour = 152.00") if DEARER in card else card
        for card in kept
    )


def students_difference(found: list[dict[str, Any]]) -> Mapping[str, int]:
    """Of each flight the difference on the student's bill, before tax."""
    net: dict[str, int] = {}
    for row in found:
        if row["party"] == "school" and row["cause"] == "rate version":
            net[row["flight_id"]] = row["amount"]
    return net


def students_difference_expected(bills: list[Row]) -> Mapping[str, int]:
    return {
        bill["flight_id"]: 20 * bill["tenths"]
        for bill in bills
        if is_seeded(bill) and bill["aircraft"] == DEARER
    }


async def compared(shadow: Shadow) -> tuple[int, list[dict[str, Any]], str]:
    """Type `hobbs shadow diff --shadow` at the live deployment."""
    environment = {"HOBBS_SHADOW_DATABASE_URL": service_url(shadow.owner_url, "operator")}
    words = ["shadow", "diff", "--shadow", "--wait", str(WITHIN_S), "--most", "1000", "-o", "json"]
    result = await asyncio.to_thread(CliRunner().invoke, assemble(["shadow"]), words, env=environment)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, json.loads(result.stdout or "null"), result.stderr


async def shadows_rows(shadow: Shadow, sql: str) -> list[Row]:
    connection = await asyncpg.connect(shadow.owner_url)
    try:
        return [dict(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


async def until_rows(shadow: Shadow, sql: str, wanted: Sequence[Row]) -> None:
    """Wait until the shadow's tables have these rows too."""
    deadline = time.monotonic() + WITHIN_S
    while (found := await shadows_rows(shadow, sql)) != list(wanted):
        assert time.monotonic() < deadline, (found, wanted)
        await asyncio.sleep(0.2)


async def live_ends(fleet: Fleet) -> Mapping[str, int]:
    """How many records each live topic has, but for those of timers that ask Stripe."""
    asked = {"stripe.transaction", "stripe.balance", "reserve.gate", "reserve.changed"}
    async with Reader(bootstrap_servers=fleet.kafka_bootstrap) as reader:
        found = {}
        for name in TOPICS.keys() - asked:
            ends = await reader.end_offsets(await reader.places_of(fleet.topic_prefix + name))
            found[name] = sum(ends.values())
    return found
