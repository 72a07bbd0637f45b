from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from fleet.settings import Settings, WrongSettings, read_by
from hobbs.shell.connections import wrong_settings
from services.payouts.settings import PayoutsSettings


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOBBS_DATABASE_URL", "postgresql://hobbs_ledger:secret@localhost/hobbs")
    monkeypatch.setenv("HOBBS_KAFKA_BOOTSTRAP", "localhost:9092")


def test_a_secret_may_come_from_a_file_and_the_file_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "url").write_text("postgresql://from-file/hobbs\nanother line\n")
    monkeypatch.setenv("HOBBS_DATABASE_URL_FILE", str(tmp_path / "url"))
    assert Settings().database_url.get_secret_value() == "postgresql://from-file/hobbs"


def test_an_empty_secret_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "url").write_text("\n")
    monkeypatch.setenv("HOBBS_DATABASE_URL_FILE", str(tmp_path / "url"))
    with pytest.raises(ValueError, match="is empty"):
        Settings()


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "secret" not in repr(Settings())
    monkeypatch.setenv("HOBBS_OPS_PORT", "s3cret")
    with pytest.raises(ValidationError) as wrong:
        Settings()
    assert "s3cret" not in str(wrong.value)


@pytest.mark.parametrize(
    "url", ["garbage", "postgresql://u:s3cret@h:abc/hobbs", "postgresql://u:s3cret@h:99999/x"]
)
def test_a_url_that_is_none_is_named_and_not_shown(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("HOBBS_DATABASE_URL", url)
    with pytest.raises(ValidationError, match="it is not a URL such as") as wrong:
        Settings()
    assert "s3cret" not in str(wrong.value)


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOBBS_LOG_LEVEL", "")
    monkeypatch.setenv("HOBBS_OPS_PORT", "")
    assert (Settings().log_level, Settings().ops_port) == ("INFO", 0)
    monkeypatch.setenv("HOBBS_DATABASE_URL", "")
    with pytest.raises(ValidationError, match="database_url"):
        Settings()


def test_of_several_services_in_a_process_each_reads_its_own_and_lends_no_secret(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOBBS_BILLING_DATABASE_URL", "postgresql://hobbs_billing:b@localhost/hobbs")
    (tmp_path / "url").write_text("postgresql://hobbs_payouts:p@localhost/hobbs\n")
    monkeypatch.setenv("HOBBS_PAYOUTS_DATABASE_URL_FILE", str(tmp_path / "url"))
    monkeypatch.setenv("HOBBS_PAYOUTS_STRIPE_SECRET_KEY", "sk_test_payouts")
    monkeypatch.setenv("HOBBS_STRIPE_SECRET_KEY", "sk_test_everybodys")
    monkeypatch.setenv("HOBBS_DATABASE_POOL_SIZE", "3")
    monkeypatch.setenv("HOBBS_PAYOUTS_DATABASE_POOL_SIZE", "7")
    monkeypatch.setenv("HOBBS_KAFKA_PASSWORD", "brokers")
    with read_by("billing"):
        billing = Thief()
    with read_by("payouts"):
        payouts = PayoutsSettings()
    assert "hobbs_billing" in billing.database_url.get_secret_value()
    assert "hobbs_payouts" in payouts.database_url.get_secret_value()
    assert (billing.database_pool_size, payouts.database_pool_size) == (3, 7)
    assert (billing.kafka_bootstrap, payouts.kafka_bootstrap) == ("localhost:9092",) * 2
    assert payouts.stripe_secret_key.get_secret_value() == "sk_test_payouts"
    assert billing.stripe_secret_key is None
    assert [s.kafka_password and s.kafka_password.get_secret_value() for s in (billing, payouts)] == [
        "brokers"
    ] * 2


class Thief(Settings):
    """Settings of a service that asks for the key of another."""

    stripe_secret_key: SecretStr | None = None


def test_one_database_url_is_not_the_role_of_several_services() -> None:
    with pytest.raises(WrongSettings) as wrong, read_by("ledger"):
        Settings()
    assert wrong.value.service == "ledger"
    assert wrong_settings(wrong.value.error, "ledger")[0].startswith("HOBBS_LEDGER_DATABASE_URL is not set")


def test_alone_in_its_process_a_service_reads_what_has_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOBBS_LEDGER_DATABASE_URL", "postgresql://other@localhost/hobbs")
    assert "hobbs_ledger:secret" in Settings().database_url.get_secret_value()
