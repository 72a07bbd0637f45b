from collections.abc import AsyncIterator

import pytest

from fleet.database import Database
from tests.conftest import OpenDatabase
from tests.integration.billing.given import given_school
from tests.integration.ops.conftest import hobbs  # noqa: F401 - the fixture
from tests.support.invariants import broken_invariants


@pytest.fixture
async def db(open_db: OpenDatabase) -> AsyncIterator[Database]:
    """Receivables' own database, and a school that knows anna; a test's end finds the invariants unbroken."""
    await given_school(open_db("billing"), {"kind": "student", "key": "anna", "new": {}})
    database = open_db("receivables", pool_size=8)
    yield database
    assert await broken_invariants(database) == {}
