"""Events that were delivered, and lost with Kafka before everybody had taken them in."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
