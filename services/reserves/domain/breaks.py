"""What of the difference between Stripe and the books has which name, and what is proposed for it. Pure.

A half that is young is of class timing: the other half is on its way. Signs: a break's amount is what it adds
to Stripe less books; a proposed journal moves the books' cash by it.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from fleet.money import format_minor
from services.reserves.domain.lines import EXTERNAL_STRIPE, PAYMENTS

SCHOOL: Final = "platform:school"
BANK: Final = "external:bank"
UNALLOCATED: Final = "liability:unallocated"
DISPUTES: Final = "liability:disputes"

# Type of a row -> the wallet that its money most likely is of, when nobody else booked it.
COUNTERPARTS: Final = {
    "charge": UNALLOCATED,
    "payment": UNALLOCATED,
    "payment_failure_refund": UNALLOCATED,
    "refund": UNALLOCATED,
    "payment_refund": UNALLOCATED,
    "refund_failure": UNALLOCATED,
    "adjustment": DISPUTES,
    "stripe_fee": SCHOOL,
    "stripe_fx_fee": SCHOOL,
    "tax_fee": SCHOOL,
    "network_cost": SCHOOL,
    "application_fee": SCHOOL,
    "application_fee_refund": SCHOOL,
    "contribution": SCHOOL,
    "transfer": SCHOOL,
    "transfer_refund": SCHOOL,
    "transfer_cancel": SCHOOL,
    "transfer_failure": SCHOOL,
    "connect_collection_transfer": SCHOOL,
    "payout": BANK,
    "payout_cancel": BANK,
    "payout_failure": BANK,
    "topup": BANK,
    "topup_reversal": BANK,
    "advance": BANK,
    "advance_funding": BANK,
    "reserve_transaction": "external:stripe-reserve",
    "reserve_hold": "external:stripe-reserve",
    "reserve_release": "external:stripe-reserve",
    "reserved_funds": "external:stripe-reserve",
    "payment_network_reserve_hold": "external:stripe-reserve",
    "payment_network_reserve_release": "external:stripe-reserve",
    "payout_minimum_balance_hold": "external:stripe-reserve",
    "payout_minimum_balance_release": "external:stripe-reserve",
}
STANDS_IN: Final = "stripe:"  # begins the source of what was booked for a row, by its id
FEES: Final = frozenset({"stripe_fee", "stripe_fx_fee", "tax_fee", "network_cost"})
# What somebody does in Stripe's dashboard when no operation or payment of ours did it.
BY_HAND: Final = frozenset(
    {"transfer", "transfer_refund", "transfer_cancel", "refund", "payment_refund", "topup", "payout"}
)


class Class(StrEnum):
    """What a break is."""

    TIMING = "timing"
    FEE = "fee"
    MISSING_JOURNAL = "missing_journal"
    MISSING_AT_STRIPE = "missing_at_stripe"
    DUPLICATE = "duplicate"
    AMOUNT_DIFFERS = "amount_differs"
    CURRENCY = "currency"
    MADE_BY_HAND = "made_by_hand"
    UNKNOWN_TYPE = "unknown_type"
    OPENING = "opening"


class Kind(StrEnum):
    """What accepting a proposal does: ask for a journal, for a revert, leave a line alone; or nothing yet."""

    JOURNAL = "journal"
    REVERT = "revert"
    LEAVE = "leave"
    WAIT = "wait"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLine:
    """A line without its journals. counts: what of it the books should have. twin: a matched line like it.

    is_own: it is of a refund that Hobbs ordered.
    """

    transaction_id: str
    type: str
    balance_type: str
    net: int
    counts: int
    currency: str
    source_id: str | None
    expected: tuple[str, ...]
    day: date
    at: datetime
    twin: str | None
    is_own: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenJournal:
    """A journal without a line. twin: the source of a matched journal like it."""

    journal_id: str
    source: str
    event_type: str
    currency: str
    amount: int
    day: date
    twin: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What a match leaves in one currency. lines: id, type, amount, fee; journals: source, type, cash."""

    match_id: str
    currency: str
    amount: int
    day: date
    at: datetime
    lines: tuple[tuple[str, str, int, int], ...]
    journals: tuple[tuple[str, str, int], ...]
    currencies: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """One part of the difference with its name, and what is proposed for it."""

    subject: str
    kind_of: Class
    currency: str
    amount: int
    day: date
    sentence: str
    proposal: dict[str, Any]


