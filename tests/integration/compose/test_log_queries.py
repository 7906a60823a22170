"""Runs every log query of the dashboards and data sources on a real Loki with the project's configuration.

The test writes the lines in place of Alloy: lines of two services with one label, and ids for the JSON line. It is
skipped if Loki is not on the PATH.
"""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import yaml

from tests import ROOT
from tests.support.ports import free_port
from tests.support.stack.dashboards import panels
from tests.support.stack.prometheus import until

_MONITORING = ROOT / "monitoring"
_ID = "0af7651916cd43dd8448eb211c80319c"
_TEXT = 'of "milk" \\'
_CHOSEN = {
    "$service": ".+",
    "${text:regex}": re.sub(r"[\\^$*+?.()|[\]{}/]", r"\\\g<0>", _TEXT),  # as Grafana escapes it
    "$request": _ID,
    "$__auto": "1m",
    "$${__trace.traceId}": _ID,
}
pytestmark = pytest.mark.skipif(shutil.which("loki") is None, reason="loki is not on the PATH")


def _queries() -> Iterator[str]:
    yield from (target["expr"] for panel in panels("logs", "loki") for target in panel["targets"])
    sources = yaml.safe_load((_MONITORING / "grafana/provisioning/datasources/taskmesh.yml").read_text())["datasources"]
    yield from (source["jsonData"]["tracesToLogsV2"]["query"] for source in sources if source["type"] == "tempo")


@pytest.fixture(scope="module")
def loki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("loki")
    text = re.sub(r"(?<=: )/loki", str(folder), (_MONITORING / "loki/loki.yml").read_text())
    config: dict[str, Any] = yaml.safe_load(text)
    port, local = free_port(), "127.0.0.1"
    config["server"] |= {"http_listen_address": local, "http_listen_port": port}
    config["server"] |= {"grpc_listen_address": local, "grpc_listen_port": free_port()}
    (folder / "loki.yml").write_text(yaml.safe_dump(config))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["loki", f"-config.file={folder}/loki.yml"], stdout=log, stderr=log)
    health = ["loki", "-health", f"-health.url=http://{local}:{port}/ready"]  # the health check of docker-compose.yml
    try:
        until(lambda: subprocess.run(health, capture_output=True).returncode == 0, 90, "loki is ready")
        with httpx.Client(base_url=f"http://{local}:{port}", trust_env=False, timeout=20) as client:
            _write(client)
            yield client
    finally:
        process.terminate()
        process.wait(30)


def _write(client: httpx.Client) -> None:
    now = time.time_ns()
    line = json.dumps({"level": "warning", "service": "task_svc", "event": "rpc", "title": "Buy milk"})
    streams = [
        {
            "stream": {"service_name": "task-svc"},
            "values": [[str(now), line, {"trace_id": _ID, "request_id": _ID}]],
        },
        {"stream": {"service_name": "redis"}, "values": [[str(now), f"WARNING {_TEXT}"]]},
    ]
    client.post("/loki/api/v1/push", json={"streams": streams}).raise_for_status()


@pytest.mark.parametrize("query", list(_queries()))
def test_a_log_query_finds_the_lines(loki: httpx.Client, query: str) -> None:
    until(lambda: _finds(loki, query, _CHOSEN), 20, query)


def test_an_empty_request_id_finds_no_lines(loki: httpx.Client) -> None:
    (query,) = (query for query in _queries() if "$request" in query)
    until(lambda: _finds(loki, query, _CHOSEN), 20, query)
    assert not _finds(loki, query, {**_CHOSEN, "$request": ""})


def _finds(loki: httpx.Client, query: str, chosen: dict[str, str]) -> bool:
    for variable, value in chosen.items():
        query = query.replace(variable, value)
    ends = {"start": time.time_ns() - 60 * 10**9, "end": time.time_ns()}
    answer = loki.get("/loki/api/v1/query_range", params={"query": query, **ends})
    assert answer.status_code == 200, answer.text
    return bool(answer.json()["data"]["result"])
