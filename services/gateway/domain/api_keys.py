"""A scheduler's API key: what it looks like, how it is kept, and what it may do. Pure.

A key is `hfk_` and 256 random bits. It is shown once, where it was made; everybody else keeps its hash.
"""

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

FLIGHTS_WRITE: Final = "flights:write"
CORRECTIONS_WRITE: Final = "corrections:write"
CREDIT_READ: Final = "credit:read"
SCOPES: Final = (FLIGHTS_WRITE, CORRECTIONS_WRITE, CREDIT_READ)

KEY_PREFIX: Final = "hfk_"
KEY_BYTES: Final = 32
KEY_CHARS_MAX: Final = 128
HINT_CHARS: Final = len(KEY_PREFIX) + 6
NAME_CHARS_MAX: Final = 100
DAYS_MAX: Final = 3_650
_HINT: Final = re.compile(rf"{KEY_PREFIX}[A-Za-z0-9_-]{{{HINT_CHARS - len(KEY_PREFIX)}}}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as the database knows it. over: it was revoked, or has expired."""

    key_id: int
    name: str
    scopes: frozenset[str]
    over: bool


def hash_key(key: str) -> bytes:
    """The only form in which a key is stored. 256 random bits need no salt and no slow hash."""
    return sha256(key.encode()).digest()


def hint_of(key: str) -> str:
    """The beginning of a key, by which people tell keys apart."""
    return key[:HINT_CHARS]


def looks_like_a_key(text: str) -> bool:
    """Refuse what cannot be a key before the database is asked."""
    return text.startswith(KEY_PREFIX) and len(text) <= KEY_CHARS_MAX and text.isascii()


def is_hint(text: str) -> bool:
    """Whether this is the beginning of a key and not more of it."""
    return _HINT.fullmatch(text) is not None


def is_name(text: str) -> bool:
    """Whether a key may be called this."""
    return 1 <= len(text) <= NAME_CHARS_MAX and text.isprintable() and text == text.strip()
