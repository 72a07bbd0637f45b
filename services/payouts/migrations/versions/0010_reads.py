"""How often Stripe is read: rereads that end, waits that grow, and a count of reads for each day."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_name("0010_reads.sql"))
