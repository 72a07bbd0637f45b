"""SQL of payees and the school's time zone. Payees are locked first, before operations and transfers."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row

from fleet.database import Tx, json_parameter
from services.payouts.domain.operations import Kind, State
from services.payouts.domain.payees import AccountStatus, AccountToOpen, Payee, PayeeCard, Stopped
from services.payouts.domain.transfers import HoldReason

_FOLLOW_SCHOOL = """
    UPDATE school SET read_version = greatest(read_version, :version),
        time_zone = CASE WHEN :named_in >= time_zone_version THEN :time_zone ELSE time_zone END,
        time_zone_version = greatest(time_zone_version, :named_in)
    RETURNING time_zone
"""


async def follow_school(tx: Tx, *, version: int, named: tuple[int, str] | None) -> str:
    """Note how far the school's book was read; the time zone in force.

    `named`: the newest version read now that names a time zone, and the zone.
    """
    named_in, zone = named or (-1, "")
    row = await tx.one(_FOLLOW_SCHOOL, version=version, named_in=named_in, time_zone=zone)
    in_force: str = row.time_zone
    return in_force


_TIME_ZONE = "SELECT time_zone FROM school"


async def time_zone(tx: Tx) -> str:
    """The school's time zone, as an IANA name."""
    zone: str = (await tx.one(_TIME_ZONE)).time_zone
    return zone


# A card's newest version stands, in whatever order they are read; so a withdrawn card keeps its row.
_KEEP_CARDS = """
    INSERT INTO payee_card (wallet, effective_from, version, country, schedule, minimum_amount,
                            hold_hours, instant, withdrawn)
    SELECT wallet, effective_from, version, country, schedule, minimum_amount, hold_hours, instant,
           withdrawn
    FROM jsonb_to_recordset(CAST(:cards AS jsonb)) AS card (
        wallet text, effective_from date, version integer, country text, schedule text,
        minimum_amount bigint, hold_hours integer, instant boolean, withdrawn boolean)
    ORDER BY wallet, effective_from
    ON CONFLICT (wallet, effective_from) DO UPDATE SET
        version = excluded.version, country = excluded.country,
        schedule = excluded.schedule, minimum_amount = excluded.minimum_amount,
        hold_hours = excluded.hold_hours, instant = excluded.instant, withdrawn = excluded.withdrawn
    WHERE payee_card.version <= excluded.version
"""


async def configure(tx: Tx, cards: Sequence[PayeeCard], today: date, now: datetime) -> list[str]:
    """Keep payees' cards and put today's in force; the wallets concerned."""
    wallets = sorted({card.wallet for card in cards})
    await know(tx, wallets)
    await lock(tx, wallets)
    newest = {(c.wallet, c.effective_from): c for c in sorted(cards, key=lambda card: card.version)}
    rows = [{"wallet": c.wallet} | {n: getattr(c, n) for n in PayeeCard.__slots__} for c in newest.values()]
    await tx.execute(_KEEP_CARDS, cards=json_parameter(rows))
    await put_in_force(tx, wallets, today, now)
    return wallets


# In force is the latest card that has begun, else the first that will. Without a card the payee is removed.
_PUT_IN_FORCE = """
    UPDATE payee SET country = coalesce(card.country, payee.country),
        schedule = coalesce(card.schedule, payee.schedule),
        minimum_amount = coalesce(card.minimum_amount, payee.minimum_amount),
        hold_hours = coalesce(card.hold_hours, payee.hold_hours),
        instant = coalesce(card.instant, payee.instant),
        configured_at = coalesce(payee.configured_at, :now),
        removed_at = CASE WHEN card.wallet IS NULL THEN coalesce(payee.removed_at, :now) END
    FROM payee AS person LEFT JOIN LATERAL (
        SELECT payee_card.* FROM payee_card
        WHERE payee_card.wallet = person.wallet AND NOT withdrawn
        ORDER BY effective_from > CAST(:today AS date), abs(effective_from - CAST(:today AS date))
        LIMIT 1) AS card ON true
    WHERE payee.wallet = person.wallet AND person.wallet = ANY (CAST(:wallets AS text[]))
"""


async def put_in_force(tx: Tx, wallets: Collection[str], today: date, now: datetime) -> None:
    """Copy the card that is in force today to each payee's row."""
    await tx.execute(_PUT_IN_FORCE, wallets=sorted(wallets), today=today, now=now)


