"""The statement of a month: what the ledger knew when it was issued, and what became known since. Pure.

Entries are never changed and carry the instant they were recorded at, so a statement is a question to the
ledger: wallet, month, and known until when (decision 0308). Its number names the first two; it is issued on
the third day after the month, in the school's zone, and says the same whenever it is asked for; what it said
then is kept as balances and a hash (0346). What is recorded after that is a dated line of the next statement,
so that each begins where the last ended.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from console.times import begin_of_day, next_month
from fleet.zones import local_date

MONTH: Final = re.compile(r"(19|20)\d\d-(0[1-9]|1[0-2])")
ISSUED_AFTER: Final = timedelta(days=2)  # what was flown on the last evening is billed by then
KEPT_AFTER: Final = timedelta(hours=1)  # a posting that was open over the instant of issue is there by then


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A month in the school's zone: its instants, the later one excluded, and when its statement is issued.

    before: when the statement of the month before it was issued.
    """

    name: str
    since: datetime
    until: datetime
    before: datetime
    issued_at: datetime

    @classmethod
    def of(cls, name: str, zone: str) -> "Month | None":
        """The month of a name such as 2026-05; None for anything else."""
        if not MONTH.fullmatch(name):
            return None
        first = date(int(name[:4]), int(name[5:]), 1)
        after = next_month(first)
        return cls(
            name=name,
            since=begin_of_day(first, zone),
            until=begin_of_day(after, zone),
            before=begin_of_day(first + ISSUED_AFTER, zone),
            issued_at=begin_of_day(after + ISSUED_AFTER, zone),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A wallet's month. `lines` as issued, each with the balance after it; `later`: what is known since."""

    number: str
    opening: int
    closing: int
    lines: Sequence[Mapping[str, Any]]
    later: Sequence[Mapping[str, Any]]
    totals: Mapping[str, int]

    @property
    def closing_now(self) -> int:
        return self.closing + sum(int(line["amount"]) for line in self.later)

    def rows(self, month: Month, currency: str) -> list[dict[str, Any]]:
        """What a file holds: the page's lines between its two balances, then what became known since."""
        blank = {"currency": currency, "amount": None, "source": "", "memo": "", "recorded_at": None}
        opening = {**blank, "occurred_at": month.since, "event_type": "opening balance"}
        closing = {**blank, "occurred_at": month.until, "event_type": "closing balance, as issued"}
        known = {**blank, "occurred_at": month.until, "event_type": "closing balance, as known now"}
        return [
            {**opening, "balance": self.opening},
            *map(dict, self.lines),
            {**closing, "balance": self.closing},
            *({**line, "balance": None} for line in self.later),
            {**known, "balance": self.closing_now},
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """What a statement was when it was issued. known_at: what was recorded until then is in it."""

    wallet: str
    month: str
    currency: str
    ends_at: datetime
    known_at: datetime
    opening: int
    closing: int
    lines: int
    content_hash: str


def issued(statement: Statement, wallet: str, month: Month, currency: str) -> Issued:
    """What is kept of a statement when it is issued."""
    return Issued(
        wallet=wallet,
        month=month.name,
        currency=currency,
        ends_at=month.until,
        known_at=month.issued_at,
        opening=statement.opening,
        closing=statement.closing,
        lines=len(statement.lines),
        content_hash=content_hash(statement, currency),
    )


def content_hash(statement: Statement, currency: str) -> str:
    """The SHA-256 of the number, the balances and the lines as issued, in hex."""
    lines = [
        [_instant(line["occurred_at"]), _instant(line["recorded_at"]), line["source"], line["amount"]]
        for line in statement.lines
    ]
    said = [statement.number, currency, statement.opening, statement.closing, lines]
    return sha256(json.dumps(said, separators=(",", ":")).encode()).hexdigest()


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def month_to_issue(latest: str | None, now: datetime, zone: str) -> Month | None:
    """The month whose statements are issued next: after the latest of which all are; None: none is due.

    The first time it is the newest that is over: what was before anybody kept it is asked of the ledger only.
    """
    if latest is None:
        name = f"{local_date(now, zone):%Y-%m}"
        for _ in range(2):
            name = f"{date.fromisoformat(name + '-01') - timedelta(days=1):%Y-%m}"
            if (month := Month.of(name, zone)) and due_at(month) <= now:
                return month
        return None
    month = Month.of(f"{next_month(date.fromisoformat(latest + '-01')):%Y-%m}", zone)
    return month if month and due_at(month) <= now else None


def due_at(month: Month) -> datetime:
    """From when the statements of a month are issued."""
    return month.issued_at + KEPT_AFTER


def stated(wallet: str, month: Month, opening: int, entries: Sequence[Mapping[str, Any]]) -> Statement:
    """The statement of a month.

    opening: what the statement before it ended with. entries: all that occurred in the month, and of earlier
    ones what was recorded after that statement was issued; in their order.
    """
    balance, lines, totals = opening, list[Mapping[str, Any]](), dict[str, int]()
    for entry in entries:
        if entry["recorded_at"] <= month.issued_at:
            balance += entry["amount"]
            lines.append({**entry, "balance": balance})
            totals[entry["event_type"]] = totals.get(entry["event_type"], 0) + entry["amount"]
    return Statement(
        number=f"{month.name}/{wallet}",
        opening=opening,
        closing=balance,
        lines=lines,
        later=[entry for entry in entries if entry["recorded_at"] > month.issued_at],
        totals=totals,
    )


def months(first: datetime | None, now: datetime, zone: str) -> list[Month]:
    """The months of a wallet whose first entry is of `first`, the newest first."""
    found: list[Month] = []
    name = f"{local_date(now, zone):%Y-%m}"
    while first is not None and (month := Month.of(name, zone)) and month.until > first:
        found.append(month)
        name = f"{date.fromisoformat(name + '-01') - timedelta(days=1):%Y-%m}"
    return found
