"""Whether this process could call Stripe: by the names of its settings, never by their values."""

from collections.abc import Mapping
from typing import Final

STRIPES_KEYS: Final = ("STRIPE_SECRET_KEY", "STRIPE_SECRET_KEY_FILE")


def keys_set(environment: Mapping[str, str]) -> list[str]:
    """Names of settings that hold a key of Stripe's, whoever's they are."""
    return [
        name
        for name, value in environment.items()
        if value and name.startswith("HOBBS_") and name.endswith(STRIPES_KEYS)
    ]
