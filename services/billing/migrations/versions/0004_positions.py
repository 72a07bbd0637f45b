"""Keep how far each topic is handled, so that a restored database is read on from where it ends."""

from fleet.migrate import create_position_table

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_position_table("billing")
