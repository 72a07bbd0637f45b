"""Monitors against a model that is small enough to be obviously right: one balance, one step at a time."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleet.database import Database
from fleet.envelope import cause_of, cloud_event_headers, event_key_of
from schemas.monitors import BalanceCrossed
from services.ledger.handlers import change_holds, post_journals
from tests.integration.ledger.books import requested, told
from tests.integration.ledger.test_holds import hold
from tests.integration.ledger.watching import CROSSED, crossings, low, unwatch, watch
from tests.support.invariants import broken_invariants
from tests.support.records import record

TOMORROW = datetime.now(UTC) + timedelta(days=1)
SMALL = st.integers(-4, 4)
NONZERO = SMALL.filter(bool)

JOURNALS = st.tuples(st.just("journals"), st.lists(st.lists(NONZERO, min_size=1, max_size=3), max_size=6))
PLACE = st.tuples(st.just("place"), st.integers(1, 4))
CLOSE = st.tuples(st.just("close"), st.integers(0, 3), st.none() | st.integers(1, 4))
SET = st.tuples(
    st.just("set"), SMALL, st.integers(0, 3), st.sampled_from(["below", "at_most", "above", "at_least"])
)
REMOVE = st.tuples(st.just("remove"))
WATCHES = st.sampled_from(["posted", "pending", "available"])
STEPS = st.lists(st.one_of(JOURNALS, JOURNALS, PLACE, CLOSE, SET, SET, REMOVE), max_size=14)

_examples = count()


@dataclass
class Model:
    """A wallet and its monitor. `told`: (crossing, beyond, because, posted, pending) of every crossing."""

    watches: str
    posted: int = 0
    holds: dict[str, int] = field(default_factory=dict)
    comparison: str | None = None  # None: there is no monitor
    threshold: int = 0
    back: int = 0
    said: list[bool] = field(default_factory=list)
    told: list[tuple[int, bool, str, int, int]] = field(default_factory=list)

    def judge(self, because: str) -> None:
        beyond = bool(self.said) and self.said[-1]
        if self.comparison is not None and self._verdict(beyond) != beyond:
            self.tell(not beyond, because)

    def tell(self, beyond: bool, because: str) -> None:
        self.said.append(beyond)
        pending = sum(self.holds.values())
        self.told.append((len(self.said), beyond, because, self.posted, pending))

    def _verdict(self, beyond: bool) -> bool:
        pending = sum(self.holds.values())
        balance = {"posted": self.posted, "pending": pending, "available": self.posted - pending}
        line = self.back if beyond else self.threshold
        amount = balance[self.watches]
        return {
            "below": amount < line,
            "at_most": amount <= line,
            "above": amount > line,
            "at_least": amount >= line,
        }[self.comparison or ""]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(watches=WATCHES, steps=STEPS)
async def test_whatever_happens_a_monitor_tells_what_the_model_says(
    ledger: Database, watches: str, steps: list[tuple[Any, ...]]
) -> None:
    example = next(_examples)
    wallet, name = f"student:{example}", f"monitor {example}"
    model = Model(watches=watches)
    for number, (verb, *what) in enumerate(steps):
        tag = f"{example}-{number}"
        if verb == "journals":
            await _post(ledger, model, wallet, tag, what[0])
        elif verb == "place":
            command = hold(name=tag, wallet=wallet, amount=what[0], expires_at=TOMORROW)
            await change_holds(ledger, [command])
            model.holds[tag] = what[0]
            model.judge("hold")
        elif verb == "close":
            await _close(ledger, model, *what)
        elif verb == "set":
            await _set(ledger, model, wallet, name, *what)
        elif model.comparison is not None:
            await unwatch(ledger, name)
            _remove(model)
    found = [
        (one.crossing, one.beyond, one.because, one.posted_balance, one.pending_balance)
        for one in await crossings(ledger, name)
    ]
    assert found == model.told
    assert await broken_invariants(ledger) == {}


async def _post(ledger: Database, model: Model, wallet: str, tag: str, batch: list[list[int]]) -> None:
    """One batch; each journal is a step, its entries together."""
    records = []
    for number, amounts in enumerate(batch):
        rest = -sum(amounts)
        legs = [(wallet, amount) for amount in amounts] + ([("external:bank", rest)] if rest else [])
        if len(legs) < 2:
            continue
        records.append(requested(f"payment:{tag}-{number}", legs))
        model.posted -= rest
        model.judge("journal")
    await post_journals(ledger, records)


async def _close(ledger: Database, model: Model, which: int, posts: int | None) -> None:
    names = sorted(model.holds)
    if not names:
        return
    name = names[which % len(names)]
    amount = model.holds.pop(name)
    if posts is None:
        await change_holds(ledger, [hold("void", name)])
        model.judge("hold")
        return
    moved = min(posts, amount)
    await change_holds(ledger, [hold("post", name, to_wallet="platform:school", amount=moved)])
    model.posted -= moved
    model.judge("journal")


async def _set(
    ledger: Database, model: Model, wallet: str, name: str, threshold: int, gap: int, comparison: str
) -> None:
    compared = model.comparison or comparison  # what it watches for never changes
    back = threshold + gap if compared in ("below", "at_most") else threshold - gap
    fields = {"monitor": name, "wallet": wallet, "watches": model.watches, "comparison": compared}
    await watch(ledger, low(threshold, **fields, recovers_at=back))
    model.comparison, model.threshold, model.back = compared, threshold, back
    model.judge("setting")


def _remove(model: Model) -> None:
    if model.said and model.said[-1]:
        model.tell(False, "removal")
    model.comparison, model.said = None, []


async def test_the_events_are_what_the_schema_says(ledger: Database) -> None:
    """The database writes them itself, so nothing but this compares them with the model, field by field."""
    memo = 'says "hello", ünïcode 😀\n'
    await watch(ledger, low(1, memo=memo))
    [event] = await crossings(ledger)
    assert event.memo == memo
    [row] = await told(ledger)
    assert set(row.body) == set(BalanceCrossed.model_fields)


async def test_the_events_headers_are_read_like_any_others(ledger: Database) -> None:
    await watch(ledger, low(1))
    async with ledger.transaction() as tx:
        row = await tx.one("SELECT * FROM outbox")
        crossing = await tx.one("SELECT * FROM ledger_public.crossings")
    headers = cloud_event_headers(
        event_id=row.event_id,
        source=row.source,
        topic=row.topic,
        at=row.staged_at,
        correlation_id=row.correlation_id,
        traceparent=row.traceparent,
    )
    read = {name: value.decode() for name, value in headers}
    seen = record(row.topic, row.value, headers=read, ce_id=read["ce_id"], ce_source=read["ce_source"])
    assert (row.source, row.topic) == ("hobbs/ledger", CROSSED)
    assert event_key_of(seen, None) == row.event_id == crossing.event_id
    cause = cause_of(seen, row.event_id)
    assert (cause.correlation_id, cause.traceparent) == (str(row.event_id), row.traceparent)
