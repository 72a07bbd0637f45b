"""The admin API under /_sim/, for tests, the demo and `hobbs sim`: what Stripe's API does not offer.

JSON in, JSON out; a wrong request gets 400 with {"error": sentence}. It listens on loopback and needs no key.
"""

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qsl

import orjson

from hobbs.local.stripe_sim import (
    balances,
    effects,
    onboarding,
    restricted_keys,
    settlement,
    thin_events,
    timers,
    triggers,
    v2_events,
    webhook_endpoints,
)
from hobbs.local.stripe_sim.api import Api
from hobbs.local.stripe_sim.errors import StripeError
from hobbs.local.stripe_sim.events import enqueue
from hobbs.local.stripe_sim.faults import Faults
from hobbs.local.stripe_sim.http import Answer, Request, json_answer
from hobbs.local.stripe_sim.settings import Settings
from hobbs.local.stripe_sim.world import Doc, World, public

EVENTS_PAGE_MAX = 500


class Admin:
    def __init__(self, world: World, faults: Faults, api: Api) -> None:
        self.world = world
        self.faults = faults
        self.api = api
        self.started = time.monotonic()
        self.routes: dict[tuple[str, str], Callable[[Doc], Any]] = {
            ("GET", "healthz"): lambda _: {"ok": True},
            ("GET", "state"): self.state,
            ("POST", "reset"): self.reset,
            ("GET", "effects"): self.effects,
            ("GET", "clock"): lambda _: self.clock(),
            ("POST", "clock"): self.move_clock,
            ("GET", "settings"): lambda _: world.settings.as_dict(),
            ("POST", "settings"): self.change_settings,
            ("GET", "faults"): lambda _: {"faults": [asdict(fault) for fault in faults.active]},
            ("POST", "faults"): lambda given: asdict(faults.add(given)),
            ("DELETE", "faults"): lambda given: {"cleared": faults.clear(given.get("id"))},
            ("POST", "fund"): self.fund,
            ("POST", "onboard"): self.onboard,
            ("POST", "trigger"): lambda given: public(triggers.trigger(world, given)),
            ("POST", "webhook_endpoints"): self.add_endpoint,
            ("GET", "webhook_endpoints"): lambda _: {
                "endpoints": list(world.store.newest("webhook_endpoint", "")),
                "destinations": list(world.store.newest(thin_events.DESTINATION, "")),
            },
            ("GET", "restricted_keys"): lambda _: restricted_keys.listed(world),
            ("POST", "restricted_keys"): lambda given: restricted_keys.register(world, given),
            ("GET", "deliveries"): self.deliveries,
            ("POST", "deliveries/flush"): lambda _: self.flush_deliveries(),
            ("POST", "resend"): self.resend,
            ("GET", "events"): self.events,
            ("GET", "requests"): self.requests,
            ("GET", "transactions"): lambda _: {
                "transactions": list(world.store.newest("balance_transaction", ""))
            },
        }

    def answer(self, request: Request) -> Answer:
        handler = self.routes.get((request.method, request.path.removeprefix("/_sim/")))
        if handler is None:
            return json_answer(404, {"error": f"no admin endpoint {request.method} {request.path}"})
        try:
            given = dict(parse_qsl(request.query)) | (orjson.loads(request.body) if request.body else {})
            return json_answer(200, handler(given))
        except (ValueError, LookupError, TypeError, StripeError) as wrong:
            return json_answer(400, {"error": str(wrong)})

    def state(self, _: Doc) -> Doc:
        store = self.world.store
        accounts = [doc for doc in store.newest("account", "") if doc["id"] != self.world.platform_account]
        return {
            "now": self.world.clock.now(),
            "clock_offset_s": self.world.clock.offset,
            "uptime_s": round(time.monotonic() - self.started, 3),
            "requests": self.api.served,
            "calls": dict(self.api.rates.calls.most_common()),
            "rate_limited": dict(self.api.rates.refused.most_common()),
            "objects": dict(store.rows("SELECT kind, count(*) FROM object GROUP BY kind ORDER BY kind")),
            "effects": dict(store.rows("SELECT kind, count(*) FROM effect GROUP BY kind ORDER BY kind")),
            "balance": _sums(balances.balance(self.world, "")),
            "accounts": [self._account(doc) for doc in accounts],
            "deliveries": dict(
                store.rows("SELECT state, count(*) FROM delivery GROUP BY state ORDER BY state")
            ),
            "jobs": dict(store.rows("SELECT kind, count(*) FROM job GROUP BY kind ORDER BY kind")),
            "idempotency_keys": (store.row("SELECT count(*) FROM idempotency") or (0,))[0],
            "faults": [asdict(fault) for fault in self.faults.active],
        }

    def _account(self, doc: Doc) -> Doc:
        return {
            "id": doc["id"],
            "email": doc["email"],
            "charges_enabled": doc["charges_enabled"],
            "payouts_enabled": doc["payouts_enabled"],
            "disabled_reason": doc["requirements"]["disabled_reason"],
            "closed": bool(doc.get("_closed")),
            "balance": _sums(balances.balance(self.world, doc["id"])),
            "metadata": doc["metadata"],
        }

    def reset(self, given: Doc) -> Doc:
        """Delete everything but what keep_endpoints and keep_settings say, and whether rates are limited."""
        endpoints = (
            [doc for kind in ENDPOINTS for doc in self.world.store.newest(kind, "")]
            if given.get("keep_endpoints")
            else []
        )
        kept = self.world.settings
        settings = kept if given.get("keep_settings") else Settings(rate_limits=kept.rate_limits)
        with self.world.store.transaction():
            self.world.store.clear()
            for doc in reversed(endpoints):
                self.world.store.insert(doc)
            self.world.set_settings(settings)
        self.world.clock.offset = 0.0
        self.faults.clear()
        self.faults.seen_per_key.clear()
        self.api.recent.clear()
        self.api.rates.forget()
        return {"ok": True}

    def effects(self, given: Doc) -> Doc:
        return {"effects": effects.all_effects(self.world, given.get("kind"), given.get("operation_id"))}

    def clock(self) -> Doc:
        return {"now": self.world.clock.now(), "offset_s": self.world.clock.offset}

    def move_clock(self, given: Doc) -> Doc:
        """advance_s: seconds to move by; set: a Unix time, not before the clock's present one."""
        seconds = (
            float(given["advance_s"])
            if "advance_s" in given
            else float(given["set"]) - self.world.clock.now()
        )
        return {"jobs_done": timers.advance(self.world, seconds)} | self.clock()

    def change_settings(self, given: Doc) -> Doc:
        self.world.set_settings(self.world.settings.changed(given))
        return self.world.settings.as_dict()

    def fund(self, given: Doc) -> Doc:
        """Put money on a balance, available now: listed as a top-up, without an effect row."""
        account, currency = given.get("account", ""), str(given.get("currency", "usd")).lower()
        with self.world.store.transaction():
            settlement.hold(self.world, account, currency)
            balances.post(
                self.world,
                type="topup",
                account=account,
                currency=currency,
                amount=int(given["amount"]),
                source=None,
                description="Funded by the simulator's admin API",
            )
        return _sums(balances.balance(self.world, account))

    def onboard(self, given: Doc) -> Doc:
        """outcome: complete (default), submit, restrict, pause_payouts, break_bank or close."""
        account, outcome = str(given["account"]), given.get("outcome", "complete")
        with self.world.store.transaction():
            if outcome == "restrict":
                reason = given.get("disabled_reason") or "requirements.past_due"
                doc = onboarding.restrict(
                    self.world, account, disabled_reason=reason, currently_due=given.get("currently_due")
                )
            elif outcome in OUTCOMES:
                doc = OUTCOMES[outcome](self.world, account)
            else:
                raise ValueError(
                    f"unknown outcome {outcome!r}; known are {', '.join([*OUTCOMES, 'restrict'])}"
                )
        return dict(public(doc))

    def add_endpoint(self, given: Doc) -> Doc:
        with self.world.store.transaction():
            if given.get("thin"):
                types = given["enabled_events"]
                return dict(public(v2_events.register(self.world, given["url"], types, given.get("secret"))))
            doc = webhook_endpoints.register(
                self.world,
                url=given["url"],
                enabled_events=given.get("enabled_events", ["*"]),
                connect=bool(given.get("connect", False)),
                secret=given.get("secret"),
            )
        return dict(public(doc))

    def deliveries(self, given: Doc) -> Doc:
        rows = self.world.store.rows(
            "SELECT id, event_id, endpoint_id, variant, state, attempts, first_at, due, last_status"
            " FROM delivery WHERE (:state IS NULL OR state = :state) ORDER BY id DESC LIMIT :limit",
            state=given.get("state"),
            limit=int(given.get("limit", 1_000)),
        )
        return {"deliveries": [dict(zip(DELIVERY, row, strict=True)) for row in rows]}

    def flush_deliveries(self) -> Doc:
        """Try every waiting delivery now, without its backoff."""
        due = self.world.store.write(
            "UPDATE delivery SET due = :now WHERE state = 'pending'", now=self.world.clock.wall()
        )
        self.world.on_delivery()
        return {"due": due}

    def resend(self, given: Doc) -> Doc:
        """Deliver an event once more; `variant`: genuine, duplicate, forged or stale."""
        event = self.world.store.find(given["event"])
        if event is None:
            raise LookupError(f"no event {given['event']}")
        for endpoint in self.world.store.newest("webhook_endpoint", ""):
            if (endpoint["application"] is not None) == ("account" in event):
                enqueue(self.world, event["id"], endpoint["id"], given.get("variant", "duplicate"))
        return {"ok": True}

    def events(self, given: Doc) -> Doc:
        """Events of all accounts after a cursor, oldest first; `hobbs sim listen` polls them.

        thin: 1 for those of API v2.
        """
        rows = self.world.store.rows(
            "SELECT seq, body FROM object WHERE kind = :kind AND seq > :after ORDER BY seq LIMIT :limit",
            kind=thin_events.EVENT if int(given.get("thin", 0)) else "event",
            after=int(given.get("after", 0)),
            limit=min(int(given.get("limit", EVENTS_PAGE_MAX)), EVENTS_PAGE_MAX),
        )
        return {"events": [{"cursor": seq} | orjson.loads(body) for seq, body in rows]}

    def requests(self, given: Doc) -> Doc:
        after = int(given.get("after", 0))
        return {"requests": [entry for entry in self.api.recent if entry["number"] > after]}


ENDPOINTS = ("webhook_endpoint", thin_events.DESTINATION)
OUTCOMES: dict[str, Callable[[World, str], Doc]] = {
    "complete": onboarding.complete,
    "submit": onboarding.submit,
    "pause_payouts": onboarding.pause_payouts,
    "break_bank": onboarding.break_bank,
    "close": onboarding.close,
}
DELIVERY = ("id", "event_id", "endpoint_id", "variant", "state", "attempts", "first_at", "due", "last_status")


def _sums(balance: Doc) -> Doc:
    return {
        part: {money["currency"]: money["amount"] for money in balance[part]}
        for part in ("available", "pending")
    }
