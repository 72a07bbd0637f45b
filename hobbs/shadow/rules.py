"""Named rules that accept differences, each until a day; what none accepts is open. Pure."""

import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from fleet.money import parse_minor
from hobbs.shadow.causes import CAUSES
from hobbs.shadow.compare import Difference
from hobbs.shadow.figures import PARTIES, role_of

NEEDED: Final = ("name", "cause", "until", "why")
KNOWN: Final = (*NEEDED, "party", "most", "flight_id", "since")


class RulesUnreadable(ValueError):
    """The file of rules is not one; the sentence says where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Accepts differences of one cause. None: of any party, amount, flight. until: the last day it counts.

    most: of the amount, either way, in minor units. since: the first day of flights it is for.
    """

    name: str
    cause: str
    until: date
    why: str
    party: str | None = None
    most: int | None = None
    flight_id: str | None = None
    since: date | None = None

    def accepts(self, difference: Difference, today: date) -> bool:
        """Whether the difference is one of those meant, and the rule has not ended."""
        return (
            today <= self.until
            and difference.cause == self.cause
            and self.party in (None, role_of(difference.party), difference.party)
            and (self.most is None or abs(difference.amount) <= self.most)
            and self.flight_id in (None, difference.flight_id)
            and (self.since is None or self.since.isoformat() <= difference.day)
        )


def judged(difference: Difference, rules: Sequence[Rule], today: date) -> Difference:
    """The difference with the name of the first rule that accepts it."""
    rule = next((rule for rule in rules if rule.accepts(difference, today)), None)
    return difference if rule is None else difference._replace(accepted_by=rule.name)


def read_rules(text: str, currency: str) -> list[Rule]:
    """Read `[[accept]]` tables. Raises RulesUnreadable."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RulesUnreadable(f"it is not TOML: {error}") from None
    tables = document.get("accept", [])
    if set(document) - {"accept"} or not isinstance(tables, list):
        raise RulesUnreadable("it holds [[accept]] tables and nothing else")
    rules = [_rule(table, number, currency) for number, table in enumerate(tables, 1)]
    if twice := [name for name, times in Counter(rule.name for rule in rules).items() if times > 1]:
        raise RulesUnreadable(f"two rules are called {twice[0]!r}: each is counted by its name")
    return rules


def _rule(table: Any, number: int, currency: str) -> Rule:
    where = f"[[accept]] number {number}"
    if not isinstance(table, dict):
        raise RulesUnreadable(f"{where}: is no table")
    if missing := [name for name in NEEDED if not table.get(name)]:
        raise RulesUnreadable(f"{where}: says no {', '.join(missing)}")
    if unknown := sorted(set(table) - set(KNOWN)):
        raise RulesUnreadable(f"{where}: knows {', '.join(KNOWN)}; not {', '.join(unknown)}")
    if table["cause"] not in CAUSES:
        raise RulesUnreadable(f"{where}: cause is one of {', '.join(CAUSES)}")
    if table.get("party") is not None and role_of(str(table["party"])) not in PARTIES:
        raise RulesUnreadable(f"{where}: party is one of {', '.join(PARTIES)}, perhaps with :id")
    for name in ("until", "since"):
        if name in table and type(table[name]) is not date:
            raise RulesUnreadable(f"{where}: {name} is a date without quotes, such as 2026-12-31")
    return Rule(
        name=str(table["name"]),
        cause=table["cause"],
        until=table["until"],
        why=str(table["why"]),
        party=table.get("party"),
        most=_most(table, where, currency),
        flight_id=table.get("flight_id"),
        since=table.get("since"),
    )


def _most(table: Mapping[str, Any], where: str, currency: str) -> int | None:
    if "most" not in table:
        return None
    try:
        return parse_minor(str(table["most"]), currency)
    except ValueError as error:
        raise RulesUnreadable(f"{where}: most: {error}") from None
