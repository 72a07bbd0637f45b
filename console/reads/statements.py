"""A month of one wallet, of its ledger entries: for staff any wallet, for a holder their own."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from console.reads.tables import EXPORT_MAX, Column, Listing
from console.statements import Month, Statement, stated
from fleet.database import Tx

_ANY: Final = "(SELECT * FROM ledger_public.entries WHERE address = :wallet)"
_OWN: Final = "(SELECT * FROM console_public.own_dated_entries() WHERE :wallet = console_public.own_wallet())"
_SOURCES: Final = {"staff": _ANY, "holder": _OWN}

# Of the same rows as the page; both come from Statement.
FILE: Final = Listing(
    name="statement-of-a-month",
    title="Statement",
    sql="",
    columns=(
        Column(name="occurred_at", title="Occurred", kind="instant"),
        Column(name="event_type", title="Kind", kind="state"),
        Column(name="source", title="For"),
        Column(name="memo", title="Memo", kind="long"),
        Column(name="amount", title="Amount", kind="money"),
        Column(name="balance", title="Balance", kind="money"),
        Column(name="currency", title="Currency"),
        Column(name="recorded_at", title="Recorded", kind="instant"),
    ),
    key="source",
    order="occurred_at",
)


def _opening(entries: str) -> str:
    return (
        "SELECT coalesce(sum(amount), 0)::bigint AS amount"  # noqa: S608 - one of the two above
        f" FROM {entries} AS entry"
        " WHERE currency = :currency AND occurred_at < :since AND recorded_at <= :before"
    )


def _lines(entries: str) -> str:
    return (
        "SELECT occurred_at, recorded_at, event_type, source, memo, currency, amount"  # noqa: S608 - as above
        f" FROM {entries} AS entry"
        " WHERE currency = :currency AND occurred_at < :until"
        " AND (occurred_at >= :since OR recorded_at > :before)"
        f" ORDER BY occurred_at, version LIMIT {EXPORT_MAX + 1}"
    )


def _first(entries: str) -> str:
    return f"SELECT min(occurred_at) AS at FROM {entries} AS entry"  # noqa: S608 - as above


_OPENING: Final = {who: _opening(entries) for who, entries in _SOURCES.items()}
_LINES: Final = {who: _lines(entries) for who, entries in _SOURCES.items()}
_FIRST: Final = {who: _first(entries) for who, entries in _SOURCES.items()}


async def statement(tx: Tx, wallet: str, month: Month, currency: str, *, own: bool = False) -> Statement:
    """The statement of a month; empty for a wallet without entries. own: in a holder's transaction."""
    who = "holder" if own else "staff"
    given: Mapping[str, Any] = {
        "wallet": wallet, "currency": currency, "since": month.since, "before": month.before,
    }  # fmt: skip
    opening = (await tx.one(_OPENING[who], **given)).amount
    rows = await tx.all(_LINES[who], **given, until=month.until)
    return stated(wallet, month, opening, [dict(row._mapping) for row in rows])


async def first_entry(tx: Tx, wallet: str, *, own: bool = False) -> datetime | None:
    """When the wallet's first entry occurred; None: it has none, or is another's."""
    at: datetime | None = (await tx.one(_FIRST["holder" if own else "staff"], wallet=wallet)).at
    return at