_WITH_LATER_CARDS = """
    SELECT DISTINCT wallet FROM payee_card
    WHERE effective_from BETWEEN CAST(:today AS date) - 7 AND :today ORDER BY wallet
"""


async def with_later_cards(tx: Tx, today: date) -> list[str]:
    """Wallets for which another card came into force in the last week."""
    return [row.wallet for row in await tx.all(_WITH_LATER_CARDS, today=today)]


_KNOW = """
    INSERT INTO payee (wallet, kind, key)
    SELECT wallet, split_part(wallet, ':', 1), substr(wallet, strpos(wallet, ':') + 1)
    FROM unnest(CAST(:wallets AS text[])) AS known (wallet) ORDER BY wallet
    ON CONFLICT (wallet) DO NOTHING
"""


async def know(tx: Tx, wallets: Collection[str]) -> None:
    """Insert payees that are not there yet: money may come before any configuration names them."""
    await tx.execute(_KNOW, wallets=sorted(wallets))


_LOCK = """
    SELECT wallet, schedule, minimum_amount, hold_hours, instant, configured_at, removed_at, stripe_account,
           ready, details_submitted, requirements <> '[]' AS due, disabled_reason, balance_negative,
           EXISTS (SELECT FROM operation WHERE operation.wallet = payee.wallet AND state = 'parked') AS parked
    FROM payee WHERE wallet = ANY (CAST(:wallets AS text[])) ORDER BY wallet FOR UPDATE
"""


# Read after the lock: what stopped may have stopped while this transaction waited for it.
_STOPPED = """
    SELECT DISTINCT ON (wallet) wallet, kind, state, reason, sentence
    FROM payouts_public.stopped_operations
    WHERE wallet = ANY (CAST(:wallets AS text[])) AND (state = 'parked' OR kind = 'account')
    ORDER BY wallet, (state <> 'parked'), stopped_at DESC
"""


async def lock(tx: Tx, wallets: Collection[str]) -> list[Payee]:
    """Lock payees in the order of their wallets."""
    rows = await tx.all(_LOCK, wallets=sorted(wallets)) if wallets else []
    perhaps = [row.wallet for row in rows if row.parked or row.stripe_account is None]
    stopped = {
        row.wallet: Stopped(
            kind=Kind(row.kind), state=State(row.state), reason=row.reason, sentence=row.sentence
        )
        for row in (await tx.all(_STOPPED, wallets=perhaps) if perhaps else [])
    }
    return [_payee(row, stopped.get(row.wallet)) for row in rows]


def _payee(row: Row[Any], stopped: Stopped | None) -> Payee:
    return Payee(
        wallet=row.wallet,
        schedule=row.schedule,
        minimum_amount=row.minimum_amount,
        hold=timedelta(hours=row.hold_hours),
        instant=row.instant,
        configured=row.configured_at is not None,
        removed=row.removed_at is not None,
        stripe_account=row.stripe_account,
        ready=row.ready,
        details_submitted=row.details_submitted,
        due=row.due,
        disabled_reason=row.disabled_reason,
        balance_negative=row.balance_negative,
        parked=row.parked,
        stopped=stopped,
    )


_WITHOUT_ACCOUNT = """
    SELECT wallet, country,
           (SELECT count(*) FROM operation WHERE kind = 'account' AND wallet = payee.wallet) AS refused
    FROM payee
    WHERE wallet = ANY (CAST(:wallets AS text[])) AND stripe_account IS NULL AND removed_at IS NULL
      AND configured_at IS NOT NULL
      AND NOT EXISTS (SELECT FROM operation WHERE kind = 'account' AND wallet = payee.wallet
                      AND state <> 'refused')
      AND NOT EXISTS (SELECT FROM found_effect AS found WHERE found.kind = 'account'
                      AND found.wallet = payee.wallet AND found.adopted_at IS NULL)
    ORDER BY wallet
"""


async def without_account(tx: Tx, wallets: Collection[str]) -> list[AccountToOpen]:
    """Configured payees that have no Stripe account and none under way."""
    rows = await tx.all(_WITHOUT_ACCOUNT, wallets=sorted(wallets))
    return [AccountToOpen(wallet=row.wallet, country=row.country, refused=row.refused) for row in rows]


