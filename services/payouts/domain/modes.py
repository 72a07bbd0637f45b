"""Stripe's two modes, as answers and events say them: what is of the other one proves nothing here. Pure.

Stripe's accounts, balance transactions, reversals and links do not say their mode. They are covered by what
comes before them: a process keeps its key and address from its start, the address is one that the key may go
to, and its first call reads the balance, which says its mode.
"""

from collections.abc import Mapping
from typing import Any, Final

# By the mode of our key.
OTHER_MODE: Final = {
    True: "a test-mode answer came to our live key: it is not from this key's Stripe and nothing it says is "
    "recorded; look at HOBBS_STRIPE_API_BASE and at what is between",
    False: "a live-mode answer came to our test key: it is not from this key's Stripe and nothing it says "
    "is recorded; look at HOBBS_STRIPE_API_BASE and at what is between",
}
# By the mode of the database's money.
OTHER_DATABASE: Final = {
    True: "this database holds live money and the key is a test key: put the live key back, or give the test "
    "deployment a database of its own",
    False: "this database holds test-mode money and the key is a live key: put the test key back, or go live "
    "with a new, empty database",
}


def is_of_other_mode(body: Any, livemode: bool) -> bool:
    """Whether an answer, or an object of a list that it brings, says that it is of the other mode."""
    if not isinstance(body, Mapping):
        return False
    listed = body.get("data")
    things = [body, *(listed if isinstance(listed, list) else [])]
    said = [thing.get("livemode") for thing in things if isinstance(thing, Mapping)]
    return any(one is (not livemode) for one in said)
