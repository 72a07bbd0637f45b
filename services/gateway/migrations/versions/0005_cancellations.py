"""Cancellations of flights are accepted as flights and corrections are."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TOPICS = """
    ALTER TABLE accepted_flight
        DROP CONSTRAINT accepted_flight_topic_is_a_flight_topic,
        ADD CONSTRAINT accepted_flight_topic_is_a_flight_topic CHECK
            (topic IN ('flight.completed', 'flight.corrected', 'flight.cancelled'))
"""


def upgrade() -> None:
    op.execute(_TOPICS)
