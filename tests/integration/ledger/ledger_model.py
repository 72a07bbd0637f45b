"""The ledger in small: a list of amounts for each wallet, what open holds keep, and floors."""

from collections import defaultdict
from dataclasses import dataclass

Legs = tuple[tuple[str, int], ...]


def balanced(legs: Legs) -> bool:
    return sum(amount for _, amount in legs) == 0


@dataclass(slots=True, kw_only=True)
class Hold:
    """A hold as the model has it. `over`: its time is past."""

    wallet: str
    amount: int
    state: str = "open"
    over: bool = False
    posted: tuple[str, int] | None = None


class Model:
    """Lists of amounts, and the few rules."""

    def __init__(self) -> None:
        self.entries: dict[str, list[int]] = defaultdict(list)
        self.journals: dict[str, tuple[Legs, int]] = {}  # by source: what it says, and its day
        self.holds: dict[str, Hold] = {}
        self.floors: dict[str, tuple[int, str]] = {}

    def balance(self, wallet: str) -> int:
        return sum(self.entries[wallet])

    def pending(self, wallet: str) -> int:
        return sum(h.amount for h in self.holds.values() if h.wallet == wallet and h.state == "open")

    def available(self, wallet: str) -> int:
        return self.balance(wallet) - self.pending(wallet)

    def short(self, legs: Legs) -> set[int]:
        """By how much a journal would go below limits that bind journals."""
        found = set()
        for wallet, (floor, binds) in self.floors.items():
            moved = sum(amount for name, amount in legs if name == wallet)
            if binds == "all" and moved < 0 and self.available(wallet) + moved < floor:
                found.add(floor - self.available(wallet) - moved)
        return found

    def post(self, source: str, legs: Legs, day: int) -> None:
        self.journals[source] = (legs, day)
        for wallet, amount in legs:
            self.entries[wallet].append(amount)

    def at(self, wallet: str, day: int, journals: int) -> int:
        """The balance after a day, of the first so many journals."""
        known = list(self.journals.values())[:journals]
        return sum(amount for legs, of in known for name, amount in legs if name == wallet and of <= day)
