"""The outbox takes the gateway's own topics only; webhooks are published at once and never staged."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TOPICS = """
    ALTER TABLE outbox ADD CONSTRAINT outbox_takes_own_topics_only CHECK
        (topic IN ('flight.completed', 'flight.corrected', 'flight.cancelled',
                   'decision.requested', 'decision.taken', 'gateway.dead'))
"""


def upgrade() -> None:
    op.execute(_TOPICS)
