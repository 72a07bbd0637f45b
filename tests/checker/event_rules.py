"""Rules about outbox, topic and inbox: no event is lost, invented, or published with two contents."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.checker.world import Record, Row, World, grouped

# The consumers of each topic, from the table in docs/architecture.md.
READERS = {
    "flight.completed": ("billing",),
    "flight.corrected": ("billing",),
    "flight.cancelled": ("billing",),
    "flight.revised": ("adjustments",),
    "reversal.requested": ("payouts",),
    "reversal.settled": ("adjustments",),
    "refund.requested": ("payouts",),
    "refund.settled": ("adjustments", "receivables", "reserves"),
    "charge.requested": ("payouts",),
    "dunning.requested": ("payouts",),
    "charge.answered": ("receivables",),
    "payment.received": ("payouts",),
    "school.configured": ("billing",),
    "contact.changed": ("payouts",),
    "school.accepted": ("payouts", "adjustments", "reserves", "receivables"),
    "journal.requested": ("ledger",),
    "revert.requested": ("ledger",),
    "group.requested": ("ledger",),
    "hold.requested": ("ledger",),
    "hold.changed": ("receivables",),
    "hold.refused": ("receivables",),
    "flight.dispatched": ("billing",),
    "flight.estimated": ("receivables",),
    "limit.requested": ("ledger",),
    "journal.posted": ("payouts", "adjustments", "reserves", "receivables"),
    "journal.refused": ("adjustments", "reserves"),
    "transfer.sent": ("adjustments", "reserves"),
    "stripe.webhook": ("payouts", "receivables"),
    "charge.settled": ("receivables",),
    "stripe.transaction": ("reserves",),
    "stripe.balance": ("reserves",),
    "reserve.gate": ("payouts",),
}
# What these name is all that a consumer admits of a topic: the others' journals are no business of it.
ONLY_ABOUT = {
    ("journal.posted", "adjustments"): ("adjustment:", "settlement:", "refund-failed:"),
    ("journal.refused", "adjustments"): ("adjustment:", "settlement:"),
    ("journal.refused", "reserves"): ("stripe:", "revert:"),
    ("transfer.sent", "adjustments"): ("adjustment:",),
}
# By the folders, because the checker imports nothing of what it checks.
SERVICES = tuple(sorted(app.parent.name for app in Path(__file__).parents[2].glob("services/*/app.py")))

READERS |= {f"{service}.redrive": (service,) for service in SERVICES}


def outboxes_are_empty(world: World) -> Iterator[str]:
    """At rest every event has reached its topic."""
    for service in SERVICES:
        if waiting := len(world.rows(f"{service}.outbox")):
            yield f"{waiting} events of {service} are still in its outbox"


def every_record_is_in_its_consumers_inboxes(world: World) -> Iterator[str]:
    """Each record is in the inbox of each consumer, by its id or its content hash, or is a dead letter."""
    for topic, readers in READERS.items():
        for service in readers:
            ids = {str(row["event_key"]) for row in world.rows(f"{service}.inbox")}
            hashes = {row["payload_hash"] for row in world.rows(f"{service}.inbox")}
            dead = {row["payload_hash"] for row in world.rows(f"{service}.dead_letter")}
            for record in world.records(topic):
                if record.event_id in ids or record.content_hash in hashes or record.digest in dead:
                    continue
                if (topic, service) == ("journal.posted", "receivables") and not _moves_a_student(record):
                    continue
                if not any(_names(record, about) for about in ONLY_ABOUT.get((topic, service), ("",))):
                    continue
                yield f"{record} never reached {service}"


def _names(record: Record, about: str) -> bool:
    """Whether a source in the record begins like this; unreadable ones may name anything."""
    body = record.body
    if body is None:
        return not about
    return any(str(source).startswith(about) for source in (body.get("source", ""), *body.get("sources", ())))


def _moves_a_student(record: Record) -> bool:
    """Whether a journal has an entry of a student; unreadable ones may have."""
    entries = [{"wallet": "student:"}] if record.body is None else record.body.get("entries", [])
    return any(str(entry["wallet"]).startswith("student:") for entry in entries)


def the_ledger_admitted_only_published_events(world: World) -> Iterator[str]:
    """Every event in the ledger's inbox is on a topic that the ledger reads."""
    read = [topic for topic, readers in READERS.items() if "ledger" in readers] + ["decision.requested"]
    records = [record for topic in read for record in world.records(topic)]
    ids = {record.event_id for record in records}
    hashes = {record.content_hash for record in records}  # what foreign publishers ask for gets an id here
    for row in world.rows("ledger.inbox"):
        if str(row["event_key"]) not in ids and row["payload_hash"] not in hashes:
            yield f"the ledger admitted event {row['event_key']}, which is on no topic"


