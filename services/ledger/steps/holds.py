"""Holds and limits: commands judged by themselves first, then under the wallet's lock in the database.

Promises: an answer for each command, in order; a refused one changes nothing and stops no other.
"""

from collections.abc import Sequence

from fleet.database import Tx
from services.ledger import store
from services.ledger.domain.holds import (
    HoldCommand,
    HoldNow,
    LimitCommand,
    LimitNow,
    NotDone,
    balances_moved,
    hold_fault,
    limit_fault,
)


async def change(tx: Tx, commands: Sequence[HoldCommand]) -> list[HoldNow | NotDone]:
    """Do what may be done, in order, with every wallet of the batch locked first, in wallet order."""
    faults = [hold_fault(command) for command in commands]
    sound = [command for command, fault in zip(commands, faults, strict=True) if fault is None]
    placed = await store.holds.placed_on(tx, [one.hold for one in sound if one.action != "place"])
    await store.balances.lock(tx, balances_moved(sound, placed))
    return [fault or await _change(tx, command) for command, fault in zip(commands, faults, strict=True)]


async def limit(tx: Tx, commands: Sequence[LimitCommand]) -> list[LimitNow | NotDone]:
    """Set each limit, in order."""
    faults = [limit_fault(command) for command in commands]
    keys = {(one.wallet, one.currency) for one, bad in zip(commands, faults, strict=True) if bad is None}
    await store.balances.lock(tx, sorted(keys))
    return [bad or await _limit(tx, one) for one, bad in zip(commands, faults, strict=True)]


async def expire(tx: Tx) -> list[HoldNow]:
    """Close the holds whose time is over, a limited number at once."""
    return [await store.holds.hold_now(tx, hold, repeated=False) for hold in await store.holds.expire(tx)]


async def _change(tx: Tx, command: HoldCommand) -> HoldNow | NotDone:
    do = {"place": store.holds.place, "post": store.holds.post, "void": store.holds.void}[command.action]
    try:
        async with store.constraints.all_or_rejected(tx):
            changed = await do(tx, command)
    except store.constraints.Rejected as rejected:
        return NotDone(reason=rejected.rule, sentence=rejected.sentence, shortfall=rejected.shortfall)
    return await store.holds.hold_now(tx, command.hold, repeated=not changed)


async def _limit(tx: Tx, command: LimitCommand) -> LimitNow | NotDone:
    try:
        async with store.constraints.all_or_rejected(tx):
            changed = await store.holds.set_limit(tx, command)
    except store.constraints.Rejected as rejected:
        return NotDone(reason=rejected.rule, sentence=rejected.sentence)
    return await store.holds.limit_now(tx, command, repeated=not changed)
