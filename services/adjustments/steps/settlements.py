"""Settles what posted adjustments owe. Stub: the settlements helper replaces this file; signatures stay."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from fleet.admitted import Admitted
from fleet.database import Tx
from services.adjustments.domain.adjustments import Adjustment, Move, State
from services.adjustments.steps import moves


async def begin(tx: Tx, posted: Sequence[Adjustment], now: datetime) -> None:
    """Begin to settle adjustments that were just posted; their flights are locked.

    A batch may be of 10,000: use statements over sets. Moves each to `settling`, or to `settled`.
    """
    await moves.make(
        tx, [Move(adjustment=one, to=State.SETTLED, who="hobbs", why="settled") for one in posted], now
    )


async def take_posted(tx: Tx, posted: Sequence[Admitted[Any]], now: datetime) -> None:
    """Take the ledger's `settlement:` journals (event: schemas.journals.JournalPosted)."""


async def take_refused(tx: Tx, refused: Sequence[Admitted[Any]], now: datetime) -> None:
    """Take the ledger's refusals of `settlement:` journals (event: schemas.journals.JournalRefused)."""


async def take_sent(tx: Tx, sent: Sequence[Admitted[Any]], now: datetime) -> None:
    """Take transfers that paid journals of adjustments (event: schemas.transfers.TransferSent)."""


async def take_reversals(tx: Tx, reversals: Sequence[Admitted[Any]], now: datetime) -> None:
    """Take payouts' answers (event: schemas.reversals.ReversalSettled)."""
