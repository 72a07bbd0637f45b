"""A student's own limit set by people: what it becomes, and whether a second person has to agree. Pure.

Amounts are minor units; a limit of None is none. Who is frozen may owe nothing more, whatever the limit says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from fleet.money import format_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLimit:
    """What a student may owe at most, until a day (that day included), or for good."""

    limit: int | None
    until: date | None = None
    frozen: bool = False

    def document(self) -> dict[str, Any]:
        """The card, as the book publishes it."""
        until = self.until.isoformat() if self.until else None
        return {"limit": self.limit, "until": until, "frozen": self.frozen}

    def in_words(self, currency: str) -> str:
        """Such as "may owe at most 500.00 USD until 2026-12-31"."""
        until = f" until {self.until}" if self.until else ""
        frozen = ", but is frozen: no flight is cleared" if self.frozen else ""
        if self.limit is None:
            return f"has no limit{until}{frozen}"
        return f"may owe at most {format_minor(self.limit, currency)} {currency}{until}{frozen}"


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """The limit as it is now, by the book and what changed it by policy since."""

    limit: int | None
    frozen: bool


def read(told: Mapping[str, Any]) -> OwnLimit | str:
    """The limit that is asked for; or what is wrong with it, as a sentence."""
    limit, until, frozen = told.get("limit"), told.get("until"), told.get("frozen", False)
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 0):
        return "a limit is a whole number of minor units, 0 or more; none for no limit"
    if not isinstance(frozen, bool):
        return "frozen is true or false"
    try:
        day = date.fromisoformat(until) if until is not None else None
    except (TypeError, ValueError):
        return "until is a day, such as 2026-12-31; none for good"
    return OwnLimit(limit=limit, until=day, frozen=frozen)


def needs_second(asked: OwnLimit, now: InForce, *, by_one_up_to: int) -> bool:
    """Whether one person alone may not: the student may then owe more, by more than the policy allows one."""
    if asked.frozen:
        return False
    before = 0 if now.frozen else now.limit
    if before is None:
        return False
    return asked.limit is None or asked.limit - before > by_one_up_to
