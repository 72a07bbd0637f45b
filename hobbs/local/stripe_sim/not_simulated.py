"""Which endpoints Stripe has that the simulator lacks, read from the installed stripe library's services.

So an endpoint of Stripe's answers that it is not simulated, and one that Stripe has not answers as Stripe
does.
"""

import re
from collections.abc import Collection
from functools import cache
from pathlib import Path

import stripe

from hobbs.local.stripe_sim import errors
from hobbs.local.stripe_sim.world import Doc

CALL = re.compile(r'"(get|post|delete)",\s*"(/v[12]/[^"]+)"')


def unknown(method: str, path: str, simulated: list[str]) -> errors.StripeError:
    """The answer to a path that no route takes; `simulated` are the routes' paths."""
    if not is_stripes(method, path):
        return errors.unknown_url(method, path)
    resources = sorted({resource(one) for one in simulated})
    return errors.not_simulated(
        f"{method} {path}, which Stripe has. It simulates {', '.join(resources)}; the routes are in its "
        "README"
    )


def refuse_others(params: Doc, simulated: Collection[str], what: str) -> None:
    """Refuse the first parameter of Stripe's that would be taken and have no effect."""
    for name, value in params.items():
        if name not in simulated and name != "expand" and value not in ("", [], {}):
            raise errors.not_simulated(f"{what} with {name}", name)


def resource(path: str) -> str:
    """/v1/checkout/sessions/{id}/expire to /v1/checkout/sessions."""
    return re.split(r"/\{", path)[0]


def is_stripes(method: str, path: str) -> bool:
    return any(one.fullmatch(path) for one in _endpoints().get(method, ()))


@cache
def _endpoints() -> dict[str, list[re.Pattern[str]]]:
    found: dict[str, set[str]] = {}
    for file in Path(stripe.__file__).parent.rglob("_*_service.py"):
        for method, path in CALL.findall(file.read_text(encoding="utf-8")):
            found.setdefault(method.upper(), set()).add(re.sub(r"\{\w+\}", "[^/]+", path))
    return {method: [re.compile(path) for path in sorted(paths)] for method, paths in found.items()}
