"""Examines the deployment's own files: alert rules, and images that are not named by digest.

A checkout has them; the image has the rules only. What is not there is said to be not checked.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx

from fleet.folders import ROOT
from fleet.settings import PREFIX
from hobbs.doctor.findings import Finding, not_checked, wrong
from schemas.services import DECIDE

ALERTS, IMAGES = "alerts", "images"
RULES: Final = Path("deploy", "prometheus", "hobbs.rules.yml")
MONITORING: Final = "docs/operations/monitoring.md"
DIGESTS: Final = "name@sha256:… of the image that you tested (docs/operations/install.md, Images)"
BUILT_HERE: Final = re.compile(r"hobbs(-simulator)?:")
TIMEOUT_S: Final = 5.0

_ALERT: Final = re.compile(r"^\s*- alert: (\w+)$", re.MULTILINE)
_METRIC: Final = re.compile(rf"\b(?:fleet|{'|'.join(DECIDE)})_[a-z_]+(?=[\s{{\[)])")
_DECLARED: Final = re.compile(r"\b(?:counter|gauge|histogram)\(\s*\"(\w+)\"")
_IMAGE: Final = re.compile(r"^\s*image:\s*(\S+)", re.MULTILINE)
_FROM: Final = re.compile(r"^FROM (\S+)(?: AS (\w+))?", re.MULTILINE)


def examine_rules(root: Path = ROOT) -> list[Finding]:
    """Whether the alert rules look at metrics that this version serves."""
    path = root / RULES
    if not path.is_file():
        return [not_checked(ALERTS, f"the alert rules: {RULES} is not here", f"see {MONITORING}")]
    declared = set(_declared())
    named = set(_METRIC.findall(_without_comments(path.read_text(encoding="utf-8"))))
    return [
        wrong(
            ALERTS,
            f"{RULES} looks at {name}, which this version does not serve: that alert never fires",
            f"take the file of this release ({MONITORING})",
        )
        for name in sorted(named)
        if name not in declared and re.sub(r"_(bucket|sum|count)$", "", name) not in declared
    ]


async def examine_prometheus(url: str, root: Path = ROOT) -> list[Finding]:
    """Whether a Prometheus has all alerts of this version, and somebody to tell. Raises httpx.HTTPError."""
    if not url:
        found = "whether a Prometheus has the alert rules of this version, and tells somebody"
        return [not_checked(ALERTS, found, f"{PREFIX}PROMETHEUS_URL, and fire one by hand ({MONITORING})")]
    if not (root / RULES).is_file():
        return []  # said by examine_rules
    async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S, trust_env=False) as client:
        groups = (await _asked(client, "/api/v1/rules?type=alert"))["groups"]
        managers = (await _asked(client, "/api/v1/alertmanagers"))["activeAlertmanagers"]
    loaded = {rule["name"] for group in groups for rule in group["rules"]}
    missing = [
        name for name in _ALERT.findall((root / RULES).read_text(encoding="utf-8")) if name not in loaded
    ]
    findings = []
    if missing:
        found = f"Prometheus at {url} has no alert {', '.join(missing)}"
        findings.append(wrong(ALERTS, found, f"give it {RULES} of this release and reload ({MONITORING})"))
    if not managers:
        found = f"Prometheus at {url} has no Alertmanager: nobody hears an alert"
        findings.append(wrong(ALERTS, found, f"name one in its configuration ({MONITORING})"))
    return findings


def examine_images(root: Path = ROOT) -> list[Finding]:
    """Which images of others are named by a tag, which may be moved to another content."""
    files = [
        root / "docker-compose.yml",
        *sorted((root / "deploy").glob("*.yml")),
        root / "deploy" / "Dockerfile",
    ]
    there = [path for path in files if path.is_file()]
    if not there:
        return [not_checked(IMAGES, "which images run: no compose file is here", DIGESTS)]
    return [
        wrong(
            IMAGES, f"{path.relative_to(root)} names by tag and not by digest: {', '.join(tagged)}", DIGESTS
        )
        for path in there
        if (tagged := sorted(set(_tagged(path.read_text(encoding="utf-8")))))
    ]


def _tagged(text: str) -> Iterator[str]:
    stages = {stage for _, stage in _FROM.findall(text)}
    for name in (*_IMAGE.findall(text), *(image for image, _ in _FROM.findall(text))):
        if "@sha256:" not in name and name not in stages and not BUILT_HERE.match(name):
            yield name


def _declared() -> Iterator[str]:
    """The metrics that this version's code declares."""
    for path in (
        *ROOT.glob("fleet/*.py"),
        *ROOT.glob("services/*/metrics.py"),
        ROOT / "console" / "metrics.py",
    ):
        yield from _DECLARED.findall(path.read_text(encoding="utf-8"))


def _without_comments(text: str) -> str:
    return re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)


async def _asked(client: httpx.AsyncClient, path: str) -> dict[str, Any]:
    answer = await client.get(path)
    answer.raise_for_status()
    data: dict[str, Any] = answer.json()["data"]
    return data
