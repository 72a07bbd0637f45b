"""Notice another key or another way to make accounts, and try again what is due; its loop runs `step`."""

import logging
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256

from fleet.database import Database
from fleet.outages import Blame, blame
from services.payouts import store
from services.payouts.domain.accounts import AccountPolicy
from services.payouts.steps import retries

AT_ONCE = 100  # payees of a step, each in a transaction of its own

_log = logging.getLogger(__name__)


def fingerprint(secret_key: str, *settings: str) -> str:
    """Name a key, and the settings that decide what is requested with it, without showing them."""
    return sha256("\x1f".join(("hobbs:stripe-access", secret_key, *settings)).encode()).hexdigest()


class Retries:
    """Tries stopped operations again when they are due, and all that another key may have cured."""

    def __init__(
        self, db: Database, clock: Callable[[], datetime], access: str, accounts: AccountPolicy
    ) -> None:
        self._db = db
        self._clock = clock
        self._access = access
        self._accounts = accounts
        self._noted = False

    async def step(self) -> int:
        """Try again what is due; how many payees had something due."""
        if not self._noted:
            async with self._db.transaction() as tx:
                news = await retries.note_access(tx, self._access, self._clock())
            self._noted = True
            if news:
                _log.info(
                    "Stripe is called with another key or other settings: what it refused is tried again"
                )
        async with self._db.autocommit() as tx:
            wallets = await store.stopped.wallets_due(tx, self._clock(), AT_ONCE)
        for wallet in wallets:
            await self._retry(wallet)
        return len(wallets)

    async def _retry(self, wallet: str) -> None:
        """Try again what is due of one payee; what nobody foresaw keeps no other payee waiting."""
        try:
            async with self._db.transaction() as tx:
                await retries.retry_due(tx, wallet, self._clock(), self._accounts)
        except Exception as error:
            if blame(error) is not Blame.RECORD:
                raise
            _log.exception("what is due is not tried again", extra={"wallet": wallet})
            async with self._db.transaction() as tx:
                await retries.put_off(tx, wallet, self._clock())
