"""Runs due jobs and makes due funds available."""

import asyncio
import sys
import traceback
from collections.abc import Callable

from hobbs.local.stripe_sim import (
    ach,
    balances,
    checkout,
    disputes,
    idempotency,
    jobs,
    onboarding,
    payouts,
    pending_reversals,
    refunds,
    releases,
    taking,
    topups,
    transfers,
)
from hobbs.local.stripe_sim.world import World

TICK_S = 0.02
TURNS_MAX = 200_000


def _onboard(world: World, account_id: str) -> None:
    onboarding.complete(world, account_id)


def _release_reversals(world: World, subject: str) -> None:
    pending_reversals.release(world, subject, transfers.carry_out)


WORK: dict[str, Callable[[World, str], object]] = {
    "onboard": _onboard,
    "automatic_payout": payouts.pay_out_automatically,
    "payout_arrives": payouts.arrive,
    "charge_transaction": taking.book_later,
    "refund_fails": refunds.fail,
    "refunds_wait": refunds.complete_waiting,
    releases.JOB: releases.expire,
    "dispute": disputes.open_for_card,
    "bank_debit_ends": checkout.bank_debit_ends,
    "bank_debit_returned": ach.returned,
    "checkout_expires": checkout.expire_now,
    "pending_reversals": _release_reversals,
    "reversal_expires": pending_reversals.end,
    "topup_succeeds": topups.succeed,
}


def run_due(world: World) -> int:
    """Run every due job, each in its own transaction; returns how many."""
    with world.store.transaction():
        balances.settle(world)
    for done in range(TURNS_MAX):
        job = jobs.next_due(world)
        if job is None:
            return done
        _do(world, *job)
    raise RuntimeError(f"more than {TURNS_MAX} jobs were due at once: a job reschedules itself without end")


def _do(world: World, kind: str, subject: str) -> None:
    """Run one job in its own transaction; a job that fails is logged and dropped."""
    try:
        with world.store.transaction():
            jobs.cancel(world, kind, subject)
            WORK[kind](world, subject)
    except Exception:
        sys.stderr.write(f"{kind} of {subject} failed and is dropped\n{traceback.format_exc()}")
        jobs.cancel(world, kind, subject)


def advance(world: World, seconds: float) -> int:
    """Move the clock from one due time to the next, so that each job runs at its due time."""
    if seconds < 0:
        raise ValueError(f"the clock only moves forward, not by {seconds} s; reset the simulator to go back")
    target, target_offset = world.clock.now() + seconds, world.clock.offset + seconds
    done = 0
    while (due := _next_due(world)) is not None and due <= target:
        world.advance_clock(max(due - world.clock.now(), 0.0))
        done += run_due(world)
    world.advance_clock(max(target_offset - world.clock.offset, 0.0))
    idempotency.prune(world)
    return done


def _next_due(world: World) -> float | None:
    row = world.store.row(
        "SELECT min(due) FROM (SELECT min(due) AS due FROM job UNION ALL"
        " SELECT min(available_on) FROM pending_funds)"
    )
    return None if row is None or row[0] is None else float(row[0])


async def run(world: World) -> None:
    while True:
        await asyncio.sleep(TICK_S)
        due = world.store.row("SELECT 1 FROM job WHERE due <= :now LIMIT 1", now=world.clock.now())
        funds = world.store.row(
            "SELECT 1 FROM pending_funds WHERE available_on <= :now LIMIT 1", now=world.clock.now_s()
        )
        if due or funds:
            run_due(world)
