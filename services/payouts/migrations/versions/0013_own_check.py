"""Keep what the service's own invariants said when they were last asked."""

from fleet.migrate import create_outcome_table

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_outcome_table("payouts")
