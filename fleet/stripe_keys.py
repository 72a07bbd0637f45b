"""Which of Stripe's two modes a secret key is of, and to which address it may go. Pure.

A live key goes to Stripe's own address over TLS and nowhere else. A test key may also go to a simulator on
this machine: plain http never leaves it. Addresses are matched whole, not taken apart: two libraries may take
an odd one apart differently.
"""

import re
from typing import Final
from urllib.parse import urlsplit

STRIPE: Final = "https://api.stripe.com"
TEST_PREFIXES: Final = ("sk_test_", "rk_test_")
LIVE_PREFIXES: Final = ("sk_live_", "rk_live_")

_STRIPE: Final = re.compile(r"https://api\.stripe\.com(?::443)?/?", re.ASCII | re.IGNORECASE)
_LOOPBACK: Final = re.compile(
    r"http://(?:127(?:\.[0-9]{1,3}){3}|localhost|\[::1\])(?::[0-9]{1,5})?/?", re.ASCII | re.IGNORECASE
)


def livemode_of(key: str) -> bool | None:
    """Whether a secret key is of live mode; None when it is no secret key of Stripe's."""
    if key.startswith(LIVE_PREFIXES):
        return True
    return False if key.startswith(TEST_PREFIXES) else None


def mode(livemode: bool) -> str:
    """The mode as people name it."""
    return "live" if livemode else "test"


def is_stripe(address: str) -> bool:
    """Whether this is Stripe's own API, over TLS."""
    return _STRIPE.fullmatch(address) is not None


def is_loopback(address: str) -> bool:
    """Whether this is a server on this machine, over plain http."""
    return _LOOPBACK.fullmatch(address) is not None


def refused_address(address: str, *, livemode: bool) -> str | None:
    """Why a key of this mode may not go to an address, as a sentence with the way out; None when it may."""
    if is_stripe(address) or (not livemode and is_loopback(address)):
        return None
    if livemode:
        return f"a live key goes to {STRIPE} only, not to {shown(address)}; unset it, or use a test key"
    return (
        f"a test key goes to {STRIPE}, or over http to a simulator on this machine (127.0.0.1, localhost, "
        f"[::1]), not to {shown(address)}; an address has no path and no user"
    )


def shown(address: str) -> str:
    """An address as it may be shown: without a user, a password, a path or a query."""
    try:
        parts = urlsplit(address)
        return f"{parts.scheme}://{parts.hostname or ''}"
    except ValueError:
        return "that address"
