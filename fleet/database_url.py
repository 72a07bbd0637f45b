"""Where the database is, and how far the way there is trusted: a URL with libpq's words.

The words mean what they mean in `psql`, so that one URL serves both; the default does not. Off this machine a
connection is encrypted and the server proves its name (`verify-full`), unless the settings call the network
to that host private (fleet/settings.py). A word that is not known is refused: one that is ignored protects
nobody.
"""

import ssl
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from fleet.hosts import is_this_machine

MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
VERIFIED: Final = frozenset({"verify-ca", "verify-full"})
FILES: Final = ("sslrootcert", "sslcert", "sslkey")
WORDS: Final = ("sslmode", *FILES, "host", "connect_timeout")
SYSTEM: Final = "system"  # libpq's word for the certificates that this machine trusts


class WrongUrl(ValueError):
    """A URL that names no database, or asks for what we do not do; the message holds no secret."""


def read_url(text: str) -> URL:
    """Parse a URL and look at its words. Raises WrongUrl."""
    try:
        url = make_url(text)
        port = url.port
    except (ArgumentError, ValueError):
        raise WrongUrl("it is not a URL such as postgresql://role:password@host:5432/hobbs") from None
    if port is not None and not 0 < port < 65536:
        raise WrongUrl("it is not a URL such as postgresql://role:password@host:5432/hobbs")
    if unknown := sorted(set(url.query) - set(WORDS)):
        raise WrongUrl(f"it has {', '.join(unknown)}; known are {', '.join(WORDS)}")
    if doubled := sorted(word for word, value in url.query.items() if not isinstance(value, str)):
        raise WrongUrl(f"it has {', '.join(doubled)} twice")
    _require_meaning(url)
    return url


def _require_meaning(url: URL) -> None:
    words = {word: str(value) for word, value in url.query.items()}
    if words.get("sslmode", MODES[0]) not in MODES:
        raise WrongUrl(f"its sslmode is {words['sslmode']!r}; it is one of {', '.join(MODES)}")
    if "host" in words and not words["host"].startswith("/"):
        raise WrongUrl("its word host is for a socket's folder; name the host before the port")
    if not words.get("connect_timeout", "1").isdecimal():
        raise WrongUrl("its connect_timeout is no number of seconds")
    missing = [f"{w}={words[w]}" for w in FILES if w in words and not _is_there(words[w])]
    if missing:
        raise WrongUrl(f"there is no file {', '.join(missing)} that may be read")
    if ("sslkey" in words) > ("sslcert" in words):
        raise WrongUrl("it has a sslkey without a sslcert")


def _is_there(file: str) -> bool:
    return file == SYSTEM or Path(file).is_file()


def mode(url: URL) -> str:
    """The sslmode that the URL says; without one `prefer` on this machine, `verify-full` off it."""
    return str(url.query.get("sslmode") or ("prefer" if is_local(url) else "verify-full"))


def is_local(url: URL) -> bool:
    """Whether nothing leaves this machine on the way to the database."""
    return url.host is None or is_this_machine(url.host)  # without a host: a socket, as in libpq


def with_mode(url: URL, chosen: str) -> str:
    """The URL, its secret included, with this sslmode."""
    return url.update_query_dict({"sslmode": chosen}).render_as_string(hide_password=False)


def address(text: str) -> tuple[URL, dict[str, Any]]:
    """What SQLAlchemy's engine needs to reach the database: a URL without words, and connect arguments."""
    url = read_url(text)
    words = {word: str(value) for word, value in url.query.items()}
    arguments: dict[str, Any] = {"ssl": _encryption(mode(url), words)}
    if "host" in words:
        arguments["host"] = words["host"]
    if "connect_timeout" in words:
        arguments["timeout"] = max(2, int(words["connect_timeout"]))
    return url.set(drivername="postgresql+asyncpg", query={}), arguments


def _encryption(chosen: str, words: dict[str, str]) -> ssl.SSLContext | str:
    """What asyncpg takes as `ssl`. Only a context is verified, and never falls back to no encryption."""
    if chosen not in VERIFIED and not words.keys() & set(FILES):
        return chosen
    if chosen not in (*VERIFIED, "require"):
        raise WrongUrl(f"certificates are for sslmode=verify-full, not for {chosen}")
    root = words.get("sslrootcert", SYSTEM)
    context = ssl.create_default_context(cafile=None if root == SYSTEM else root)
    # With a CA at hand libpq verifies it in the mode `require` too; the name only in verify-full.
    context.check_hostname = chosen == "verify-full"
    if chosen == "require" and "sslrootcert" not in words:
        context.verify_mode = ssl.CERT_NONE
    if "sslcert" in words:
        context.load_cert_chain(words["sslcert"], words.get("sslkey"))
    return context
