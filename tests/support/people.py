"""People who decide about adjustments of a made-up logbook, and try what they may not."""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hobbs.demo.figures import Figures
from hobbs.local.fleet_processes import Fleet
from tests.support.corrections import RECENT, decide, waiting

EVERYBODY: Final = ("ann", "bob", "cid")
# Method -> the wallet that bears what a party owes, and whether it may be whoever made the correction.
BEARERS: Final = {
    "manual_check": "external:bank",
    "forgiven": "platform:forgiven",
    "written_off": "platform:written-off",
}
OTHERWISE: Final = 0.5  # share of the open debts that a person settles

Makers = Mapping[str, set[str]]

_DEBTS: Final = """
    SELECT adjustment.flight_id, adjustment.revision, settlement.wallet, settlement.method,
           -sum(settlement.amount)::bigint AS owed
    FROM adjustments.settlement JOIN adjustments.adjustment ON adjustment.id = adjustment_id
    WHERE settlement.amount < 0 AND (settlement.method, settlement.state) IN (
        ('future_payout_offset', 'waiting'), ('charge', 'settled'))
    GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3
"""


@dataclass(slots=True, kw_only=True)
class People:
    """Decide about the adjustments of one deployment. ended: what their settlements put on each wallet."""

    fleet: Fleet
    figures: Figures
    ended: Counter[str] = field(default_factory=Counter)

    async def approve_everything(self, makers: Makers) -> int:
        """Approve what waits, after every maker of the flight's corrections tried; how many waited.

        The fleet is at rest.
        """
        names = await waiting(self.figures)
        for name in names:
            flight = name.rpartition(":")[0]
            makers_of_it = await self._makers_of(name)
            assert makers_of_it <= makers[flight], name
            for maker in sorted(makers_of_it):
                answer = await decide(self.fleet, "approve", name, maker)
                assert answer.outcome == "refused", f"{maker} approved {name}"
            others = [who for who in EVERYBODY if who not in makers_of_it]
            for who in others[:2]:
                if name in await waiting(self.figures):
                    answer = await decide(self.fleet, "approve", name, who)
                    assert answer.outcome == "done", answer.sentence
            assert name not in await waiting(self.figures), f"two persons are not enough for {name}"
        return len(names)

    async def settle_otherwise(self, makers: Makers, chance: random.Random) -> None:
        """Claw some debts back; others are paid by cheque, forgiven or written off. The fleet is at rest."""
        for debt in await self.figures.rows(_DEBTS):
            if debt["flight_id"] not in makers or chance.random() > OTHERWISE:
                continue
            name = f"{debt['flight_id']}:{debt['revision']}"
            who = next(one for one in EVERYBODY if one not in makers[debt["flight_id"]])
            if debt["method"] == "future_payout_offset" and chance.random() < OTHERWISE:
                answer = await decide(self.fleet, "claw_back", name, who, {"wallet": debt["wallet"]})
                assert answer.outcome == "done" or "any more" in answer.sentence, answer.sentence
            else:
                await self._settle(name, who, debt["wallet"], debt["owed"], chance)

    async def _settle(self, name: str, who: str, wallet: str, owed: int, chance: random.Random) -> None:
        method = chance.choice(sorted(BEARERS))
        amount = chance.choice((owed, owed, (owed + 1) // 2))
        told: dict[str, Any] = {"method": method, "wallet": wallet, "amount": amount}
        if method == "manual_check":
            told |= {"number": "1044", "paid_on": RECENT, "to_or_from": "from"}
        answer = await decide(self.fleet, "settle", name, who, told)
        assert answer.outcome == "done", answer.sentence
        self.ended[wallet] += amount
        self.ended[BEARERS[method]] -= amount

    async def _makers_of(self, name: str) -> set[str]:
        flight, _, revision = name.rpartition(":")
        sql = "SELECT makers FROM adjustments.adjustment WHERE flight_id = $1 AND revision = $2"
        [row] = await self.figures.rows(sql, flight, int(revision))
        return set(row["makers"])
