"""The book holds the school's policy on credit, and students' own limits."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE card_version DROP CONSTRAINT card_kind_is_known")
    op.execute(
        "ALTER TABLE card_version ADD CONSTRAINT card_kind_is_known CHECK (kind IN ('school', 'tax', "
        "'aircraft', 'instructor', 'owner', 'student', 'student_rate', 'adjustments', 'reserve', 'credit', "
        "'credit_limit'))"
    )
