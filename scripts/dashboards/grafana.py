"""Data classes for dashboards, and their conversion to Grafana's classic JSON.

This module computes the position and number of each panel and adds the settings that all dashboards share.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

COLUMNS = 24
_SCHEMA_VERSION = 41
Source = Literal["prometheus", "loki"]
Kind = Literal["timeseries", "stat", "logs"]
Json = dict[str, Any]


@dataclass(frozen=True)
class Query:
    """A PromQL or LogQL expression with its legend."""

    expr: str
    legend: str = ""
    may_be_empty: str = ""
    """Why the query may normally return no data, as the end of "Empty while …". If unset, no data is an error."""


@dataclass(frozen=True)
class Panel:
    """A panel with its description, a troubleshooting hint, and its queries."""

    title: str
    unit: str
    """A Grafana unit such as `s`, `bytes`, `reqps`, `percentunit`, `short`."""
    shows: str
    troubleshooting: str
    queries: Sequence[Query]
    width: int = 8
    height: int = 8
    kind: Kind = "timeseries"
    source: Source = "prometheus"
    exemplars: bool = False
    """Whether points link to traces. For latencies from histograms with exemplars."""
    stacked: bool = False
    limits: Sequence[tuple[float, str]] = ()
    """Thresholds: each value with the colour from there on; below the first it is green."""

    @property
    def description(self) -> str:
        """The text behind the panel's info icon."""
        reasons = sorted({query.may_be_empty for query in self.queries if query.may_be_empty})
        empty = "".join(f"\n\nEmpty while {reason}." for reason in reasons)
        return f"{self.shows}\n\n**Troubleshooting:** {self.troubleshooting}{empty}"


@dataclass(frozen=True)
class Row:
    """Panels under a heading, from left to right and top to bottom."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True)
class Variable:
    """A variable that the user sets at the top of a dashboard."""

    name: str
    label: str
    about: str
    query: str = ""
    """PromQL's `label_values(…)`. Without a query and choices, the variable is a text field."""
    choices: Sequence[str] = ()
    default: str = ""

    @property
    def is_text_field(self) -> bool:
        """Whether the user types the value instead of choosing it."""
        return not (self.query or self.choices)


@dataclass(frozen=True)
class Dashboard:
    """A Grafana dashboard."""

    uid: str
    title: str
    about: str
    rows: Sequence[Row]
    variables: Sequence[Variable] = field(default=())

    @property
    def panels(self) -> list[Panel]:
        """All panels."""
        return [panel for row in self.rows for panel in row.panels]

    def as_json(self) -> Json:
        """Return the dashboard in the format that Grafana reads from a file."""
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.about,
            "tags": ["taskmesh"],
            "schemaVersion": _SCHEMA_VERSION,
            "editable": False,
            "graphTooltip": 1,
            "time": {"from": "now-15m", "to": "now"},
            "refresh": "5s",
            "timezone": "browser",
            "annotations": {"list": [_ALERTS]},
            "links": [_LINKS],
            "templating": {"list": [_variable(each) for each in self.variables]},
            "panels": list(_panels(self.rows)),
        }


FIRING = 'ALERTS{alertstate="firing"}'
"""The firing alerts, which every panel shows as regions."""

_ALERTS: Json = {
    "name": "Firing alerts",
    "datasource": {"type": "prometheus", "uid": "prometheus"},
    "enable": True,
    "iconColor": "red",
    "expr": FIRING,
    "titleFormat": "{{alertname}}",
    "textFormat": "{{job}} {{instance}}",
    "step": "15s",
}
_LINKS: Json = {
    "type": "dashboards",
    "title": "Taskmesh",
    "tags": ["taskmesh"],
    "asDropdown": False,
    "includeVars": False,
    "keepTime": True,
}


def _panels(rows: Sequence[Row]) -> Iterator[Json]:
    number, y = 1, 0
    for row in rows:
        yield {
            "id": number,
            "type": "row",
            "title": row.title,
            "collapsed": False,
            "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1},
            "panels": [],
        }
        number, y = number + 1, y + 1
        x = tallest = 0
        for panel in row.panels:
            if x + panel.width > COLUMNS:
                x, y, tallest = 0, y + tallest, 0
            yield _panel(panel, number, {"x": x, "y": y, "w": panel.width, "h": panel.height})
            number, x, tallest = number + 1, x + panel.width, max(tallest, panel.height)
        y += tallest


def _panel(panel: Panel, number: int, place: Mapping[str, int]) -> Json:
    source = {"type": panel.source, "uid": panel.source}
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": source,
        "gridPos": dict(place),
        "targets": [_target(panel, query, chr(65 + index), source) for index, query in enumerate(panel.queries)],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _OPTIONS[panel.kind],
    }


def _target(panel: Panel, query: Query, ref_id: str, source: Json) -> Json:
    target: Json = {"refId": ref_id, "datasource": source, "expr": query.expr, "legendFormat": query.legend}
    if panel.source == "loki":
        return target | {"queryType": "range"}
    return target | {"range": True, "instant": False, "exemplar": panel.exemplars}


def _defaults(panel: Panel) -> Json:
    steps = [{"color": "green", "value": None}, *({"color": colour, "value": value} for value, colour in panel.limits)]
    defaults: Json = {"unit": panel.unit, "thresholds": {"mode": "absolute", "steps": steps}}
    if panel.kind == "timeseries":
        defaults |= {
            "min": 0,
            "custom": {
                "fillOpacity": 10,
                "showPoints": "never",
                "stacking": {"mode": "normal" if panel.stacked else "none"},
                "thresholdsStyle": {"mode": "line" if panel.limits else "off"},
            },
        }
    return defaults


_OPTIONS: Mapping[Kind, Json] = {
    "timeseries": {
        "legend": {"displayMode": "list", "placement": "bottom"},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "stat": {"colorMode": "value", "graphMode": "area", "reduceOptions": {"calcs": ["lastNotNull"]}},
    "logs": {"showTime": True, "wrapLogMessage": True, "enableLogDetails": True, "sortOrder": "Descending"},
}


def _variable(variable: Variable) -> Json:
    shared: Json = {"name": variable.name, "label": variable.label, "description": variable.about}
    if variable.is_text_field:
        value = {"text": variable.default, "value": variable.default}
        return shared | {"type": "textbox", "query": variable.default, "current": value, "options": []}
    many: Json = {
        "includeAll": True,
        "multi": True,
        "allValue": ".+",
        "current": {"text": ["All"], "value": ["$__all"]},
    }
    if variable.choices:
        return shared | many | {"type": "custom", "query": ",".join(variable.choices)}
    return (
        shared
        | many
        | {
            "type": "query",
            "datasource": {"type": "prometheus", "uid": "prometheus"},
            "query": {"query": variable.query, "refId": variable.name},
            "definition": variable.query,
            "refresh": 2,
            "sort": 1,
        }
    )
