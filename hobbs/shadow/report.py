"""Adds differences up while they go by: by month, party and cause, by rule, and the largest. Pure."""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from hobbs.shadow.compare import Difference
from hobbs.shadow.figures import role_of
from hobbs.shadow.rules import Rule, judged

NO_MONTH = "no date"
Take = Callable[[Difference], None]


class Sum(NamedTuple):
    """Differences of a month, a role and a cause. net: here less there; gross: whatever their signs."""

    month: str
    party: str
    cause: str
    accepted_by: str
    differences: int
    net: int
    gross: int


@dataclass(slots=True, kw_only=True)
class Report:
    """What was compared, and what of it differs. Memory does not grow with the number of differences."""

    rules: Sequence[Rule]
    today: date
    most: int
    flights: int = 0
    differing: int = 0
    open: int = 0
    accepted: Counter[str] = field(default_factory=Counter)
    _sums: dict[tuple[str, str, str, str], list[int]] = field(default_factory=dict)
    _largest: list[tuple[int, int, Difference]] = field(default_factory=list)
    _seen: int = 0

    def add(self, found: Iterable[Difference | None], take: Take) -> None:
        """Count differences, and hand each to `take`; None ends a flight."""
        differs = False
        for one in found:
            if one is None:
                self.flights += 1
                self.differing += differs
                differs = False
                continue
            differs = True
            difference = judged(one, self.rules, self.today)
            self._count(difference)
            take(difference)

    def _count(self, one: Difference) -> None:
        self._seen += 1
        if one.accepted_by:
            self.accepted[one.accepted_by] += 1
        else:
            self.open += 1
        key = (one.day[:7] or NO_MONTH, role_of(one.party), one.cause, one.accepted_by)
        sums = self._sums.setdefault(key, [0, 0, 0])
        sums[0] += 1
        sums[1] += one.amount
        sums[2] += abs(one.amount)
        entry = (abs(one.amount), -self._seen, one)
        if len(self._largest) < self.most:
            heapq.heappush(self._largest, entry)
        elif self.most:
            heapq.heappushpop(self._largest, entry)

    def sums(self) -> list[Sum]:
        """By month, the most money first."""
        sums = [Sum(*key, *counted) for key, counted in self._sums.items()]
        return sorted(sums, key=lambda one: (one.month, -one.gross, one.party, one.cause))

    def largest(self) -> Iterator[Difference]:
        """The differences of the most money, at most `most`."""
        return (one for _, _, one in sorted(self._largest, key=lambda entry: entry[:2], reverse=True))
