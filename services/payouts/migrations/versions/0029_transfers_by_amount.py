"""Transfers are listed by amount without reading all of them."""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX transfer_by_amount ON transfer (amount, id)")  # console/reads/transfers.py
