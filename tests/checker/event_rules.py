"""Rules between outbox, topic and inbox: nothing is lost, invented, or said twice in other words."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.checker.world import World, grouped

# Who reads what, from the table in docs/architecture.md.
READERS = {
    "flight.completed": ("billing",),
    "school.configured": ("billing", "payouts"),
    "journal.requested": ("ledger",),
    "journal.posted": ("payouts",),
    "stripe.webhook": ("payouts", "receivables"),
    "charge.settled": ("receivables",),
}
# By the folders, because the checker imports nothing of what it checks.
SERVICES = tuple(sorted(app.parent.name for app in Path(__file__).parents[2].glob("services/*/app.py")))


def outboxes_are_empty(world: World) -> Iterator[str]:
    """With nothing under way every event has reached its topic."""
    for service in SERVICES:
        if waiting := len(world.rows(f"{service}.outbox")):
            yield f"{waiting} events of {service} are still in its outbox"


def every_record_was_taken_in(world: World) -> Iterator[str]:
    """Each record is in the inbox of each of its readers, by its own id or by what it says, or is dead."""
    for topic, readers in READERS.items():
        for service in readers:
            ids = {str(row["event_key"]) for row in world.rows(f"{service}.inbox")}
            hashes = {row["payload_hash"] for row in world.rows(f"{service}.inbox")}
            dead = {row["payload_hash"] for row in world.rows(f"{service}.dead_letter")}
            for record in world.records(topic):
                if record.event_id in ids or record.said in hashes or record.digest in dead:
                    continue
                yield f"{record} never reached {service}"


def nothing_was_taken_in_that_nobody_said(world: World) -> Iterator[str]:
    """Every event the ledger took in is on its topic."""
    said = {record.event_id for record in world.records("journal.requested")}
    for row in world.rows("ledger.inbox"):
        if str(row["event_key"]) not in said:
            yield f"the ledger took in event {row['event_key']}, which is on no topic"


def one_event_says_one_thing(world: World) -> Iterator[str]:
    """However often an event of ours is on its topic, its id and its words are the same."""
    for topic, records in world.topics.items():
        if topic in ("flight.completed", "flight.corrected"):
            continue  # other people's publishers may say anything
        for id, same in grouped(records, lambda record: record.event_id).items():
            if id and len({record.said for record in same}) > 1:
                yield f"event {id} on {topic} says {len({r.said for r in same})} different things"


def what_happened_was_told(world: World) -> Iterator[str]:
    """A bill, a journal, a sent transfer and a received payment each have their event, one each."""
    bills = {(b["flight_id"], b["revision"]) for b in world.rows("billing.bill")}
    yield from _told(world, "flight.billed", bills, lambda b: (b["flight_id"], b["revision"]))
    journals = {j["source"] for j in world.rows("ledger.journal")}
    yield from _told(world, "journal.posted", journals, lambda b: b["source"])
    yield from _told(world, "journal.requested", journals, lambda b: b["source"], once=False)
    sent = {str(t["id"]) for t in world.rows("payouts.transfer") if t["stripe_transfer_id"]}
    yield from _told(world, "transfer.sent", sent, lambda b: b["transfer_id"])
    paid = {c["charge_id"] for c in world.rows("receivables.charge") if c["amount"] is not None}
    yield from _told(world, "payment.received", paid, lambda b: b["charge_id"], once=False)


def _told(world: World, topic: str, happened: set[Any], name: Any, *, once: bool = True) -> Iterator[str]:
    told = grouped((r for r in world.records(topic) if r.body), lambda r: name(r.body))
    for thing in happened - told.keys():
        yield f"{thing} happened, and no {topic} says so"
    for thing in told.keys() - happened:
        yield f"{topic} says {thing}, which did not happen"
    for thing, records in told.items():
        if once and len({record.event_id for record in records}) > 1:
            yield f"{topic} says {thing} in {len({r.event_id for r in records})} different events"


EVENT_RULES = (
    outboxes_are_empty,
    every_record_was_taken_in,
    nothing_was_taken_in_that_nobody_said,
    one_event_says_one_thing,
    what_happened_was_told,
)
