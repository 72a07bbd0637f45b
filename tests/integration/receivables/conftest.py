from collections.abc import AsyncIterator

import pytest

from fleet.database import Database
from tests.conftest import OpenDatabase
from tests.integration.ops.conftest import hobbs  # noqa: F401 - the fixture
from tests.integration.receivables.stories import broken_invariants


@pytest.fixture
async def db(open_db: OpenDatabase) -> AsyncIterator[Database]:
    """Receivables' own database; whatever a test did, its invariants hold at the end."""
    database = open_db("receivables", pool_size=8)
    yield database
    assert await broken_invariants(database) == {}
