"""kill -9 loses no answered request and no part of one: effect, event and answer are one transaction."""

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import stripe

from hobbs.local.stripe_sim.control import Control
from tests.contract.stripe.receiver import Receiver, eventually
from tests.contract.stripe.simulator_process import KEY, SimulatorProcess

OPERATIONS = 120


def test_killed_under_load_every_operation_has_one_effect_after_retries(tmp_path: Path) -> None:
    with SimulatorProcess(tmp_path) as simulator:
        with simulator.client() as client, simulator.control() as control:
            account = client.v1.accounts.create(
                {"type": "express", "capabilities": {"transfers": {"requested": True}}}
            )
            control.onboard(account.id)
            control.fund(1_000_000)
        answered = hammer(simulator, account.id, kill_after=OPERATIONS // 3)
        assert 0 < len(answered) < OPERATIONS
        simulator.start()
        again = hammer(simulator, account.id, kill_after=None)
        with simulator.control() as control:
            effects = control.effects(kind="transfer")
    assert len(again) == OPERATIONS
    assert sorted(int(effect["operation_id"]) for effect in effects) == list(range(OPERATIONS))
    by_operation = {int(effect["operation_id"]): effect["object_id"] for effect in effects}
    assert answered.items() <= by_operation.items()
    assert again == by_operation


def hammer(simulator: SimulatorProcess, account: str, *, kill_after: int | None) -> dict[int, str]:
    """Pay every operation from four threads; returns the answers."""
    answered: dict[int, str] = {}
    http = stripe.RequestsClient(timeout=30)
    client = stripe.StripeClient(KEY, base_addresses={"api": simulator.url}, http_client=http)

    def pay(operation: int) -> None:
        given = {
            "amount": 100,
            "currency": "usd",
            "destination": account,
            "metadata": {"hobbs_operation_id": str(operation)},
        }
        try:
            made = client.v1.transfers.create(given, {"idempotency_key": f"op:{operation}:1"})  # type: ignore[arg-type]
        except stripe.APIConnectionError:
            return
        answered[operation] = made.id
        if kill_after is not None and len(answered) == kill_after:
            simulator.kill()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(pay, range(OPERATIONS)))
    http.close()  # type: ignore[no-untyped-call]
    return answered


def test_clock_settings_faults_and_endpoints_outlive_a_kill(tmp_path: Path) -> None:
    with SimulatorProcess(tmp_path) as simulator:
        with simulator.control() as control:
            control.advance(3_600)
            control.set(webhook_seed=42)
            control.add_fault("timeout", path="/v1/payouts")
            control.add_endpoint("http://127.0.0.1:9/x")
        simulator.kill()
        simulator.start()
        with simulator.control() as control:
            assert control.state()["clock_offset_s"] == 3_600
            assert control.settings()["webhook_seed"] == 42
            assert [fault["path"] for fault in control.faults()] == ["/v1/payouts"]
            assert control.state()["objects"]["webhook_endpoint"] == 1


def test_half_a_request_has_no_effect(control: Control) -> None:
    """A client killed while it sends: the body is shorter than announced."""
    host, _, port = control.url.removeprefix("http://").partition(":")
    headers = ("Host: x", "Authorization: Bearer sk_test_x", "Content-Length: 100")
    head = "\r\n".join(("POST /v1/customers HTTP/1.1", *headers, "", ""))
    with socket.create_connection((host, int(port))) as half:
        half.sendall(f"{head}name=Ja".encode())
    before = control.state()["requests"]
    control.fund(1)
    assert control.state()["requests"] == before
    assert "customer" not in control.state()["objects"]


def test_it_stops_in_time_although_a_client_hangs(tmp_path: Path) -> None:
    with SimulatorProcess(tmp_path) as simulator, ThreadPoolExecutor(1) as pool:
        with simulator.control() as control, simulator.client() as client:
            control.add_fault("timeout", path="/v1/customers", nth=1)
            hanging = pool.submit(client.v1.customers.create, {"name": "a"})
            eventually(lambda: bool(control.faults()[0]["fired"]))
        assert simulator.terminate(within_s=20) == 0
        assert isinstance(hanging.exception(), stripe.APIConnectionError)


def test_an_undelivered_webhook_is_delivered_after_a_kill(tmp_path: Path, receiver: Receiver) -> None:
    receiver.answers += [503]
    with SimulatorProcess(tmp_path) as simulator:
        with simulator.control() as control:
            control.set(webhook_speed=200)
            control.add_endpoint(receiver.url, secret="whsec_x")
            control.trigger("customer.created")
            receiver.wait_for(1)
            eventually(lambda: control.deliveries()[0]["attempts"] == 1)
        simulator.kill()
        simulator.start()
        first, second = receiver.wait_for(2)
    assert first.body == second.body
    second.event("whsec_x")
