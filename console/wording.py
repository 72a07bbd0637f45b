"""How amounts, hours, instants and names of ours look to people. Pure."""

import re
from datetime import datetime
from typing import Any, Final

from console.times import shown_instant
from fleet.money import format_minor

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ID_CHARS: Final = 8  # of an id, to tell neighbours apart; the whole one is in the link


def money(amount: int | None, currency: str | None) -> str:
    """-1,234.50: minor units with the currency's own decimals, grouped; empty for None."""
    if amount is None or not currency:
        return "" if amount is None else str(amount)
    text = format_minor(int(amount), currency)  # a sum of the database may be a Decimal
    sign, body = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, point, part = body.partition(".")
    return f"{sign}{int(whole):,}{point}{part}"


def words(name: str) -> str:
    """A name of ours as words: payee_not_ready is "payee not ready", requirements.past_due has a colon."""
    return name.replace("_", " ").replace(".", ": ")


def sentence(text: str | None) -> str:
    """A sentence of a service as one that stands alone: it begins large and ends."""
    if not text:
        return ""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '?', '!')) else '.'}"


def source_words(source: str) -> str:
    """What a journal is of, short enough to read: "flight a-0098", "transfer 093d0cd5"."""
    kind, _, rest = source.partition(":")
    if kind in ("flight", "adjustment"):
        rest, _, attempt = rest.partition("#")  # of a charge for it
        name, _, revision = rest.rpartition(":")
        later = f", revision {revision}" if name and revision != "1" else ""
        return f"{kind} {name or rest}{later}" + (f", attempt {attempt}" if attempt else "")
    return f"{words(kind)} {rest[:ID_CHARS] if _UUID.fullmatch(rest) else rest}".strip()


def is_uuid(text: str) -> bool:
    """Whether a text is a UUID as ours are written."""
    return _UUID.fullmatch(text) is not None


def instant_of(text: Any, zone: str) -> Any:
    """An instant that a document holds as text, as people read it; anything else as it is."""
    try:
        at = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return text
    return shown_instant(at, zone) if at.tzinfo else text


def hours(tenths: int | None) -> str:
    """Tenths of an hour as people write them: 13 is 1.3."""
    if tenths is None:
        return ""
    sign = "-" if tenths < 0 else ""
    return f"{sign}{abs(tenths) // 10}.{abs(tenths) % 10}"