def decisions_are_answered_once(world: World) -> Iterator[str]:
    """A readable decision is admitted and answered by the service it names, and by no other.

    An unreadable one is a dead letter. No answer is without a decision.
    """
    dead = {row["payload_hash"] for row in world.letters("decision.requested")}
    answers = grouped(_bodies(world, "decision.taken"), lambda body: str(body["decision_id"]))
    asked = {str(body["decision_id"]): body["service"] for body in _bodies(world, "decision.requested")}
    for record in world.records("decision.requested"):
        if record.body is None and record.digest not in dead:
            yield f"{record} cannot be read and is no dead letter"
    for id, service in asked.items():
        if id not in {str(row["event_key"]) for row in world.rows(f"{service}.inbox")}:
            yield f"decision {id} was never admitted by {service}"
        answered = {str(body["service"]) for body in answers.get(id, [])}
        if answered != {service}:
            yield f"decision {id} was asked of {service} and answered by {sorted(answered) or 'nobody'}"
    for id in answers.keys() - asked.keys():
        yield f"decision {id} was answered and never requested"


def _bodies(world: World, topic: str) -> list[Row]:
    return [record.body for record in world.records(topic) if record.body is not None]


def one_event_id_has_one_content(world: World) -> Iterator[str]:
    """However often an event of ours is on its topic, one id has one content."""
    for topic, records in world.topics.items():
        if topic in ("flight.completed", "flight.corrected", "flight.cancelled") or topic.endswith(
            ".redrive"
        ):
            continue  # foreign publishers may reuse ids, also in what is redriven
        for id, same in grouped(records, lambda record: record.event_id).items():
            if id and len({record.content_hash for record in same}) > 1:
                yield f"event {id} on {topic} has {len({r.content_hash for r in same})} different contents"


def every_fact_has_its_event(world: World) -> Iterator[str]:
    """Each bill, revision, journal, sent transfer and received payment has one event."""
    bills = grouped(world.rows("billing.bill"), lambda b: b["corrects"] is None)
    for first, topic in ((True, "flight.billed"), (False, "flight.revised")):
        named = {(b["flight_id"], b["revision"]) for b in bills.get(first, [])}
        yield from _published(world, topic, named, lambda b: (b["flight_id"], b["revision"]))
    journals = {j["source"]: str(j["id"]) for j in world.rows("ledger.journal")}
    yield from _published(world, "journal.posted", set(journals), lambda b: b["source"])
    reverted = {source for source, id in journals.items() if f"revert:{id}" in journals}
    requested = {source for source in journals if not source.startswith("revert:")}
    yield from _published(world, "journal.requested", requested, lambda b: b["source"], once=False)
    yield from _published(world, "revert.requested", reverted, lambda b: b["reverts"], once=False)
    sent = {str(t["id"]) for t in world.rows("payouts.transfer") if t["stripe_transfer_id"]}
    yield from _published(world, "transfer.sent", sent, lambda b: b["transfer_id"])
    paid = {c["charge_id"] for c in world.rows("receivables.charge") if c["amount"] is not None}
    yield from _published(world, "payment.received", paid, lambda b: b["charge_id"], once=False)


def _published(
    world: World, topic: str, happened: set[Any], name: Any, *, once: bool = True
) -> Iterator[str]:
    published = grouped((r for r in world.records(topic) if r.body), lambda r: name(r.body))
    for thing in happened - published.keys():
        yield f"{thing} happened, and there is no {topic} about it"
    for thing in published.keys() - happened:
        yield f"{topic} says {thing}, which did not happen"
    for thing, records in published.items():
        if once and len({record.event_id for record in records}) > 1:
            yield f"{topic} says {thing} in {len({r.event_id for r in records})} different events"


EVENT_RULES = (
    outboxes_are_empty,
    every_record_is_in_its_consumers_inboxes,
    the_ledger_admitted_only_published_events,
    decisions_are_answered_once,
    one_event_id_has_one_content,
    every_fact_has_its_event,
)
