"""The relay: claim, call, record. Three phases, three commits, and no transaction open while Stripe is asked.

Do not break:
* what is sent comes from the frozen row; the key is op:{id}:{generation}; the library never retries;
* nothing is sent with less than a whole call's time left of the lease, or with a key 12 h old;
* a result is recorded only under its own lease; else it is dropped, the next owner hears the same;
* while Stripe refuses our key nothing is claimed, and one harmless probe asks whether it still does.

Several relays at once are safe: a claim skips what another has locked, and one payee has one operation in
flight.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from fleet.database import Database
from fleet.faults import fault_point
from fleet.outages import Blame, blame
from services.payouts import metrics, store
from services.payouts.domain.answers import Answer, Verdict, classify
from services.payouts.domain.operations import (
    KEY_TRUSTED_FOR,
    Operation,
    Outcome,
    Phase,
    Policy,
    decide_outcome,
)
from services.payouts.store.inquiries import Stop
from services.payouts.stripe import effects
from services.payouts.stripe.client import StripeGateway
from services.payouts.stripe.effects import Terms
from services.payouts.stripe.pacer import Limiter

BATCH_MAX = 100
SOON_S = 1.0  # operations are claimed when the limiter can start them this soon: far less than a lease
POLL_S = 0.05
IDLE_S = 0.2
GATHER_S = 0.01


_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How much at once, and how long a call and a lease last."""

    concurrency: int = 96
    lease: timedelta = timedelta(seconds=30)
    call_time: timedelta = timedelta(seconds=13)


