"""SQL of webhooks that are kept for a person, because no rule acts on them."""

from datetime import datetime

from fleet.database import Tx

_KEEP = """
    INSERT INTO webhook_kept (event_id, event_type, account, reason, sentence, body, received_at)
    VALUES (:event_id, :event_type, :account, :reason, :sentence, :body, :received_at)
    ON CONFLICT (event_id) DO NOTHING
"""


async def keep(
    tx: Tx,
    *,
    event_id: str,
    event_type: str,
    account: str | None,
    reason: str,
    sentence: str,
    body: str,
    received_at: datetime,
) -> None:
    """Keep a webhook for a person; `reason` is one word, `sentence` says what is unusual about it."""
    await tx.execute(
        _KEEP,
        event_id=event_id,
        event_type=event_type,
        account=account,
        reason=reason,
        sentence=sentence,
        body=body,
        received_at=received_at,
    )
