"""Rules of flights: each has one bill, at the rate card's price, or one dead letter."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tests.checker.world import Record, Row, World, grouped
from tests.unit.billing.independent import Refused, bill

TOPIC, CORRECTED, CANCELLED = "flight.completed", "flight.corrected", "flight.cancelled"
# Reasons of letters about another record of a billed flight; the flight itself is not dead.
REPEAT_REASONS = (
    "billed_with_other_content",
    "billed_under_another_revision",
    "event_id_reused",
    "waits_with_other_content",
)
Name = tuple[str, int]


def flights_have_one_bill_or_one_dead_letter(world: World) -> Iterator[str]:
    """Every flight published has a bill or a dead letter, never both, never two; every bill has a flight.

    The first bill of a flight that was refused may be of its correction.
    """
    book = tomllib.loads(world.school, parse_float=Decimal)
    bills = grouped(first_bills(world), lambda b: (b["flight_id"], b["revision"]))
    letters = world.letters(TOPIC)
    published = grouped(world.records(TOPIC), lambda r: name_of(r.body))
    corrected = {name_of(record.body) for record in world.records(CORRECTED)}
    for billed in bills.keys() - published.keys() - corrected:
        yield f"flight {billed} is billed and was never published"
    for billed, same in bills.items():
        if len(same) > 1:
            yield f"flight {billed} is billed {len(same)} times"
    for flight, revisions in grouped(bills, lambda name: name[0]).items():
        if len(revisions) > 1:
            yield f"flight {flight} has {len(revisions)} first bills"
    for name, records in published.items():
        if name is None:
            yield from _unreadable(records, letters)
        else:
            billed_here = bills.get(name, [])
            sums = [_wallets_billed(row) for row in billed_here]
            paid_for = {one.digest for one in records if wallets_of(book, one.body or {}) in sums}
            yield from _once(name, records, billed_here, letters, paid_for)


def _once(
    name: Name,
    records: Sequence[Record],
    bills: Sequence[Row],
    letters: Sequence[Row],
    paid_for: Set[str],
) -> Iterator[str]:
    """paid_for: the digests of the contents that come to what is billed."""
    subject = f"flight:{name[0]}:{name[1]}"
    digests = {record.digest for record in records}
    about = [row for row in letters if row["subject"] == subject or row["payload_hash"] in digests]
    dead = [row for row in about if row["reason"] not in REPEAT_REASONS]
    # One that a person closed may have been told again, corrected or as it was. Of two contents under one
    # name, the one that was refused may be dead, and the other one billed.
    waiting = [row for row in dead if row["state"] == "open"]
    killed = {row["payload_hash"] for row in waiting}
    if bills and waiting and (killed & paid_for or not killed <= digests):
        yield f"{subject} is billed and dead ({waiting[0]['reason']})"
    if not bills and not about:  # a letter about a repeat may be of a flight that its correction billed
        yield f"{subject} was published ({records[0]}), and is neither billed nor dead"
    if len([row for row in dead if row["subject"] == subject]) > 1:
        yield f"{subject} is dead {len(dead)} times"


def _unreadable(records: Sequence[Record], letters: Sequence[Row]) -> Iterator[str]:
    """A record that names no flight is one dead letter for each event id, or for each place without an id."""
    published = [record for record in records if "hobbs_redriven" not in record.headers]
    dead = grouped(letters, lambda row: row["payload_hash"])
    for digest, same in grouped(published, lambda record: record.digest).items():
        wanted = len({record.event_id or (record.partition, record.offset) for record in same})
        if len(dead.get(digest, [])) != wanted:
            found = len(dead.get(digest, []))
            yield f"{same[0]} cannot be read: {wanted} times published, {found} dead letters"


def bills_are_what_the_rate_card_says(world: World) -> Iterator[str]:
    """Charge, legs and margin equal those calculated again from the raw event and the school's file."""
    book = tomllib.loads(world.school, parse_float=Decimal)
    published = grouped([*world.records(TOPIC), *world.records(CORRECTED)], lambda r: name_of(r.body))
    entries = world.entries()
    posted = {j["source"]: entries.get(str(j["id"]), []) for j in world.rows("ledger.journal")}
    for row in first_bills(world):
        name = (row["flight_id"], row["revision"])
        wanted = [wallets_of(book, record.body or {}) for record in published.get(name, [])]
        billed = _wallets_billed(row)
        if billed not in wanted:
            yield f"flight {name} is billed {billed}; the rate card says {wanted or 'nothing'}"
        if row["charge"] - sum(leg["amount"] for leg in row["legs"]) != row["margin"]:
            yield f"flight {name}: charge less legs is not the margin"
        journal = {e["address"]: e["amount"] for e in posted.get(f"flight:{name[0]}:{name[1]}", [])}
        if journal != billed:
            yield f"flight {name} is billed {billed} and posted {journal or 'never'}"


def refused_flights_may_not_be_billed(world: World) -> Iterator[str]:
    """A flight that the rate card can price is billed; any other is not."""
    book = tomllib.loads(world.school, parse_float=Decimal)
    billed = {(row["flight_id"], row["revision"]) for row in first_bills(world)}
    for name, records in grouped(world.records(TOPIC), lambda r: name_of(r.body)).items():
        if name is None:
            continue
        possible = any(wallets_of(book, record.body or {}) is not None for record in records)
        if possible != (name in billed):
            yield f"flight {name} {'can' if possible else 'cannot'} be priced, and is " + (
                "billed" if name in billed else "not billed"
            )


def first_bills(world: World) -> list[Row]:
    """The bills that are no corrections."""
    return [row for row in world.rows("billing.bill") if row["corrects"] is None]


def name_of(body: Mapping[str, Any] | None) -> Name | None:
    """A flight's natural key; None when the record has none."""
    flight, revision = (body or {}).get("flight_id"), (body or {}).get("revision", 1)
    return (flight, revision) if isinstance(flight, str) and isinstance(revision, int) else None


def wallets_of(book: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, int] | None:
    """The amount of a flight on each wallet, in cents; None when it cannot be billed."""
    try:
        return {wallet: int(amount * 100) for wallet, amount in bill(book, as_row(body)).items()}
    except (Refused, KeyError, ValueError, ArithmeticError):
        return None


def as_row(body: Mapping[str, Any]) -> dict[str, str]:
    """An event as a line of a scheduler's file, the input of the second calculator."""
    row = {key: "" if value is None else str(value) for key, value in body.items()}
    row |= {key: row.get(key, "") for key in ("aircraft", "instructor")}
    if row.get("departed_at"):
        departed = _instant(row["departed_at"])
        row |= {"date": f"{departed:%Y-%m-%d}", "time_out_utc": f"{departed:%H:%M}"}
    return row


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _wallets_billed(row: Row) -> dict[str, int]:
    wallets = {f"student:{row['student']}": -row["charge"], "platform:school": row["margin"]}
    for leg in row["legs"]:
        wallets[leg["wallet"]] = wallets.get(leg["wallet"], 0) + leg["amount"]
    return {wallet: amount for wallet, amount in wallets.items() if amount}


FLIGHT_RULES = (
    flights_have_one_bill_or_one_dead_letter,
    bills_are_what_the_rate_card_says,
    refused_flights_may_not_be_billed,
)
