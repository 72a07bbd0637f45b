"""Makes API keys. The one place of the gateway with randomness: 256 bits from the operating system."""

import secrets
from dataclasses import dataclass, field

from services.gateway.domain.flights import HINT_CHARS, KEY_BYTES, KEY_PREFIX, hash_key


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key just made: `key` is shown to its owner once, the rest is kept."""

    key: str = field(repr=False)
    key_hash: bytes
    hint: str


def create_key() -> NewKey:
    """Make a key."""
    key = KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES)
    return NewKey(key=key, key_hash=hash_key(key), hint=key[:HINT_CHARS])
