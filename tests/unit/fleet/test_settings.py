from pathlib import Path

import pytest
from pydantic import ValidationError

from fleet.settings import Settings


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
