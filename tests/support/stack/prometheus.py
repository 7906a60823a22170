"""Runs a real Prometheus with the project's configuration and rules, and local targets."""

import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests import ROOT
from tests.support.ports import free_port

_OWN = ROOT / "monitoring/prometheus"
_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}


class Prometheus:
    """A Prometheus server. `targets` has the port of each job; `speedup` divides all windows and waits of the rules."""

    def __init__(self, folder: Path, targets: Mapping[str, int], *, speedup: int = 1) -> None:
        folder.mkdir()
        self._folder = folder
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{free_port()}", trust_env=False, timeout=30)
        (folder / "rules").mkdir()
        for path in (_OWN / "rules").glob("*.yml"):
            (folder / "rules" / path.name).write_text(_shortened(path.read_text(), speedup))
        (folder / "prometheus.yml").write_text(_with_targets((_OWN / "prometheus.yml").read_text(), targets))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server and wait until it is ready."""
        command = [
            f"{programs()}/prometheus",
            f"--config.file={self._folder}/prometheus.yml",
            f"--storage.tsdb.path={self._folder}/data",
            f"--web.listen-address={self._client.base_url.host}:{self._client.base_url.port}",
            "--enable-feature=exemplar-storage",
            "--log.level=warn",
        ]
        log = self._folder / "log"
        with log.open("wb") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=output)
        deadline = time.monotonic() + 30
        while True:
            assert self._process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            try:
                if self._client.get("/-/ready").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)

    def close(self) -> None:
        """Stop the server."""
        self._client.close()
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Evaluate an expression now; fail if it is invalid."""
        answer = self._client.get("/api/v1/query", params={"query": expression}).json()
        assert answer["status"] == "success", f"{expression}: {answer.get('error')}"
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    def history(self, expression: str, begun: float) -> list[tuple[dict[str, str], list[float]]]:
        """Return the labels and the values of each series of an expression since `begun` until now, without NaN."""
        now = time.time()
        start = now - int(now - begun)  # so that the last step is now
        range_: dict[str, str | float] = {"query": expression, "start": start, "end": now, "step": "1s"}
        answer = self._client.get("/api/v1/query_range", params=range_).json()
        assert answer["status"] == "success", f"{expression}: {answer.get('error')}"
        return [
            (series["metric"], [float(value) for _, value in series["values"] if value != "NaN"])
            for series in answer["data"]["result"]
        ]

    def has_data(self, expression: str) -> bool:
        """Return whether an expression has a value that is not NaN."""
        return any(each["value"][1] != "NaN" for each in self.query(expression))

    def exemplars(self, series: str) -> list[str]:
        """Return the trace ids in the exemplars of a series."""
        ends = {"start": time.time() - 3600, "end": time.time() + 60}
        answer = self._client.get("/api/v1/query_exemplars", params={"query": series, **ends}).json()
        return [each["labels"]["trace_id"] for found in answer["data"] for each in found["exemplars"]]

    def firing(self) -> set[str]:
        """Return the names of the firing alerts."""
        alerts = self._client.get("/api/v1/alerts").json()["data"]["alerts"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}


def until(holds: Callable[[], bool], within: float, what: str) -> float:
    """Wait until `holds` returns true and return the seconds that it took; fail after `within` seconds."""
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() - begun < within, f"not within {within:g} s: {what}"
        time.sleep(0.1)
    return time.monotonic() - begun


@contextmanager
def prometheus(folder: Path, targets: Mapping[str, int], *, speedup: int = 1) -> Iterator[Prometheus]:
    """Run a server while the block runs."""
    running = Prometheus(folder, targets, speedup=speedup)
    try:
        running.start()
        yield running
    finally:
        running.close()


@cache
def programs() -> str:
    """Return the folder of `prometheus` and `promtool`."""
    found = subprocess.run([ROOT / "scripts/prometheus"], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    return found.stdout.strip()


def _with_targets(text: str, targets: Mapping[str, int]) -> str:
    config = yaml.safe_load(text)
    config["global"] = dict.fromkeys(("scrape_interval", "scrape_timeout", "evaluation_interval"), "1s")
    config["scrape_configs"] = [job for job in config["scrape_configs"] if job["job_name"] in targets]
    for job in config["scrape_configs"]:
        del job["dns_sd_configs"]
        job["static_configs"] = [{"targets": [f"127.0.0.1:{targets[job['job_name']]}"]}]
    return str(yaml.safe_dump(config))


def _shortened(text: str, times: int) -> str:
    """Return rules with windows, waits and age limits divided by `times`. Age limits stay at least five seconds."""

    def shorten(found: "re.Match[str]") -> str:
        return f"{found[1]}{int(found[2]) * _UNITS[found[3]] // times}ms"

    text = re.sub(r"(\[|for: )(\d+)(ms|s|m|h)\b", shorten, text)
    return re.sub(r"((?:seconds\)|\]\)\)) > )60\b", lambda found: f"{found[1]}{max(5, 60 // times)}", text)
