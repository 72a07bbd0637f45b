"""The statement about webhooks of a type that receivables does not know."""

from collections.abc import Sequence

from fleet.database import Tx
from services.receivables.domain.webhooks import KeptWebhook

_KEEP = """
    INSERT INTO kept_webhook (event_id, event_type, received_at, body)
    SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:types AS text[]),
                         CAST(:received AS timestamptz[]), CAST(:bodies AS text[]))
    ON CONFLICT DO NOTHING
"""


async def keep(tx: Tx, webhooks: Sequence[KeptWebhook]) -> None:
    """Keep webhooks as they were published; those that are kept already stay as they are."""
    if not webhooks:
        return
    await tx.execute(
        _KEEP,
        ids=[webhook.event_id for webhook in webhooks],
        types=[webhook.event_type for webhook in webhooks],
        received=[webhook.received_at for webhook in webhooks],
        bodies=[webhook.body for webhook in webhooks],
    )
