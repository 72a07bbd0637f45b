"""Each service asks its own invariants, one of its processes at a time; all of them show the outcomes.

What was found is a table, so that a restart hides nothing until the next time. What is asked across services
is `hobbs check`'s: no service may read another's tables.
"""

import time

from fleet import metrics, timers
from fleet.database import Database, json_parameter
from fleet.invariants import Outcome, ask_all, service_invariants

TIMER = "own_check"
FIRST_AFTER_S = 300.0  # a new database; later the timer's row says when
POLL_S = 5.0

_WRITE = """
    INSERT INTO invariant_outcome AS known (name, rows, broken_since)
    SELECT name, rows, CASE WHEN rows > 0 THEN now() END
    FROM jsonb_to_recordset(CAST(:outcomes AS jsonb)) AS outcome (name text, rows bigint)
    ORDER BY name
    ON CONFLICT ON CONSTRAINT one_outcome_for_each_invariant DO UPDATE
        SET rows = excluded.rows, asked_at = excluded.asked_at,
            broken_since = CASE WHEN excluded.rows > 0
                                THEN coalesce(known.broken_since, excluded.broken_since) END
"""
_FORGET = "DELETE FROM invariant_outcome WHERE name <> ALL (CAST(:names AS text[]))"
_READ = """
    SELECT name, rows, extract(epoch FROM now() - asked_at)::float8 AS age_s FROM invariant_outcome
    WHERE name = ANY (CAST(:names AS text[]))
"""


class NotAsked(Exception):
    """Some invariants could not be asked; what the others said is written."""


class OwnCheck:
    """Asks a service's invariants every so many seconds; `step` is what its loop runs."""

    def __init__(self, db: Database, service: str, *, every_s: float, lease_s: float) -> None:
        self._db = db
        self._service = service
        self._every_s = every_s
        self._lease_s = lease_s
        self._invariants = service_invariants(service)
        self._names = [invariant.name for invariant in self._invariants]
        self._began = time.monotonic()
        metrics.start_invariants(service, self._names)

    async def declare(self) -> None:
        """Make the timer's row, unless it is there."""
        await timers.declare(self._db, TIMER, after_s=min(FIRST_AFTER_S, self._every_s))

    async def step(self) -> bool:
        """Ask when it is time and no other process does, and show the last outcomes; whether it asked.

        Raises NotAsked after it wrote what could be asked.
        """
        asked = await timers.run_if_due(self._db, TIMER, self._every_s, self.ask, lease_s=self._lease_s)
        await self.show()
        return asked

    async def ask(self) -> None:
        """Ask every invariant and write what each said."""
        outcomes = await ask_all(self._db, self._invariants)
        said = [{"name": o.invariant.name, "rows": o.rows} for o in outcomes if o.failure is None]
        async with self._db.transaction() as tx:
            await tx.execute(_WRITE, outcomes=json_parameter(said))
            await tx.execute(_FORGET, names=self._names)
        await self.show()
        if missing := [outcome for outcome in outcomes if outcome.failure]:
            raise NotAsked("; ".join(map(_sentence, missing)))

    async def show(self) -> None:
        """Set the gauges from the table: each process shows the same."""
        async with self._db.transaction() as tx:
            rows = {row.name: row for row in await tx.all(_READ, names=self._names)}
        uptime = time.monotonic() - self._began
        for name in self._names:
            broken = rows[name].rows if name in rows else 0
            metrics.INVARIANTS_BROKEN.labels(self._service, name).set(broken)
        ages = [rows[name].age_s if name in rows else uptime for name in self._names]
        metrics.CHECK_AGE.labels(self._service).set(max(ages, default=0.0))


def _sentence(outcome: Outcome) -> str:
    return f"{outcome.invariant.name} {outcome.failure}"
