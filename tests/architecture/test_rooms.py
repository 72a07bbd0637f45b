"""Every module is in its room, and a module in the wrong room is found: the path alone decides."""

from pathlib import Path

import pytest

from tests.architecture.rooms import ROOMS, faults
from tests.architecture.test_house_rules import MODULES, ROOT, name
from tests.support.each import of_each


@of_each(MODULES, named=name)
def test_a_module_keeps_to_its_room(path: Path) -> None:
    assert faults(name(path), path.read_text(encoding="utf-8")) == []


def test_every_service_has_only_rooms_with_something_in_them() -> None:
    folders = [
        folder for folder in (ROOT / "services").glob("*/*") if folder.name in ROOMS and folder.is_dir()
    ]
    assert folders
    empty = [
        folder for folder in folders if not [one for one in folder.glob("*.py") if one.name != "__init__.py"]
    ]
    assert empty == []


QUERY = 'X = """\n    SELECT id FROM transfer\n"""\n'
PUBLISHED = 'X = "WITH a AS (SELECT id FROM new_public.transfers) SELECT id FROM a, unnest(:ids)"\n'


@pytest.mark.parametrize(
    ("path", "text", "fault"),
    [
        ("services/new/domain.py", "import random\n", "domain is pure: no random"),
        ("services/new/domain/prices.py", "import time\n", "domain is pure: no time"),
        ("services/new/domain/prices.py", "from decimal import Decimal\n", "domain is pure: no decimal"),
        ("services/new/domain/prices.py", "RATE = 0.5\n", "the float 0.5"),
        ("services/new/domain/prices.py", "def f(x: float) -> None: ...\n", "float: amounts are integers"),
        (
            "services/new/domain/prices.py",
            "from datetime import datetime\nN = datetime.now()\n",
            "not datetime.now",
        ),
        (
            "services/new/domain/prices.py",
            "from datetime import date\nTODAY = date.today\n",
            "not date.today",
        ),
        ("services/new/domain/prices.py", "from uuid import uuid4\nID = uuid4()\n", "not uuid4"),
        ("services/new/domain/prices.py", "X = open('rates.csv')\n", "not open("),
        (
            "services/new/domain/prices.py",
            "def f(a: int) -> int:\n    return int(a / 3)\n",
            "a / makes a float",
        ),
        ("services/new/domain/prices.py", "import http.client\n", "domain is pure: no http"),
        ("services/new/domain/prices.py", "import statistics\n", "domain is pure: no statistics"),
        ("services/new/domain/prices.py", "import pydantic\n", "domain does not import pydantic"),
        (
            "services/new/domain/prices.py",
            "from fleet.database import Tx\n",
            "domain does not import fleet.database",
        ),
        ("services/new/domain/prices.py", "from schemas.flights import X\n", "domain does not know schemas"),
        ("services/new/domain/prices.py", "from services.new import store\n", "domain does not import store"),
        (
            "services/new/domain/prices.py",
            "from services.new.store.x import y\n",
            "domain does not import store",
        ),
        ("services/new/domain/prices.py", "from . import x\n", "relative imports"),
        ("services/new/domain/prices.py", QUERY, "SQL outside store"),
        ("services/new/wire/records.py", "from services.new.store import x\n", "wire does not import store"),
        ("services/new/wire.py", "from sqlalchemy import Row\n", "wire does not import sqlalchemy"),
        ("services/new/wire.py", QUERY, "SQL outside store"),
        ("services/new/store/x.py", "from services.new.wire import y\n", "store does not import wire"),
        ("services/new/store/x.py", "from schemas.flights import X\n", "store does not know schemas"),
        ("services/new/store/x.py", "AMOUNT = 1.0\n", "the float 1.0"),
        ("services/new/steps/x.py", QUERY, "SQL outside store"),
        ("services/new/steps/x.py", "from services.new import desk\n", "steps does not import desk"),
        ("services/new/handlers.py", QUERY, "SQL outside store"),
        (
            "services/new/handlers.py",
            "from fleet.worker import Worker\n",
            "handlers does not import fleet.worker",
        ),
        ("services/new/desk/decisions.py", "import typer\n", "desk does not import typer"),
        ("services/new/desk/decisions.py", "import fastapi\n", "desk does not import fastapi"),
        ("services/new/desk/decisions.py", QUERY, "SQL outside store"),
        ("services/new/desk/reads.py", QUERY, "reads transfer, which is no published view"),
        ("services/new/desk/reads/lists.py", PUBLISHED.replace("FROM a", "FROM a JOIN b.c"), "reads b.c"),
        ("services/new/desk/decisions.py", "from hobbs.shell import output\n", "desk does not import hobbs"),
        ("services/new/steps/x.py", "from services.ledger.domain import y\n", "imports the service ledger"),
        ("services/new/stripe/client.py", "X = 1\n", "only payouts has a room stripe"),
        ("services/payouts/steps/x.py", "import stripe\n", "steps does not import stripe"),
        (
            "services/payouts/steps/x.py",
            "from services.payouts.stripe import relay\n",
            "steps does not import stripe",
        ),
        ("services/new/prices.py", "X = 1\n", "is in no room"),
        ("services/new/helpers/x.py", "X = 1\n", "is in no room"),
        ("hobbs/commands/x.py", QUERY, "SQL outside store"),
        ("hobbs/commands/x.py", "X = 'select id from ledger.wallet'\n", "SQL outside store"),
        (
            "hobbs/commands/x.py",
            "X = f'update {1} x'\nY = 'update payouts.transfer set a = 1'\n",
            "SQL outside store",
        ),
        ("hobbs/commands/x.py", "X = 'TRUNCATE TABLE ledger.entry'\n", "SQL outside store"),
        ("hobbs/commands/x.py", "from services.ledger import store\n", "not services.ledger.store"),
        ("console/pages.py", QUERY, "SQL outside store"),
        ("console/pages/x.py", QUERY, "SQL outside store"),
        ("console/reads/x.py", QUERY, "reads transfer, which is no published view"),
        ("console/pages.py", "from services.ledger.steps import posting\n", "not services.ledger.steps"),
    ],
)
def test_a_module_in_the_wrong_room_is_found(path: str, text: str, fault: str) -> None:
    assert [one for one in faults(path, text) if fault in one], faults(path, text)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (
            "services/new/domain/prices.py",
            "from fleet.money import half_up\nfrom services.new.domain import x\n",
        ),
        ("services/new/store/x.py", QUERY),
        ("services/new/store.py", QUERY),
        ("console/store/x.py", QUERY),
        ("console/reads/x.py", PUBLISHED),
        ("services/new/desk/reads.py", PUBLISHED),
        ("services/new/desk/reads/lists.py", PUBLISHED),
        ("services/new/migrations/versions/0001_initial.py", QUERY),
        (
            "services/new/wire.py",
            "import orjson\nfrom pydantic import BaseModel\nfrom schemas.flights import X\n",
        ),
        ("hobbs/commands/x.py", "from services.ledger.desk import reads\nimport typer\n"),
        ("services/new/domain/prices.py", '"""SELECT nothing FROM nobody: this is prose."""\n'),
    ],
)
def test_a_module_in_its_room_is_left_alone(path: str, text: str) -> None:
    assert faults(path, text) == []
