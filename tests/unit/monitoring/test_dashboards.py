"""The dashboards are valid for Grafana, and each panel has a unit and a description."""

import json
import re
from itertools import combinations
from typing import Any

import pytest

from tests import ROOT

_FOLDER = ROOT / "monitoring/grafana/dashboards"
DASHBOARDS: dict[str, dict[str, Any]] = {path.stem: json.loads(path.read_text()) for path in _FOLDER.glob("*.json")}
_RUNBOOK = (ROOT / "monitoring/runbook.md").read_text()
_WINDOWS = {"$__rate_interval", "$__auto", "1h"}

each = pytest.mark.parametrize("name", sorted(DASHBOARDS))


def _panels(name: str) -> list[dict[str, Any]]:
    return [panel for panel in DASHBOARDS[name]["panels"] if panel["type"] != "row"]


def _expressions(name: str) -> list[str]:
    return [target["expr"] for panel in _panels(name) for target in panel["targets"]]


def test_each_dashboard_has_a_unique_uid_and_title() -> None:
    assert {board["uid"] for board in DASHBOARDS.values()} == {f"taskmesh-{name}" for name in DASHBOARDS}
    assert len({board["title"] for board in DASHBOARDS.values()}) == len(DASHBOARDS)


@each
def test_it_is_not_editable_in_grafana(name: str) -> None:
    assert DASHBOARDS[name]["editable"] is False


@each
def test_panels_have_unique_ids_and_titles(name: str) -> None:
    for kind in ("id", "title"):
        found = [panel[kind] for panel in DASHBOARDS[name]["panels"]]
        assert len(found) == len(set(found)), kind


@each
def test_a_panel_has_a_unit_and_a_description(name: str) -> None:
    for panel in _panels(name):
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["description"], panel["title"]


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
    for panel in _panels(name):
        for source in (panel["datasource"], *(target["datasource"] for target in panel["targets"])):
            assert source in ({"type": kind, "uid": kind} for kind in ("prometheus", "loki"))


@each
def test_rates_use_at_least_four_scrapes(name: str) -> None:
    for expression in _expressions(name):
        without_texts = re.sub(r'"[^"]*"', "", expression)
        assert set(re.findall(r"\[([^]]+)\]", without_texts)) <= _WINDOWS, expression


@each
def test_every_variable_is_used_and_every_used_variable_is_declared(name: str) -> None:
    declared = {variable["name"] for variable in DASHBOARDS[name]["templating"]["list"]}
    queries = [variable.get("definition", "") for variable in DASHBOARDS[name]["templating"]["list"]]
    used = set(re.findall(r"\$(?!__)(\w+)", " ".join([*_expressions(name), *queries])))
    assert used == declared


@each
def test_alerts_in_panel_descriptions_are_in_the_runbook(name: str) -> None:
    for panel in _panels(name):
        for alert in re.findall(r"Runbook, (\w+)", panel["description"]):
            assert f"\n## {alert}\n" in _RUNBOOK, panel["title"]


def test_latencies_of_the_services_link_to_traces() -> None:
    for name in DASHBOARDS:
        for panel in _panels(name):
            expressions = " ".join(target["expr"] for target in panel["targets"])
            is_ours = re.search(r"(grpc|http_request|notification)\w+_seconds_bucket", expressions)
            if is_ours:
                assert all(target["exemplar"] for target in panel["targets"]), panel["title"]
