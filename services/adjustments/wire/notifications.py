"""What students, payees and finance are told of corrections, as `notification.requested`. Ids only."""

from collections.abc import Mapping, Sequence
from typing import Literal

from fleet.envelope import Message
from fleet.money import format_minor
from schemas.notifications import NotificationRequested
from services.adjustments.domain.adjustments import Adjustment, Kind

_Told = Literal["student", "instructor", "aircraft_owner"]
_PEOPLE: dict[str, _Told] = {
    "student": "student",
    "instructor": "instructor",
    "aircraft_owner": "aircraft_owner",
}


_CAUSES: dict[Kind, str] = {
    "corrected": "was corrected",
    "cancelled": "was cancelled",
    "manual": "was corrected by hand, which other software had billed",
    "recovered": "was paid with money about which the student's bank decided",
}


def waiting(adjustment: Adjustment) -> Message:
    """Tell finance that an adjustment waits for a person."""
    return _finance(adjustment, "adjustment_waiting")


def expired(adjustment: Adjustment) -> Message:
    """Tell finance that nobody decided in time."""
    return _finance(adjustment, "adjustment_expired")


def many(adjustments: Sequence[Adjustment]) -> Message:
    """Tell finance of many adjustments in one state that came there together: not of each."""
    first = adjustments[0]
    largest = max(adjustments, key=lambda one: one.largest)
    sentence = (
        f"{len(adjustments)} adjustments are {first.state}; the largest difference is "
        f"{_money(largest.largest, largest.currency)}, of {largest.name}. `hobbs adjustments list` shows all."
    )
    event = NotificationRequested(
        recipient_kind="finance",
        recipient="finance",
        kind=f"adjustments_{first.state}",
        about=first.name,
        sentence=sentence,
        facts={"count": str(len(adjustments)), "state": str(first.state), "largest": str(largest.largest)},
    )
    return Message(topic="notification.requested", key="finance", event=event, cause=first.trace)


def failed(adjustment: Adjustment) -> Message:
    """Tell finance that the ledger refused the journal."""
    return _finance(adjustment, "adjustment_failed")


def posted(adjustment: Adjustment, how: Mapping[str, str]) -> list[Message]:
    """Tell every person whose amount changed: old and new amount, the difference, and what comes next.

    how: by wallet, the sentence that says how it is settled.
    """
    return [
        _message(
            adjustment,
            kind,
            person,
            "flight_corrected",
            f"{_sentence(adjustment, kind, wallet, amount)} {how.get(wallet, '')}".rstrip(),
            wallet,
        )
        for wallet, amount in adjustment.differences.items()
        for kind, person in [_person(wallet)]
        if kind is not None
    ]


def _person(wallet: str) -> tuple[_Told | None, str]:
    kind, _, person = wallet.partition(":")
    return _PEOPLE.get(kind), person


def _sentence(adjustment: Adjustment, kind: _Told, wallet: str, amount: int) -> str:
    """A student reads what the flight costs, a payee what it earns."""
    sign, word = (-1, "costs") if kind == "student" else (1, "pays")
    old = _money(sign * adjustment.before(wallet), adjustment.currency)
    new = _money(sign * adjustment.entries.get(wallet, 0), adjustment.currency)
    change = _money(abs(amount), adjustment.currency)
    more = "more" if sign * amount > 0 else "less"
    cause = _CAUSES[adjustment.kind]
    return f"Flight {adjustment.flight} {cause}: it {word} you {new} instead of {old}, {change} {more}."


def _finance(adjustment: Adjustment, kind: str) -> Message:
    sentence = f"Adjustment {adjustment.name} by {adjustment.made_by}: {adjustment.sentence}"
    return _message(adjustment, "finance", "finance", kind, sentence[:2000], None)


def _message(
    adjustment: Adjustment,
    recipient_kind: _Told | Literal["finance"],
    recipient: str,
    kind: str,
    sentence: str,
    wallet: str | None,
) -> Message:
    facts = {
        "flight": adjustment.flight,
        "revision": str(adjustment.revision),
        "currency": adjustment.currency,
    }
    if wallet is None:
        facts |= {"state": str(adjustment.state), "largest": str(adjustment.largest)}
    else:
        facts |= {
            "old": str(adjustment.before(wallet)),
            "new": str(adjustment.entries.get(wallet, 0)),
            "difference": str(adjustment.differences[wallet]),
        }
    event = NotificationRequested(
        recipient_kind=recipient_kind,
        recipient=recipient,
        kind=kind,
        about=adjustment.name,
        sentence=sentence,
        facts=facts,
    )
    return Message(topic="notification.requested", key=recipient, event=event, cause=adjustment.trace)


def _money(amount: int, currency: str) -> str:
    return f"{format_minor(amount, currency)} {currency}"
