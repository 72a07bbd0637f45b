"""The chain from the first event to the last effect, and the form in which rows keep it."""

import ast
import sys
from pathlib import Path
from uuid import UUID

import orjson
import pytest

import fleet
from fleet import cause
from fleet.cause import Cause
from fleet.database import json_parameter
from fleet.envelope import uuid7

ROOT = Path(fleet.__file__).resolve().parents[1]
CHAIN = Cause(correlation_id="c", traceparent="00-t", event_id=UUID("01a54d59-0000-7000-8000-000000000001"))


def test_what_a_row_keeps_is_read_again() -> None:
    assert Cause.kept(json_parameter(CHAIN.document())) == CHAIN
    driver = CHAIN._replace(event_id=uuid7())  # the driver's own class of UUIDs
    assert Cause.kept(json_parameter(driver.document())) == driver


def test_rows_written_by_earlier_releases_are_read() -> None:
    earlier = {"correlation_id": "c", "traceparent": "00-t", "event_id": str(CHAIN.event_id)}
    assert CHAIN.document() == earlier
    assert Cause.kept(orjson.dumps(earlier).decode()) == CHAIN


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"correlation_id": "c"}', "7"])
def test_what_is_no_chain_is_refused(text: str) -> None:
    with pytest.raises((LookupError, ValueError, TypeError)):
        Cause.kept(text)


def test_a_domain_may_know_it_for_it_needs_the_standard_library_only() -> None:
    tree = ast.parse(Path(cause.__file__).read_text(encoding="utf-8"))
    imported = {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    imported |= {alias.name for n in ast.walk(tree) if isinstance(n, ast.Import) for alias in n.names}
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names


def test_no_service_writes_a_value_as_json_that_json_has_no_form_of() -> None:
    sources = [path for room in ("fleet", "services") for path in (ROOT / room).rglob("*.py")]
    lax = [path.name for path in sources if "default=str" in path.read_text(encoding="utf-8")]
    assert lax == ["logs.py"]  # a log line takes whatever it is given
    with pytest.raises(TypeError):
        json_parameter({"value": object()})
