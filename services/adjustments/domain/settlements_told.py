"""The sentences of settlements: for their history, and for the payees and students they are about. Pure."""

from collections.abc import Mapping
from typing import Final

from fleet.money import format_minor
from services.adjustments.domain.settlements import BY_TRANSFER, Method, Settlement, SettlementState

_M = Method
_BEGUN: Final[Mapping[Method, str]] = {
    _M.BOOKS: "the books carry it",
    _M.CREDIT: "it is credited to the student's account",
    _M.CHARGE: "it is charged to the student's account",
    _M.PAYOUT: "it is paid with the payee's next transfer",
    _M.FUTURE_PAYOUT_OFFSET: "it is taken off what the payee is paid next",
    _M.STRIPE_REVERSAL: "payouts is asked to take it back at Stripe",
    _M.REFUND: "payouts is asked to refund it to the card it was paid with",
    _M.FORGIVEN: "the school bears it; the ledger is asked to post that",
    _M.WRITTEN_OFF: "it is written off; the ledger is asked to post that",
}

_CREDITED: Final = "It is credited to your account and used for what you fly next."


def money(amount: int, currency: str) -> str:
    """An amount without its sign."""
    return f"{format_minor(abs(amount), currency)} {currency}"


def begun(settlement: Settlement) -> str:
    """How it is settled, for the history."""
    if settlement.state is SettlementState.SETTLED and settlement.method in BY_TRANSFER:
        return f"transfer {settlement.proof} carried it"
    if settlement.state is SettlementState.SETTLED and settlement.method is _M.REFUND:
        return f"{settlement.proof} gave it back"
    if settlement.state is SettlementState.SETTLED and settlement.method is _M.STRIPE_REVERSAL:
        return f"{settlement.proof} brought it back before the database was restored"
    if settlement.cheque is not None:
        cheque = f"cheque {settlement.cheque.number} of {settlement.cheque.paid_on.isoformat()}"
        return f"{cheque} pays it; the ledger is asked to post that"
    return _BEGUN[settlement.method]


def told(settlement: Settlement, left: int) -> str | None:
    """What the party is told when its settlement begins; None when nothing follows for them.

    left: what the party still owes in all because of corrections, minor units.
    """
    sentence = _told(settlement)
    owes = settlement.amount < 0 and left > 0 and settlement.method in (*BY_TRANSFER, _M.STRIPE_REVERSAL)
    rest = f" In all, {money(left, settlement.currency)} are left to settle." if owes else ""
    return sentence and sentence + rest


def _told(settlement: Settlement) -> str | None:
    what, cheque = money(settlement.amount, settlement.currency), settlement.cheque
    if settlement.method in BY_TRANSFER and settlement.state is SettlementState.SETTLED:
        return f"{what} of this correction was settled with a transfer that is on its way already."
    match settlement.method:
        case Method.STRIPE_REVERSAL if settlement.state is SettlementState.SETTLED:
            return f"{what} was taken back from your Stripe account."
        case Method.CREDIT if settlement.instead_of is _M.REFUND:
            return f"{what} could not be refunded to your card. {_CREDITED}"
        case Method.REFUND if settlement.state is SettlementState.ASKED:
            return f"{what} is refunded to the card that you paid with, as far as its payments allow."
        case Method.CREDIT:
            return f"{what} is credited to your account and used for what you fly next."
        case Method.CHARGE:
            return f"{what} is charged to your account and due with your balance."
        case Method.PAYOUT:
            return f"{what} is paid to you with your next transfer."
        case Method.FUTURE_PAYOUT_OFFSET:
            return f"{what} is taken off what you are paid next. You need not do anything."
        case Method.STRIPE_REVERSAL:
            return (
                f"{what} is taken back from your Stripe account, as far as it is there; the rest is taken "
                "off what you are paid next."
            )
        case Method.MANUAL_CHECK:
            assert cheque is not None, "the database asks for it"
            way = "paid to you by" if settlement.amount > 0 else "paid by your"
            return f"{what} was {way} cheque or receipt {cheque.number} of {cheque.paid_on.isoformat()}."
        case Method.FORGIVEN:
            return f"The school bears {what} of this correction. You owe nothing for it."
        case Method.WRITTEN_OFF:
            return f"The school no longer collects {what} of this correction."
        case _:
            return None


def settled(settlement: Settlement, amount: int, left: int) -> str | None:
    """What a party is told when a transfer, reversal or refund settled it; None for every other way.

    amount: what was settled of it. left: as for `told`.
    """
    what = money(amount, settlement.currency)
    said = {
        _M.PAYOUT: f"{what} of a correction is on its way to your Stripe account.",
        _M.FUTURE_PAYOUT_OFFSET: f"{what} of a correction was taken off a transfer to you.",
        _M.STRIPE_REVERSAL: f"{what} of a correction was taken back from your Stripe account.",
        _M.REFUND: f"{what} of a correction was refunded to the card that you paid with.",
    }.get(settlement.method)
    if said is None or amount > 0:
        return said
    rest = f"{money(left, settlement.currency)} are" if left else "Nothing is"
    return f"{said} {rest} left to settle."