def of_line(line: OpenLine, *, settled_before: date) -> Break:
    """The break of a line. settled_before: what is older than this day is no matter of timing."""
    known = line.type in COUNTERPARTS
    proposal = _journal(
        f"stripe:{line.transaction_id}",
        COUNTERPARTS.get(line.type, SCHOOL),
        line.counts,
        line.at,
        f"Stripe's {line.type} {line.source_id or line.transaction_id}",
    )
    if line.balance_type != PAYMENTS:
        kind, proposal = Class.UNKNOWN_TYPE, {"kind": Kind.LEAVE}
        said = f"a {line.type} of Stripe's balance {line.balance_type}, which the books do not have"
    elif not known:
        kind, said = Class.UNKNOWN_TYPE, f"a row of type {line.type}, which Hobbs does not know"
    elif line.day >= settled_before:
        kind, proposal = Class.TIMING, {"kind": Kind.WAIT}
        said = f"{_a(line.type)} whose journal is on its way"
    else:
        kind, said = _real(line)
    return Break(
        subject=f"line:{line.transaction_id}",
        kind_of=kind,
        currency=line.currency,
        amount=line.counts,
        day=line.day,
        sentence=f"{line.transaction_id} of {format_minor(line.net, line.currency)} {line.currency}: {said}",
        proposal=proposal,
    )


def _real(line: OpenLine) -> tuple[Class, str]:
    if line.twin is not None:
        return Class.DUPLICATE, f"it is like {line.twin}, which is in the books: charged or shown twice"
    if line.type in FEES:
        return Class.FEE, "a fee of Stripe's that nobody booked"
    if line.type in BY_HAND and not line.is_own:
        return Class.MADE_BY_HAND, f"{_a(line.type)} that is none of Hobbs': made in Stripe's dashboard"
    named = " and ".join(line.expected) or "for it"
    return Class.MISSING_JOURNAL, f"the books have no journal {named}"


def of_journal(journal: OpenJournal, *, settled_before: date) -> Break:
    """The break of a journal that no line of Stripe's is."""
    cash = -journal.amount
    proposal: dict[str, Any] = {"kind": Kind.REVERT, "reverts": journal.source}
    if journal.day >= settled_before:
        kind, said, proposal = Class.TIMING, "Stripe's row is on its way", {"kind": Kind.WAIT}
    elif journal.twin is not None:
        kind, said = Class.DUPLICATE, f"it is like {journal.twin}, which Stripe has: booked twice"
    else:
        kind, said = Class.MISSING_AT_STRIPE, "Stripe has no row of it"
    return Break(
        subject=f"journal:{journal.journal_id}",
        kind_of=kind,
        currency=journal.currency,
        amount=journal.amount,
        day=journal.day,
        sentence=f"journal {journal.source} moves {format_minor(cash, journal.currency)} {journal.currency}"
        f" at Stripe: {said}",
        proposal=proposal,
    )


def of_difference(found: Difference) -> Break:
    """The break of a match whose parts do not add up to nothing."""
    names = " and ".join([*(line[0] for line in found.lines), *(one[0] for one in found.journals)])
    kind, said, proposal = _differing(found)
    return Break(
        subject=f"match:{found.match_id}:{found.currency}",
        kind_of=kind,
        currency=found.currency,
        amount=found.amount,
        day=found.day,
        sentence=f"{names} differ by {format_minor(found.amount, found.currency)} {found.currency}: {said}",
        proposal=proposal,
    )


