"""The dashboards are valid for Grafana, and each panel can be read at a glance."""

import json
import re
from itertools import combinations

import pytest

from tests import ROOT
from tests.support.stack.dashboards import DASHBOARDS, is_line, legend, panels, soft_maximum

_README = (ROOT / "monitoring/README.md").read_text()
_RUNBOOK = (ROOT / "monitoring/runbook.md").read_text()
_WINDOWS = {"$__rate_interval", "$__range", "$__auto", "1h"}
_UNITS = {
    r"_seconds_bucket|_pending_seconds|timestamp_seconds": "s",
    r"_ms_bucket(?!.*/ 1000)": "ms",
    r"_bytes\b[^\[]*$": "bytes",
}
_COLOURED = r"\{\{(status|code|grpc_code|detected_level|channel\}\} \{\{outcome)\}\}"

each = pytest.mark.parametrize("name", sorted(DASHBOARDS))


def _expressions(name: str) -> list[str]:
    return [target["expr"] for panel in panels(name) for target in panel["targets"]]


def test_each_dashboard_has_a_unique_uid_and_title() -> None:
    assert {board["uid"] for board in DASHBOARDS.values()} == {f"taskmesh-{name}" for name in DASHBOARDS}
    assert len({board["title"] for board in DASHBOARDS.values()}) == len(DASHBOARDS)


@each
def test_panels_have_unique_ids_and_titles(name: str) -> None:
    for kind in ("id", "title"):
        found = [panel[kind] for panel in DASHBOARDS[name]["panels"]]
        assert len(found) == len(set(found)), kind


@each
def test_a_title_fits_on_its_panel(name: str) -> None:
    for panel in panels(name):
        assert len(panel["title"]) <= 5 * panel["gridPos"]["w"], panel["title"]  # a column is 50 pixels wide, at 1,280


@each
def test_a_description_says_what_good_looks_like_and_how_to_troubleshoot(name: str) -> None:
    for panel in panels(name):
        _, good, troubleshooting = panel["description"].split("\n\n")
        assert good.startswith("**Good:** "), panel["title"]
        assert troubleshooting.startswith("**Troubleshooting:** "), panel["title"]


@each
def test_an_axis_starts_at_0_and_has_a_soft_maximum_and_a_unit(name: str) -> None:
    for panel in (panel for panel in panels(name) if panel["type"] == "timeseries"):
        defaults = panel["fieldConfig"]["defaults"]
        assert (defaults["min"], (soft_maximum(panel) or 0) > 0) == (0, True), panel["title"]
        expressions = " ".join(target["expr"] for target in panel["targets"])
        of_metrics = {unit for metrics, unit in _UNITS.items() if re.search(metrics, expressions)}
        assert of_metrics <= {defaults["unit"]}, panel["title"]


@each
def test_objectives_and_fixed_colours_are_set_by_name(name: str) -> None:
    for panel in panels(name, "prometheus"):
        matchers = [override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]]
        legends = " ".join(legend(target) for target in panel["targets"])
        assert ("/^(objective|alert|limit)/" in matchers) == any(map(is_line, panel["targets"])), panel["title"]
        assert len(matchers) >= 4 or not re.search(_COLOURED, legends), panel["title"]


@each
def test_panels_fit_on_the_page_and_do_not_overlap(name: str) -> None:
    places = [(panel["title"], panel["gridPos"]) for panel in DASHBOARDS[name]["panels"]]
    for title, place in places:
        assert place["x"] + place["w"] <= 24, title
    for (one, a), (other, b) in combinations(places, 2):
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        above = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
        assert beside or above, f"{one} and {other}"


@each
def test_panels_use_data_sources_by_their_fixed_uids(name: str) -> None:
    for panel in panels(name):
        assert panel["datasource"] in ({"type": kind, "uid": kind} for kind in ("prometheus", "loki"))


@each
def test_rates_use_at_least_four_scrapes(name: str) -> None:
    for expression in _expressions(name):
        without_texts = re.sub(r'"[^"]*"', "", expression)
        assert set(re.findall(r"\[(\$?\w+)\]", without_texts)) <= _WINDOWS, expression


@each
def test_health_checks_are_left_out(name: str) -> None:
    for expression in _expressions(name):
        for labels in re.findall(r"\bgrpc_(?:server|client)_\w+\{([^}]*)\}", expression):
            assert 'grpc_service!~"grpc[.].+"' in labels or "grpc_method=" in labels, expression


@each
def test_every_variable_is_used_and_every_used_variable_is_declared(name: str) -> None:
    variables = DASHBOARDS[name]["templating"]["list"]
    text = " ".join([*_expressions(name), json.dumps(variables)])
    assert set(re.findall(r"\$\{?(?!__)(\w+)", text)) == {variable["name"] for variable in variables}


@each
def test_alerts_in_panel_descriptions_are_in_the_runbook(name: str) -> None:
    for panel in panels(name):
        for alert in re.findall(r"Runbook, (\w+)", panel["description"]):
            assert f"\n## {alert}\n" in _RUNBOOK, panel["title"]


def test_one_query_of_each_latency_of_the_services_links_to_traces() -> None:
    for name in DASHBOARDS:
        for panel in panels(name):
            expressions = " ".join(target["expr"] for target in panel["targets"])
            is_ours = re.search(r"(grpc|http_request|notification)\w+_seconds_bucket", expressions)
            assert sum("exemplar" in target for target in panel["targets"]) == bool(is_ours), panel["title"]


def test_the_checklist_has_one_line_for_each_panel() -> None:
    checked = re.findall(r"^\| \*(.+?)\*: (.+?) \|", _README, re.MULTILINE)
    assert checked == [
        (board, panel["title"])
        for name in ("overview", "grpc", "queue", "gateway", "logs")
        for board in [DASHBOARDS[name]["title"]]
        for panel in panels(name)
    ]