class Relay:
    """One relay of one process. `step` is what its loop runs; `claim`, `call` and `record` are its phases."""

    def __init__(
        self,
        db: Database,
        gateway: StripeGateway,
        limiter: Limiter,
        clock: Callable[[], datetime],
        *,
        policy: Policy,
        pace: Pace,
        terms: Terms,
    ) -> None:
        self._db = db
        self._gateway = gateway
        self._limiter = limiter
        self._clock = clock
        self._policy = policy
        self._pace = pace
        self._terms = terms
        self._calls: set[asyncio.Task[Outcome | None]] = set()
        self._unrecorded: list[Outcome] = []
        self._wake = asyncio.Event()
        self._stopped = False

    async def step(self) -> int:
        """Record what was answered, claim what fits, and wait for what comes next; how much was done."""
        self._wake.clear()
        recorded, claimed = await _both(self._record_answered(), self._claim_and_call())
        metrics.IN_FLIGHT.set(len(self._calls))
        metrics.LIMITER_RATE.set(self._limiter.per_s)
        if recorded:
            self._wake.set()  # the next in their lines may go
        if self._calls:
            await self._rest(POLL_S)
            await asyncio.sleep(GATHER_S if len(self._calls) > 1 else 0)  # under load, answers share a commit
        elif not claimed:
            await self._rest(IDLE_S)
        return recorded + claimed + len(self._calls)

    async def _claim_and_call(self) -> int:
        claimed = await self.claim(self._room())
        for operation in claimed:
            call = asyncio.create_task(self.call(operation))
            call.add_done_callback(lambda _: self._wake.set())
            self._calls.add(call)
        return len(claimed)

    def wake(self) -> None:
        """Something may be due: look now. What other processes decide is found by looking now and then."""
        self._wake.set()

    async def _rest(self, most_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), most_s)

    async def drain(self) -> None:
        """Wait for the calls that were made and record them; claim nothing more."""
        if self._calls:
            await asyncio.wait(self._calls)
        await self._record_answered()

    async def _record_answered(self) -> int:
        """Record what came back; what an outage kept from being recorded is tried again with the next."""
        self._unrecorded += self._answered()
        recorded = await self.record(self._unrecorded)
        self._unrecorded = []
        return recorded

    def _answered(self) -> list[Outcome]:
        done = [task for task in self._calls if task.done()]
        self._calls.difference_update(done)
        for task in done:
            if error := task.exception():  # its lease ends, and the same question is asked again
                _log.error("a call broke off", exc_info=error)
        return [o for task in done if task.exception() is None and (o := task.result()) is not None]

    def _room(self) -> int:
        free = self._pace.concurrency - len(self._calls)
        return min(free, BATCH_MAX, max(self._limiter.free_within(SOON_S), 1))

    # Phase 1

    async def claim(self, most: int) -> list[Operation]:
        """Lease what is due, in one statement; nothing while the relay is stopped."""
        if most <= 0:
            return []
        async with self._db.autocommit() as tx:
            operations = await store.operations.claim(tx, most, self._clock(), self._pace.lease)
            stop = None if operations else await store.inquiries.relay_stop(tx)
        await self._heed(stop)
        if operations:
            await fault_point("relay.claimed")
        return operations

    # Phase 2

    async def call(self, operation: Operation) -> Outcome | None:
        """Ask Stripe, outside any transaction; None when there is no longer time to ask under this lease."""
        await self._limiter.turn()
        if not self._may_call(operation):
            return None
        await fault_point("relay.before_send", operation.kind)
        begun = time.perf_counter()
        answer = await self._ask(operation)
        metrics.CALL_SECONDS.labels(operation.kind).observe(time.perf_counter() - begun)
        await fault_point("relay.answered", operation.kind)
        self._pace_by(answer)
        outcome = decide_outcome(operation, answer, self._clock(), self._policy)
        metrics.CALLS.labels(operation.kind, outcome.verdict).inc()
        return outcome

    async def _ask(self, operation: Operation) -> Answer:
        if operation.phase is Phase.LOOK_UP:
            await fault_point("relay.looking_up", operation.kind)
            return await self._gateway.look_up(operation)
        return await self._gateway.perform(operation)

    def _may_call(self, operation: Operation) -> bool:
        now = self._clock()
        fresh = operation.phase is Phase.LOOK_UP or now - operation.first_sent_at < KEY_TRUSTED_FOR
        return fresh and operation.lease_until - now >= self._pace.call_time

    def _pace_by(self, answer: Answer) -> None:
        if classify(answer) is Verdict.SLOW_DOWN:
            self._limiter.slow_down()
        else:
            self._limiter.went_well()

    # Phase 3

    async def record(self, outcomes: list[Outcome]) -> int:
        """Write what the answers proved, in one commit; outcomes whose lease is lost are dropped."""
        if not outcomes:
            return 0
        for outcome in outcomes:
            if outcome.verdict == Verdict.MISUSED:
                metrics.INVARIANT_BREACHES.labels("idempotency_error").inc()
                _log.critical("idempotency error", extra={"operation_id": str(outcome.operation.id)})
        await self._stop_if_refused(outcomes)
        recorded = await self._write(outcomes)
        await fault_point("relay.recorded")
        return recorded

    async def _write(self, outcomes: list[Outcome]) -> int:
        """One commit for all; when one is refused, a commit for each, so that the rest is kept."""
        try:
            return await effects.record(self._db, outcomes, self._clock(), self._terms)
        except Exception as error:
            if blame(error) is not Blame.RECORD:  # all of them are recorded later
                raise
            if len(outcomes) == 1:
                _log.exception("outcome refused", extra={"operation_id": str(outcomes[0].operation.id)})
                metrics.INVARIANT_BREACHES.labels("outcome_refused").inc()
                return 0
        return sum([await self._write([outcome]) for outcome in outcomes])

    # While our key is refused

    async def _stop_if_refused(self, outcomes: list[Outcome]) -> None:
        refused = [o for o in outcomes if o.verdict == Verdict.MISCONFIGURED]
        if refused:
            await self._stop(refused[0].answer.sentence)

    async def _stop(self, sentence: str) -> None:
        now = self._clock()
        probe_at = now + timedelta(seconds=self._policy.stopped_probe_s)
        async with self._db.transaction() as tx:
            news = await store.inquiries.stop_relay(tx, sentence, now, probe_at)
        self._stopped = True
        metrics.STOPPED.set(1)
        if news:
            _log.critical(
                "Stripe refuses our key: nothing is sent until it is put right", extra={"said": sentence}
            )

    async def _heed(self, stop: Stop | None) -> None:
        self._stopped = stop is not None
        metrics.STOPPED.set(self._stopped)
        if stop is not None and stop.probe_at <= self._clock():
            await self._probe()

    async def _probe(self) -> None:
        """Ask for our own balance: it moves nothing, and answers whether the key is good again."""
        answer = await self._gateway.balance()
        if classify(answer) is not Verdict.DONE:
            return await self._stop(answer.sentence)
        async with self._db.transaction() as tx:
            await store.inquiries.resume_relay(tx)
        self._stopped = False
        metrics.STOPPED.set(0)
        _log.warning("Stripe accepts our key again: the relay goes on")
        return None

    async def check(self) -> str | None:
        """Health: why the relay stands still, None when it does not."""
        return (
            "Stripe refuses our key; put the right one into HOBBS_STRIPE_SECRET_KEY"
            if self._stopped
            else None
        )


async def _both(one: Awaitable[int], other: Awaitable[int]) -> tuple[int, int]:
    """Side by side, in a transaction each; what fails in one does not break off the other."""
    first, second = await asyncio.gather(one, other, return_exceptions=True)
    if isinstance(first, BaseException):
        raise first
    if isinstance(second, BaseException):
        raise second
    return first, second
