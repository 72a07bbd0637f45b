"""Keep objects of Stripe's that cannot be read as money, tell finance, and write all the others."""

import logging
from collections.abc import Sequence
from datetime import datetime

from fleet import outbox
from fleet.cause import Cause
from fleet.database import Tx
from services.payouts import metrics, store, wire
from services.payouts.domain.odd_objects import OddObject

_log = logging.getLogger(__name__)


async def keep(tx: Tx, odd: Sequence[OddObject], now: datetime, trace: Cause) -> None:
    """Keep them; finance hears of each once. `hobbs check` shows those that are open."""
    for one in await store.odd_objects.keep(tx, odd, now):
        metrics.ODD_OBJECTS_SEEN.inc()
        _log.error(
            "an object of Stripe's cannot be read",
            extra={"kind": one.kind, "object": one.object_id, "sentence": one.sentence},
        )
        sentence = f"Stripe's {one.kind} {one.object_id} is not as expected, and nothing was booked by it"
        notification = wire.notifications.finance_notification(
            "stripe_object_odd", one.object_id, f"{sentence}: {one.sentence}", trace
        )
        await outbox.stage(tx, [notification])
