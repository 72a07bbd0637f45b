"""URLs with libpq's words: refused with a sentence, never with the password; verified off this machine."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from fleet.database_url import WrongUrl, address, is_local, mode, read_url
from fleet.settings import Settings


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOBBS_KAFKA_BOOTSTRAP", "localhost:9092")


def url(rest: str) -> str:
    return f"postgresql://hobbs_ledger:s3cret@{rest}"


@pytest.mark.parametrize(
    ("rest", "says"),
    [
        ("db.example/hobbs?sslmode=requires", "one of disable, allow"),
        ("db.example/hobbs?ssl=true", "it has ssl; known are"),
        ("db.example/hobbs?sslmode=require&sslmode=disable", "twice"),
        ("db.example/hobbs?sslrootcert=/no/such/ca.crt", "no file sslrootcert=/no/such/ca.crt"),
        ("db.example/hobbs?sslkey=/dev/null", "no file"),
        ("db.example/hobbs?host=elsewhere.example", "socket's folder"),
        ("db.example/hobbs?connect_timeout=soon", "number of seconds"),
        ("db.example/hobbs?gssencmode=require", "it has gssencmode"),
        ("db.example/hobbs?password=other", "it has password"),
    ],
)
def test_a_word_that_would_protect_nobody_is_refused(rest: str, says: str) -> None:
    with pytest.raises(WrongUrl, match=says) as wrong:
        read_url(url(rest))
    assert "s3cret" not in str(wrong.value)


@pytest.mark.parametrize(
    ("rest", "local"),
    [
        ("localhost/hobbs", True),
        ("127.0.0.1:5432/hobbs", True),
        ("127.8.9.1/hobbs", True),
        ("[::1]:5432/hobbs", True),
        ("/hobbs?host=/run/postgresql", True),
        ("localhost.example/hobbs", False),
        ("127.0.0.1.example/hobbs", False),
        ("10.0.0.7/hobbs", False),
        ("db/hobbs", False),
    ],
)
def test_what_is_off_this_machine_is_verified_unless_it_says_otherwise(rest: str, local: bool) -> None:
    assert is_local(read_url(url(rest))) is local
    assert mode(read_url(url(rest))) == ("prefer" if local else "verify-full")


def test_a_url_s_words_do_not_reach_the_driver(tmp_path: Path) -> None:
    place, way = address(url("db.example:5433/hobbs?sslmode=disable&connect_timeout=1"))
    assert (place.query, place.password, place.host) == ({}, "s3cret", "db.example")
    assert way == {"ssl": "disable", "timeout": 2}


@pytest.mark.usefixtures("kafka")
@pytest.mark.parametrize("word", ["disable", "allow", "prefer", "require"])
def test_a_mode_that_verifies_nobody_is_refused_off_this_machine(
    word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOBBS_DATABASE_URL", url(f"db.example/hobbs?sslmode={word}"))
    with pytest.raises(ValidationError, match=f"sslmode={word} verifies nobody") as wrong:
        Settings()
    assert "s3cret" not in str(wrong.value)
    monkeypatch.setenv("HOBBS_DATABASE_PRIVATE_HOSTS", "other, db.example")
    assert Settings().database_url.get_secret_value() == url(f"db.example/hobbs?sslmode={word}")


@pytest.mark.usefixtures("kafka")
def test_a_private_host_needs_no_certificate_and_no_other_host_is_private(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOBBS_DATABASE_PRIVATE_HOSTS", "postgres")
    monkeypatch.setenv("HOBBS_DATABASE_URL", url("postgres:5432/hobbs"))
    assert Settings().database_url.get_secret_value() == url("postgres:5432/hobbs?sslmode=prefer")
    monkeypatch.setenv("HOBBS_DATABASE_URL", url("postgres.example/hobbs"))
    assert mode(read_url(Settings().database_url.get_secret_value())) == "verify-full"
    monkeypatch.setenv("HOBBS_DATABASE_PRIVATE_HOSTS", "")
    monkeypatch.setenv("HOBBS_DATABASE_URL", url("postgres:5432/hobbs"))
    assert mode(read_url(Settings().database_url.get_secret_value())) == "verify-full"
