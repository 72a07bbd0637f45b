"""What was decided stays as it was decided, whoever asks the database to change it."""

import pytest
from sqlalchemy.exc import IntegrityError

from tests.integration.payouts.test_relay import given_pending
from tests.integration.payouts.world import World


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE operation SET amount = 5, params = jsonb_set(params, '{amount}', '5') RETURNING id",
        """UPDATE operation SET params = jsonb_set(params, '{destination}', '"acct_other"') RETURNING id""",
        "UPDATE operation SET currency = 'EUR' RETURNING id",
        "UPDATE operation SET cause = 'another' || id RETURNING id",
        "UPDATE operation SET stripe_account = 'acct_other' RETURNING id",
        "UPDATE operation SET parent_id = 'tr_other' RETURNING id",
    ],
)
async def test_no_frozen_column_of_an_operation_can_be_changed(world: World, change: str) -> None:
    await given_pending(world, payees=1)
    before = await world.operations()
    with pytest.raises(IntegrityError, match="what was decided is frozen"):
        await world.rows(change)
    assert await world.operations() == before
