"""What three official clients put on the wire for the same orders: to the simulator it means the same.

habits.json has what each sent when it was last looked at: method, path and body of every request, the pattern
of its idempotency keys, its headers. A client that moved shows here, to be looked at and then recorded.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import stripe

from hobbs.local.stripe_sim import forms
from tests.contract.clients import flows
from tests.contract.clients.recorder import recording

Doc = dict[str, Any]

HABITS: Doc = json.loads(Path(__file__).with_name("habits.json").read_text(encoding="utf-8"))
KEYS = {"UUID": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", "NANOSECONDS_RANDOM": r"^\d{19}_.{6}$"}


def recorded(wire: Doc) -> Doc:
    """The requests as habits.json keeps them: of a key only its pattern."""
    return wire | {"keys": [key and _pattern(key) for key in wire["keys"]]}


def _pattern(key: str) -> str:
    for name, pattern in KEYS.items():
        key = re.sub(pattern, name, key)
    return key


def test_habits_of_stripe_python() -> None:
    with recording() as recorder:
        http = stripe.RequestsClient(timeout=10)
        client = stripe.StripeClient("sk_test_x", base_addresses={"api": recorder.url}, http_client=http)
        _order(client)
        http.close()  # type: ignore[no-untyped-call]
    assert recorded(recorder.wire()) == HABITS["python"]


def _order(client: stripe.StripeClient) -> None:
    client.v1.customers.create(
        {
            "preferred_locales": ["en", "de"],
            "address": {"city": "Wichita", "line2": ""},
            "metadata": {"flight": "F 1/2", "key[with]brackets": "ä&="},
            "expand": ["tax", "sources"],
            "name": "A~B*C'D",
        }
    )
    client.v1.customers.update("cus_1", {"metadata": {"flight": None}})  # type: ignore[arg-type]
    client.v1.customers.update("cus_1", {"preferred_locales": []})
    client.v1.customers.list({"created": {"gte": 1_700_000_000}, "expand": ["data.sources"], "limit": 3})
    client.v1.accounts.create({"capabilities": {"transfers": {"requested": True}}})
    client.v1.customers.delete("cus_1")


def test_habits_of_stripe_node(node: flows.Run) -> None:
    node.judge("habits on the wire")
    assert recorded(node.outcomes["habits on the wire"]["wire"]) == HABITS["node"]


def test_habits_of_stripe_go(go: flows.Run) -> None:
    go.judge("habits on the wire")
    assert recorded(go.outcomes["habits on the wire"]["wire"]) == HABITS["go"]


@pytest.mark.parametrize("number", [0, 3, 4])
def test_the_same_order_means_the_same_from_every_client(number: int) -> None:
    understood = [_understood(*HABITS[client]["bodies"][number]) for client in ("python", "node", "go")]
    assert understood[0] == understood[1] == understood[2]


def _understood(method: str, path: str, body: str) -> Doc:
    path, _, query = path.partition("?")
    return {"method": method, "path": path} | forms.parse(query) | forms.parse(body)


def test_a_value_that_is_taken_away_is_said_by_node_and_go_and_not_by_python() -> None:
    said = {client: HABITS[client]["bodies"][1][2] for client in HABITS}
    assert said == {"python": "", "node": "metadata[flight]=", "go": "metadata[flight]="}


def test_a_list_that_is_emptied_is_said_by_go_only() -> None:
    said = {client: HABITS[client]["bodies"][2][2] for client in HABITS}
    assert said == {"python": "", "node": "", "go": "preferred_locales="}
