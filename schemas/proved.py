"""What one service tells another and proves by its key, and who reads it (docs/decisions/0330).

A test holds it to the table of topics: each topic that a service publishes and a service reads. Not among
them: webhooks, which carry a proof in their body (attestation.py), and letters that a service sends itself.
Standard library only: deploy/make_secrets.py runs before anything is installed.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from schemas.services import SERVICES


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """A topic: the services that publish on it, and those that read it.

    others: who is no service publishes there too; a record without a proof is theirs, and no service's.
    foreign: some of them are not of ours, so that nobody's own id counts there without a proof.
    """

    by: tuple[str, ...]
    read_by: tuple[str, ...]
    others: bool = False
    foreign: bool = False


_GATEWAYS: Final = Proved(by=("gateway",), read_by=("billing",), others=True, foreign=True)
_FLOWN: Final = Proved(by=("gateway", "billing"), read_by=("billing",), others=True, foreign=True)
PROVED: Final[Mapping[str, Proved]] = {
    "flight.completed": _FLOWN,
    "flight.corrected": _FLOWN,
    "flight.cancelled": _GATEWAYS,
    "flight.dispatched": _GATEWAYS,
    "flight.estimated": Proved(by=("billing",), read_by=("receivables",)),
    "flight.revised": Proved(by=("billing",), read_by=("adjustments",)),
    "school.configured": Proved(by=("billing",), read_by=("billing",)),
    "school.accepted": Proved(by=("billing",), read_by=("payouts", "adjustments", "reserves", "receivables")),
    "contact.changed": Proved(by=("billing",), read_by=("payouts",), others=True),
    "journal.requested": Proved(
        by=("billing", "payouts", "receivables", "adjustments", "reserves"), read_by=("ledger",)
    ),
    "revert.requested": Proved(by=("reserves",), read_by=("ledger",)),
    "hold.requested": Proved(by=("receivables",), read_by=("ledger",)),
    "group.requested": Proved(by=(), read_by=("ledger",)),  # no service asks: it would be an unproved journal
    "limit.requested": Proved(by=(), read_by=("ledger",)),  # nor for limits: people decide on them
    "journal.posted": Proved(by=("ledger",), read_by=("payouts", "adjustments", "reserves", "receivables")),
    "journal.refused": Proved(by=("ledger",), read_by=("adjustments", "reserves")),
    "hold.changed": Proved(by=("ledger",), read_by=("receivables",)),
    "hold.refused": Proved(by=("ledger",), read_by=("receivables",)),
    "reversal.requested": Proved(by=("adjustments",), read_by=("payouts",)),
    "reversal.settled": Proved(by=("payouts",), read_by=("adjustments",)),
    "refund.requested": Proved(by=("adjustments", "receivables"), read_by=("payouts",)),
    "refund.settled": Proved(by=("payouts",), read_by=("adjustments", "receivables", "reserves")),
    "charge.requested": Proved(by=("receivables",), read_by=("payouts",)),
    "charge.answered": Proved(by=("payouts",), read_by=("receivables",)),
    "charge.settled": Proved(by=("payouts",), read_by=("receivables",)),
    "payment.received": Proved(by=("receivables",), read_by=("payouts",)),
    "dunning.requested": Proved(by=("receivables",), read_by=("payouts",)),
    "transfer.sent": Proved(by=("payouts",), read_by=("adjustments", "reserves")),
    "stripe.transaction": Proved(by=("payouts",), read_by=("reserves",)),
    "stripe.balance": Proved(by=("payouts",), read_by=("reserves",)),
    "reserve.gate": Proved(by=("reserves",), read_by=("payouts",)),
}
PROVES: Final = tuple(who for who in SERVICES if any(who in topic.by for topic in PROVED.values()))
READS_PROVED: Final = tuple(who for who in SERVICES if any(who in topic.read_by for topic in PROVED.values()))


def key_of_topic(key: str, topic: str) -> str:
    """What proves, and checks, a publisher's records on one topic: no key of another topic follows from it.

    As fleet/proofs.py has it; a test compares them.
    """
    return hmac.digest(key.encode(), f"hobbs topic 1 {topic}".encode(), "sha256").hex()


def publishers_keys(reader: str, keys: Mapping[str, Sequence[str]]) -> str:
    """The setting by which a service knows whoever it reads. keys: of each publisher, all that are valid."""
    return ",".join(
        f"{who}/{topic}:{key_of_topic(key, topic)}"
        for topic, proved in PROVED.items()
        if reader in proved.read_by
        for who in proved.by
        for key in keys.get(who, ())
    )
