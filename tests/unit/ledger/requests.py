"""Requests for the ledger's rules, said briefly."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID, uuid5

from services.ledger.domain.journals import EntryRequest, JournalRequest
from services.ledger.domain.validation import ValidRequest, validate
from services.ledger.domain.wallets import Balance, BalanceKey

NOON = datetime(2026, 5, 22, 12, tzinfo=UTC)
_NAMES = UUID(int=0)

Legs = list[tuple[str, int]]
FLIGHT: Legs = [("student:s-1", -100), ("instructor:i-1", 60), ("platform:school", 40)]


def request(
    legs: Legs | None = None,
    *,
    source: str = "flight:F1:1",
    currency: str = "USD",
    occurred_at: datetime = NOON,
    memo: str = "",
) -> JournalRequest:
    """A request; its journal's id is made from its source and memo."""
    return JournalRequest(
        journal_id=uuid5(_NAMES, f"{source} {memo}"),
        source=source,
        event_type="flight",
        occurred_at=occurred_at,
        entries=tuple(
            EntryRequest(wallet=wallet, currency=currency, amount=amount)
            for wallet, amount in (FLIGHT if legs is None else legs)
        ),
        memo=memo,
    )


def valid(asked: JournalRequest) -> ValidRequest:
    checked = validate(asked)
    assert isinstance(checked, ValidRequest), checked
    return checked


def balances(amounts: Mapping[str, int], version: int = 0) -> dict[BalanceKey, Balance]:
    """Balances in USD, each after `version` entries; wallet ids count from 1."""
    return {
        (wallet, "USD"): Balance(wallet_id=place, amount=amount, version=version)
        for place, (wallet, amount) in enumerate(amounts.items(), 1)
    }
