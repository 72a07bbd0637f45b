"""Webhook delivery: signed, at least once, retried until a 2xx or three days, durable across a kill.

Stripe's schedule (docs.stripe.com/webhooks: up to three days with exponential back off) is divided by
`webhook_speed` and runs on the wall clock. Signatures carry the time of the attempt, as Stripe's do.
"""

import asyncio
import hmac
import sys
from contextlib import suppress
from hashlib import sha256
from typing import Any

import orjson

from hobbs.local.stripe_sim.events import STALE_BY_S
from hobbs.local.stripe_sim.posting import Poster
from hobbs.local.stripe_sim.settings import Settings
from hobbs.local.stripe_sim.world import Doc, World

RETRY_AFTER_S = (300, 1_800, 7_200, 18_000, 36_000, 43_200)
"""Waits after the 1st, 2nd … attempt; the last one repeats."""
GIVE_UP_AFTER_S = 3 * 86_400
AT_ONCE_MAX = 16
IDLE_S = 0.05


class Delivery:
    """Sends due deliveries, at most AT_ONCE_MAX at once, so their order may change, as at Stripe."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.woken = asyncio.Event()
        self.sending: set[int] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        world.on_delivery = self.woken.set

    async def run(self) -> None:
        poster = Poster()
        try:
            while True:
                self.woken.clear()
                for row in self._due():
                    self.sending.add(row[0])
                    task = asyncio.create_task(self._attempt(poster, row))
                    self.tasks.add(task)
                    task.add_done_callback(self.tasks.discard)
                await self._wait()
        finally:
            poster.close()

    async def _wait(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(IDLE_S):
                await self.woken.wait()

    def _due(self) -> list[tuple[Any, ...]]:
        room = AT_ONCE_MAX - len(self.sending)
        if room <= 0:
            return []
        rows = self.world.store.rows(
            "SELECT id, event_id, endpoint_id, variant, attempts, first_at FROM delivery"
            " WHERE state = 'pending' AND due <= :now ORDER BY due, id LIMIT :limit",
            now=self.world.clock.wall(),
            limit=AT_ONCE_MAX * 2,
        )
        return [row for row in rows if row[0] not in self.sending][:room]

    async def _attempt(self, poster: Poster, row: tuple[Any, ...]) -> None:
        id, event_id, endpoint_id, variant, attempts, first_at = row
        try:
            event = self.world.store.find(event_id)
            endpoint = self.world.store.find(endpoint_id)
            if event is None or endpoint is None:
                self._record(id, "abandoned", attempts, 0.0, "the event or its endpoint is gone")
                return
            status = await self._send(poster, endpoint, event, variant)
            self._conclude(id, variant, attempts + 1, first_at, status)
        except Exception as failure:
            sys.stderr.write(f"delivery {id}: {failure!r}\n")
        finally:
            self.sending.discard(id)
            if len(self.sending) <= AT_ONCE_MAX // 2:  # at half, so that one query loads several deliveries
                self.woken.set()

    async def _send(self, poster: Poster, endpoint: Doc, event: Doc, variant: str) -> str:
        body, header = signed(event, endpoint["_secret"], variant, int(self.world.clock.wall()))
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": header,
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        try:
            async with asyncio.timeout(self.world.settings.webhook_timeout_s):
                return str(await poster.post(endpoint["url"], body, headers))
        except (OSError, EOFError, ValueError, TimeoutError) as failure:
            return type(failure).__name__

    def _conclude(self, id: int, variant: str, attempts: int, first_at: float, status: str) -> None:
        now = self.world.clock.wall()
        speed = self.world.settings.webhook_speed
        if status.startswith("2") and len(status) == 3:
            self._record(id, "delivered", attempts, now, status)
        elif variant in ("forged", "stale") or now - first_at > GIVE_UP_AFTER_S / speed:
            self._record(id, "abandoned", attempts, now, status)
        else:
            self._record(id, "pending", attempts, now + wait_s(attempts, self.world.settings), status)

    def _record(self, id: int, state: str, attempts: int, due: float, status: str) -> None:
        self.world.store.write(
            "UPDATE delivery SET state = :state, attempts = :attempts, due = :due, last_status = :status"
            " WHERE id = :id AND state = 'pending'",
            state=state,
            attempts=attempts,
            due=due,
            status=status,
            id=id,
        )


def wait_s(attempts: int, settings: Settings) -> float:
    """Seconds to wait after so many attempts, on the wall clock."""
    wait = RETRY_AFTER_S[min(attempts, len(RETRY_AFTER_S)) - 1] / settings.webhook_speed
    longest = settings.webhook_retry_wait_max_s
    return min(wait, longest) if longest else wait


def signed(event: Doc, secret: str, variant: str, now: int) -> tuple[bytes, str]:
    """The body and its Stripe-Signature; `forged` and `stale` copies are wrong on purpose."""
    if variant == "forged":
        event = _tampered(event)
        secret = "whsec_of_somebody_else"
    body = orjson.dumps(event, option=orjson.OPT_INDENT_2)
    timestamp = now - STALE_BY_S if variant == "stale" else now
    return body, f"t={timestamp},v1={signature(body, secret, timestamp)}"


def signature(body: bytes, secret: str, timestamp: int) -> str:
    return hmac.new(secret.encode(), str(timestamp).encode() + b"." + body, sha256).hexdigest()


def _tampered(event: Doc) -> Doc:
    if "data" not in event:  # a thin event
        return event | {"id": event["id"][:-6] + "forged"}
    doc = event["data"]["object"]
    return event | {"id": event["id"][:-6] + "forged", "data": {"object": doc | {"amount": 99_999_99}}}
