"""An object of Stripe's that cannot be read as money: it is kept and shown, and all else is written."""

from dataclasses import dataclass


class OddField(ValueError):
    """What is odd about an object; the sentence names the field and its value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OddObject:
    """An object that was not believed, with its body. `stripe_account`: "" for the platform's own."""

    kind: str
    object_id: str
    stripe_account: str
    sentence: str
    body: str
