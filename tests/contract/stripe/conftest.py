"""Fixtures: the simulator, a client of the real stripe library, and a webhook receiver."""

from collections.abc import Callable, Iterator

import pytest
import stripe

from hobbs.local.stripe_sim.control import Control
from tests.contract.stripe.receiver import Receiver, receiving
from tests.support.stripe import StripeSim

Connect = Callable[..., stripe.StripeClient]


@pytest.fixture
def control(stripe_sim: StripeSim) -> Iterator[Control]:
    """A platform that has API v1 for accounts, and Stripe's approval for transfers alone."""
    with Control(stripe_sim.api_base) as control:
        control.set(v1_accounts=True, transfers_alone_approved=True)
        yield control


@pytest.fixture
def connect(stripe_sim: StripeSim) -> Iterator[Connect]:
    """A function that makes a client, by default without retries, so that a test sees every answer."""
    opened: list[stripe.RequestsClient] = []

    def client(*, timeout_s: float = 10, key: str | None = None, retries: int = 0) -> stripe.StripeClient:
        http = stripe.RequestsClient(timeout=timeout_s)
        opened.append(http)
        return stripe.StripeClient(
            key or stripe_sim.secret_key,
            base_addresses={"api": stripe_sim.api_base},
            http_client=http,
            max_network_retries=retries,
        )

    yield client
    for http in opened:
        http.close()  # type: ignore[no-untyped-call]


@pytest.fixture
def client(connect: Connect, control: Control) -> stripe.StripeClient:
    return connect()


@pytest.fixture
def payee(client: stripe.StripeClient, control: Control) -> str:
    """A connected account that is ready for transfers."""
    account = new_payee(client)
    control.onboard(account)
    return account


def new_payee(client: stripe.StripeClient) -> str:
    given = {"type": "express", "capabilities": {"transfers": {"requested": True}}}
    return str(client.v1.accounts.create(given).id)  # type: ignore[arg-type]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver
