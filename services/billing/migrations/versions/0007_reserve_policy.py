"""The book holds the school's policy on its reserve."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE card_version DROP CONSTRAINT card_kind_is_known")
    op.execute(
        "ALTER TABLE card_version ADD CONSTRAINT card_kind_is_known CHECK (kind IN ('school', 'tax', "
        "'aircraft', 'instructor', 'owner', 'student', 'student_rate', 'adjustments', 'reserve'))"
    )
