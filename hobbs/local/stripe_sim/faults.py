"""Faults on demand: which requests break, how, and whether before or after their effect.

A fault matches by method, path pattern and parameters, then fires at its nth match, for `count` times, or
with a probability drawn from its seed, the request's idempotency key and how often that key was seen. So a
seed repeats a run in any order of concurrent requests. Faults are durable: they outlive a kill.
"""

import random
from dataclasses import asdict, dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any

from hobbs.local.stripe_sim import errors
from hobbs.local.stripe_sim.identifiers import new_id
from hobbs.local.stripe_sim.world import Call, World

KINDS = (
    "timeout",  # never answers; the client gives up
    "reset",  # TCP reset
    "slow",  # answers after delay_s; the key is in use meanwhile
    "conflict",  # 409 idempotency_key_in_use
    "rate_limit",  # 429 rate_limit
    "lock_timeout",  # 429 lock_timeout
    "server_error",  # 500; saved under the key, as Stripe does, unless saved is false
    "bad_gateway",  # 502 from the edge: never saved
    "unavailable",  # 503 from the edge: never saved
    "balance_insufficient",  # 400, saved
    "account_invalid",  # 403
    "unauthorized",  # 401
    "refuse",  # any refusal: status, code, type, param and message as given; saved unless saved is false
)
ALIASES = {
    "409": "conflict",
    "429": "rate_limit",
    "500": "server_error",
    "502": "bad_gateway",
    "503": "unavailable",
}
ALIASES |= {"401": "unauthorized", "403": "account_invalid"}
ONLY_BEFORE = frozenset({"balance_insufficient", "account_invalid", "unauthorized", "refuse"})


@dataclass(slots=True, kw_only=True)
class Fault:
    kind: str
    when: str = "before"
    method: str = "POST"
    path: str = "*"
    account: str | None = None
    match: dict[str, str] = field(default_factory=dict)
    """Parameters that must be equal, nested by dots: {"metadata.hobbs_operation_id": "…"}."""
    nth: int | None = None
    probability: float | None = None
    seed: int = 0
    count: int | None = None
    """How often it fires at most; nth alone fires once."""
    delay_s: float = 1.0
    saved: bool = True
    status: int = 400
    code: str | None = None
    type: str = "invalid_request_error"
    param: str | None = None
    message: str = "Stripe refuses this request."
    """As Stripe's error has them, for the kind refuse."""
    id: str = ""
    seen: int = 0
    fired: int = 0


class Faults:
    """The active faults; the first that fires wins."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.active = [Fault(**stored) for stored in world.store.setting("faults") or []]
        self.seen_per_key: dict[tuple[str, str], int] = {}

    def add(self, given: dict[str, Any]) -> Fault:
        unknown = sorted(set(given) - {f.name for f in fields(Fault)})
        if unknown:
            raise ValueError(f"unknown fault field {unknown[0]}")
        fault = Fault(**given | {"id": new_id("flt", 8), "seen": 0, "fired": 0})
        fault.kind = ALIASES.get(str(fault.kind), fault.kind)
        if fault.kind not in KINDS:
            raise ValueError(f"unknown fault kind {fault.kind!r}; known are {', '.join(KINDS)}")
        if fault.when not in ("before", "after"):
            raise ValueError(f"when is 'before' or 'after' the effect, not {fault.when!r}")
        if fault.when == "after" and fault.kind in ONLY_BEFORE:
            raise ValueError(f"{fault.kind} means that nothing happened: it can only come before the effect")
        self.active.append(fault)
        self._keep()
        return fault

    def clear(self, id: str | None = None) -> int:
        before = len(self.active)
        self.active = [fault for fault in self.active if id is not None and fault.id != id]
        self._keep()
        return before - len(self.active)

    def take(self, call: Call) -> Fault | None:
        """The fault that this request meets, or None; counts the match."""
        matching = [fault for fault in self.active if _matches(fault, call)]
        if not matching:
            return None
        hit: Fault | None = None
        for fault in matching:
            fault.seen += 1
            if hit is None and self._fires(fault, call):
                fault.fired += 1
                hit = fault
        self._keep()
        return hit

    def _fires(self, fault: Fault, call: Call) -> bool:
        limit = fault.count if fault.count is not None else (1 if fault.nth is not None else None)
        if limit is not None and fault.fired >= limit:
            return False
        if fault.nth is not None and fault.seen < fault.nth:
            return False
        return fault.probability is None or self._draw(fault, call) < fault.probability

    def _draw(self, fault: Fault, call: Call) -> float:
        subject = call.key or f"{call.method} {call.path}"
        number = self.seen_per_key.get((fault.id, subject), 0)
        self.seen_per_key[(fault.id, subject)] = number + 1
        return random.Random(f"{fault.seed}:{fault.kind}:{subject}:{number}").random()

    def _keep(self) -> None:
        self.world.store.put_setting("faults", [asdict(fault) for fault in self.active])


def _matches(fault: Fault, call: Call) -> bool:
    return (
        fault.method in ("*", call.method)
        and fnmatchcase(call.path, fault.path)
        and (fault.account is None or fault.account == call.account)
        and all(str(_lookup(call.params, path)) == value for path, value in fault.match.items())
    )


def _lookup(params: Any, path: str) -> Any:
    for name in path.split("."):
        params = params.get(name) if isinstance(params, dict) else None
    return params


def answer(fault: Fault, call: Call) -> errors.StripeError | None:
    """The error that a fault answers with; None for the kinds that only delay or cut the connection."""
    match fault.kind:
        case "conflict":
            return errors.key_in_use(call.key or "")
        case "rate_limit":
            return errors.rate_limited()
        case "lock_timeout":
            return errors.lock_timeout()
        case "server_error":
            return errors.server_error(saved=fault.saved)
        case "bad_gateway" | "unavailable":
            return errors.server_error(502 if fault.kind == "bad_gateway" else 503, saved=False)
        case "balance_insufficient":
            return errors.balance_insufficient()
        case "account_invalid":
            return errors.account_invalid(
                call.account or str(call.params.get("destination", "")), call.api_key
            )
        case "unauthorized":
            return errors.unauthenticated(call.api_key)
        case "refuse":
            return errors.StripeError(
                fault.status,
                fault.message,
                type=fault.type,
                code=fault.code,
                param=fault.param,
                saved=fault.saved,
            )
    return None
