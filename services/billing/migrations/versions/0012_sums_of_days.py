"""What a month's bills come to is read from the index of their days: console/reads/school.py."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DROP INDEX bill_by_day")
    op.execute(
        "CREATE INDEX bill_by_day ON bill (billed_on)"
        " INCLUDE (currency, charge, margin, kind, flight_id, revision)"
    )