def _differing(found: Difference) -> tuple[Class, str, dict[str, Any]]:
    reverts = [source for source, _, _ in found.journals if source.startswith("revert:")]
    fix = _fix(found, SCHOOL)
    if found.currencies > 1:
        if found.journals and not found.lines:
            revert = {"kind": Kind.REVERT, "reverts": found.journals[0][0]}
            return Class.CURRENCY, "the journal is in another currency than Stripe's row", revert
        return Class.CURRENCY, "Stripe's row is in another currency than its journal", fix
    booked = [moved for _, _, moved in found.journals]
    if found.lines and -found.amount in booked and len(booked) > len(found.lines) and not reverts:
        like = [source for source, _, moved in found.journals if moved == -found.amount]
        # What was accepted for a row stood in for the journal that came after all.
        extra = next((source for source in like if source.startswith(STANDS_IN)), like[-1])
        revert = {"kind": Kind.REVERT, "reverts": extra}
        return Class.DUPLICATE, f"{extra} books what the others book already", revert
    if found.lines and not reverts and _is_fee(found):
        return Class.FEE, "Stripe's fee is another than the books have", fix
    said = "a journal was reverted that Stripe's row is of" if reverts else "the amounts are not the same"
    kind = Class.MISSING_JOURNAL if reverts and found.lines else Class.AMOUNT_DIFFERS
    counterpart = COUNTERPARTS.get(found.lines[0][1], SCHOOL) if found.lines else SCHOOL
    return kind, said, _fix(found, counterpart)


def _is_fee(found: Difference) -> bool:
    """Whether the gross amounts are the same on both sides, so that only the fees differ."""
    gross = sum(amount for _, _, amount, _ in found.lines)
    without_fees = sum(moved for _, event_type, moved in found.journals if not event_type.endswith("_fee"))
    return gross == without_fees


def _fix(found: Difference, counterpart: str) -> dict[str, Any]:
    name = found.lines[0][0] if found.lines else found.match_id
    taken = sum(source.startswith(f"stripe:{name}") for source, _, _ in found.journals)
    source = f"stripe:{name}:{taken + 1}" if taken or found.journals else f"stripe:{name}"
    return _journal(source, counterpart, found.amount, found.at, f"what differs of Stripe's {name}")


def _journal(source: str, counterpart: str, cash: int, at: datetime, memo: str) -> dict[str, Any]:
    """A journal that moves the books' cash at Stripe by so much."""
    if not cash:
        return {"kind": Kind.LEAVE}
    entries = [[counterpart, cash], [EXTERNAL_STRIPE, -cash]]
    return {
        "kind": Kind.JOURNAL,
        "source": source,
        "entries": entries,
        "occurred_at": at.isoformat(),
        "memo": memo,
    }


def of_opening(currency: str, amount: int, day: date, at: datetime) -> Break:
    """The break of all that was there before Stripe's rows were listed: their rows, journals of that time."""
    return Break(
        subject=f"opening:{currency}",
        kind_of=Class.OPENING,
        currency=currency,
        amount=amount,
        day=day,
        sentence=f"Stripe held {format_minor(amount, currency)} {currency} more than the books when its rows "
        "were first listed: hobbs reserve backfill --since DATE lists what was before",
        proposal=_journal(
            f"stripe:opening:{currency}",
            SCHOOL,
            amount,
            at,
            "what Stripe held when its rows were first listed",
        ),
    )


def through(proposal: dict[str, Any], wallet: str) -> dict[str, Any]:
    """The same journal with another wallet for Stripe's counterpart."""
    [(_, cash), own] = proposal["entries"]
    return proposal | {"entries": [[wallet, cash], own]}


def needed(amount: int, accepted_by_one_up_to: int) -> int:
    """How many persons must accept a proposal of this amount."""
    return 2 if abs(amount) > accepted_by_one_up_to else 1


def _a(word: str) -> str:
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"
