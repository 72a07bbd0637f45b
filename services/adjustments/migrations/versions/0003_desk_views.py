"""What people read of adjustments, and what each maker moved for each payee."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_name("0003_desk_views.sql"))
