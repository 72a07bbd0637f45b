"""Verifiers are PostgreSQL's: the same password and salt give what the server itself would keep."""

import pytest

from fleet.scram import verifier


@pytest.mark.parametrize(
    ("password", "salt", "kept"),
    [
        # RFC 7677, section "SCRAM-SHA-256": user, pencil.
        (
            "pencil",
            "W22ZaJ0SNY7soEsUEjb6gQ==",
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
            "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        ),
    ],
)
def test_a_known_password_gives_its_known_verifier(password: str, salt: str, kept: str) -> None:
    from base64 import b64decode

    assert verifier(password, salt=b64decode(salt)) == kept


def test_the_same_password_is_kept_differently_each_time() -> None:
    assert verifier("pencil") != verifier("pencil")


@pytest.mark.parametrize("password", ["pencil", "wörd", "p:a'ss\\", "\u00ad", "\u0007bell", "\u0627\u0031"])
def test_no_verifier_holds_its_password_or_a_quote(password: str) -> None:
    kept = verifier(password)
    assert password not in kept
    assert "'" not in kept


@pytest.mark.parametrize(
    ("one", "other"),
    [("I\u00adX", "IX"), ("\u00aa", "a"), ("\u2168", "IX"), ("a\u00a0b", "a b")],
)
def test_what_is_written_differently_and_reads_the_same_is_one_password(one: str, other: str) -> None:
    """RFC 4013, section "Examples"."""
    assert verifier(one, salt=b"salt") == verifier(other, salt=b"salt")
