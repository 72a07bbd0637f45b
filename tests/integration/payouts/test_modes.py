"""A key of one mode, answers and a database of the other: nothing counts as sent, and people are told."""

import json
import re
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from services.payouts import store
from services.payouts.domain.answers import StripeVerdict, classify
from services.payouts.stripe.client import StripeClient
from services.payouts.stripe.mode import ModeGate
from tests.integration.payouts.world import World
from tests.support.payouts import SETTINGS
from tests.support.stripe import StripeSim

PROBE = SETTINGS.stopped_probe.first
WALLET = "instructor:i1"


@contextmanager
def live_looking(simulator: str) -> Iterator[str]:
    """A server that passes each request on to the simulator and says of every answer that it is live."""

    class Handler(BaseHTTPRequestHandler):
        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            skipped = {"host", "content-length", "accept-encoding"}
            headers = {name: value for name, value in self.headers.items() if name.lower() not in skipped}
            answer = httpx.request(
                self.command, simulator + self.path, content=body, headers=headers, trust_env=False
            )
            content = re.sub(rb'"livemode": ?false', b'"livemode": true', answer.content)
            self.send_response(answer.status_code)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = pass_on

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
async def elsewhere(stripe_sim: StripeSim) -> AsyncIterator[StripeClient]:
    """A client with our test key, whose answers say live."""
    with live_looking(stripe_sim.api_base) as address:
        client = StripeClient(stripe_sim.secret_key, api_base=address, timeout_s=5.0)
        yield client
        await client.close()


async def test_a_transfer_answered_in_the_other_mode_is_not_sent_and_the_relay_stops(
    world: World, elsewhere: StripeClient
) -> None:
    world.control.fund(1_000_000)
    await world.payee("i1")
    await world.journal(WALLET, 700)
    relay = world.relay(elsewhere)
    await world.once(relay)
    assert await world.states() == ["sending"]
    [operation] = await world.rows("SELECT state, stripe_id FROM operation WHERE kind = 'transfer'")
    assert (operation.state, operation.stripe_id) == ("due", None)
    [stop] = await world.rows("SELECT sentence FROM relay_stop WHERE since IS NOT NULL")
    assert "a live-mode answer came to our test key" in stop.sentence
    assert "a live-mode answer came to our test key" in str(await relay.check())
    world.clock.advance(seconds=PROBE.total_seconds() + 1)
    assert await relay.claim(100) == [], "the probe is answered in the other mode too"
    assert await world.rows("SELECT 1 FROM relay_stop WHERE since IS NOT NULL")


async def test_it_goes_on_by_itself_with_the_right_answers(world: World, elsewhere: StripeClient) -> None:
    world.control.fund(1_000_000)
    await world.payee("i1")
    await world.journal(WALLET, 700)
    await world.once(world.relay(elsewhere))
    world.clock.advance(minutes=5)
    await world.relay().claim(100)
    await world.work()
    assert await world.states() == ["sent"]
    assert world.paid() == [700], "the same key: what was made meanwhile is not made again"


async def test_lists_and_balances_of_the_other_mode_are_not_believed(elsewhere: StripeClient) -> None:
    for answer in (await elsewhere.balance(), await elsewhere.balance()):
        assert classify(answer) is StripeVerdict.MISCONFIGURED
        assert answer.body == {}


def gate(world: World, client: StripeClient | None = None) -> ModeGate:
    return ModeGate(
        world.db,
        client or world.client,
        world.clock,
        api_base="https://api.stripe.com",
        probe_after=PROBE,
    )


async def runs_with(world: World) -> Any:
    [row] = await world.rows("SELECT * FROM payouts_public.stripe_mode")
    return row


async def test_the_first_start_decides_whose_money_the_database_holds(world: World) -> None:
    started = gate(world)
    assert classify(await world.client.balance()) is StripeVerdict.UNKNOWN, "nothing is asked before"
    await started.step()
    assert started.compared
    assert await started.check() is None
    row = await runs_with(world)
    assert (row.livemode, row.key_livemode, row.api_base) == (False, False, "https://api.stripe.com")
    assert row.api_version == world.client.api_version


