"""The newest payments are found without adding up the refunds of all."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
