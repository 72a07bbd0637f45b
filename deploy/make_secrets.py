"""Makes the missing secrets of a compose installation in deploy/secrets; existing ones do not change, but for
the lists by which services know each other, which follow from the keys of all.

The files are readable by everybody, but only their owner may enter the folder: containers run as other users
and read each file through its own mount. Standard library only, and openssl; it runs before anything is
installed.
"""

import argparse
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a file, it finds only its own folder

from schemas.proved import PROVES, READS_PROVED, publishers_keys
from schemas.services import KAFKA_USERS, LOGINS

FOLDER: Final = Path(__file__).parent / "secrets"
PLACE: Final = "postgres:5432/hobbs?sslmode=verify-full&sslrootcert=/run/secrets/postgres_ca"
SERVERS: Final = ("kafka", "postgres")
CERTIFICATE_DAYS: Final = 3_650


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--place", default=PLACE, help="host:port/database?words of the URLs (%(default)s)")
    options = parser.parse_args()
    made = make_secrets(options.folder, options.place)
    for name in made:
        sys.stdout.write(f"made {options.folder / name}\n")
    if not made:
        sys.stdout.write(f"every secret is in {options.folder} already\n")
    return 0


def make_secrets(folder: Path, place: str = PLACE) -> list[str]:
    """Write each missing secret; returns their names."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    made = [name for name, value in _plain_secrets().items() if _write_new(folder / name, value)]
    owner = (folder / "postgres_password").read_text(encoding="utf-8").strip()
    urls = {"owner_database_url": f"postgresql://hobbs_owner:{owner}@{place}"}
    urls |= {
        f"{login}_database_url": f"postgresql://hobbs_{login}:{secrets.token_urlsafe(24)}@{place}"
        for login in LOGINS
    }
    made += [name for name, value in urls.items() if _write_new(folder / name, value)]
    return made + _certificates(folder) + _publishers_keys(folder)


def _certificates(folder: Path) -> list[str]:
    """Of each server key and certificate, and its CA, whose key is thrown away: it signs no other."""
    made: list[str] = []
    for server in SERVERS:
        names = (f"{server}_ca", f"{server}_keystore")
        if all((folder / name).exists() for name in names):
            continue
        if shutil.which("openssl") is None:
            raise SystemExit("openssl is not here: it makes servers' certificates; install it and try again")
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            for name, value in zip(names, _signed(Path(scratch), server), strict=True):
                (folder / name).unlink(missing_ok=True)
                _write_new(folder / name, value.rstrip())
        made += names
    return made


def _signed(folder: Path, server: str) -> tuple[str, str]:
    """A CA's certificate, and the server's key and certificate for its name among the containers and here."""
    (folder / "names").write_text(
        f"subjectAltName=DNS:{server},DNS:localhost,IP:127.0.0.1\n", encoding="utf-8"
    )
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout")
    until = ("-days", str(CERTIFICATE_DAYS), "-out")
    ca = ("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
    signer = ("-CA", "ca", "-CAkey", "ca_key", "-CAcreateserial", "-extfile", "names")
    _openssl(folder, "req", "-x509", *key, "ca_key", *ca, "-subj", f"/CN=Hobbs {server} CA", *until, "ca")
    _openssl(folder, "req", *key, "key", "-subj", f"/CN={server}", "-out", "request")
    _openssl(folder, "x509", "-req", "-in", "request", *signer, *until, "certificate")
    written = {name: (folder / name).read_text(encoding="utf-8") for name in ("ca", "key", "certificate")}
    return written["ca"], written["key"] + written["certificate"]


def _openssl(folder: Path, *words: str) -> None:
    done = subprocess.run(["openssl", *words], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"openssl {words[0]} failed: {done.stderr.strip()}")


def _publishers_keys(folder: Path) -> list[str]:
    """What each service knows publishers by: it follows from their keys, and changes when they do."""
    keys = {who: _keys_in(folder / f"{who}_publisher_key") for who in PROVES}
    made = []
    for reader in READS_PROVED:
        path, value = folder / f"{reader}_publishers_keys", publishers_keys(reader, keys)
        if path.exists() and path.read_text(encoding="utf-8").strip() == value:
            continue
        path.unlink(missing_ok=True)
        _write_new(path, value)
        made.append(path.name)
    return made


def _keys_in(path: Path) -> list[str]:
    """While a key is rotated its file has two, with a comma between them."""
    return [key.strip() for key in path.read_text(encoding="utf-8").split(",") if key.strip()]


def _plain_secrets() -> dict[str, str]:
    """Random secrets, which suit the simulator; replace them by those of Stripe and of your sign-in."""
    return {
        "postgres_password": secrets.token_urlsafe(24),
        "stripe_secret_key": f"sk_test_{secrets.token_hex(16)}",
        "attestation_keys": secrets.token_urlsafe(32),
        "stripe_webhook_secrets": f"whsec_{secrets.token_hex(24)}",
        "stripe_connect_webhook_secrets": f"whsec_{secrets.token_hex(24)}",
        "console_oidc_client_secret": secrets.token_urlsafe(24),
        **{f"{who}_publisher_key": secrets.token_urlsafe(32) for who in PROVES},
        **{f"{who}_kafka_password": secrets.token_urlsafe(24) for who in KAFKA_USERS},
    }


def _write_new(path: Path, value: str) -> bool:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, 0o644)  # in spite of the umask: the container's user must read it
        file.write(value + "\n")
    return True


if __name__ == "__main__":
    sys.exit(main())
