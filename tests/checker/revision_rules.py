"""Rules of corrections: each is priced once or refused once, and the ledger holds the revision in force."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from tests.checker.flight_rules import (
    CANCELLED,
    CORRECTED,
    REPEAT_REASONS,
    TOPIC,
    Name,
    first_bills,
    name_of,
    wallets_of,
)
from tests.checker.world import Record, Row, World, grouped

REVISED, CHANGED = "flight.revised", "adjustment.changed"
IN_FORCE = ("approved", "posted", "settling", "settled")
AT_REST = ("waiting", "rejected", "expired", "superseded", "settling", "settled", "failed")
SETTLING = ("waiting", "asked", "settled")
BY_JOURNAL = ("manual_check", "forgiven", "written_off")
Wallets = Mapping[str, int]


def corrections_are_priced_once_or_refused_once(world: World) -> Iterator[str]:
    """Every correction and cancellation has a revision, a first bill, a dead letter, or waits for a reason.

    It waits for its flight, or for the revision before it. There is no revision that nobody published.
    """
    revised = grouped(_bodies(world, REVISED), lambda body: (body["flight_id"], body["revision"]))
    first = {row["flight_id"]: row["revision"] for row in first_bills(world)}
    published = _corrections(world)
    for name in revised.keys() - published.keys():
        yield f"flight {name} was revised, and no correction was published"
    refused = _refused(world)
    for name, records in published.items():
        flight, revision = name
        known = first.get(flight)
        if revision == known:
            continue  # of a flight that was refused: the rules of first bills are about it
        if name in revised and name in refused:
            yield f"flight {name} is revised and dead"
        if name in revised or name in refused or known is None:
            continue
        before = known < revision and all(
            (flight, between) in {**revised, **dict.fromkeys(refused)}
            for between in range(known + 1, revision)
        )
        if before:
            yield f"correction {name} was published ({records[0]}), and is neither priced nor dead"


def revisions_are_what_the_rate_card_says(world: World) -> Iterator[str]:
    """Both sides of a revision equal those calculated again from the raw events and the school's file."""
    prices = Prices(world)
    for body in _bodies(world, REVISED):
        name = (body["flight_id"], body["revision"])
        if (told := _wallets(body["entries"])) not in prices.of(name):
            yield f"flight {name} is revised to {told}; the rate card says {prices.of(name)[:1] or 'nothing'}"
        first = (body["flight_id"], int(str(body["first_source"]).rpartition(":")[2]))
        if (told := _wallets(body["first_entries"])) not in prices.of(first):
            yield f"flight {name} says its first bill was {told}; the rate card says {prices.of(first)[:1]}"


def the_ledger_has_the_revision_in_force(world: World) -> Iterator[str]:
    """A flight's journal and those of its adjustments add up to the price of its revision in force."""
    prices, states = Prices(world), adjustment_states(world)
    posted = _posted(world)
    for row in first_bills(world):
        flight = row["flight_id"]
        standing = [r for (f, r), state in states.items() if f == flight and state in IN_FORCE]
        name = (flight, max([row["revision"], *standing]))
        if posted.get(flight, {}) not in prices.of(name):
            wanted = prices.of(name)[:1] or "nothing"
            yield f"flight {name} is in force and costs {wanted}; the ledger has {posted.get(flight, {})}"


def adjustments_end_or_wait_for_a_person(world: World) -> Iterator[str]:
    """Every revision has one adjustment; at rest each has ended, or waits for a person or for its money."""
    states = adjustment_states(world)
    revised = {(body["flight_id"], body["revision"]) for body in _bodies(world, REVISED)}
    for name in revised - states.keys():
        yield f"revision {name} has no adjustment"
    for name, state in states.items():
        if name not in revised:
            yield f"adjustment {name} is of no revision"
        if state not in AT_REST:
            yield f"adjustment {name} is {state} although the deployment is at rest"


def nobody_approves_their_own(world: World) -> Iterator[str]:
    """What a person had to approve was approved by as many others as it needed, as it stands now.

    A correction that changes nothing asks nobody.
    """
    given = grouped(world.rows("adjustments.approval"), lambda row: str(row["adjustment_id"]))
    for row in world.rows("adjustments.adjustment"):
        approvals = given.get(str(row["id"]), [])
        name, makers = (row["flight_id"], row["revision"]), {_person(maker) for maker in row["makers"]}
        if own := makers & {_person(one["approver"]) for one in approvals}:
            yield f"adjustment {name} was approved by who made it: {', '.join(sorted(own))}"
        others = {_person(a["approver"]) for a in approvals if a["content_hash"] == row["content_hash"]}
        needed = row["approvals_needed"] if row["differences"] else 0
        if row["state"] in IN_FORCE and len(others) < needed:
            yield f"adjustment {name} is {row['state']} and was approved by {len(others)}"


