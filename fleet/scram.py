"""SCRAM-SHA-256 verifiers: what PostgreSQL keeps of a password, made here.

`ALTER ROLE … PASSWORD` with a clear password puts it into the server's log and into pg_stat_statements of
whoever logs statements. A verifier says nothing that logs in (RFC 5802); the format is PostgreSQL's.
"""

import hashlib
import hmac
import secrets
import stringprep
import unicodedata
from base64 import b64encode
from typing import Final

ITERATIONS: Final = 4096  # PostgreSQL's own; our passwords are random, so that nobody guesses them anyway
_SALT_BYTES: Final = 16


def verifier(password: str, *, salt: bytes | None = None, iterations: int = ITERATIONS) -> str:
    """What to give PostgreSQL in place of the password."""
    salt = secrets.token_bytes(_SALT_BYTES) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", _prepared(password), salt, iterations)
    stored = hashlib.sha256(_keyed(salted, b"Client Key")).digest()
    server = _keyed(salted, b"Server Key")
    return f"SCRAM-SHA-256${iterations}:{_text(salt)}${_text(stored)}:{_text(server)}"


def _keyed(key: bytes, word: bytes) -> bytes:
    return hmac.new(key, word, hashlib.sha256).digest()


def _text(octets: bytes) -> str:
    return b64encode(octets).decode("ascii")


def _prepared(password: str) -> bytes:
    """SASLprep (RFC 4013) as PostgreSQL does it: what may not be prepared is taken as it is."""
    plain = password.encode("utf-8")
    mapped = "".join(
        " " if stringprep.in_table_c12(c) else c for c in password if not stringprep.in_table_b1(c)
    )
    normal = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    if not normal or any(_is_prohibited(c) for c in normal) or not _reads_one_way(normal):
        return plain
    return normal.encode("utf-8")


def _is_prohibited(c: str) -> bool:
    return (
        stringprep.in_table_a1(c)
        or stringprep.in_table_c12(c)
        or stringprep.in_table_c21_c22(c)
        or stringprep.in_table_c3(c)
        or stringprep.in_table_c4(c)
        or stringprep.in_table_c5(c)
        or stringprep.in_table_c6(c)
        or stringprep.in_table_c7(c)
        or stringprep.in_table_c8(c)
        or stringprep.in_table_c9(c)
    )


def _reads_one_way(text: str) -> bool:
    """RFC 3454, section on bidirectional characters."""
    if not any(stringprep.in_table_d1(c) for c in text):
        return True
    ends = stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])
    return ends and not any(stringprep.in_table_d2(c) for c in text)
