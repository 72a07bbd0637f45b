"""A school that keeps a reserve at Stripe, on real Kafka and Postgres, from its book to what Stripe holds."""

import asyncio
import json
from pathlib import Path

import pytest

from hobbs.demo.figures import Figures
from hobbs.demo.money import Cashier
from hobbs.demo.school import CommandFailed, apply_school, run_hobbs
from hobbs.demo.story import Story
from hobbs.demo.verdict import check_books
from hobbs.local.running_fleet import RunningFleet
from hobbs.local.stripe_sim.control import Control
from tests.support.corrections import lesson, publish_in_order
from tests.support.fleets import Silent
from tests.support.reserves import school_with_a_reserve

RESERVE = 30_000
IN_THE_BOOK = f"\n[[reserve]]\nminimum = {RESERVE // 100}.{RESERVE % 100:02}\n"
PATIENCE_S = 60.0
LISTED_HOURLY = "stripe: the ledger's cash at Stripe is what Stripe holds"  # top-ups are among its rows


async def test_a_school_stops_paying_at_its_reserve_to_the_cent_and_resumes_by_itself(
    fleet: RunningFleet, figures: Figures, tmp_path: Path
) -> None:
    story = Story(fleet.fleet, figures, Silent(), fleet.require_running)
    await story.open_school()
    await story.onboard()
    with Control(fleet.fleet.stripe_api_base) as control:
        await asyncio.to_thread(apply_school, fleet.fleet, school_with_a_reserve(tmp_path, IN_THE_BOOK))
        cashier = Cashier(fleet.fleet)
        await asyncio.to_thread(cashier.top_up, RESERVE + 20_000)
        await until(figures, "SELECT count(*) = 1 AS it FROM payouts.reserve_gate WHERE state = 'open'")
        flights = [lesson(f"r-{n}", instructor=f"instructor-0{n}") for n in range(1, 5)]
        await publish_in_order(fleet.fleet, flights)
        await story.settle()
        left = available(control)
        held = await waiting(figures)
        assert len(held) > 1, "the balance covers more than these flights earn"
        assert RESERVE <= left < RESERVE + held[0], (left, held)
        shown = await asyncio.to_thread(shown_reserve, fleet)
        assert (shown["held"], shown["held_amount"]) == (len(held), sum(held))

        exactly = held[0] - (left - RESERVE)  # what the oldest needs
        await asyncio.to_thread(cashier.top_up, exactly)
        await until(figures, HELD_ARE.format(n=len(held) - 1))
        await story.settle()
        assert available(control) == RESERVE
        await until(figures, "SELECT count(*) = 1 AS it FROM reserves.alert WHERE resolved_at IS NULL")
        [alert] = await figures.rows("SELECT id FROM reserves.alert WHERE resolved_at IS NULL")
        await asyncio.to_thread(two_people_open_the_gate, fleet, alert["id"], held[1])
        await until(figures, HELD_ARE.format(n=len(held) - 2))
        await story.settle()
        assert available(control) == RESERVE - held[1]
        await asyncio.to_thread(cashier.top_up, 10_000_000)
        await until(figures, HELD_ARE.format(n=0))
        await story.settle()
    shown = await asyncio.to_thread(shown_reserve, fleet)
    assert (shown["health"], shown["held"]) == ("healthy", 0)
    verdicts = await check_books(fleet.fleet, figures)
    assert [verdict for verdict in verdicts if not verdict.holds and verdict.name != LISTED_HOURLY] == []


def two_people_open_the_gate(fleet: RunningFleet, alert: int, amount: int) -> None:
    """Somebody acknowledges the alert and opens the gate; it is open when another person agreed."""
    with pytest.raises(CommandFailed, match="exit code 1"):
        run_hobbs(fleet.fleet, "reserve", "alerts")
    by = ("--yes", "--who")
    run_hobbs(fleet.fleet, "reserve", "acknowledge", str(alert), "--why", "seen", *by, "ann")
    run_hobbs(fleet.fleet, "reserve", "alerts")
    asked = f"{amount // 100}.{amount % 100:02}"
    run_hobbs(fleet.fleet, "reserve", "open", asked, "--hours", "1", "--why", "payday", *by, "ann")
    [opening] = json.loads(run_hobbs(fleet.fleet, "reserve", "openings", "-o", "json"))
    with pytest.raises(CommandFailed, match="another person"):
        run_hobbs(fleet.fleet, "reserve", "approve", opening["id"], *by, "Ann")
    run_hobbs(fleet.fleet, "reserve", "approve", opening["id"], *by, "ben")


HELD_ARE = "SELECT count(*) = {n} AS it FROM payouts.operation WHERE state = 'held' AND reason = 'reserve'"
"""The condition that so many transfers are held for the reserve, and none is under way."""


async def until(figures: Figures, condition: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not (await figures.rows(condition))[0]["it"]:  # noqa: ASYNC110 - another process changes it
            await asyncio.sleep(0.1)


async def waiting(figures: Figures) -> list[int]:
    rows = await figures.rows(
        "SELECT amount FROM payouts.operation WHERE state = 'held' AND reason = 'reserve' ORDER BY sequence"
    )
    return [row["amount"] for row in rows]


def available(control: Control) -> int:
    """What Stripe would send now, in cents."""
    return int(control.state()["balance"]["available"]["usd"])


def shown_reserve(fleet: RunningFleet) -> dict[str, object]:
    """What the command shows; it ends with 1 while the reserve is low."""
    try:
        shown = run_hobbs(fleet.fleet, "reserve", "-o", "json")
    except CommandFailed as low:
        shown = str(low).partition("\n")[2]
    [row] = json.loads(shown)
    return dict(row)
