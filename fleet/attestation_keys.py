"""The keys that prove who wrote a webhook's record (schemas/attestation.py): read, and refused when weak."""

from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

CHARS_MIN = 32
NAME = "HOBBS_ATTESTATION_KEYS"


def keys_of(setting: SecretStr) -> tuple[str, ...]:
    """Split the comma-separated setting, newest key first; blanks are dropped."""
    return tuple(part for part in (piece.strip() for piece in setting.get_secret_value().split(",")) if part)


def refused_keys(setting: SecretStr) -> str | None:
    """Why these keys are refused, without showing any."""
    short = [number for number, key in enumerate(keys_of(setting), 1) if len(key) < CHARS_MIN]
    return f"key {short[0]} of {NAME} is shorter than {CHARS_MIN} characters" if short else None


def missing_keys(told: Mapping[str, Any]) -> str | None:
    """Why a live deployment does not start: it would believe whoever writes to `stripe.webhook`."""
    if keys_of(told.get("attestation_keys", SecretStr(""))):
        return None
    return (
        f"a live deployment needs {NAME}, the same for gateway, payouts and receivables: without it, whoever "
        "writes to the topic stripe.webhook is believed (docs/operations/secrets.md)"
    )
