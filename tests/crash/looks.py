"""What timers decide without an event: at rest, another look finds nothing.

A student who paid is asked no more, which the next look at what is overdue writes, up to a minute later; the
day's forecast of the reserve is kept by the first look that has a school, up to five minutes later. Until
then nothing is pending, and a digest of the tables would differ, whatever is done meanwhile.
"""

from dataclasses import dataclass, field
from typing import Final

from hobbs.demo.figures import Figures

LOOKS: Final = ("dun", "allocate_named")
_LOOK_NOW: Final = """
    WITH ahead AS (UPDATE reserves.timer SET due_at = now() WHERE name = 'look_ahead' AND due_at > now())
    UPDATE receivables.timer SET due_at = now() WHERE name = ANY ($1) AND due_at > now()
    RETURNING (SELECT coalesce(max(place), 0) FROM receivables.dunning_history) AS decided
"""
_LOOKED: Final = """
    SELECT coalesce(bool_and(due_at > now() AND lease_until IS NULL), true) AS looked,
           (SELECT coalesce(max(place), 0) FROM receivables.dunning_history) AS decided
    FROM (SELECT due_at, lease_until FROM receivables.timer WHERE name = ANY ($1)
          UNION ALL
          SELECT due_at, lease_until FROM reserves.timer WHERE name = 'look_ahead') AS timer
"""


@dataclass(slots=True)
class Looks:
    """Has the timers look, again as long as they find something."""

    figures: Figures
    decided: int | None = field(default=None)  # the last place of the history when they were asked to look

    async def left(self) -> list[str]:
        """What is left to wait for; ask it where no other work is pending."""
        [now] = await self.figures.rows(_LOOKED, LOOKS)
        if not now["looked"]:
            return ["a look at what is overdue"]
        if self.decided == now["decided"]:
            return []
        asked = await self.figures.rows(_LOOK_NOW, LOOKS)
        self.decided = int(asked[0]["decided"]) if asked else None
        return ["a look at what is overdue"]

    def forget(self) -> None:
        """Something else was pending: whatever was looked at may have changed since."""
        self.decided = None
