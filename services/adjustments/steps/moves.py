"""Moves adjustments to other states: each with its history, and told as `adjustment.changed`."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from fleet import outbox
from fleet.database import Tx
from services.adjustments import store, wire
from services.adjustments.domain.adjustments import TRANSITIONS, Adjustment, Move


async def make(tx: Tx, moves: Sequence[Move], now: datetime) -> list[Adjustment]:
    """Write the moves and tell of each step; the adjustments as they are then, in the same order.

    Their flights are locked, and each adjustment makes one move.
    """
    if not moves:
        return []
    for move in moves:
        assert move.to in TRANSITIONS[move.adjustment.state], f"{move.adjustment.name}: to {move.to}"
    moved = await store.adjustments.move(tx, moves, now)
    steps = [step for one, move in zip(moved, moves, strict=True) for step in _steps(one, move)]
    await outbox.stage(tx, [wire.messages.changed(one, now) for one in steps])
    return moved


def _steps(moved: Adjustment, move: Move) -> list[Adjustment]:
    """The adjustment in each state to which it came."""
    if move.through is None:
        return [moved]
    return [replace(moved, state=move.through.state, sentence=move.through.why), moved]
