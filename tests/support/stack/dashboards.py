"""The dashboards in monitoring/grafana/dashboards/."""

import json
import re
from collections.abc import Iterator
from typing import Any

from tests import ROOT

DASHBOARDS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text()) for path in sorted((ROOT / "monitoring/grafana/dashboards").glob("*.json"))
}


def panels(name: str, source: str = "") -> list[dict[str, Any]]:
    """Return the panels of a dashboard without the rows; with `source`, only those of this data source."""
    return [
        panel
        for panel in DASHBOARDS[name]["panels"]
        if panel["type"] != "row" and source in ("", panel["datasource"]["uid"])
    ]


def with_all_selected(expression: str) -> str:
    """Return a PromQL expression with all values of the variables selected, and with Grafana's windows."""
    text = re.sub(r"\$(service|method)\b", ".+", expression)
    return text.replace("$__rate_interval", "1m").replace("$__range", "15m")


def legend(target: dict[str, Any]) -> str:
    """Return the legend of a query, a template; empty if there is none."""
    text: str = target.get("legendFormat", "")
    return text


def is_line(target: dict[str, Any]) -> bool:
    """Return whether a query draws an objective, an alert's threshold or a limit."""
    return re.match("(objective|alert|limit)", legend(target)) is not None


def soft_maximum(panel: dict[str, Any]) -> float | None:
    """Return the value up to which the axis reaches even if the data is smaller; None for a panel without an axis."""
    found: float | None = panel.get("fieldConfig", {}).get("defaults", {}).get("custom", {}).get("axisSoftMax")
    return found


def selectors_of_variables(name: str) -> Iterator[str]:
    """Yield the PromQL selectors from which the variables of a dashboard take their values."""
    for variable in DASHBOARDS[name]["templating"]["list"]:
        if variable.get("datasource", {}).get("uid") == "prometheus":
            yield from re.findall(r"label_values\((.*), \w+\)$", variable["query"]["query"])
