"""How far students may fly on credit, as the school's book says."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
