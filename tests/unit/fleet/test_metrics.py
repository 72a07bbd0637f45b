"""Every series whose label values are known is 0 from the start."""

import ast
from pathlib import Path
from uuid import uuid4

from prometheus_client import REGISTRY

from fleet import metrics
from tests.support.each import of_each
from tests.support.metrics import labelled

ROOT = Path(__file__).resolve().parents[3]
SOURCES = sorted(path for room in ("fleet", "services", "hobbs") for path in (ROOT / room).rglob("*.py"))


def new_name() -> str:
    return f"test_{uuid4().hex}"


def label_sets(name: str) -> list[dict[str, str]]:
    return sorted((dict(labels) for labels in labelled().get(name, set())), key=str)


def test_each_combination_of_label_values_is_0_before_the_first_event() -> None:
    name = new_name()
    metrics.counter(f"{name}_total", "A test.", {"kind": ("a", "b"), "verdict": ("yes", "no")})
    assert len(label_sets(name)) == 4
    for labels in label_sets(name):
        assert REGISTRY.get_sample_value(f"{name}_total", labels) == 0


def test_a_gauge_and_a_histogram_start_as_a_counter_does() -> None:
    gauge, histogram = new_name(), new_name()
    metrics.gauge(gauge, "A test.", {"kind": ("a",)})
    metrics.histogram(histogram, "A test.", {"kind": ("a",)}, buckets=(1, 2))
    assert label_sets(gauge) == label_sets(histogram) == [{"kind": "a"}]
    assert REGISTRY.get_sample_value(f"{histogram}_bucket", {"kind": "a", "le": "2.0"}) == 0


def test_a_label_whose_values_nobody_knows_has_no_series_yet() -> None:
    name = new_name()
    metrics.counter(f"{name}_total", "A test.", {"type": metrics.UNKNOWN, "known": ("yes", "no")})
    assert label_sets(name) == []


def test_a_metric_without_labels_is_there_at_once() -> None:
    name = new_name()
    metrics.counter(f"{name}_total", "A test.")
    assert REGISTRY.get_sample_value(f"{name}_total") == 0


@of_each(SOURCES, named=lambda path: str(path.relative_to(ROOT)))
def test_only_fleet_metrics_makes_metrics(path: Path) -> None:
    """Elsewhere a metric could be made without its label values."""
    made = {
        alias.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom | ast.Import)
        for alias in node.names
        if (isinstance(node, ast.ImportFrom) and node.module == "prometheus_client")
        or alias.name.startswith("prometheus_client")
    }
    if path != ROOT / "fleet" / "metrics.py":
        assert made <= {"CONTENT_TYPE_LATEST", "generate_latest"}
