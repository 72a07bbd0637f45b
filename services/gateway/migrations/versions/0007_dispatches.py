"""Dispatches of flights are accepted as flights are."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TOPICS = """
    ALTER TABLE accepted_flight
        DROP CONSTRAINT accepted_flight_topic_is_a_flight_topic,
        ADD CONSTRAINT accepted_flight_topic_is_a_flight_topic CHECK
            (topic IN ('flight.completed', 'flight.corrected', 'flight.cancelled', 'flight.dispatched'))
"""


_STAGED = """
    ALTER TABLE outbox
        DROP CONSTRAINT outbox_takes_own_topics_only,
        ADD CONSTRAINT outbox_takes_own_topics_only CHECK
            (topic IN ('flight.completed', 'flight.corrected', 'flight.cancelled', 'flight.dispatched',
                       'decision.requested', 'decision.taken', 'gateway.dead'))
"""


def upgrade() -> None:
    op.execute(_TOPICS)
    op.execute(_STAGED)
