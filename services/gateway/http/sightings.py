"""Remember which events came, by endpoint, mode, payload and API version, and write that down now and then.

For people only: a wrong endpoint at Stripe shows there. A webhook never waits for the database, so what came
is counted here first; a process that dies loses the counts of a few seconds.
"""

from dataclasses import replace
from typing import Final

from fleet.database import Database
from services.gateway import store
from services.gateway.domain.sightings import Sighting

KINDS_MAX: Final = 100  # versions are Stripe's words; no more of them are kept until they are written

Kind = tuple[str, str, bool, str, str]


class Sightings:
    """What came since it was last written."""

    def __init__(self) -> None:
        self._seen: dict[Kind, tuple[int, Sighting]] = {}

    def note(self, sighting: Sighting) -> None:
        """Count an event; the latest of each kind is kept."""
        kind = _kind(sighting)
        if kind not in self._seen and len(self._seen) >= KINDS_MAX:
            sighting = replace(sighting, api_version="other")
            kind = _kind(sighting)
        count, _ = self._seen.get(kind, (0, sighting))
        self._seen[kind] = (count + 1, sighting)

    async def write(self, db: Database) -> int:
        """Add what came to the database; 0, so that its loop rests. After an outage it is written later."""
        seen = list(self._seen.items())
        if not seen:
            return 0
        async with db.transaction() as tx:
            await store.webhook_sightings.add(tx, [counted for _, counted in seen])
        for kind, (count, _) in seen:
            now, latest = self._seen.pop(kind)
            if now > count:
                self._seen[kind] = (now - count, latest)
        return 0


def _kind(sighting: Sighting) -> Kind:
    return (
        sighting.endpoint,
        sighting.verdict,
        sighting.livemode,
        sighting.reading,
        sighting.api_version,
    )
