"""Changes holds and limits: checks commands by themselves, locks the wallets, calls the database's functions.

Promises: a reply for each command, in order; a refused command changes nothing and stops no other.
"""

from collections.abc import Sequence
from dataclasses import replace

from fleet.database import Tx
from services.ledger import store
from services.ledger.domain.holds import (
    HoldChange,
    HoldCommand,
    LimitChange,
    LimitCommand,
    RefusedCommand,
    balances_moved,
    below_floor,
    hold_fault,
    limit_fault,
)


async def change(tx: Tx, commands: Sequence[HoldCommand]) -> list[HoldChange | RefusedCommand]:
    """Place, post and void holds, in order, after locking every wallet of the batch, in wallet order."""
    faults = [hold_fault(command) for command in commands]
    valid = [command for command, fault in zip(commands, faults, strict=True) if fault is None]
    named = [one.replaces or one.hold for one in valid if one.action != "place" or one.replaces]
    placed = await store.holds.placed_on(tx, named)
    await store.balances.lock(tx, balances_moved(valid, placed))
    return [fault or await _change(tx, command) for command, fault in zip(commands, faults, strict=True)]


async def limit(tx: Tx, commands: Sequence[LimitCommand]) -> list[LimitChange | RefusedCommand]:
    """Set limits, in order, after locking every wallet of the batch, in wallet order."""
    faults = [limit_fault(command) for command in commands]
    keys = {(one.wallet, one.currency) for one, bad in zip(commands, faults, strict=True) if bad is None}
    await store.balances.lock(tx, sorted(keys))
    return [bad or await _limit(tx, one) for one, bad in zip(commands, faults, strict=True)]


async def expire(tx: Tx) -> list[HoldChange]:
    """Close holds that have expired, at most store.holds.EXPIRE_AT_ONCE."""
    return [await store.holds.read_hold(tx, hold, repeated=False) for hold in await store.holds.expire(tx)]


class _BelowFloor(Exception):
    """Undoes a hold that goes below its floor; its reply is `args[0]`."""


async def _place(tx: Tx, command: HoldCommand) -> bool:
    """Place a hold, in another's place; raises _BelowFloor. False: it was placed before."""
    if await store.holds.placed_on(tx, [command.hold]):
        return await store.holds.place(tx, command)
    if command.replaces and await store.holds.placed_on(tx, [command.replaces]):
        await store.holds.void(tx, HoldCommand(action="void", hold=command.replaces))
    if fault := below_floor(command, await store.holds.available(tx, command)):
        raise _BelowFloor(fault)
    return await store.holds.place(tx, command)


async def _replaced(tx: Tx, command: HoldCommand) -> HoldChange | None:
    if not command.replaces or not await store.holds.placed_on(tx, [command.replaces]):
        return None
    return await store.holds.read_hold(tx, command.replaces, repeated=False)


async def _change(tx: Tx, command: HoldCommand) -> HoldChange | RefusedCommand:
    do = {"place": _place, "post": store.holds.post, "void": store.holds.void}[command.action]
    try:
        async with store.constraints.savepoint(tx):
            changed = await do(tx, command)
    except store.constraints.ConstraintViolated as violated:
        return RefusedCommand(reason=violated.rule, sentence=violated.sentence, shortfall=violated.shortfall)
    except _BelowFloor as below:
        fault: RefusedCommand = below.args[0]
        return fault
    change = await store.holds.read_hold(tx, command.hold, repeated=not changed)
    return replace(change, replaced=await _replaced(tx, command)) if changed else change


async def _limit(tx: Tx, command: LimitCommand) -> LimitChange | RefusedCommand:
    try:
        async with store.constraints.savepoint(tx):
            changed = await store.holds.set_limit(tx, command)
    except store.constraints.ConstraintViolated as violated:
        return RefusedCommand(reason=violated.rule, sentence=violated.sentence)
    return await store.holds.read_limit(tx, command.wallet, command.currency, repeated=not changed)
