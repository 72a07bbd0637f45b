from collections.abc import AsyncIterator

import pytest

from fleet.database import Database
from tests.conftest import OpenDatabase
from tests.integration.ops.conftest import hobbs  # noqa: F401 - the fixture
from tests.support.invariants import broken_invariants


@pytest.fixture
async def db(open_db: OpenDatabase) -> AsyncIterator[Database]:
    """Adjustments' own database; a test's end finds the invariants unbroken."""
    database = open_db("adjustments", pool_size=8)
    yield database
    assert await broken_invariants(database) == {}
