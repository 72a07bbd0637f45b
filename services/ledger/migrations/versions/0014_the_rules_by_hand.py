"""By hand, the same rules as through Kafka."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("0014_chain.sql", "0014_the_rules_by_hand.sql"):
        run_sql(Path(__file__).with_name(name))
