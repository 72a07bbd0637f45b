"""Follow the book as billing accepted it; what a refused change set left here goes (decision 0170)."""

from datetime import UTC, date, datetime
from pathlib import Path

from alembic import op
from sqlalchemy import Connection, text

from fleet.migrate import run_sql
from fleet.zones import local_date

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_FOLDER = Path(__file__).parent


def upgrade() -> None:
    run_sql(_FOLDER / "0007_the_accepted_book.sql")
    connection = op.get_bind()
    if connection.execute(text("SELECT to_regclass('billing_public.card_history')")).scalar() is not None:
        run_sql(_FOLDER / "0007_copy_the_book.sql")
    connection.execute(text(_PUT_IN_FORCE), {"today": _today(connection)})


# Cards that no accepted version has are gone: their payees are as if the book had never named them.
_PUT_IN_FORCE = """
    UPDATE payee SET email = card.email, country = card.country,
        schedule = coalesce(card.schedule, 'per_flight'), minimum_amount = coalesce(card.minimum_amount, 0),
        hold_hours = coalesce(card.hold_hours, 0), instant = coalesce(card.instant, false),
        configured_at = CASE WHEN named THEN coalesce(configured_at, now()) END,
        removed_at = CASE WHEN named AND card.wallet IS NULL THEN coalesce(removed_at, now()) END
    FROM (SELECT wallet, EXISTS (SELECT FROM payee_card WHERE payee_card.wallet = payee.wallet) AS named
          FROM payee) AS person
    LEFT JOIN LATERAL (
        SELECT payee_card.* FROM payee_card WHERE payee_card.wallet = person.wallet AND NOT withdrawn
        ORDER BY effective_from > CAST(:today AS date), abs(effective_from - CAST(:today AS date))
        LIMIT 1) AS card ON true
    WHERE payee.wallet = person.wallet
"""


def _today(connection: Connection) -> date:
    zone: str = connection.execute(text("SELECT time_zone FROM school")).scalar_one()
    return local_date(datetime.now(UTC), zone)
