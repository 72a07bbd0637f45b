"""Find the record that breaks its batch and bury it alone, for every consumer of every service.

A handler foresees what its rules refuse. What it did not foresee (an assertion, a constraint, a field nobody
sends) raises, and the batch would be read again for ever. So a batch that raises is halved until the record
to blame is alone, and that one becomes a dead letter. An outage, or a wrong deployment, is never a record's
fault (`fleet/outages.py`): it goes on to the consumer, which reads the batch again.
"""

import logging
import traceback
from collections.abc import Sequence
from typing import Final

from fleet import dead_letters, inbox, metrics
from fleet.database import Database
from fleet.envelope import Record
from fleet.inbox import Unreadable
from fleet.outages import Blame, TryAgain, blame, constraint, sqlstate
from fleet.shared_batches import Handler

UNFORESEEN: Final = "unforeseen"
# About 20 find one record among 2,000. A release that raises for every record gets no further than this at
# once: it is read again after a pause, seen in the log, and does not bury a topic before anybody looks.
TRIES_MAX: Final = 200
FRAMES_LOGGED: Final = 3

_log = logging.getLogger(__name__)


class NotIsolated(TryAgain):
    """Too many records of one batch raise; it is read again, and what was handled or buried is left out."""


async def isolate(
    db: Database, handler: Handler, batch: Sequence[Record], *, tries_max: int = TRIES_MAX
) -> None:
    """Handle a batch, in its order; bury each record that makes the handler raise, even alone.

    Halves are handled in transactions of their own. Raises what is an outage or the deployment's fault, and
    NotIsolated after `tries_max` tries.
    """
    if await _raised(handler, batch) is None:
        return
    parts = [await _not_buried(db, batch)]
    for _ in range(tries_max):
        if not parts:
            return
        part = parts.pop()
        error = await _raised(handler, part) if part else None
        if error is None:
            continue
        if len(part) == 1:
            await _bury(db, part[0], error)
        else:
            middle = len(part) // 2
            parts += [part[middle:], part[:middle]]
    if parts:
        waiting = sum(map(len, parts))
        raise NotIsolated(f"{waiting} of {len(batch)} records wait after {tries_max} tries")


async def _raised(handler: Handler, part: Sequence[Record]) -> Exception | None:
    """What the handler raised because of a record; None when it handled the part."""
    try:
        await handler(part)
    except Exception as error:
        if blame(error) is not Blame.RECORD:
            raise
        return error
    return None


async def _not_buried(db: Database, batch: Sequence[Record]) -> list[Record]:
    """Leave out what an earlier reading of the batch has buried, so that each reading gets further."""
    problem = Unreadable(UNFORESEEN, "")
    async with db.transaction() as tx:
        identities = [letter.identity for letter in await inbox.unreadable_letters(tx, batch, problem)]
        buried = await dead_letters.still_open(tx, batch[0].topic, identities, UNFORESEEN)
    return [record for record, identity in zip(batch, identities, strict=True) if identity not in buried]


async def _bury(db: Database, record: Record, error: Exception) -> None:
    problem = Unreadable(UNFORESEEN, f"no rule foresaw this record: {type(error).__name__}")
    async with db.transaction() as tx:
        await inbox.bury_unreadable(tx, [record], problem)
    metrics.ISOLATED.labels(db.schema, record.topic).inc()
    _log.error(
        "a record nobody foresaw is buried",
        extra={
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "error": type(error).__name__,
            "sqlstate": sqlstate(error),
            "constraint": constraint(error),
            "where": _where(error),
        },
    )


def _where(error: Exception) -> str:
    """The innermost calls of our own code; an error's text may hold people's data."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "site-packages" not in f.filename]
    return " > ".join(f"{f.filename.rsplit('/', 1)[-1]}:{f.lineno} {f.name}" for f in frames[-FRAMES_LOGGED:])
