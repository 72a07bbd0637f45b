"""Fields of Stripe's objects, read without believing them: what is not as documented raises OddField."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fleet.stripe_amounts import InexactAmount, from_stripe
from schemas.stripe_fields import reduced
from services.payouts.domain.odd_objects import OddField, OddObject

ID_CHARS_MAX = 100  # as schemas.fields.Identifier allows
TEXT_CHARS_MAX = 500
BODY_CHARS_MAX = 20_000
UNITS_MAX = 10**15  # as schemas.fields.MINOR_UNITS_MAX


def mapping(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise OddField(f"{what} is {_short(value)}, not an object")
    return value


def word(thing: Mapping[str, Any], name: str) -> str:
    """An id, a status, a currency: short printable text."""
    value = id_of(thing.get(name))
    if not isinstance(value, str) or not 0 < len(value) <= ID_CHARS_MAX or not value.isprintable():
        raise OddField(f"{name} is {_short(value)}")
    return value


def currency(thing: Mapping[str, Any]) -> str:
    """A currency as the books write it, in capitals."""
    value = thing.get("currency")
    if not isinstance(value, str) or len(value) != 3 or not (value.isascii() and value.isalpha()):
        raise OddField(f"currency is {_short(value)}")
    return value.upper()


def whole(thing: Mapping[str, Any], name: str) -> int:
    value = thing.get(name)
    if type(value) is not int or abs(value) > UNITS_MAX:
        raise OddField(f"{name} is {_short(value)}, not a whole number of minor units")
    return value


def amount(thing: Mapping[str, Any], name: str = "amount") -> int:
    """An amount in the books' minor units of the object's currency."""
    try:
        converted = from_stripe(whole(thing, name), currency(thing))
    except InexactAmount as error:
        raise OddField(f"{name}: {error}") from None
    if abs(converted) > UNITS_MAX:
        raise OddField(f"{name} is {_short(converted)}, too large for the books")
    return converted


def instant(thing: Mapping[str, Any], name: str = "created") -> datetime:
    value = thing.get(name)
    if type(value) is not int or not 0 <= value < 7_258_118_400:  # the year 2200
        raise OddField(f"{name} is {_short(value)}, not seconds since 1970")
    return datetime.fromtimestamp(value, UTC)


def moment(thing: Mapping[str, Any], name: str = "created") -> datetime:
    """A time as either API writes it: seconds in v1, RFC 3339 in UTC in v2."""
    value = thing.get(name)
    if not isinstance(value, str):
        return instant(thing, name)
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        read = None
    if read is None or read.tzinfo is None or not 1970 <= read.year < 2200:
        raise OddField(f"{name} is {_short(value)}, not a time")
    return read.astimezone(UTC)


def text(value: Any) -> str | None:
    """Text for people, without what a database cannot store; None when it is none."""
    if not isinstance(value, str) or not value:
        return None
    return "".join(c if c.isprintable() else " " for c in value)[:TEXT_CHARS_MAX]


def id_of(value: Any) -> Any:
    """An expanded object stands for its id."""
    return value.get("id") if isinstance(value, Mapping) else value


def odd_object(kind: str, thing: Any, problem: Exception | str, account: str | None = None) -> OddObject:
    """What is kept of an object that was not believed; one without an id is known by its content."""
    body = json.dumps(reduced(thing))
    named = id_of(thing) if isinstance(thing, Mapping) else None
    usable = isinstance(named, str) and 0 < len(named) <= ID_CHARS_MAX and named.isprintable()
    content = hashlib.sha256(f"{account} {body}".encode())
    return OddObject(
        kind=kind,
        object_id=str(named) if usable else f"unnamed-{content.hexdigest()[:16]}",
        stripe_account=account or "",
        sentence=text(str(problem)) or type(problem).__name__,
        body=body[:BODY_CHARS_MAX],
    )


def _short(value: Any) -> str:
    shown = json.dumps(value)
    return "missing" if value is None else shown if len(shown) <= 60 else f"{shown[:60]}…"
