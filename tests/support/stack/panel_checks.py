"""Evaluates a panel on a running Prometheus, and checks that its picture can be read at a glance."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.support.stack.dashboards import is_line, legend, soft_maximum, with_all_selected
from tests.support.stack.prometheus import Prometheus

_SERIES_MAX, _NAME_MAX = 8, 40


@dataclass
class PanelChecks:
    """A panel, and what it showed in each phase of a test."""

    place: str
    model: dict[str, Any]
    shown: list[str] = field(default_factory=list)
    with_data: set[str] = field(default_factory=set)

    def problems(self, prometheus: Prometheus, phase: str, begun: float) -> Iterator[str]:
        """Evaluate all queries since `begun`, and yield what a viewer could not read."""
        data, lines, names = list[float](), list[float](), list[str]()
        for target in self.model["targets"]:
            for labels, values in prometheus.history(with_all_selected(target["expr"]), begun):
                (lines if is_line(target) else data).extend(values)
                names.append(_name(target, labels))
                if values:
                    self.with_data.add(target["refId"])
        self.shown.append(f"{phase} {min(data):.3g} to {max(data):.3g}" if data else f"{phase} nothing")
        for problem in self._problems(data, lines, names):
            yield f"{self.place}, {phase}: {problem}"

    def _problems(self, data: list[float], lines: list[float], names: list[str]) -> Iterator[str]:
        soft = soft_maximum(self.model)
        if not names and not self.with_data and "noValue" not in self.model["fieldConfig"]["defaults"]:
            yield "no data so far, and no text that says why"
        if min(data, default=0) < 0:
            yield f"the negative value {min(data)}"
        if soft is not None and max(lines, default=0) > max(soft, *data, 0):
            yield f"the line at {max(lines)} is outside of the axis"
        if len(names) > _SERIES_MAX:
            yield f"{len(names)} series: {', '.join(names)}"
        if self.model["type"] != "stat":
            yield from (
                f"the name {name!r}" for name in names if name != name.strip() or not 0 < len(name) <= _NAME_MAX
            )

    @property
    def without_data(self) -> list[str]:
        """The queries that have had no data in any phase. There is a rest only above seven series."""
        return [
            target["expr"]
            for target in self.model["targets"]
            if target["refId"] not in self.with_data and legend(target) != "rest"
        ]


def _name(target: dict[str, Any], labels: dict[str, str]) -> str:
    """Return the name of a series in the legend."""
    return re.sub(r"\{\{(\w+)\}\}", lambda label: labels.get(label[1], ""), legend(target))
