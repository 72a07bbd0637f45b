"""What is of Stripe's other mode proves nothing, and a key that may not go to an address does not start."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from pydantic import SecretStr, ValidationError

from fleet.inbox import Unreadable
from hobbs.shell.connections import wrong_settings
from schemas.stripe_webhooks import StripeWebhook
from services.payouts import wire
from services.payouts.domain.answers import StripeAnswer, StripeVerdict, classify
from services.payouts.domain.event_types import ACCOUNT_EVENTS
from services.payouts.domain.modes import is_of_other_mode
from services.payouts.settings import PayoutsSettings
from services.payouts.stripe.client import StripeClient
from tests.support.records import record


@pytest.mark.parametrize(
    ("body", "other"),
    [
        ({"id": "tr_1", "livemode": False}, False),
        ({"id": "tr_1", "livemode": True}, True),
        ({"id": "acct_1"}, False),
        ({"data": [{"livemode": False}, {"livemode": True}]}, True),
        ({"data": [{"livemode": False}, {"id": "txn_1"}, None]}, False),
        ({"data": {"object": {"livemode": True}}, "livemode": False}, False),
        ([], False),
        (None, False),
    ],
)
def test_an_answer_says_its_mode_or_nothing(body: Any, other: bool) -> None:
    assert is_of_other_mode(body, False) is other


@pytest.mark.parametrize("status", [None, 200, 400, 404, 500])
def test_an_answer_of_the_other_mode_is_for_a_person_whatever_it_says(status: int | None) -> None:
    answer = StripeAnswer(status=status, body={"id": "tr_1"}, wrong_mode=True)
    assert classify(answer) is StripeVerdict.MISCONFIGURED


def settings(key: str, address: str | None = None) -> PayoutsSettings:
    known = {"stripe_api_base": address} if address else {}
    return PayoutsSettings.model_validate(
        {
            "database_url": "",
            "kafka_bootstrap": "127.0.0.1:1",
            "stripe_secret_key": key,
            "attestation_keys": "k" * 32,
            "publisher_key": "k" * 32,
            "publishers_keys": "ledger/journal.posted:" + "k" * 32,
            **known,
        }
    )


@pytest.mark.parametrize(
    ("key", "address", "says"),
    [
        (
            "sk_live_not_a_key",
            "http://127.0.0.1:12111",
            "HOBBS_STRIPE_API_BASE: Value error, a live key goes to",
        ),
        ("rk_live_not_a_key", "http://api.stripe.com", "a live key goes to https://api.stripe.com only"),
        (
            "sk_test_not_a_key",
            "http://simulator:12111",
            "a test key goes to https://api.stripe.com, or over http",
        ),
        (
            "pk_live_not_a_key",
            None,
            "HOBBS_STRIPE_SECRET_KEY: Value error, a secret key begins with sk_test_",
        ),
    ],
)
def test_payouts_does_not_start_with_a_key_for_another_address(
    key: str, address: str | None, says: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        settings(key, address)
    [sentence] = wrong_settings(refused.value)
    assert says in sentence
    assert "\n" not in sentence
    assert "not_a_key" not in str(refused.value), "the key is in no error"


def test_the_mode_of_the_deployment_is_the_keys() -> None:
    assert settings("sk_live_not_a_key").livemode is True
    assert settings("rk_test_1", "http://127.0.0.1:1/").livemode is False
    assert settings("rk_test_1", "http://127.0.0.1:1/").stripe_api_base == "http://127.0.0.1:1"


def test_no_client_is_made_for_a_key_and_another_address() -> None:
    with pytest.raises(ValueError, match="a live key goes to"):
        StripeClient("sk_live_not_a_key", api_base="http://127.0.0.1:1", timeout_s=1)


NOW = datetime(2026, 11, 1, tzinfo=UTC)
THIN = {
    "id": "evt_1",
    "object": "v2.core.event",
    "type": "v1.account.updated",
    "related_object": {"id": "acct_1", "type": "account", "url": "/v1/accounts/acct_1"},
}


def webhook(body: dict[str, Any], **changed: Any) -> StripeWebhook:
    known = {
        "event_id": "evt_1",
        "event_type": "account.updated",
        "endpoint": "connect",
        "account": "acct_1",
        "livemode": False,
        "created_at": NOW,
        "received_at": NOW,
        "attested": True,
        "body": orjson.dumps(body).decode(),
    }
    return StripeWebhook.model_validate(known | changed)


def test_an_event_of_the_other_mode_is_a_dead_letter() -> None:
    snapshot = webhook({"object": "event", "data": {"object": {"id": "acct_1"}}}, livemode=True)
    with pytest.raises(Unreadable, match="of live mode and our key of test mode") as unreadable:
        wire.records.stripe_webhook(record("stripe.webhook", snapshot), livemode=False)
    assert unreadable.value.reason == "wrong_mode"
    assert wire.records.stripe_webhook(record("stripe.webhook", snapshot), livemode=True).account == "acct_1"


def test_a_thin_event_is_about_what_it_names() -> None:
    thin = webhook(THIN, event_type="v1.account.updated", related_object=THIN["related_object"])
    read = wire.records.stripe_webhook(record("stripe.webhook", thin), livemode=False)
    assert read.thing == {"id": "acct_1", "object": "account"}
    assert read.event_type in ACCOUNT_EVENTS


def test_a_thin_event_that_names_nothing_is_read_too() -> None:
    ping = webhook({"object": "v2.core.event"}, event_type="v2.core.event_destination.ping")
    assert wire.records.stripe_webhook(record("stripe.webhook", ping), livemode=False).thing == {}


def test_the_key_is_no_part_of_the_settings_text() -> None:
    assert SecretStr("sk_live_not_a_key").get_secret_value() not in repr(settings("sk_live_not_a_key"))
