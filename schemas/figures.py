"""Hours as people and programs write them: which texts are figures, and which fields are empty."""

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

DECIMALS_MAX = 4
# ASCII digits only: Decimal alone would take 1_0, other scripts' digits, 1e1 and blanks.
_FIGURE = re.compile(r"-?(?:[0-9]{1,9}(?:\.(?P<decimals>[0-9]*))?|\.(?P<only>[0-9]+))")


def _figure(value: Any) -> Any:
    """Refuse a text that is no plain figure, and a number with more decimals than any meter shows."""
    if isinstance(value, bool):
        raise ValueError("must be hours such as 1.3, not true or false")
    if not isinstance(value, str | int | float | Decimal):
        return value
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    found = _FIGURE.fullmatch(text)
    if found is None:
        raise ValueError("must be hours such as 1.3: the digits 0 to 9, one point, no exponent, no blanks")
    if len(found["decimals"] or found["only"] or "") > DECIMALS_MAX:
        raise ValueError(f"has more than {DECIMALS_MAX} decimals; hours have one")
    return Decimal(text)


def is_empty(value: Any) -> bool:
    """A field that nobody filled in: null, or a text of nothing but blanks."""
    return value is None or (isinstance(value, str) and not value.strip())


def _or_none(value: Any) -> Any:
    return None if is_empty(value) else value


def _or_zero(value: Any) -> Any:
    return Decimal(0) if is_empty(value) else value


Hours = Annotated[Decimal, BeforeValidator(_figure), Field(max_digits=13, allow_inf_nan=False)]
OptionalHours = Annotated[Hours | None, BeforeValidator(_or_none)]
HoursOrZero = Annotated[Hours, BeforeValidator(_or_zero)]
