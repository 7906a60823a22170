"""The configurations of Loki, Tempo, Alloy and Grafana's data sources are consistent, and valid according to their own
programs if these are on the PATH."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.containers.variables import SETTINGS
from tests import ROOT
from tests.support.stack.dashboards import panels

_MONITORING = ROOT / "monitoring"
_ALLOY = sorted((_MONITORING / "alloy").glob("*.alloy"))
_COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
_LISTENS = {
    **{name: {settings.model_fields["metrics_port"].default} for name, settings in SETTINGS.items()},
    "kong": {8100},
    "prometheus": {9090},
    "loki": {3100},
    "tempo": {3200, 4317},
    "alloy": {4317, 4318},
    "exporters": {12345},
    "redis": {6379},
    "mongo": {27017},
}
_IDS = {"trace_id", "request_id"}
"""The structured metadata of log lines."""


def _yaml(name: str) -> Any:
    return yaml.safe_load((_MONITORING / name).read_text())


def _without_comments(path: Path) -> str:
    return re.sub(r"(^|\s)//.*", "", path.read_text())


def _addresses() -> Iterator[tuple[str, str, int]]:
    """Yield the file, host and port of every address of another container in the monitoring configuration."""
    for path in (*_ALLOY, *_MONITORING.glob("grafana/provisioning/**/*.yml"), ROOT / "kong/kong.yml"):
        text = _without_comments(path) if path.suffix == ".alloy" else path.read_text()
        wanted = r"alloy:(?=\d)" if path.name == "kong.yml" else "|".join(f"{host}:" for host in _LISTENS)
        for found in re.finditer(rf"(?<![\w.-])({wanted})(\d+)", text):
            yield path.name, found.group(1).rstrip(":"), int(found.group(2))
    for job in _yaml("prometheus/prometheus.yml")["scrape_configs"]:
        (source,) = job["dns_sd_configs"]
        yield "prometheus.yml", source["names"][0], source["port"]
    yield "docker-compose.yml", "alloy", 4317


def test_every_address_belongs_to_a_container_that_listens_on_it() -> None:
    for file, host, port in _addresses():
        assert host in _COMPOSE, (file, host)
        assert port in _LISTENS[host], (file, host, port)


def test_both_ends_of_each_connection_share_a_network() -> None:
    def meet(one: str, other: str) -> bool:
        return bool(set(_COMPOSE[one]["networks"]) & set(_COMPOSE[other]["networks"]))

    asks = {
        "prometheus": ("edge-api", "task-svc", "notify-svc", "kong", "exporters"),
        "grafana": ("prometheus", "loki", "tempo"),
        "alloy": ("loki", "tempo", "edge-api", "task-svc", "notify-svc", "kong"),
        "exporters": ("redis", "mongo"),
    }
    for one, others in asks.items():
        assert all(meet(one, other) for other in others), one
    assert not any(meet("alloy", store) for store in ("redis", "mongo", "kong-db"))


def test_logs_and_traces_have_a_retention_period() -> None:
    loki, tempo = _yaml("loki/loki.yml"), _yaml("tempo/tempo.yml")
    assert loki["compactor"]["retention_enabled"] is True
    assert loki["limits_config"]["retention_period"] == "72h"
    assert tempo["backend_worker"]["compaction"] == tempo["backend_scheduler"]["provider"]["compaction"]["compaction"]
    assert tempo["backend_worker"]["compaction"] == {"block_retention": "24h"}


def test_ids_are_structured_metadata_and_not_labels() -> None:
    collector = _without_comments(_MONITORING / "alloy/collector.alloy")
    (kept,) = re.findall(r"stage\.structured_metadata \{\s*values = \{(.*?)\}", collector, re.DOTALL)
    assert set(re.findall(r"(\w+) =", kept)) == _IDS | {"level"}
    assert re.findall(r'target_label\s+= "(\w+)"', collector) == ["service_name"]
    assert "stage.labels" not in collector
    assert _yaml("loki/loki.yml")["limits_config"]["allow_structured_metadata"] is True


def _severity(service: str, line: str) -> str | None:
    """Return what the expressions of collector.alloy extract as the severity of a line."""
    matches = r'selector = `\{service_name=~?"(.+?)"\}`\s+stage\.regex \{\s+expression = `(.+?)`\n'
    for services, expression in re.findall(matches, (_MONITORING / "alloy/collector.alloy").read_text()):
        if re.fullmatch(services, service) and (found := re.search(expression, line)):
            return found["severity"]
    return None


@pytest.mark.parametrize(
    ("service", "line", "level"),
    [
        ("mongo", '{"t":{"$date":"2026-01-01T00:00:00Z"},"s":"W",  "c":"CONTROL", "msg":"no error"}', "warn"),
        ("mongo", '{"t":{"$date":"2026-01-01T00:00:00Z"},"s":"I",  "c":"CONTROL", "msg":"no error"}', "info"),
        ("kong-db", "2026-01-01 00:00:00.000 UTC [27] PANIC:  could not write to file", "critical"),
        ("kong-db", "2026-01-01 00:00:00.000 UTC [27] LOG:  no error", "info"),
        ("kong", "2026/01/01 00:00:00 [crit] 12#0: *3 connect() failed", "critical"),
        ("kong", "2026/01/01 00:00:00 [notice] 12#0: no error", "info"),
        ("task-svc", "I0000 00:00:1764000000.000000      12 fork_posix.cc:71] no error", "info"),
        ("edge-api", '{"time": "2026-01-01", "level": "warning"}', None),
    ],
)
def test_levels_that_loki_does_not_detect_are_mapped(service: str, line: str, level: str | None) -> None:
    severity = _severity(service, line)
    if level is None:
        assert severity is None
    else:
        mapped = re.findall(r"\(list (.+?)\) \}\}(\w+)", (_MONITORING / "alloy/collector.alloy").read_text())
        assert next((name for words, name in mapped if f'"{severity}"' in words), "info") == level


@pytest.mark.parametrize("path", _ALLOY, ids=lambda path: path.name)
def test_every_referenced_component_is_declared(path: Path) -> None:
    text = _without_comments(path)
    declared = {f"{kind}.{name}" for kind, name in re.findall(r'^([a-z_.]+) "(\w+)" \{', text, re.MULTILINE)}
    inside = re.sub(r'"[^"\n]*"', '""', text)
    used = re.findall(
        r"\b((?:discovery|loki|otelcol|local|prometheus)(?:\.\w+)+)\.(?:targets|rules|receiver|input|content)\b", inside
    )
    assert used
    assert set(used) <= declared
    for opening, closing in ("{}", "[]", "()"):
        assert inside.count(opening) == inside.count(closing)


def test_data_sources_link_to_each_other() -> None:
    sources = {each["uid"]: each for each in _yaml("grafana/provisioning/datasources/taskmesh.yml")["datasources"]}
    assert set(sources) == {"prometheus", "loki", "tempo"}
    assert not any(source["editable"] for source in sources.values())
    (exemplar,) = sources["prometheus"]["jsonData"]["exemplarTraceIdDestinations"]
    assert (exemplar["name"], exemplar["datasourceUid"]) == ("trace_id", "tempo")
    (field,) = sources["loki"]["jsonData"]["derivedFields"]
    assert (field["matcherRegex"], field["datasourceUid"], field["url"]) == ("trace_id", "tempo", "$${__value.raw}")
    to_logs = sources["tempo"]["jsonData"]["tracesToLogsV2"]
    assert to_logs["datasourceUid"] == "loki"
    assert '| trace_id = "$${__trace.traceId}"' in to_logs["query"]
    assert "--enable-feature=exemplar-storage" in " ".join(_COMPOSE["prometheus"]["command"])


def test_dashboards_are_read_from_their_mount_and_are_read_only() -> None:
    (provider,) = _yaml("grafana/provisioning/dashboards/taskmesh.yml")["providers"]
    assert f"./monitoring/grafana/dashboards:{provider['options']['path']}:ro" in _COMPOSE["grafana"]["volumes"]
    assert provider["allowUiUpdates"] is False


def _logql() -> list[str]:
    to_logs = _yaml("grafana/provisioning/datasources/taskmesh.yml")["datasources"][2]["jsonData"]["tracesToLogsV2"]
    return [target["expr"] for panel in panels("logs", "loki") for target in panel["targets"]] + [to_logs["query"]]


@pytest.mark.parametrize("query", _logql())
def test_a_log_query_uses_only_existing_labels_and_ids(query: str) -> None:
    (selector,) = re.findall(r"\{(\w+=[^}]*)\}", query)
    assert re.fullmatch(r'service_name=~"[^"]+"', selector)
    filters = re.findall(r"\| (\w+) ?(?:=~?|!=)", query)
    assert set(filters) <= _IDS | {"detected_level"}
    assert not {"level", "job"} & set(re.findall(r"by \((\w+)\)", query))
    for quote in '"`':
        assert query.count(quote) % 2 == 0


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        ("loki", ("-verify-config", "-config.file=loki/loki.yml")),
        ("tempo", ("-config.verify=true", "-config.file=tempo/tempo.yml")),
        ("alloy", ("fmt", "--test", "alloy/collector.alloy")),
        ("alloy", ("fmt", "--test", "alloy/exporters.alloy")),
        ("alloy", ("validate", "alloy/collector.alloy")),
        ("alloy", ("validate", "alloy/exporters.alloy")),
    ],
)
def test_its_own_program_accepts_the_file(program: str, arguments: tuple[str, ...]) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not on the PATH")
    ran = subprocess.run([program, *arguments], cwd=_MONITORING, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stdout + ran.stderr
