"""Dispatches of flights are accepted as flights are."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TOPICS = """
    ALTER TABLE accepted_flight
        DROP CONSTRAINT accepted_flight_topic_is_a_flight_topic,
        ADD CONSTRAINT accepted_flight_topic_is_a_flight_topic CHECK
            (topic IN ('flight.completed', 'flight.corrected', 'flight.cancelled', 'flight.dispatched'))
"""


def upgrade() -> None:
    op.execute(_TOPICS)
