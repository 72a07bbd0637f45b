"""Posted adjustments, and what payouts, the ledger and people say of how they are settled."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from fleet.database import Database
from fleet.envelope import Record
from schemas.decisions import DecisionTaken
from schemas.journals import JournalRefused
from schemas.refunds import RefundSettled
from schemas.reversals import ReversalSettled
from schemas.transfers import PartTaken, TransferSent
from services.adjustments.desk.settlements import ACTIONS
from services.adjustments.handlers import (
    take_posted,
    take_refund_settled,
    take_refused,
    take_reversal_settled,
    take_transfer_sent,
)
from tests.integration.adjustments.stories import (
    NOW,
    decide,
    journals,
    posted,
    propose,
    revised,
    staged,
    states,
)
from tests.support.decisions import answered, decision
from tests.support.records import record

INES, ANNA, SCHOOL = "instructor:ines", "student:anna", "platform:school"


async def given_posted(db: Database, *records: Record, approver: str | None = None) -> None:
    """Adjustments that the ledger posted, F1:2 unless told otherwise; approved by `approver` if needed."""
    await propose(db, *(records or (revised(),)))
    for name, state in (await states(db)).items():
        if approver is not None and state == "waiting":
            assert (await decide(db, "approve", name, approver)).outcome == "done"
    await post_adjustments(db)


async def post_adjustments(db: Database) -> None:
    asked = {source: entries for source, entries in (await journals(db)).items() if "adjustment:" in source}
    await take_posted(db, [posted(source, entries) for source, entries in asked.items()], clock=lambda: NOW)


async def settle(
    db: Database,
    action: str = "settle",
    *,
    who: str = "bob",
    why: str = "agreed",
    name: str = "F1:2",
    **told: Any,
) -> DecisionTaken:
    """A person's decision about how a party is settled; `told` are its parameters."""
    dry_run = told.pop("dry_run", False)
    asked = decision("adjustments", action, name, told, who=who, why=why, dry_run=dry_run)
    return await answered(db, ACTIONS, asked)


async def answer_settlements(db: Database) -> int:
    """Post every journal of a settlement that was asked for; how many were asked for."""
    asked = {source: entries for source, entries in (await journals(db)).items() if "settlement:" in source}
    await take_posted(db, [posted(source, entries) for source, entries in asked.items()], clock=lambda: NOW)
    return len(asked)


async def refuse_settlements(db: Database) -> None:
    """Refuse every journal of a settlement that was asked for."""
    asked = [source for source in await journals(db) if source.startswith("settlement:")]
    events = [
        JournalRefused(
            source=source, event_type="settlement", reason="period_closed", sentence="it is closed"
        )
        for source in asked
    ]
    await take_refused(db, [record("journal.refused", e, key=e.source) for e in events], clock=lambda: NOW)


def sent(
    *sources: str,
    wallet: str = INES,
    transfer: str = "T1",
    at: datetime = NOW,
    amount: int = 9_000,
    parts: Sequence[tuple[str, int]] = (),
    deducted: Sequence[tuple[str, int]] = (),
) -> Record:
    """A `transfer.sent` record that paid or deducted these sources. parts: debts that it took a part of.

    deducted: debts that it took the last cent of, which are sources too.
    """
    event = TransferSent(
        transfer_id=uuid5(NAMESPACE_URL, transfer),
        payee=wallet.partition(":")[2],
        wallet=wallet,
        amount=amount,
        currency="USD",
        stripe_transfer_id=f"tr_{transfer}",
        stripe_account="acct_1",
        sources=[*sources, *(source for source, _ in deducted)],
        parts=[PartTaken(source=source, amount=taken) for source, taken in parts],
        deducted=[PartTaken(source=source, amount=taken) for source, taken in deducted],
        sent_at=at,
        clawback_until=at + timedelta(hours=72),
    )
    return record("transfer.sent", event, key=str(event.transfer_id))


