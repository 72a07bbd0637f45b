"""Sets monitors, and reads what they told: from the outbox, where Kafka's copy comes from."""

from typing import Any

from fleet.database import Database
from schemas.monitors import BalanceCrossed
from services.ledger.desk import decisions
from services.ledger.domain.holds import RefusedCommand
from services.ledger.domain.monitors import MonitorChange, MonitorCommand
from tests.integration.ledger.books import told

STUDENT = "student:s-1"
CROSSED = "balance.crossed"


def low(threshold: int, **fields: Any) -> MonitorCommand:
    """`low`: the student's available balance is below the threshold, unless told otherwise."""
    defaults = {
        "monitor": "low",
        "wallet": STUDENT,
        "currency": "USD",
        "watches": "available",
        "comparison": "below",
    }
    return MonitorCommand(**defaults | fields, threshold=threshold)


async def watch(ledger: Database, command: MonitorCommand) -> MonitorChange:
    async with ledger.transaction() as tx:
        outcome = await decisions.set_monitor(tx, command)
    assert not isinstance(outcome, RefusedCommand), outcome.sentence
    return outcome


async def unwatch(ledger: Database, monitor: str = "low") -> bool:
    async with ledger.transaction() as tx:
        return await decisions.remove_monitor(tx, monitor)


async def crossings(ledger: Database, monitor: str | None = "low") -> list[BalanceCrossed]:
    """Every balance.crossed of a monitor (None: of all), as a consumer reads it, in order."""
    events = [BalanceCrossed.model_validate_json(e.value) for e in await told(ledger) if e.topic == CROSSED]
    return [event for event in events if monitor in (None, event.monitor)]


async def heard(ledger: Database, monitor: str | None = "low") -> list[tuple[bool, int, str]]:
    """(beyond, balance, because) of each crossing."""
    return [(one.beyond, one.balance, one.because) for one in await crossings(ledger, monitor)]
