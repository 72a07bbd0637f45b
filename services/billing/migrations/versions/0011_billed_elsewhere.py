"""A flight that other software billed has a bill on which nobody owes anything here."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE bill DROP CONSTRAINT bill_kind_is_known")
    op.execute(
        "ALTER TABLE bill ADD CONSTRAINT bill_kind_is_known "
        "CHECK (kind IN ('completed', 'corrected', 'cancelled', 'elsewhere'))"
    )
    op.execute(
        "ALTER TABLE bill ADD CONSTRAINT nobody_owes_here_for_a_flight_billed_elsewhere "
        "CHECK (kind <> 'elsewhere' OR (charge = 0 AND legs_total = 0 AND corrects IS NULL))"
    )
