"""A shadow's process does not start when one of its services would believe nothing of another."""

import pytest

from hobbs.shadow.work import unbelieved
from schemas.proved import PROVES, publishers_keys
from schemas.shadow import SHADOWED

LIVE = {service: [service[0] * 43] for service in PROVES}
OWN = "o" * 43


@pytest.fixture(autouse=True)
def _urls(monkeypatch: pytest.MonkeyPatch) -> None:
    for service in SHADOWED:
        monkeypatch.setenv(f"HOBBS_{service.upper()}_DATABASE_URL", "postgresql://x@127.0.0.1:1/x")
    monkeypatch.setenv("HOBBS_KAFKA_BOOTSTRAP", "127.0.0.1:1")


def test_live_keys_are_for_the_live_topics_that_billing_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    assert unbelieved(own_book=False) is None
    monkeypatch.setenv("HOBBS_BILLING_PUBLISHERS_KEYS", publishers_keys("billing", LIVE))
    assert unbelieved(own_book=False) is None
    said = unbelieved(own_book=True)
    assert said is not None
    assert "its billing would bury what its billing publishes on school.configured" in said


def test_a_ledger_with_live_keys_would_bury_the_shadows_journals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOBBS_LEDGER_PUBLISHERS_KEYS", publishers_keys("ledger", LIVE))
    said = unbelieved(own_book=False)
    assert said is not None
    assert "its ledger would bury what its billing publishes on journal.requested" in said
    assert "unset HOBBS_LEDGER_PUBLISHERS_KEYS" in said


def test_a_shadow_may_have_keys_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    own = {service: [OWN] for service in SHADOWED}
    for service in own:
        monkeypatch.setenv(f"HOBBS_{service.upper()}_PUBLISHER_KEY", OWN)
        keys = publishers_keys(service, own)
        monkeypatch.setenv(f"HOBBS_{service.upper()}_PUBLISHERS_KEYS", keys)
    assert unbelieved(own_book=True) is None
