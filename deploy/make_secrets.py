"""Makes the missing secrets of a compose installation in deploy/secrets; existing ones do not change, but for
the lists by which services know each other, which follow from the keys of all.

The files are readable by everybody, but only their owner may enter the folder: containers run as other users
and read each file through its own mount. Standard library only; it runs before anything is installed.
"""

import argparse
import os
import secrets
import sys
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a file, it finds only its own folder

from schemas.proved import PROVES, READS_PROVED, publishers_keys
from schemas.services import KAFKA_USERS, LOGINS

FOLDER: Final = Path(__file__).parent / "secrets"
PLACE: Final = "postgres:5432/hobbs"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--place", default=PLACE, help="host:port/database that the URLs name (%(default)s)")
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
    return made + _publishers_keys(folder)


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
