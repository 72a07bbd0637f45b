"""Nothing live starts where brokers ask nobody who writes."""

from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import ValidationError

from fleet.settings import Settings
from hobbs.shell.connections import wrong_settings
from services.adjustments.settings import AdjustmentsSettings
from services.billing.settings import BillingSettings
from services.gateway.settings import GatewaySettings
from services.ledger.settings import LedgerSettings
from services.payouts.settings import PayoutsSettings
from services.receivables.settings import ReceivablesSettings
from services.reserves.settings import ReservesSettings

LOGIN = {"kafka_security_protocol": "SASL_SSL", "kafka_username": "hobbs_x", "kafka_password": "p"}
WITH_WEBHOOKS: Final = [
    (PayoutsSettings, {"stripe_secret_key": "sk_live_1"}),
    (PayoutsSettings, {"stripe_secret_key": "rk_live_1"}),
    (GatewaySettings, {"stripe_livemode": True}),
    (ReceivablesSettings, {"stripe_livemode": True}),
]
OTHERS: Final = [
    (kind, {"stripe_livemode": True})
    for kind in (AdjustmentsSettings, BillingSettings, LedgerSettings, ReservesSettings)
]
LIVE = pytest.mark.parametrize(("kind", "live"), [*WITH_WEBHOOKS, *OTHERS])


def made(kind: type[Settings], brokers: str, **more: Any) -> Settings:
    known = {"database_url": "", "kafka_bootstrap": brokers, "attestation_keys": "k" * 32}
    known |= {"publishers_keys": f"billing/journal.requested:{'k' * 32}", "publisher_key": "k" * 32}
    return kind.model_validate(known | more)


@LIVE
@pytest.mark.parametrize("brokers", ["kafka:9092", "127.0.0.1:1,kafka:9092", "10.0.0.5:9092", "kafka"])
@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SSL"])
def test_a_live_deployment_starts_only_where_brokers_ask_who_writes(
    kind: type[Settings], live: dict[str, Any], brokers: str, protocol: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        made(kind, brokers, kafka_security_protocol=protocol, **live)
    [sentence] = wrong_settings(refused.value)
    assert "asks nobody who writes" in sentence
    assert "HOBBS_KAFKA_SECURITY_PROTOCOL=SASL_SSL" in sentence
    assert "sk_live" not in sentence
    made(kind, brokers, **LOGIN, **live)


@LIVE
@pytest.mark.parametrize(
    "brokers", ["127.0.0.1:9092", "localhost:9092,[::1]:9092", "localhost", "kafka-1:9092,kafka-2:9092"]
)
def test_this_machine_and_hosts_that_somebody_named_are_trusted(
    kind: type[Settings], live: dict[str, Any], brokers: str
) -> None:
    made(kind, brokers, kafka_private_hosts="kafka-1, kafka-2", **live)


@LIVE
def test_brokers_that_are_shown_a_certificate_ask_who_writes(
    kind: type[Settings], live: dict[str, Any], tmp_path: Path
) -> None:
    certificate = tmp_path / "client.pem"
    certificate.write_text("made up")
    shown = {"kafka_certificate_file": certificate, "kafka_security_protocol": "SSL"}
    made(kind, "kafka:9093", **shown, **live)
    with pytest.raises(ValidationError):
        made(kind, "kafka:9093", **(shown | {"kafka_security_protocol": "PLAINTEXT"}), **live)


def test_a_test_deployment_may_use_any_broker() -> None:
    made(PayoutsSettings, "kafka:9092", stripe_secret_key="sk_test_1")
    made(GatewaySettings, "kafka:9092", stripe_livemode=False)


@pytest.mark.parametrize(("kind", "live"), WITH_WEBHOOKS)
def test_a_live_deployment_starts_only_with_keys_that_prove_who_wrote_a_webhook(
    kind: type[Settings], live: dict[str, Any]
) -> None:
    for keys in ("", " , "):
        with pytest.raises(ValidationError) as refused:
            made(kind, "127.0.0.1:9092", **live, attestation_keys=keys)
        [sentence] = wrong_settings(refused.value)
        assert "HOBBS_ATTESTATION_KEYS" in sentence
    with pytest.raises(ValidationError) as weak:
        made(kind, "127.0.0.1:9092", attestation_keys="x" * 32 + ",short_key", **live)
    assert "short_key" not in str(weak.value)
    assert "key 2 of HOBBS_ATTESTATION_KEYS" in " ".join(wrong_settings(weak.value))


@LIVE
def test_a_live_service_starts_only_with_keys_that_prove_who_wrote_what(
    kind: type[Settings], live: dict[str, Any]
) -> None:
    with pytest.raises(ValidationError) as refused:
        made(kind, "127.0.0.1:9092", publisher_key="", **live)
    assert "a live deployment needs HOBBS_PUBLISHER_KEY:" in " ".join(wrong_settings(refused.value))
    if kind is GatewaySettings:  # it acts on no other service's word
        made(kind, "127.0.0.1:9092", publishers_keys="", **live)
        return
    with pytest.raises(ValidationError) as refused:
        made(kind, "127.0.0.1:9092", publishers_keys="", **live)
    assert "a live deployment needs HOBBS_PUBLISHERS_KEYS:" in " ".join(wrong_settings(refused.value))


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (f"billing/a.b:{'k' * 32},payouts/a.b:short_key", "key 2 of HOBBS_PUBLISHERS_KEYS is shorter"),
        ("k" * 32, "entry 1 of HOBBS_PUBLISHERS_KEYS is not <service>/<topic>:<key>"),
        ("billing:" + "k" * 32, "entry 1 of HOBBS_PUBLISHERS_KEYS is not <service>/<topic>:<key>"),
    ],
)
def test_keys_of_publishers_are_read_whole(keys: str, said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        made(LedgerSettings, "127.0.0.1:9092", publishers_keys=keys)
    assert said in " ".join(wrong_settings(refused.value))
    assert "short_key" not in str(refused.value)
