"""Keep what the service's own invariants said when they were last asked."""

from fleet.migrate import create_outcome_table

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_outcome_table("billing")
