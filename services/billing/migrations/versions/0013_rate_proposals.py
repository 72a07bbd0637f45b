"""Changes of rates that one person proposed and another decides (decision 0370)."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
