"""The proof that a webhook's record was written by who holds the key: a MAC over what the record says.

The gateway makes it when it has verified Stripe's signature, payouts when it has read the event from Stripe;
readers compare. The first of several keys makes proofs and each is accepted, so that they can be rotated.
Without a key nothing is proved and nothing is asked for: a live deployment does not start so.
"""

import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from schemas.stripe_webhooks import StripeWebhook

NOT_ATTESTED: Final = "not_attested"
NOT_ATTESTED_SENTENCE: Final = (
    "no key of HOBBS_ATTESTATION_KEYS made the record's proof: neither the gateway nor payouts wrote it, or "
    "it is older than the keys; docs/operations/secrets.md says how to read such records again"
)


def attest(webhook: StripeWebhook, keys: Sequence[str]) -> StripeWebhook:
    """The same webhook with the proof of the first key; without a key as it is."""
    return webhook.model_copy(update={"mac": _mac(webhook, keys[0])}) if keys else webhook


def is_attested(webhook: StripeWebhook, keys: Sequence[str]) -> bool:
    """Whether one of the keys made its proof; without a key every webhook is believed."""
    given = webhook.mac or ""
    return not keys or any(hmac.compare_digest(_mac(webhook, key), given) for key in keys)


def _mac(webhook: StripeWebhook, key: str) -> str:
    """Fields are named one by one: a later release that adds one must still prove what this one wrote."""
    related = webhook.related_object
    said = [
        "stripe.webhook 1",
        webhook.event_id,
        webhook.event_type,
        webhook.endpoint,
        webhook.account,
        webhook.livemode,
        _instant(webhook.created_at),
        _instant(webhook.received_at),
        webhook.api_version,
        webhook.context,
        related and [related.id, related.type, related.url],
        webhook.body,
    ]
    return hmac.new(key.encode(), json.dumps(said).encode(), "sha256").hexdigest()


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
