"""The form of an act: its fields, and the parameters that they become. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal

from fleet.money import parse_minor

TEXT_CHARS_MAX: Final = 200
LONG_TEXT_CHARS_MAX: Final = 500
HOURS_MAX: Final = 168
AMOUNTS_MAX: Final = 20


class Unfit(ValueError):
    """A form that cannot be asked: the sentence names the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of an act's form, and the parameter that it becomes. An empty optional field becomes none.

    amounts, texts: several amounts or texts, each with a name of its own: `p.<field>.<name>` in the form.
    """

    name: str
    title: str
    kind: Literal[
        "text", "choice", "day", "money", "hours", "tick", "number", "hidden", "amounts", "texts"
    ] = "text"
    choices: Sequence[tuple[str, str]] = ()
    needed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing that a person may ask a service for. `service` None: the one that the form names.

    fixed: parameters that no form changes. currency: the parameters name the form's currency. about: the
    title of the field in which a person names the object. own: makes the object of the holder's own wallet,
    whatever a form says.
    """

    name: str
    service: str | None
    action: str
    title: str
    consequence: str
    roles: frozenset[str]
    fields: Sequence[Field] = ()
    why_needed: bool = True
    danger: bool = False
    fixed: Mapping[str, Any] = field(default_factory=dict)
    currency: bool = False
    about: str = ""
    own: Callable[[str], str] | None = None


def parameters(act: Act, sent: Mapping[str, str], currency: str, now: datetime) -> dict[str, Any]:
    """The parameters that a form's fields become. Raises Unfit for what cannot be asked."""
    found: dict[str, Any] = dict(act.fixed)
    if act.currency:
        found["currency"] = currency
    for one in act.fields:
        text = sent.get(f"p.{one.name}", "").strip()
        if one.kind == "amounts":
            found[one.name] = _amounts(one, sent, currency)
            if not found[one.name]:
                raise Unfit(f"{one.title}: write at least one")
        elif one.kind == "texts":
            found[one.name] = _texts(one, sent)
        elif one.kind == "tick":
            found[one.name] = text == "yes"
        elif text:
            found[one.name] = _read(one, text, currency, now)
        elif one.needed:
            raise Unfit(f"{one.title}: this is needed")
    return found


def _read(one: Field, text: str, currency: str, now: datetime | None) -> Any:
    if len(text) > TEXT_CHARS_MAX:
        raise Unfit(f"{one.title}: at most {TEXT_CHARS_MAX} characters")
    if one.kind == "choice" and text not in {value for value, _ in one.choices}:
        raise Unfit(f"{one.title}: choose one of the list")
    try:
        if one.kind == "day":
            return date.fromisoformat(text).isoformat()
        if one.kind == "money":
            return parse_minor(text.replace(",", ""), currency)
        if one.kind == "hours" and now is not None:
            return (now + timedelta(hours=_hours(text))).replace(microsecond=0).isoformat()
        if one.kind == "number":
            return _number(text)
    except ValueError:
        wanted = {
            "day": "a day such as 2026-05-22",
            "money": f"an amount of {currency} such as 165.50",
            "number": "a whole number such as 15",
            "hours": f"a number of hours such as 4 or 0.5, at most {HOURS_MAX}",
        }
        raise Unfit(f"{one.title}: write {wanted[one.kind]}") from None
    return text


def _texts(one: Field, sent: Mapping[str, str]) -> dict[str, str]:
    """The texts that a form sent, by their names; empty ones are texts too."""
    before = f"p.{one.name}."
    named = {
        name.removeprefix(before): text.strip() for name, text in sent.items() if name.startswith(before)
    }
    if len(named) > AMOUNTS_MAX or any(not 0 < len(name) <= TEXT_CHARS_MAX for name in named):
        raise Unfit(f"{one.title}: at most {AMOUNTS_MAX}")
    if any(len(text) > LONG_TEXT_CHARS_MAX for text in named.values()):
        raise Unfit(f"{one.title}: at most {LONG_TEXT_CHARS_MAX} characters")
    return named


def _amounts(one: Field, sent: Mapping[str, str], currency: str) -> dict[str, int]:
    """The amounts that a form sent, by their names; empty ones are none."""
    found = dict[str, int]()
    for name, text in _texts(one, sent).items():
        if text:
            found[name] = _read(Field(name=name, title=name, kind="money"), text, currency, None)
    return found


def _hours(text: str) -> float:
    hours = float(text)
    if not 0 < hours <= HOURS_MAX:  # nor for what is no number
        raise ValueError(text)
    return hours


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise ValueError(text)
    return int(text)
