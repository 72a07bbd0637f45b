"""Which settings are in force, and where each value comes from: the school's book, an environment, a default.

Secrets are said to be there or not, never shown.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from console import cards
from console.settings import ConsoleSettings
from fleet.settings import PREFIX, own_prefix
from schemas.school import CARDS
from services.billing.desk.reads import StandingCard, WholeBook
from services.billing.domain.rates import BEGINNING

# The cards that are about the whole school; people and aircraft are under Rates.
OF_THE_SCHOOL: Final = ("school", "tax", "adjustments", "reserve", "credit")
DEFAULT: Final = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A setting in force: what it says, where that comes from, and the page of that, if it has one."""

    name: str
    says: str
    comes_from: str
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Settings that belong together."""

    title: str
    values: Sequence[Value]


def of_the_book(book: WholeBook, day: date) -> list[Part]:
    """The school's own settings in force on a day; what a card does not say is the default."""
    currency = book.currency()
    chosen = [card for card in book.in_force(day) if card.kind in OF_THE_SCHOOL]
    return [
        Part(
            title=card.kind if card.key in (card.kind, "default") else f"{card.kind} {card.key}",
            values=list(_of_card(card, currency)),
        )
        for card in sorted(chosen, key=lambda one: OF_THE_SCHOOL.index(one.kind))
    ]


def _of_card(card: StandingCard, currency: str) -> Iterator[Value]:
    since = "the beginning" if card.effective_from == BEGINNING else card.effective_from.isoformat()
    told = f"the book, version {card.version}, since {since}"
    for name, one in CARDS[card.kind].model_fields.items():  # type: ignore[index]  # a kind that is published
        value = card.document.get(name, one.get_default(call_default_factory=True))
        is_told = name in card.document
        yield Value(
            name=cards.title_of(name),
            says=cards.setting(card.kind, name, value, currency),
            comes_from=told if is_told else DEFAULT,
            link=f"/rates/{card.kind}/{card.key}" if is_told else None,
        )


def of_the_console(settings: ConsoleSettings, environment: Mapping[str, str]) -> Part:
    """What this process was told, and by which variable."""
    return Part(
        title="this console",
        values=[
            Value(
                name=name,
                says=_shown(getattr(settings, name)),
                comes_from=_place(name, one, settings, environment),
            )
            for name, one in type(settings).model_fields.items()
        ],
    )


def _shown(value: Any) -> str:
    if isinstance(value, SecretStr):
        return "a secret is set" if value.get_secret_value() else ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _place(name: str, one: FieldInfo, settings: ConsoleSettings, environment: Mapping[str, str]) -> str:
    """The variable that says it, in the order in which they are read (fleet/settings.py)."""
    for prefix in (own_prefix("console"), PREFIX):
        variable = f"{prefix}{name.upper()}"
        for place in (f"{variable}_FILE", variable):
            if environment.get(place):
                return place
    return "told by what started it" if name in settings.model_fields_set else DEFAULT