_OPEN_ACCOUNTS = """
    UPDATE payee SET stripe_account = opened.account
    FROM unnest(CAST(:wallets AS text[]), CAST(:accounts AS text[])) AS opened (wallet, account)
    WHERE payee.wallet = opened.wallet AND payee.stripe_account IS NULL
"""


async def open_accounts(tx: Tx, accounts: Mapping[str, str]) -> None:
    """Note the Stripe account of each wallet."""
    await tx.execute(_OPEN_ACCOUNTS, wallets=list(accounts), accounts=list(accounts.values()))


_SET_STATUS = """
    UPDATE payee SET ready = :ready, details_submitted = :details_submitted,
        charges_enabled = :charges_enabled, payouts_enabled = :payouts_enabled,
        requirements = CAST(:requirements AS jsonb), disabled_reason = :disabled_reason,
        balance_negative = :balance_negative, checked_at = :now,
        told = CASE WHEN :ready THEN NULL ELSE told END
    WHERE stripe_account = :stripe_account
    RETURNING new.ready AND NOT old.ready OR new.payouts_enabled AND NOT old.payouts_enabled AS became_ready
"""


async def set_status(tx: Tx, status: AccountStatus, now: datetime) -> bool:
    """Write what Stripe says of an account; True when it may be paid, or pay out, by this."""
    row = await tx.first(
        _SET_STATUS,
        stripe_account=status.stripe_account,
        ready=status.ready,
        details_submitted=status.details_submitted,
        charges_enabled=status.charges_enabled,
        payouts_enabled=status.payouts_enabled,
        requirements=json_parameter(status.requirements),
        disabled_reason=status.disabled_reason,
        balance_negative=status.balance_negative,
        now=now,
    )
    return row is not None and row.became_ready


_DOUBT = """
    UPDATE payee SET ready = false, disabled_reason = doubt.reason
    FROM unnest(CAST(:wallets AS text[]), CAST(:reasons AS text[])) AS doubt (wallet, reason)
    WHERE payee.wallet = doubt.wallet
"""


async def doubt(tx: Tx, reasons: Mapping[str, str]) -> None:
    """Mark payees as not ready, because Stripe refused their money; wallet -> reason."""
    await tx.execute(_DOUBT, wallets=list(reasons), reasons=list(reasons.values()))


_TELL = """
    UPDATE payee SET told = news.reason
    FROM unnest(CAST(:wallets AS text[]), CAST(:reasons AS text[])) AS news (wallet, reason)
    WHERE payee.wallet = news.wallet AND payee.told IS DISTINCT FROM news.reason
    RETURNING payee.wallet
"""


async def not_told_yet(tx: Tx, reasons: Mapping[str, HoldReason]) -> list[str]:
    """Note which hold reason is told to payees; the wallets to which it was not told before."""
    rows = await tx.all(_TELL, wallets=list(reasons), reasons=[str(r) for r in reasons.values()])
    return [row.wallet for row in rows]


_WALLET_OF_ACCOUNT = "SELECT wallet FROM payee WHERE stripe_account = :account"


async def wallet_of_account(tx: Tx, stripe_account: str) -> str | None:
    """The wallet that a Stripe account belongs to, None when it is no payee's."""
    row = await tx.first(_WALLET_OF_ACCOUNT, account=stripe_account)
    return row.wallet if row else None


_ACCOUNTS = "SELECT count(stripe_account) AS n FROM payee"


async def count_accounts(tx: Tx) -> int:
    """How many payees have a Stripe account."""
    return int((await tx.one(_ACCOUNTS)).n)


_TO_CLOSE = """
    SELECT wallet FROM payee
    WHERE schedule = :schedule AND configured_at IS NOT NULL
      AND EXISTS (SELECT FROM payable WHERE payable.wallet = payee.wallet AND transfer_id IS NULL
                  AND clawback_id IS NULL)
      AND NOT EXISTS (SELECT FROM transfer WHERE transfer.wallet = payee.wallet AND cause = :period)
    ORDER BY wallet
"""


async def to_close(tx: Tx, schedule: str, period: str) -> list[str]:
    """Wallets on a schedule that have open payables, and no transfer for this period yet."""
    return [row.wallet for row in await tx.all(_TO_CLOSE, schedule=schedule, period=period)]
