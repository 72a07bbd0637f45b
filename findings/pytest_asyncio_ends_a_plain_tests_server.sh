#!/bin/sh
# pytest-asyncio 1.5.0 with pytest 9.2.0 (PyPI): the hook `pytest_asyncio_loop_factories`, with one factory, in a suite whose
# loops have the session's scope, and one test that is a plain function and asks for an async fixture.
# Guess: every test runs as without the hook, on a loop of the factory.
# Seen: the async tests pass. The plain one fails before it begins, "The fixture value for "server" is not available": it is not
# given the factory, so the session's loop ends, and an async fixture of the session with it, while one that needs it is made.
# Without the hook all three pass.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "pytest==9.2.0" "pytest-asyncio==1.5.0"
cat > pytest.ini <<'END'
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = session
asyncio_default_test_loop_scope = session
END
cat > conftest.py <<'END'
import asyncio
import os

import pytest

if "FACTORY" in os.environ:

    def pytest_asyncio_loop_factories():
        return {"own": asyncio.new_event_loop}


@pytest.fixture(scope="session")
async def server():
    yield "server"


@pytest.fixture
async def database(server):
    yield server


@pytest.fixture
def desk(database):
    return database
END
cat > test_desk.py <<'END'
async def test_before(database):
    assert database == "server"


def test_plain(desk):
    assert desk == "server"


async def test_after(database):
    assert database == "server"
END
venv/bin/pytest -q test_desk.py > without 2>&1 || true
FACTORY=1 venv/bin/pytest -q test_desk.py > with 2>&1 || true
grep -h "passed" without with
grep -h "^ERROR" with
grep -q "3 passed" without
grep -q "2 passed, 1 error" with
grep -q 'The fixture value for "server" is not available' with
