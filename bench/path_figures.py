"""The figures of the path from a flight to Stripe."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from bench.figures import Figure, at_most
from bench.processes import percentages

BEHIND_S_MAX = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Seconds of each flight; `reading_s` is the part from the simulator's answer to our record of it."""

    flights: Sequence[float]
    transfers_per_s: float
    reading_s: float
    late_s: float
    load: float
    shares: Mapping[str, float]

    @property
    def median_ms(self) -> float:
        return 1000 * median(self.flights)

    @property
    def p99_ms(self) -> float:
        return 1000 * quantiles(self.flights, n=100, method="inclusive")[98]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stair:
    """The result of publishing at one rate for a while."""

    offered_per_s: float
    sent_per_s: float
    transfers_per_s: float
    behind_s: float
    shares: Mapping[str, float]
    waiting: Mapping[str, int]

    @property
    def is_sustained(self) -> bool:
        return self.behind_s <= BEHIND_S_MAX


def latency(found: Latency, per_s: float) -> list[Figure]:
    """Median and 99th percentile of all flights."""
    how = (
        f"{len(found.flights):,} flights at random instants, {per_s:g}/s on average; "
        f"{found.transfers_per_s:.0f} transfers/s, each after 50 ms by a Stripe without its limit of 25/s; "
        "from the producer's send to the 2xx of a flight's last transfer"
    )
    machine = (
        f"read {1000 * found.reading_s:.0f} ms after the simulator answered, which is included; "
        f"load {found.load:.1f}; latest send {1000 * found.late_s:.0f} ms behind its schedule; "
        f"{percentages(found.shares)}"
    )
    return [
        Figure(
            name="flight to Stripe's 2xx, median",
            value=found.median_ms,
            unit="ms",
            limit=at_most(250),
            baseline=("Stripe's own latency, ms", 50),
            note=how,
        ),
        Figure(
            name="flight to Stripe's 2xx, 99th percentile",
            value=found.p99_ms,
            unit="ms",
            limit=at_most(1_000),
            baseline=("slowest flight, ms", 1000 * max(found.flights)),
            note=machine,
        ),
    ]


def throughput(limited: Stair, stairs: Sequence[Stair]) -> list[Figure]:
    """The rates sustained with Stripe's limit of 25 transfers a second, and without it."""
    sustained = [stair for stair in stairs if stair.is_sustained]
    last = stairs[-1]
    return [
        Figure(
            name="flights to Stripe, under its limit of 25 transfers/s",
            value=limited.sent_per_s,
            unit="flights/s",
            baseline=("transfers/s", limited.transfers_per_s),
            note=f"{limited.offered_per_s:g} flights/s offered; waiting at the end: {where(limited)}; "
            f"{percentages(limited.shares)}",
        ),
        Figure(
            name="flights to Stripe, highest rate sustained if it had no limit",
            value=max((stair.offered_per_s for stair in sustained), default=0.0),
            unit="flights/s",
            baseline=("sent/s at the next stair", last.sent_per_s),
            note="Stripe takes 25 transfers/s, about 20 flights/s; without that, at 50 ms each; "
            f"sustained: not {BEHIND_S_MAX:g} s behind after a stair; "
            f"{last.offered_per_s:g}/s leave {last.behind_s:.1f} s behind, waiting for {where(last)}; "
            f"{percentages(last.shares)}",
        ),
    ]


def where(stair: Stair) -> str:
    waiting = sorted(stair.waiting.items(), key=lambda place: -place[1])
    return ", ".join(f"{place} {count:,}" for place, count in waiting if count > 0) or "nothing"
