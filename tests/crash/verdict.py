"""The checks at a run's end: it drains in time, every invariant holds, the checker finds nothing."""

import asyncio
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from hobbs.check.invariants import check_invariants
from hobbs.demo.figures import Figures
from hobbs.local.fleet_processes import Fleet
from hobbs.local.running_fleet import operator_settings
from tests.crash.compared import compare_all
from tests.crash.looks import Looks
from tests.support.reserves import school_with_a_reserve

DRAIN_WITHIN_S = 60.0
REST_WITHIN_S = 300.0


async def drain(fleet: Fleet, pay: Callable[[], None], *, recovers: bool = False) -> tuple[float, list[str]]:
    """Wait until no work is pending; returns the seconds, and a violation when it took too long.

    The next checks need a deployment at rest, so a late drain is waited for too. `pay` is called while
    transfers are held for money. `recovers`: webhooks were lost; wait until their events are recovered.
    Timers that decide without an event have looked since all else was done, and found nothing.
    """
    faults_ended = datetime.now(UTC)
    began, quiet, late = time.monotonic(), 0, ""
    async with Figures(fleet) as figures:
        looks = Looks(figures)
        while quiet < 3 and time.monotonic() - began < REST_WITHIN_S:
            left = await figures.busy()
            if await figures.held("balance_insufficient"):
                left.append("transfers held for money")
                await asyncio.to_thread(pay)
            if recovers and not left:
                left = [row["what"] for row in await figures.rows(_UNRECOVERED, faults_ended)]
            if left:
                looks.forget()
            else:
                left = await looks.left()
            quiet = 0 if left else quiet + 1
            if left and not late and time.monotonic() - began > DRAIN_WITHIN_S:
                late = ", ".join(left)
            await asyncio.sleep(0.5)
    took = time.monotonic() - began
    return took, [
        f"not drained after {DRAIN_WITHIN_S:.0f} s: {late}; at rest after {took:.0f} s"
    ] if late else []


_UNRECOVERED = """
    SELECT 'a listing of Stripe''s events' AS what FROM payouts.event_listing WHERE listed_until < $1
    UNION ALL
    SELECT 'event ' || event_id || ' without a webhook'
    FROM payouts.missed_event WHERE recovered_at IS NULL
"""


async def violations(fleet: Fleet) -> list[str]:
    """Every invariant of `hobbs check` that does not hold, and every violation of the checker."""
    uncompared = await compare_all(fleet)
    outcomes = await check_invariants(operator_settings(fleet))
    broken = [
        f"{o.invariant.service}.{o.invariant.name}: {o.failure or o.examples}"
        for o in outcomes
        if not o.holds
    ]
    school = school_with_a_reserve(fleet.folder)  # as the run applied it
    code, lines = await ask_checker(fleet, school=school, compared=not uncompared)
    return uncompared + broken + (lines if code else [])


async def ask_checker(
    fleet: Fleet, *, school: Path | None = None, compared: bool = False
) -> tuple[int | None, list[str]]:
    """Run `python -m tests.checker`; returns its exit code and lines. school: not the demo's."""
    where = {
        "--database": fleet.owner_url,
        "--kafka": fleet.kafka_bootstrap,
        "--prefix": fleet.topic_prefix,
        "--stripe": fleet.stripe_api_base,
    } | ({"--school": str(school)} if school else {})
    command = [sys.executable, "-m", "tests.checker", *(part for pair in where.items() for part in pair)]
    command += ["--compared"] if compared else []
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode().splitlines()
