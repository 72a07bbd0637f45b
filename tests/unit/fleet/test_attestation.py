"""A record of stripe.webhook is believed when who holds the key wrote it, whatever else may write there."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from fleet.inbox import Unreadable
from schemas.attestation import attest, is_attested
from schemas.stripe_webhooks import RelatedObject, StripeWebhook
from services.payouts import wire
from services.receivables.wire.stripe_objects import stripe_event
from tests.support.records import record

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
OLD, NEW, STRANGERS = "old" * 12, "new" * 12, "him" * 12
CHARGE = {"id": "ch_1", "object": "charge", "amount": 570_000, "currency": "usd", "created": 1_779_451_200}
EVENT = {
    "id": "evt_1",
    "object": "event",
    "type": "charge.succeeded",
    "livemode": False,
    "created": 1_779_451_200,
    "data": {"object": CHARGE},
}
WEBHOOK = StripeWebhook(
    event_id="evt_1",
    event_type="charge.failed",
    endpoint="platform",
    livemode=False,
    created_at=NOW,
    received_at=NOW,
    attested=True,
    body=orjson.dumps(EVENT).decode(),
)
CHANGES: dict[str, Any] = {
    "event_id": "evt_2",
    "event_type": "charge.succeeded",
    "endpoint": "connect",
    "account": "acct_1",
    "livemode": True,
    "created_at": NOW + timedelta(seconds=1),
    "received_at": NOW + timedelta(microseconds=1),
    "api_version": "2026-10-28.endive",
    "context": "acct_1",
    "related_object": RelatedObject(type="balance", url="/v1/balance"),
    "body": WEBHOOK.body.replace("570000", "570001"),
}


def sent(webhook: StripeWebhook) -> StripeWebhook:
    return StripeWebhook.model_validate_json(webhook.model_dump_json())


def test_every_field_is_tried() -> None:
    assert set(CHANGES) == set(StripeWebhook.model_fields) - {"attested", "mac"}


@pytest.mark.parametrize("field", CHANGES)
def test_no_field_may_be_changed(field: str) -> None:
    true = attest(WEBHOOK, [NEW])
    assert is_attested(sent(true), [NEW])
    assert not is_attested(sent(true.model_copy(update={field: CHANGES[field]})), [NEW])


def test_while_keys_are_rotated_both_are_accepted_and_then_the_old_one_is_not() -> None:
    before, after = attest(WEBHOOK, [OLD]), attest(WEBHOOK, [NEW, OLD])
    assert is_attested(before, [NEW, OLD])
    assert is_attested(after, [NEW, OLD])
    assert is_attested(after, [NEW])
    assert not is_attested(before, [NEW])


@pytest.mark.parametrize("forged", [WEBHOOK, attest(WEBHOOK, [STRANGERS])], ids=["no proof", "another key"])
def test_both_readers_bury_what_nobody_with_the_key_wrote(forged: StripeWebhook) -> None:
    for read in (wire.records.stripe_webhook, stripe_event):
        with pytest.raises(Unreadable) as refused:
            read(record("stripe.webhook", forged), livemode=False, keys=[NEW, OLD])
        assert refused.value.reason == "not_attested"
        read(record("stripe.webhook", attest(WEBHOOK, [OLD])), livemode=False, keys=[NEW, OLD])


def test_what_payouts_reads_from_stripe_is_proved_too() -> None:
    listed = wire.missed_events.listed_event(EVENT, NOW)
    for message in (
        wire.missed_events.recovered(listed, NOW, [NEW]),
        wire.missed_events.payment_read({**CHARGE, "livemode": False}, NOW, [NEW]),
    ):
        assert isinstance(message.event, StripeWebhook)
        assert is_attested(sent(message.event), [NEW])
