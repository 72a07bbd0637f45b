"""Makes a scheduler's API key, here where it is shown: only its hash leaves this process."""

import secrets
from dataclasses import dataclass, field

from services.gateway.domain.api_keys import KEY_BYTES, KEY_PREFIX, hash_key, hint_of


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key just made: `key` is shown to its owner once, the rest is kept."""

    key: str = field(repr=False)
    key_hash: bytes
    hint: str


def new_key() -> NewKey:
    """Make a key of 256 random bits from the operating system."""
    key = KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES)
    return NewKey(key=key, key_hash=hash_key(key), hint=hint_of(key))
