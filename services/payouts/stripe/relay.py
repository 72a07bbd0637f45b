"""The relay: claim, call, record. Three phases, three commits, and no transaction open while Stripe is asked.

Do not break:
* what is sent comes from the frozen row, but for a payee's address; the key is op:{id}:{generation};
* the library never retries;
* nothing is sent with less than a whole call's time left of the lease, with a key 12 h old, or too late;
* an answer is recorded only under its own lease; otherwise it is dropped, and the next owner gets the same;
* while Stripe refuses our key nothing is claimed; now and then a read of the balance tries the key;
* nothing is claimed before this process has compared what Stripe made with the database (adoption.py).

Several relays at once are safe: a claim skips what another has locked, and one payee has one operation in
flight.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product

from fleet.database import Database
from fleet.faults import fault_point
from fleet.outages import Blame, blame
from fleet.signals import within
from services.payouts import metrics, store
from services.payouts.domain.answers import StripeAnswer, StripeVerdict, classify
from services.payouts.domain.endpoints import Endpoint, endpoint_for
from services.payouts.domain.operations import Kind, Operation, Phase
from services.payouts.domain.outcomes import KEY_TRUSTED_FOR, OperationOutcome, RetryPolicy, decide_outcome
from services.payouts.domain.reading import Wait
from services.payouts.domain.relay import RelayStop, Room
from services.payouts.stripe import effects, open_pages
from services.payouts.stripe.client import StripeClient
from services.payouts.stripe.effects import EffectPolicy
from services.payouts.stripe.pacer import Pace

BATCH_MAX = 100
SOON_S = 1.0  # operations are claimed when their endpoint can start them this soon: far less than a lease
POLL_S = 0.05
IDLE_S = 0.2
GATHER_S = 0.01


_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayLimits:
    """How many calls run at once, how long a call and a lease may last, and when a refused key is tried."""

    concurrency: int
    lease: timedelta
    call_time: timedelta
    probe: Wait


class StripeRelay:
    """One relay of one process. `step` is what its loop runs; `claim`, `call` and `record` are its phases."""

    def __init__(
        self,
        db: Database,
        client: StripeClient,
        pace: Pace,
        clock: Callable[[], datetime],
        *,
        policy: RetryPolicy,
        limits: RelayLimits,
        effect_policy: EffectPolicy,
        may_send: Callable[[], bool] = lambda: True,
    ) -> None:
        self._may_send = may_send
        self._db = db
        self._client = client
        self._pace = pace
        self._clock = clock
        self._policy = policy
        self._limits = limits
        self._effect_policy = effect_policy
        self._calls: set[asyncio.Task[OperationOutcome | None]] = set()
        self._unrecorded: list[OperationOutcome] = []
        self._wake = asyncio.Event()
        self._stopped = False
        self._why = ""

    async def step(self) -> int:
        """Record the answers, claim and call what there is room for, and wait; how much was done."""
        self._wake.clear()
        recorded, claimed = await _both(self._record_answered(), self._claim_and_call())
        metrics.IN_FLIGHT.set(len(self._calls))
        metrics.PACER_RATE.set(self._pace.calls.per_s)
        if recorded:
            self._wake.set()  # their payees' next operations may be claimed
        if self._calls:
            await self._rest(POLL_S)
            await asyncio.sleep(
                GATHER_S if len(self._calls) > 1 else 0
            )  # under load, several answers share a commit
        elif not claimed:
            await self._rest(IDLE_S)
        return recorded + claimed + len(self._calls)

    async def _claim_and_call(self) -> int:
        free = min(self._limits.concurrency - len(self._calls), BATCH_MAX)
        claimed = await self.claim(free, self._room())
        for operation in claimed:
            call = asyncio.create_task(self.call(operation))
            call.add_done_callback(lambda _: self._wake.set())
            self._calls.add(call)
        return len(claimed)

    def wake(self) -> None:
        """Look for due operations now. Those that other processes decide are found within IDLE_S."""
        self._wake.set()

    async def _rest(self, most_s: float) -> None:
        await within(most_s, self._wake)

    async def drain(self) -> None:
        """Wait for the calls under way and record their answers; claim nothing more."""
        if self._calls:
            await asyncio.wait(self._calls)
        await self._record_answered()

    async def _record_answered(self) -> int:
        """Record the answers, and those that an outage kept from being recorded before."""
        self._unrecorded += self._answered()
        recorded = await self.record(self._unrecorded)
        self._unrecorded = []
        return recorded

    def _answered(self) -> list[OperationOutcome]:
        done = [task for task in self._calls if task.done()]
        self._calls.difference_update(done)
        for task in done:
            if error := task.exception():  # the lease ends, and the same call is made again
                _log.error("a call to Stripe broke off", exc_info=error)
        return [o for task in done if task.exception() is None and (o := task.result()) is not None]

    def _room(self) -> Room:
        """How many operations of each kind and phase their endpoint could start soon, one at least."""
        return {
            (kind, phase): max(self._pace.of(endpoint_for(kind, phase)).free_within(SOON_S), 1)
            for kind, phase in product(Kind, Phase)
        }

    # Phase 1

    async def claim(self, most: int, room: Room | None = None) -> list[Operation]:
        """Lease up to `most` due operations, in one statement; none while the relay is stopped.

        room: how many of each kind and phase, so that no lease runs out in an endpoint's queue.
        """
        if most <= 0:
            return []
        async with self._db.autocommit() as tx:
            operations = (
                await store.claims.claim(tx, most, self._clock(), self._limits.lease, room)
                if self._may_send()
                else []
            )
            stop = None if operations else await store.relay_stop.current(tx)
        await self._note_stop(stop)
        if operations:
            await fault_point("relay.claimed")
        return operations

    # Phase 2

    async def call(self, operation: Operation) -> OperationOutcome | None:
        """Call Stripe, outside any transaction; None when the lease leaves too little time for a call."""
        endpoint = endpoint_for(operation.kind, operation.phase)
        stands = await open_pages.stands_against(self._db, self._client, self._pace, operation)
        await self._pace.of(endpoint).turn()
        if not self._may_call(operation):
            return None
        await fault_point("relay.before_send", operation.kind)
        begun = time.perf_counter()
        answer = stands or await self._ask(operation)
        metrics.CALL_SECONDS.labels(operation.kind).observe(time.perf_counter() - begun)
        await fault_point("relay.answered", operation.kind)
        if stands is None:
            self._pace.heard(endpoint, answer)
        outcome = decide_outcome(operation, answer, self._clock(), self._policy)
        metrics.CALLS.labels(operation.kind, outcome.verdict).inc()
        return outcome

    async def _ask(self, operation: Operation) -> StripeAnswer:
        if operation.phase is Phase.LOOK_UP:
            await fault_point("relay.looking_up", operation.kind)
            lane = self._pace.of(endpoint_for(operation.kind, operation.phase))
            return await self._client.look_up(operation, lane.turn)
        return await self._client.perform(operation)

    def _may_call(self, operation: Operation) -> bool:
        now = self._clock()
        late = operation.not_after is not None and now >= operation.not_after
        fresh = now - operation.first_sent_at < KEY_TRUSTED_FOR and not late
        fresh |= operation.phase is Phase.LOOK_UP
        return fresh and operation.lease_until - now >= self._limits.call_time

    # Phase 3

    async def record(self, outcomes: list[OperationOutcome]) -> int:
        """Write outcomes in one commit; how many. Those whose lease is lost are dropped."""
        if not outcomes:
            return 0
        for outcome in outcomes:
            if outcome.verdict == StripeVerdict.MISUSED and outcome.operation.kind is not Kind.ACCOUNT:
                metrics.INVARIANT_BREACHES.labels("idempotency_error").inc()
                _log.critical("idempotency error", extra={"operation_id": str(outcome.operation.id)})
        await self._stop_if_refused(outcomes)
        recorded = await self._write(outcomes)
        await fault_point("relay.recorded")
        return recorded

    async def _write(self, outcomes: list[OperationOutcome]) -> int:
        """Write all in one commit; when the database refuses one of them, each in a commit of its own."""
        try:
            return await effects.record(self._db, outcomes, self._clock(), self._effect_policy)
        except Exception as error:
            if blame(error) is not Blame.RECORD:  # an outage: all of them are recorded later
                raise
            if len(outcomes) == 1:
                _log.exception("outcome refused", extra={"operation_id": str(outcomes[0].operation.id)})
                metrics.INVARIANT_BREACHES.labels("outcome_refused").inc()
                return 0
        return sum([await self._write([outcome]) for outcome in outcomes])

    # While our key is refused

    async def _stop_if_refused(self, outcomes: list[OperationOutcome]) -> None:
        refused = [o for o in outcomes if o.verdict == StripeVerdict.MISCONFIGURED]
        if refused:
            await self._stop(refused[0].answer.sentence, stopped_for=timedelta())

    async def _stop(self, sentence: str, *, stopped_for: timedelta) -> None:
        now = self._clock()
        probe_at = now + self._limits.probe.after(stopped_for)
        async with self._db.transaction() as tx:
            news = await store.relay_stop.stop(tx, sentence, now, probe_at)
        self._stopped, self._why = True, sentence
        metrics.STOPPED.set(1)
        if news:
            _log.critical(
                "Stripe refuses our key: nothing is sent until it accepts one", extra={"answer": sentence}
            )

    async def _note_stop(self, stop: RelayStop | None) -> None:
        self._stopped = stop is not None
        self._why = stop.sentence if stop is not None else ""
        metrics.STOPPED.set(self._stopped)
        if stop is not None and stop.probe_at <= self._clock():
            await self._probe(stop)

    async def _probe(self, stop: RelayStop) -> None:
        """Try the key again by reading our own balance, which moves nothing; ever more seldom."""
        answer = await self._pace.read(Endpoint.BALANCE, self._client.balance)
        if classify(answer) is not StripeVerdict.DONE:
            return await self._stop(answer.sentence, stopped_for=self._clock() - stop.since)
        async with self._db.transaction() as tx:
            await store.relay_stop.resume(tx)
        self._stopped = False
        metrics.STOPPED.set(0)
        _log.warning("Stripe accepts our key again: the relay continues")
        return None

    async def check(self) -> str | None:
        """Health: why the relay is stopped, None when it is not."""
        return (
            f"Stripe refuses our key ({self._why}); put the right one into HOBBS_STRIPE_SECRET_KEY"
            if self._stopped
            else None
        )


async def _both(one: Awaitable[int], other: Awaitable[int]) -> tuple[int, int]:
    """Run both at once; when one fails, the other is still run to its end."""
    first, second = await asyncio.gather(one, other, return_exceptions=True)
    if isinstance(first, BaseException):
        raise first
    if isinstance(second, BaseException):
        raise second
    return first, second