async def send(db: Database, *records: Record, now: datetime = NOW) -> None:
    await take_transfer_sent(db, list(records), clock=lambda: now)


def reversal(
    settlement_id: str | UUID, back: int, *, asked: int = 1_750, reason: str = "done", wallet: str = INES
) -> Record:
    """A `reversal.settled` record: so much of what was asked came back."""
    event = ReversalSettled(
        settlement_id=UUID(str(settlement_id)),
        wallet=wallet,
        currency="USD",
        source="adjustment:F1:2",
        asked=asked,
        reversed=back,
        reversals=["trr_1"] if back else [],
        reason=reason,
        sentence=f"{back} came back",
        settled_at=NOW,
    )
    return record("reversal.settled", event, key=wallet)


async def answer_reversals(db: Database, *records: Record) -> None:
    await take_reversal_settled(db, list(records), clock=lambda: NOW)


async def asked_reversals(db: Database) -> list[dict[str, Any]]:
    return await staged(db, "reversal.requested")


def refund(settlement_id: str | UUID, amount: int, *refunds: str, asked: int = 4_000) -> Record:
    """A `refund.settled` record: so much of what was asked went back to the student's card."""
    event = RefundSettled(
        settlement_id=UUID(str(settlement_id)),
        wallet=ANNA,
        currency="USD",
        source="adjustment:F1:2",
        asked=asked,
        refunded=amount,
        refunds=list(refunds or ["re_1"] * bool(amount)),
        reason="done" if amount == asked else "short",
        sentence=f"{amount} went back",
        settled_at=NOW,
    )
    return record("refund.settled", event, key=ANNA)


async def answer_refunds(db: Database, *records: Record) -> None:
    await take_refund_settled(db, list(records), clock=lambda: NOW)


async def asked_refunds(db: Database) -> list[dict[str, Any]]:
    return await staged(db, "refund.requested")


async def where(db: Database) -> dict[str, str]:
    """The state of each adjustment, by name."""
    async with db.transaction() as tx:
        rows = await tx.all("SELECT flight_id, revision, state FROM adjustment ORDER BY flight_id, revision")
    return {f"{row.flight_id}:{row.revision}": row.state for row in rows}


async def settling_steps(db: Database, name: str = "F1:2") -> list[tuple[str | None, str, str]]:
    """An adjustment's history since it was posted: from, to, by whom."""
    flight_id, _, revision = name.rpartition(":")
    async with db.transaction() as tx:
        rows = await tx.all(
            "SELECT from_state, to_state, who FROM adjustment_history JOIN adjustment"
            " ON adjustment.id = adjustment_id WHERE flight_id = :flight AND revision = :revision"
            " AND to_state IN ('settling', 'settled') ORDER BY adjustment_history.id",
            flight=flight_id,
            revision=int(revision),
        )
    return [(row.from_state, row.to_state, row.who) for row in rows]


async def settlements(db: Database, wallet: str = INES, name: str = "F1:2") -> list[tuple[str, str, int]]:
    """The settlements of a party: method, state, amount, in their order."""
    flight, _, revision = name.rpartition(":")
    async with db.transaction() as tx:
        rows = await tx.all(
            "SELECT method, s.state, amount FROM settlement AS s JOIN adjustment AS a ON a.id = adjustment_id"
            " WHERE wallet = :wallet AND flight_id = :flight AND revision = :revision ORDER BY number",
            wallet=wallet,
            flight=flight,
            revision=int(revision),
        )
    return [(row.method, row.state, row.amount) for row in rows]


async def told(db: Database, recipient: str) -> list[tuple[str, str]]:
    """What somebody was told: kind and sentence, in order."""
    every = await staged(db, "notification.requested")
    return [(one["kind"], one["sentence"]) for one in every if one["recipient"] == recipient]


def journal_of(asked: Mapping[str, Mapping[str, int]]) -> Sequence[Mapping[str, int]]:
    """The entries of the settlements' journals."""
    return [entries for source, entries in asked.items() if source.startswith("settlement:")]
