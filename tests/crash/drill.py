"""Plans one run from its seed: which service dies at which point, how, and at which pass.

Points of `fleet` are the same code in every service, so a run tries each in two services, which depend on the
seed; points of a service are all tried in every run.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from schemas.services import BY_NAME, SERVICES
from schemas.topics import TOPICS
from tests.crash.registry import all_points, points_of
from tests.crash.workers import LEASE_S

CONSUMED = {
    service: [topic.name for topic in TOPICS.values() if service in topic.consumers] for service in SERVICES
}
CONSUMERS = tuple(service for service, topics in CONSUMED.items() if topics)
# A second process of a service that serves HTTP has no port, so it cannot join.
JOINABLE = tuple(service for service in CONSUMERS if not BY_NAME[service].http)
ANYWHERE = (
    "consumer.polled",
    "inbox.admitted",
    "transaction.before_commit",
    "transaction.committed",
    "consumer.handled",
    "consumer.acknowledged",
    "outbox.staged",
    "consumer.draining",
    "consumer.rebalancing",
    "redrive.staged",
    "consumer.placing",
)
RELAYS = ("outbox.owned", "outbox.selected", "outbox.sending", "outbox.acknowledged", "outbox.deleted")
# Faults outside the process, of the network, the clock or Postgres; they have no point in the code.
OUTSIDE = {
    "outbox lock lost": "Postgres cuts the relay's connection between acknowledgement and delete",
    "effect before answer": "Stripe moved the money, the answer is on its way",
    "lease expired mid-call": "the call is made after its lease ended",
}
# Where the order matters, or what is outside the code. Any other service meets its points as it lists them.
IN_ORDER = {
    "billing": (
        "billing.book_written",
        "billing.bills_written",
        "billing.revisions_kept",
        "billing.revisions_written",
        "dead_letters.buried",
        "decision.judged",
        "outbox lock lost",
    ),
    "ledger": ("ledger.balances_locked", "ledger.journals_written", "decision.judged", "outbox lock lost"),
    "receivables": (
        "timer.claimed",
        "timer.ran",
        "receivables.charges_written",
        "receivables.postings_written",
        "receivables.items_written",
        "receivables.levels_written",
        "receivables.limits_written",
        "receivables.dunning_written",
        "receivables.dispatches_written",
        "receivables.charges_decided",
        "receivables.charge_answered",
        "decision.judged",
    ),
    "gateway": (
        "gateway.received",
        "gateway.verified",
        "gateway.published",
        "gateway.flights_written",
        "gateway.flights_accepted",
        "decision.judged",
    ),
    # First what happens only at the start: the accounts, and a balance that is too small.
    "payouts": (
        "relay.claimed",
        "relay.before_send:account",
        "relay.answered:account",
        "relay.mid_record:account",
        "relay.looking_up:account",
        "inquiry.claimed",
        "inquiry.answered:account",
        "payouts.contacts_kept",
        "treasury.looked",
        "balance.read",
        "balance.noted",
        "timer.date_claimed",
        "timer.date_ran",
        "payouts.transfers_written",
        "payouts.operations_written",
        "payouts.let_out",
        "relay.before_send:transfer",
        "effect before answer",
        "adoption.adopted",
        "adoption.listed",
        "relay.answered:transfer",
        "relay.mid_record:transfer",
        "relay.recorded",
        "relay.looking_up:transfer",
        "payouts.retried",
        "lease expired mid-call",
        "payouts.webhooks_heeded",
        "events.listed",
        "movements.listed",
        "movements.noted",
        "inquiry.answered:charge_fee",
        "relay.before_send:instant_payout",
        "relay.answered:instant_payout",
        "relay.mid_record:instant_payout",
        "inquiry.answered:payout_fee",
        "relay.looking_up:instant_payout",
        "payouts.debt_claimed",
        "payouts.reversals_ordered",
        "relay.before_send:reversal",
        "relay.answered:reversal",
        "relay.mid_record:reversal",
        "relay.looking_up:reversal",
        "payouts.reversal_settled",
        "payouts.refunds_ordered",
        "relay.before_send:refund",
        "relay.answered:refund",
        "relay.mid_record:refund",
        "relay.looking_up:refund",
        "payouts.refund_settled",
        "payouts.charges_ordered",
        "relay.before_send:charge",
        "relay.answered:charge",
        "relay.mid_record:charge",
        "relay.looking_up:charge",
        "payouts.charge_answered",
        "decision.judged",
    ),
}
BY_DECISION = ("decision.judged", "redrive.staged")  # people decide less often than flights are published
RARE = (
    ":account",
    "contacts_kept",
    "timer.",
    "book_written",
    "looking_up",
    "treasury",
    "balance.",
    "let_out",
    "reserves.judged",
    "reserves.breaks_kept",
    "reserves.day_completed",
    "reserves.accepted",
    "reserves.taken_back",
    "reserves.signed",
    "outbox.owned",
    "draining",
    "inquiry.",
    "payouts.retried",
    "adoption.",  # of one effect, or of none
    # What follows a person's decision about a correction, or a clock.
    "revisions_kept",
    "adjustments.approved",
    "adjustments.refused",
    "adjustments.expired",
    "settlement",
    "debt_claimed",
    "revers",
    "refund",
    ":charge",
    "receivables.charges_decided",
    "receivables.dunning_written",
    "receivables.limits_written",
    "charge_answered",
    "charges_ordered",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """The plan of one process: it dies at `point`; `faults` are that death and the faults before it."""

    service: str
    point: str
    action: str
    faults: str


def plan_run(seed: int, *, quick: bool = False) -> Mapping[str, list[Death]]:
    """The deaths of each service, in their order."""
    chance = random.Random(f"drill {seed}")
    places = {service: list(points) for service, points in own_places().items()}
    for number, point in enumerate(ANYWHERE):
        able = JOINABLE if point == "consumer.rebalancing" else CONSUMERS
        for turn in (0, 1):
            places[able[(seed + number + 2 * turn) % len(able)]].append(point)
    services = tuple(service for service, points in places.items() if points)  # others may never publish
    for number, point in enumerate(RELAYS):
        for turn in (0, 2):
            places[services[(seed + number + turn) % len(services)]].append(point)
    for points in places.values():
        points.sort(key=lambda point: point == "consumer.rebalancing")  # its second process keeps running
    if quick:
        places = {service: _few(points, chance) for service, points in places.items()}
    return {service: list(_deaths(service, points, chance)) for service, points in places.items()}


def own_places() -> dict[str, tuple[str, ...]]:
    """What each service meets in every run, in its order."""
    others = [service for service in SERVICES if service not in IN_ORDER]
    return IN_ORDER | {service: (*points_of(service), "decision.judged") for service in others}


def _few(points: list[str], chance: random.Random) -> list[str]:
    usual = [p for p in points if not any(mark in p for mark in RARE) and p not in OUTSIDE]
    return chance.sample(usual, min(1, len(usual)))


def _deaths(service: str, points: list[str], chance: random.Random) -> Iterator[Death]:
    for point in points:
        nth = _pass(point, chance)
        # A worker that hangs at one point goes on elsewhere; what happens only once would be over.
        may_hang = not point.endswith((":account", "relay.claimed", "book_written"))
        action = "hang" if may_hang and chance.random() < 0.15 else "kill"
        yield Death(
            service=service, point=point, action=action, faults=_faults(service, point, action, nth, chance)
        )


def _pass(point: str, chance: random.Random) -> int:
    if point.startswith("transaction."):
        return chance.randint(10, 40)  # after the first ones, which measure and declare timers
    once = point == "consumer.placing" or any(mark in point for mark in (*RARE, *BY_DECISION))
    return 1 if once else chance.choice((1, 1, 2, 3))


def _faults(service: str, point: str, action: str, nth: int, chance: random.Random) -> str:
    """The value of HOBBS_FAULTS: the death, and a raise and a delay at two other points."""
    end = _end(service, point, action, nth)
    taken = {point, *OUTSIDE, end.partition("=")[0]}
    also = [o for o in (*ANYWHERE[:7], *RELAYS[1:], *own_places()[service]) if o not in taken]
    raised, delayed = chance.sample(also, 2)
    others = [f"{raised}=raise@{chance.randint(1, 3)}", f"{delayed}=delay:0.3@{chance.randint(1, 3)}"]
    return ",".join(filter(None, [end, *others]))


def _end(service: str, point: str, action: str, nth: int) -> str:
    match point:
        case "outbox lock lost":
            return f"outbox.acknowledged=delay:1.5@{nth}"
        case "effect before answer":
            return ""  # the director sees the effect, and kills
        case "lease expired mid-call":
            return f"relay.before_send:transfer=delay:{LEASE_S + 1}@{nth}"
        case "consumer.rebalancing":
            # Each consumer passes once at the start; then a second process joins.
            consumers = len(CONSUMED[service]) + (2 if service == "ledger" else 0)  # three read its requests
            return f"consumer.rebalancing={action}@{consumers + 1}"
        case _:
            return f"{point}={action}@{nth}"


def points_planned() -> set[str]:
    """Every point that a whole run reaches, by its name in the registry."""
    listed = {point for points in own_places().values() for point in points}
    return ({*listed, *ANYWHERE, *RELAYS} - set(OUTSIDE)) & set(all_points())
