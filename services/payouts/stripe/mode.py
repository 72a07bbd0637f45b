"""Compare the key's mode with the database's before anything is sent or handled, and with Stripe's answer.

A database's first key decides whose money it holds, test-mode or live. A key of the other mode is not used:
each call gets the refusal instead, the relay is stopped by it, and nothing is handled until the right key is
there.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from fleet.database import Database
from fleet.stripe_keys import mode
from services.payouts import store
from services.payouts.domain.answers import StripeAnswer, StripeVerdict, classify
from services.payouts.domain.modes import OTHER_DATABASE
from services.payouts.stripe.client import StripeClient

AGAIN: Final = timedelta(seconds=1)
SAY_EVERY: Final = timedelta(minutes=1)
NOT_COMPARED: Final = StripeAnswer(
    status=None, problem="the key's mode is not compared with the database's yet"
)

_log = logging.getLogger(__name__)


class ModeGate:
    """Whether this process's key is of the database's mode, and Stripe answers in it; its loop runs `step`.

    It also publishes what this process runs with, so that the doctor sees it without the key.
    """

    def __init__(
        self,
        db: Database,
        client: StripeClient,
        clock: Callable[[], datetime],
        *,
        api_base: str,
        probe_after: timedelta,
    ) -> None:
        self._db = db
        self._client = client
        self._clock = clock
        self._api_base = api_base
        self._probe_after = probe_after
        self._due_at = clock()
        self.compared = False
        client.instead = NOT_COMPARED

    @property
    def known(self) -> bool:
        """Whether the key's mode was compared with the database's, whatever came of it."""
        return self._client.instead is not NOT_COMPARED

    async def step(self) -> int:
        """When it is time, say what this process runs with, and compare until it is the right mode."""
        now = self._clock()
        if now < self._due_at:
            return 0
        self._due_at = now + AGAIN
        if await self._is_the_databases_mode(now) and not self.compared:
            await self._ask(now)
        if self.compared:
            self._due_at = now + SAY_EVERY
        return 0

    async def _is_the_databases_mode(self, now: datetime) -> bool:
        ours = self._client.livemode
        async with self._db.transaction() as tx:
            recorded = await store.stripe_mode.record(
                tx, livemode=ours, api_base=self._api_base, api_version=self._client.api_version, now=now
            )
        if recorded is ours:
            self._client.instead = None
            return True
        self.compared = False
        self._client.instead = StripeAnswer(status=None, problem=OTHER_DATABASE[recorded], wrong_mode=True)
        await self._stop(self._client.instead, now)
        return False

    async def _ask(self, now: datetime) -> None:
        """Read the balance, the first call of all: it says its mode, as much that is read later does not."""
        answer = await self._client.balance()
        verdict = classify(answer)
        self.compared = verdict is StripeVerdict.DONE
        if verdict is StripeVerdict.MISCONFIGURED:
            await self._stop(answer, now)

    async def _stop(self, answer: StripeAnswer, now: datetime) -> None:
        self._due_at = now + self._probe_after
        async with self._db.transaction() as tx:
            news = await store.relay_stop.stop(tx, answer.sentence, now, self._due_at)
        if news:
            _log.critical("nothing is sent to Stripe", extra={"answer": answer.sentence})

    async def check(self) -> str | None:
        """Health: why nothing is sent or handled, None once the modes are compared."""
        if self.compared:
            return None
        ours = mode(self._client.livemode)
        why = self._client.instead.sentence if self._client.instead else "Stripe has not answered yet"
        return f"our key is of {ours} mode: {why}"