def settlements_sum_to_the_difference(world: World) -> Iterator[str]:
    """The settlements in force of each party of a posted adjustment sum to its difference."""
    in_force = [row for row in world.rows("adjustments.settlement") if row["state"] in SETTLING]
    rows = grouped(in_force, lambda row: str(row["adjustment_id"]))
    for adjustment in world.rows("adjustments.adjustment"):
        sums: dict[str, int] = {}
        for row in rows.get(str(adjustment["id"]), []):
            sums[row["wallet"]] = sums.get(row["wallet"], 0) + row["amount"]
        posted = adjustment["state"] in ("settling", "settled")
        wanted = {wallet: amount for wallet, amount in adjustment["differences"].items() if posted and amount}
        if sums != wanted:
            name = (adjustment["flight_id"], adjustment["revision"])
            yield f"adjustment {name} changes {wanted}; its settlements are of {sums}"


def settlements_by_journal_are_posted(world: World) -> Iterator[str]:
    """Each settlement that a journal makes has it, of its amount; no other settlement has one."""
    entries = world.entries()
    posted = {
        journal["source"]: max(abs(e["amount"]) for e in entries.get(str(journal["id"]), [{"amount": 0}]))
        for journal in world.rows("ledger.journal")
        if journal["event_type"] == "settlement"
    }
    told = {
        f"settlement:{row['id']}": abs(row["amount"])
        for row in world.rows("adjustments.settlement")
        if row["method"] in BY_JOURNAL and row["state"] in ("settled", "replaced")
    }
    for source in sorted(posted.keys() | told.keys()):
        if posted.get(source) != told.get(source):
            yield f"{source} settles {told.get(source)}, the ledger has {posted.get(source)}"


def _person(name: str) -> str:
    return name.strip().casefold()


def adjustment_states(world: World) -> dict[Name, str]:
    """Each adjustment's newest state, by the events about it."""
    seen: dict[str, Record] = {}
    for record in world.records(CHANGED):
        seen.setdefault(record.event_id, record)  # a relay may send one again, after newer ones
    bodies = [record.body for record in seen.values() if record.body is not None]
    return {(str(body["flight_id"]), int(body["revision"])): str(body["state"]) for body in bodies}


class Prices:
    """What each published revision costs, by wallet: once for each content under which it was published."""

    def __init__(self, world: World) -> None:
        self._book = tomllib.loads(world.school, parse_float=Decimal)
        self._published = grouped(
            [r for topic in (TOPIC, CORRECTED) for r in world.records(topic)],
            lambda record: name_of(record.body),
        )
        self._cancelled = {name_of(record.body) for record in world.records(CANCELLED)}
        self._known: dict[Name, list[Wallets]] = {}

    def of(self, name: Name) -> list[Wallets]:
        """Every price this revision may have; none when it cannot be priced."""
        if name not in self._known:
            found = [wallets_of(self._book, r.body or {}) for r in self._published.get(name, [])]
            nothing: list[Wallets] = [{}] if name in self._cancelled else []
            self._known[name] = [*(wallets for wallets in found if wallets is not None), *nothing]
        return self._known[name]


def _corrections(world: World) -> dict[Name, list[Record]]:
    records = [*world.records(CORRECTED), *world.records(CANCELLED)]
    named = grouped(records, lambda record: name_of(record.body))
    return {name: same for name, same in named.items() if name is not None}


def _refused(world: World) -> set[Name]:
    """Corrections that are dead themselves; a letter about another content of a revision does not count."""
    letters = [*world.letters(CORRECTED), *world.letters(CANCELLED)]
    dead = {row["payload_hash"]: row for row in letters if row["reason"] not in REPEAT_REASONS}
    return {
        name for name, same in _corrections(world).items() if any(record.digest in dead for record in same)
    }


def _posted(world: World) -> dict[str, Wallets]:
    """What the journals of each flight and of its adjustments put on each wallet together; none of zero."""
    entries = world.entries()
    sums: dict[str, dict[str, int]] = {}
    for journal in world.rows("ledger.journal"):
        if journal["event_type"] in ("flight", "adjustment"):
            flight = str(journal["source"]).partition(":")[2].rpartition(":")[0]
            wallets = sums.setdefault(flight, {})
            for entry in entries.get(str(journal["id"]), []):
                wallets[entry["address"]] = wallets.get(entry["address"], 0) + entry["amount"]
    return {flight: {w: a for w, a in wallets.items() if a} for flight, wallets in sums.items()}


def _wallets(entries: Sequence[Row]) -> Wallets:
    return {entry["wallet"]: entry["amount"] for entry in entries}


def _bodies(world: World, topic: str) -> list[Mapping[str, Any]]:
    return [record.body for record in world.records(topic) if record.body is not None]


REVISION_RULES = (
    corrections_are_priced_once_or_refused_once,
    revisions_are_what_the_rate_card_says,
    the_ledger_has_the_revision_in_force,
    adjustments_end_or_wait_for_a_person,
    nobody_approves_their_own,
    settlements_sum_to_the_difference,
    settlements_by_journal_are_posted,
)
