"""What is pinned: the names, versions and hashes of requirements.txt and requirements-dev.txt."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
IMAGE: Final = ROOT / "requirements.txt"  # what the image holds
CHECKOUT: Final = ROOT / "requirements-dev.txt"  # that and what tests and the embedded stack need

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9][\w.-]*)(?:\[[^]]*\])?==(?P<version>[^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


class Unpinned(Exception):
    """A requirement without a version or without a hash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One package at one version; `in_image` says that the image holds it."""

    name: str
    version: str
    hashes: tuple[str, ...]
    in_image: bool

    @property
    def purl(self) -> str:
        return f"pkg:pypi/{self.name}@{self.version}"


def pins(image: Path = IMAGE, checkout: Path = CHECKOUT) -> list[Pin]:
    """Every pin, by name. Raises Unpinned, also when the image would hold what the tests did not run."""
    shipped = {name: version for name, version, _ in _read(image)}
    all_pins = [
        Pin(name=name, version=version, hashes=hashes, in_image=shipped.get(name) == version)
        for name, version, hashes in _read(checkout)
    ]
    if apart := sorted(shipped.items() - {(pin.name, pin.version) for pin in all_pins}):
        raise Unpinned(f"{image.name} pins {apart}, {checkout.name} does not; run `make lock`")
    return sorted(all_pins, key=lambda pin: pin.name)


def _read(path: Path) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found, hashes = _PIN.match(line), tuple(sorted(_HASH.findall(line)))
        if found is None or not hashes:
            raise Unpinned(f"{path.name}: {line.split(' --hash')[0].strip()!r} has no version or no hash")
        yield re.sub(r"[-_.]+", "-", found["name"]).lower(), found["version"], hashes
