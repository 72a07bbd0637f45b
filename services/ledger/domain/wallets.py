"""Wallets and their balances: kinds, names that may be used, limits. Minor units, credit positive."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from services.ledger.domain.currencies import CURRENCIES

WALLET_KINDS: Final = ("student", "instructor", "platform", "aircraft_owner", "liability", "external")
BALANCE_MAX: Final = 2**63 - 1

_LINE: Final = re.compile(r"[^\x00-\x1f\x7f]*[^\x00-\x20\x7f]")
_ADDRESS_CHARS_MAX: Final = 130

BalanceKey = tuple[str, str]  # wallet address, currency


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What journals may not take a balance, less the amounts of open holds (`pending`), below."""

    floor: int
    pending: int


class Balance(NamedTuple):
    """A wallet's balance in one currency after `version` entries."""

    wallet_id: int
    amount: int
    version: int
    limit: Limit | None = None


@lru_cache(maxsize=50_000)  # a school has some thousand wallets, and each is checked again with every flight
def unusable_wallet(wallet: str, currency: str | None) -> tuple[str, str] | None:
    """Reason and sentence why a wallet cannot have this address or currency (None: not checked), or None."""
    if currency is not None and currency not in CURRENCIES:
        return "unknown_currency", f"{currency!r} is not an ISO 4217 code such as USD"
    kind, colon, name = wallet.partition(":")
    if kind not in WALLET_KINDS:
        return (
            "unknown_wallet_kind",
            f"wallet {wallet!r} is of no known kind; the kinds are {', '.join(WALLET_KINDS)}",
        )
    if not (colon and is_line(name, _ADDRESS_CHARS_MAX) and len(wallet) <= _ADDRESS_CHARS_MAX):
        return "bad_wallet_name", f"wallet {wallet!r} names nobody one can read"
    return None


def is_line(text: str, chars_max: int) -> bool:
    """Whether a text is one line of printable characters that does not end in a blank, within a length."""
    return len(text) <= chars_max and _LINE.fullmatch(text) is not None
