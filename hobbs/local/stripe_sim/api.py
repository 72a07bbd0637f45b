"""One API request from headers to answer: authentication, rates, validation, idempotency, faults, execution.

The order is Stripe's: authenticate, limit the rate, replay a saved answer, refuse a running key, validate,
execute, save. The event loop runs one request between two `await`s, so the only lock is the set of keys
in use.
"""

import asyncio
import base64
import sys
import traceback
from collections import deque
from dataclasses import replace

from fleet.stripe_keys import TEST_PREFIXES
from fleet.stripe_limits import endpoint_of
from hobbs.local.stripe_sim import (
    accounts,
    errors,
    faults,
    forms,
    http,
    idempotency,
    not_simulated,
    payment_types,
    restricted_keys,
    retry_hints,
    routes,
    v2,
    versions,
)
from hobbs.local.stripe_sim.expand import expanded
from hobbs.local.stripe_sim.faults import Fault, Faults
from hobbs.local.stripe_sim.http import Answer, Request
from hobbs.local.stripe_sim.identifiers import new_id
from hobbs.local.stripe_sim.rates import Rates
from hobbs.local.stripe_sim.world import Call, Doc, World, public

REQUESTS_KEPT = 2_000


class Api:
    def __init__(self, world: World, faults: Faults, secret_key: str | None) -> None:
        self.world = world
        self.faults = faults
        self.secret_key = secret_key
        self.keys_in_use: set[tuple[str, str]] = set()
        self.recent: deque[Doc] = deque(maxlen=REQUESTS_KEPT)
        self.rates = Rates()
        self.served = 0

    async def answer(self, request: Request) -> Answer:
        request_id, arrived = new_id("req", 14), self.world.clock.now()
        version = request.headers.get("stripe-version") or self.world.api_version
        headers = {"Request-Id": request_id, "Stripe-Version": version}
        context = acting_for(request.headers)
        if context is not None:
            headers["Stripe-Account"] = context
        try:
            call, route = self._understand(request, request_id)
            if call.key is not None:
                headers["Idempotency-Key"] = call.key
            answer = await self._serve(call, route, request)
        except errors.StripeError as error:
            answer = _error_answer(v2.errors_as_v2(request.path, error))
        self._remember(request, request_id, arrived, answer)
        return replace(answer, headers=headers | answer.headers)

    def _understand(self, request: Request, request_id: str) -> tuple[Call, routes.Route]:
        key = self._authenticated(request.headers.get("authorization"))
        versions.check(request.headers.get("stripe-version"))
        found = routes.find(request.method, request.path)
        if found is None:
            raise not_simulated.unknown(request.method, request.path, [row[1] for row in routes.ALL])
        route, ids = found
        self.rates.admit(endpoint_of(request.method, request.path), self.world.settings.rate_limits)
        account = self._acting_as(acting_for(request.headers), key)
        restricted_keys.check(self.world, key, request.method, request.path, account)
        if account and route.platform_only:
            raise errors.not_simulated("a connected account that acts as a platform")
        params = forms.parse(request.query) | _body(request)
        version = request.headers.get("stripe-version") or self.world.api_version
        params = payment_types.understood(request.method, request.path, version, params)
        call = Call(
            method=request.method,
            path=request.path,
            params=params,
            ids=ids,
            account=account,
            key=request.headers.get("idempotency-key") if request.method == "POST" else None,
            request_id=request_id,
            api_key=key,
        )
        return call, route

    def _authenticated(self, header: str | None) -> str:
        scheme, _, value = (header or "").partition(" ")
        if scheme.lower() == "basic":
            value = base64.b64decode(value).decode("utf-8", "replace").partition(":")[0]
        if not value:
            raise errors.unauthenticated(None)
        if not value.startswith(TEST_PREFIXES):
            raise errors.not_a_test_key()
        known = not self.secret_key or value == self.secret_key
        if not known and not restricted_keys.is_registered(self.world, value):
            raise errors.unauthenticated(value)
        return value

    def _acting_as(self, account: str | None, key: str) -> str:
        if account is None or account == self.world.platform_account:
            return ""
        if accounts.connected(self.world, account) is None:
            raise errors.account_invalid(account, key)
        return account

    async def _serve(self, call: Call, route: routes.Route, request: Request) -> Answer:
        fault = self.faults.take(call)
        if fault and fault.when == "before":
            await self._break_before(fault, call)
        in_use = (call.account, call.key) if call.key is not None else None
        if in_use in self.keys_in_use:
            assert call.key is not None
            raise errors.key_in_use(call.key)
        if in_use:
            self.keys_in_use.add(in_use)
        try:
            if fault and fault.kind == "slow" and fault.when == "before":
                await asyncio.sleep(fault.delay_s)
            answer = self._execute_once(call, route, fault)
            if fault and fault.kind == "slow" and fault.when == "after":
                await asyncio.sleep(fault.delay_s)
        finally:
            if in_use:
                self.keys_in_use.discard(in_use)
        if fault and fault.when == "after":
            return self._break_after(fault, call, answer)
        return answer

    async def _break_before(self, fault: Fault, call: Call) -> None:
        """Faults before the effect: the request is lost, or Stripe's edge refuses it; no key is used."""
        if fault.kind == "timeout":
            raise http.Hang
        if fault.kind == "reset":
            raise http.Reset
        error = faults.answer(fault, call)
        if error is not None and (not error.saved or v2.is_v2(call.path)):
            raise error

    def _break_after(self, fault: Fault, call: Call, answer: Answer) -> Answer:
        """Faults after the effect: effect and answer are saved, but the client does not get the answer."""
        if fault.kind == "timeout":
            raise http.Hang
        if fault.kind == "reset":
            raise http.Reset
        error = faults.answer(fault, call)
        if error is None or (error.saved and not v2.is_v2(call.path)):
            return answer
        return _error_answer(v2.errors_as_v2(call.path, error))

    def _execute_once(self, call: Call, route: routes.Route, fault: Fault | None) -> Answer:
        """Replay the saved answer, or execute and save it; effects, events and answer are one transaction."""
        saved = idempotency.saved_answer(self.world, call)
        if saved is not None:
            replayed = {"Idempotent-Replayed": "true", **retry_hints.for_executed(saved.request_id)}
            return Answer(status=saved.status, body=saved.body, headers=replayed)
        route.check(call.params)
        return self._execute(call, route, fault)

    def _execute(self, call: Call, route: routes.Route, fault: Fault | None) -> Answer:
        injected = faults.answer(fault, call) if fault else None
        if injected is not None and v2.is_v2(call.path):
            injected.saved = False  # v2 replays no failure: the same key executes, or finds what was executed
        fingerprint = idempotency.fingerprint(call)
        self.world.call = call
        try:
            with self.world.store.transaction():
                answer = self._run(call, route, injected, fault)
                if call.method == "POST":
                    idempotency.save(self.world, call, answer.status, answer.body, fingerprint)
            if call.key is None:
                return answer
            return replace(answer, headers=retry_hints.for_executed(call.request_id) | answer.headers)
        except errors.StripeError as unsaved:
            return _error_answer(v2.errors_as_v2(call.path, unsaved))
        except Exception:
            sys.stderr.write(f"{call.method} {call.path} failed\n{traceback.format_exc()}")
            return _error_answer(errors.server_error(saved=False))
        finally:
            self.world.call = None

    def _run(
        self, call: Call, route: routes.Route, injected: errors.StripeError | None, fault: Fault | None
    ) -> Answer:
        """Run the handler. An error that Stripe saves is an answer; any other is raised and rolls back."""
        breaks = injected is not None and injected.saved and fault is not None
        try:
            if breaks and injected and fault and fault.when == "before":
                raise injected
            doc = route.handler(self.world, call)
            if breaks and injected:
                raise injected
            return http.json_answer(
                200, public(expanded(self.world, doc, forms.strings(call.params, "expand")))
            )
        except errors.StripeError as error:
            if not error.saved:
                raise
            return _error_answer(v2.errors_as_v2(call.path, error))

    def _remember(self, request: Request, request_id: str, arrived: float, answer: Answer) -> None:
        self.served += 1
        self.recent.append(
            {
                "number": self.served,
                "id": request_id,
                "method": request.method,
                "path": request.path,
                "status": answer.status,
                "idempotency_key": request.headers.get("idempotency-key"),
                "replayed": answer.headers.get("Idempotent-Replayed") == "true",
                "arrived": arrived,
                "created": self.world.clock.now(),
            }
        )


def acting_for(headers: dict[str, str]) -> str | None:
    """The account to act for. Stripe-Context supersedes Stripe-Account: docs.stripe.com/context."""
    return headers.get("stripe-context") or headers.get("stripe-account") or None


def _body(request: Request) -> Doc:
    """What a request's body says: JSON under /v2, else a form."""
    if v2.is_v2(request.path):
        v2.require_version(request.headers)
        return v2.body(request.body, request.headers)
    return forms.parse(request.body) if request.method == "POST" else {}


def _error_answer(error: errors.StripeError) -> Answer:
    return http.json_answer(error.status, public(error.body()), retry_hints.for_error(error) | error.headers)
