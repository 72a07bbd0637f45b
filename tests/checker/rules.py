"""All rules, and the function that checks them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.checker.credit_rules import CREDIT_RULES
from tests.checker.event_rules import EVENT_RULES
from tests.checker.flight_rules import FLIGHT_RULES
from tests.checker.item_rules import ITEM_RULES
from tests.checker.ledger_rules import LEDGER_RULES
from tests.checker.reserve_rules import RESERVE_RULES
from tests.checker.revision_rules import REVISION_RULES
from tests.checker.stripe_rules import STRIPE_RULES
from tests.checker.world import World

Rule = Callable[[World], Iterator[str]]
RULES: tuple[Rule, ...] = (
    *STRIPE_RULES,
    *FLIGHT_RULES,
    *REVISION_RULES,
    *LEDGER_RULES,
    *ITEM_RULES,
    *RESERVE_RULES,
    *CREDIT_RULES,
    *EVENT_RULES,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A sentence about a broken rule."""

    rule: str
    sentence: str


def check(world: World) -> list[Violation]:
    return [Violation(rule=rule.__name__, sentence=sentence) for rule in RULES for sentence in rule(world)]
