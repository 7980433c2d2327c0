import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from jsonschema import Draft7Validator
from prometheus_client import CollectorRegistry

from fleetpulse.metrics import devices, wholes
from fleetpulse.metrics.instruments import ReceiverInstruments, SourceInstruments
from fleetpulse.metrics.readouts import Readouts

ROOT: Final = Path(__file__).resolve().parents[2]
DASHBOARD: Final = json.loads((ROOT / "grafana/fleetpulse.json").read_text())
PANELS: Final[list[dict[str, Any]]] = DASHBOARD["panels"]
EXPRESSIONS: Final = {
    f"{panel['title']} {target['refId']}": target["expr"] for panel in PANELS for target in panel["targets"]
}
# What Grafana puts in before it asks Prometheus.
VARIABLES: Final = {"$source": ".*", "$__rate_interval": "5m"}
METRIC: Final = re.compile(r"\bfleet(?:pulse)?_[a-z_]+")
SUFFIXES: Final = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}


def as_asked(expr: str) -> str:
    for variable, value in VARIABLES.items():
        expr = expr.replace(variable, value)
    return expr


def served() -> set[str]:
    """The names of every series that the service's metrics pages may hold."""
    registry = CollectorRegistry()
    registry.register(Readouts())
    SourceInstruments(registry)
    ReceiverInstruments(registry)
    own = {f"{metric.name}{suffix}" for metric in registry.collect() for suffix in SUFFIXES.get(metric.type, ("",))}
    return own | {family.name for family in (*devices.families(devices.ASPECTS), *wholes.FAMILIES)}


def test_six_panels_fill_the_grid_without_overlap() -> None:
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in PANELS)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]

    assert len(PANELS) == 6
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) == 23  # Grafana's grid is 24 wide
    assert len({panel["id"] for panel in PANELS}) == 6


def test_every_query_asks_the_chosen_data_source() -> None:
    asked = [part["datasource"] for panel in PANELS for part in (panel, *panel["targets"])]
    asked += [v["datasource"] for v in DASHBOARD["templating"]["list"] if v["type"] == "query"]

    assert {variable["name"] for variable in DASHBOARD["templating"]["list"]} == {"datasource", "source"}
    assert all(source == {"type": "prometheus", "uid": "${datasource}"} for source in asked)


@pytest.mark.parametrize("query", EXPRESSIONS)
def test_no_variable_is_left_for_prometheus(query: str) -> None:
    assert "$" not in as_asked(EXPRESSIONS[query])


@pytest.mark.parametrize("query", EXPRESSIONS)
def test_a_panel_asks_for_what_is_served(query: str) -> None:
    asked = set(METRIC.findall(EXPRESSIONS[query]))

    assert asked
    assert asked <= served()


def test_the_source_variable_lists_what_is_served() -> None:
    (variable,) = (v for v in DASHBOARD["templating"]["list"] if v["name"] == "source")

    assert set(METRIC.findall(variable["query"])) <= served()


def test_every_expression_is_promql(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        missing = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        missing("promtool is not here: apt-get install prometheus")
    rules = [{"record": f"panel:{number}", "expr": as_asked(expr)} for number, expr in enumerate(EXPRESSIONS.values())]
    path = tmp_path / "panels.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))

    checked = subprocess.run([promtool, "check", "rules", path], capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"{len(EXPRESSIONS)} rules found" in checked.stdout


def test_the_dashboard_fits_grafanas_schema() -> None:
    # The schema is Grafana's own, published with its foundation SDK; people who have a copy lay it beside the project.
    copies = sorted(ROOT.parent.glob("*/grafana/dashboard.jsonschema.json"))
    if not copies:
        pytest.skip("no folder beside the project holds grafana/dashboard.jsonschema.json")
    schema = json.loads(copies[0].read_text())
    # It types Grafana's "any" as an object, where Grafana itself writes column names, units and lists.
    schema["definitions"]["MatcherConfig"]["properties"]["options"] = {}
    schema["definitions"]["DynamicConfigValue"]["properties"]["value"] = {}

    errors = [f"{error.json_path}: {error.message}" for error in Draft7Validator(schema).iter_errors(DASHBOARD)]

    assert errors == []
