"""Changes holds and limits: checks commands by themselves, locks the wallets, calls the database's functions.

Promises: a reply for each command, in order; a refused command changes nothing and stops no other. Holds that
only take are placed together (docs/decisions/0381): somebody waits for each.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from fleet.database import Tx
from services.ledger import store
from services.ledger.domain.holds import (
    HoldChange,
    HoldCommand,
    LimitChange,
    LimitCommand,
    RefusedCommand,
    balance_of,
    balances_after_each,
    balances_moved,
    below_floor,
    hold_fault,
    judged_by_floors,
    limit_fault,
    only_takes,
)


async def change(tx: Tx, commands: Sequence[HoldCommand]) -> list[HoldChange | RefusedCommand]:
    """Place, post and void holds, in order, after locking every wallet of the batch, in wallet order."""
    faults = [hold_fault(command) for command in commands]
    valid = [command for command, fault in zip(commands, faults, strict=True) if fault is None]
    named = [one.replaces or one.hold for one in valid if one.action != "place" or one.replaces]
    placed = await store.holds.placed_on(tx, named) if named else {}
    await store.balances.lock(tx, balances_moved(valid, placed))
    replies = iter(
        [
            reply
            for together, run in groupby(valid, key=only_takes)
            for reply in await (_place_together if together else _one_by_one)(tx, list(run))
        ]
    )
    return [fault or next(replies) for fault in faults]


async def limit(tx: Tx, commands: Sequence[LimitCommand]) -> list[LimitChange | RefusedCommand]:
    """Set limits, in order, after locking every wallet of the batch, in wallet order."""
    faults = [limit_fault(command) for command in commands]
    keys = {(one.wallet, one.currency) for one, bad in zip(commands, faults, strict=True) if bad is None}
    await store.balances.lock(tx, sorted(keys))
    return [bad or await _limit(tx, one) for one, bad in zip(commands, faults, strict=True)]


async def expire(tx: Tx) -> list[HoldChange]:
    """Close holds that have expired, at most store.holds.EXPIRE_AT_ONCE."""
    return [await store.holds.read_hold(tx, hold, repeated=False) for hold in await store.holds.expire(tx)]


async def _one_by_one(tx: Tx, commands: Sequence[HoldCommand]) -> list[HoldChange | RefusedCommand]:
    return [await _change(tx, command) for command in commands]


async def _place_together(tx: Tx, commands: Sequence[HoldCommand]) -> list[HoldChange | RefusedCommand]:
    """Place holds in one statement, as one by one would; and one by one where the database refuses any."""
    names = {one.hold for one in commands}
    if len(commands) == 1 or len(names) < len(commands):
        return await _one_by_one(tx, commands)
    there = await store.holds.placed_on(tx, list(names))
    available = await store.holds.available(tx, {balance_of(one) for one in commands})
    refused = judged_by_floors([one for one in commands if one.hold not in there], available)
    places = [one for one in commands if one.hold not in refused]
    try:
        async with store.constraints.savepoint(tx):
            repeated = await store.holds.place_all(tx, places)
    except store.constraints.ConstraintViolated:
        return await _one_by_one(tx, commands)
    read = await store.holds.read_holds(tx, [one.hold for one in places])
    changes = [replace(read[one.hold], repeated=repeated[one.hold]) for one in places]
    told = refused | {one.hold: one for one in balances_after_each(changes)}
    return [told[one.hold] for one in commands]


class _BelowFloor(Exception):
    """Undoes a hold that goes below its floor; its reply is `args[0]`."""


async def _place(tx: Tx, command: HoldCommand) -> bool:
    """Place a hold, in another's place; raises _BelowFloor. False: it was placed before."""
    if await store.holds.placed_on(tx, [command.hold]):
        return await store.holds.place(tx, command)
    if command.replaces and await store.holds.placed_on(tx, [command.replaces]):
        await store.holds.void(tx, HoldCommand(action="void", hold=command.replaces))
    key = balance_of(command)
    if fault := below_floor(command, (await store.holds.available(tx, [key])).get(key, 0)):
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
