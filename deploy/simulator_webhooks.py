"""Registers the gateway at the Stripe simulator, with the gateway's signing secrets."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import httpx

from hobbs.local.stripe_sim.control import Control
from hobbs.local.webhook_events import THIN_EVENTS

PATHS: Final = {"platform": "/webhooks/stripe", "connect": "/webhooks/stripe/connect"}
FILES: Final = {"platform": "stripe_webhook_secrets", "connect": "stripe_connect_webhook_secrets"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulator", required=True, help="URL of the simulator")
    parser.add_argument("--gateway", required=True, help="URL of the gateway, as the simulator reaches it")
    parser.add_argument("--secrets", type=Path, required=True, help="folder of the secrets' files")
    options = parser.parse_args()
    with Control(options.simulator) as control:
        for url in register(control, options.gateway, newest_secrets(options.secrets)):
            sys.stdout.write(f"registered {url}\n")
    return 0


def newest_secrets(folder: Path) -> dict[str, str]:
    """The first secret of each endpoint's list, which signs while secrets are rotated."""
    texts = {kind: (folder / name).read_text(encoding="utf-8") for kind, name in FILES.items()}
    return {kind: text.split(",")[0].strip() for kind, text in texts.items()}


def register(control: Control, gateway: str, secrets: Mapping[str, str]) -> list[str]:
    """Register the missing endpoints; returns their URLs."""
    listed = httpx.get(f"{control.url}/_sim/webhook_endpoints", trust_env=False).raise_for_status().json()
    there = {endpoint["url"] for endpoint in listed["endpoints"]}
    wanted = {gateway.rstrip("/") + path: kind for kind, path in PATHS.items()}
    missing = [url for url in wanted if url not in there]
    for url in missing:
        control.add_endpoint(url, connect=wanted[url] == "connect", secret=secrets[wanted[url]])
    connect = gateway.rstrip("/") + PATHS["connect"]
    if connect not in {destination["url"] for destination in listed["destinations"]}:
        control.add_endpoint(connect, thin=True, secret=secrets["connect"], events=THIN_EVENTS)
    return missing


if __name__ == "__main__":
    sys.exit(main())
