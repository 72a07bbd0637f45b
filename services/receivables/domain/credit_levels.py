"""What is said when a student crosses a level of their limit. Pure; minor units, credit positive."""

from dataclasses import dataclass
from typing import Final, Literal

from fleet.money import format_minor
from services.receivables.domain.credit import Credit, Level

Crossing = Literal["near", "close", "exceeded", "recovered"]

_RISING: Final[tuple[Level, ...]] = ("ok", "near", "close", "exceeded")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One crossing of a student: the `number`th; was: the level before."""

    credit: Credit
    was: Level
    number: int

    @property
    def crossing(self) -> Crossing:
        """The level that was reached, or `recovered` when it is a lower one than before."""
        level = self.credit.level
        if level == "ok" or _RISING.index(level) < _RISING.index(self.was):
            return "recovered"
        return level

    @property
    def matters(self) -> bool:
        """Whether the student is told: it became tighter, or flights are cleared again."""
        return self.crossing != "recovered" or self.was == "exceeded"

    def in_words(self) -> str:
        """How the student stands now and what happens next."""
        credit = self.credit
        if credit.credit_limit is None or credit.room is None:
            return "there is no limit any more: flights are cleared"
        limit, room = (
            f"{format_minor(amount, credit.currency)} {credit.currency}"
            for amount in (credit.credit_limit, abs(credit.room))
        )
        if credit.level == "exceeded":
            return (
                f"{room} are used beyond the limit of {limit}: no further flight is cleared until they are "
                "paid or the school allows one; what is flown is billed all the same"
            )
        used = f"{credit.used_percent} % of the limit of {limit} is used"
        if self.crossing == "recovered":
            return f"{used if credit.used_percent is not None else limit + ' is the limit'}; {room} are left"
        return f"{used}; {room} are left, and beyond them no further flight is cleared"