@pytest.mark.parametrize("livemode", [True, False])
async def test_a_key_of_the_other_mode_is_not_used_with_a_database_that_holds_money(
    world: World, livemode: bool
) -> None:
    await world.configured("i1")
    async with world.db.transaction() as tx:
        known = {"api_base": "https://api.stripe.com", "api_version": "x", "now": world.clock()}
        await tx.execute("UPDATE stripe_mode SET livemode = :livemode", livemode=not livemode)
        assert await store.stripe_mode.record(tx, livemode=livemode, **known) is not livemode  # type: ignore[arg-type]
    key = "sk_live_not_a_key" if livemode else "sk_test_not_a_key"
    client = StripeClient(key, api_base="https://api.stripe.com", timeout_s=1)
    started = gate(world, client)
    await started.step()
    assert not started.compared
    answer = await client.transfers_to("acct_1")
    assert classify(answer) is StripeVerdict.MISCONFIGURED, "no request is made"
    theirs, ours = ("test-mode", "live") if livemode else ("live", "test")
    assert f"this database holds {theirs} money and the key is a {ours} key" in answer.sentence
    assert answer.sentence in str(await started.check())
    [stop] = await world.rows("SELECT sentence FROM relay_stop WHERE since IS NOT NULL")
    assert stop.sentence == answer.sentence
    await client.close()


async def test_before_any_money_the_key_may_still_be_changed(world: World) -> None:
    known = {"api_base": "https://api.stripe.com", "api_version": "x", "now": world.clock()}
    async with world.db.transaction() as tx:
        assert await store.stripe_mode.record(tx, livemode=False, **known) is False  # type: ignore[arg-type]
        assert await store.stripe_mode.record(tx, livemode=True, **known) is True  # type: ignore[arg-type]


async def test_nothing_begins_while_stripe_answers_in_the_other_mode(
    world: World, elsewhere: StripeClient
) -> None:
    started = gate(world, elsewhere)
    await started.step()
    assert not started.compared
    assert await world.rows("SELECT 1 FROM relay_stop WHERE since IS NOT NULL")
    world.clock.advance(seconds=PROBE.total_seconds() - 1)
    asked = len(world.control.requests())
    await started.step()
    assert len(world.control.requests()) == asked, "it is asked again after the pause, not before"


async def test_an_event_of_the_other_mode_is_kept_for_a_person_and_moves_nothing(world: World) -> None:
    sent = world.webhook_record("account.updated", {"id": "acct_1", "object": "account"}, account="acct_1")
    live = json.loads(sent.value or b"") | {"livemode": True}
    await world.handle(sent._replace(value=json.dumps(live).encode()))
    [letter] = await world.rows("SELECT reason FROM dead_letter")
    assert letter.reason == "wrong_mode"
    assert await world.rows("SELECT 1 FROM inquiry") == []


async def test_a_proxy_of_the_environment_sees_a_tunnel_to_stripe_and_no_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """HTTPS_PROXY: the proxy is asked for a tunnel, and what goes through it is TLS for Stripe's own name."""
    seen: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(2)
            seen.append(connection.recv(4096))
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            seen.append(connection.recv(4096))

    proxy = threading.Thread(target=answer)
    proxy.start()
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{listener.getsockname()[1]}")
    client = StripeClient("sk_live_not_a_key", api_base="https://api.stripe.com", timeout_s=3)
    assert (await client.balance()).status is None
    await client.close()
    proxy.join()
    listener.close()
    asked, through = seen
    assert asked.startswith(b"CONNECT api.stripe.com:443 ")
    assert through.startswith(b"\x16\x03"), "a TLS handshake"
    assert b"api.stripe.com" in through
    assert b"not_a_key" not in asked + through
