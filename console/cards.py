"""The settings of a card of the school's book as people read them: amounts in the school's currency. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from console.wording import money, words
from fleet.money import percent_text
from schemas.school import AirportFee, amounts_of

HIDDEN: Final = frozenset({"kind", "key", "effective_from", "email", "name", "id"})


def setting(kind: str, name: str, value: Any, currency: str) -> str:
    """A setting's value: 13500 of `rate_per_hour` is 135.00, 700000 of `owner_share_ppm` is 70 %."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name in amounts_of(kind):
        return money(value, currency)
    if name.endswith("_ppm"):
        return percent_text(value)
    if isinstance(value, Mapping):  # taxes by kind of line
        return ", ".join(f"{words(line)} {percent_text(share)}" for line, share in value.items())
    if isinstance(value, list):
        return ", ".join(_one_of(one, currency) for one in value)
    return str(value)


def _one_of(value: Any, currency: str) -> str:
    if isinstance(value, Mapping) and "action" in value:  # a step of dunning
        when = [f"from {value['days_overdue']} days"] if value.get("days_overdue") else []
        when += [f"from {money(value['balance'], currency)}"] if value.get("balance") else []
        return f"{value['name']}: {words(value['action'])} {' and '.join(when)}".strip()
    if isinstance(value, Mapping):  # a fee of an airport
        fee = AirportFee.model_validate(value)
        return f"{fee.name} {money(fee.amount, currency)}"
    return words(str(value))


def title_of(name: str) -> str:
    """A setting's name as words: `owner_share_ppm` is "owner share"."""
    return words(name.removesuffix("_ppm"))


def says(kind: str, document: Mapping[str, Any], currency: str) -> str:
    """A card in one line; names and addresses of people are left out."""
    return ", ".join(
        f"{title_of(name)} {setting(kind, name, value, currency)}"
        for name, value in sorted(document.items())
        if name not in HIDDEN and value is not None and value not in ([], {})
    )
