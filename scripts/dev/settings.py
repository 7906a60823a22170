"""What `make dev` lets its user choose: the environment's variables, their defaults, and what is refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PORTS = {
    "GATEWAY_PORT": 8000,
    "WEB_PORT": 5173,
    "EDGE_PORT": 8080,
    "TASK_GRPC_PORT": 50051,
    "NOTIFY_GRPC_PORT": 50052,
    "EDGE_METRICS_PORT": 9100,
    "TASK_METRICS_PORT": 9101,
    "NOTIFY_METRICS_PORT": 9102,
    "REDIS_PORT": 6379,
}
DATA_DIR = ".data"
DESCRIPTIONS = {
    "GATEWAY_PORT": "The gateway's port for HTTP, the only one that browsers and clients need. `make up` uses it too.",
    "DATA_DIR": "The folder for the data. Two copies must not share it.",
    "WEB_PORT": "The port of Vite, which serves the page to the gateway.",
    "REDIS_PORT": "The port of the queue's server. Unused if REDIS_URL is set: `make dev` then starts no server.",
}
"""What the variables mean that no service reads."""


class BadSettings(ValueError):
    """A variable holds what it must not; the message is for the user."""


@dataclass(frozen=True)
class DevSettings:
    """Where everything listens and where the data is."""

    ports: Mapping[str, int]
    """The ports by the variable that sets each; without REDIS_PORT where no own server is started."""
    data_dir: Path
    """DATA_DIR, absolute."""
    task_store_url: str
    """TASK_STORE_URL: a SQLite file in data_dir unless set."""
    redis_url: str
    """REDIS_URL: the own server's unless set."""

    @property
    def starts_valkey(self) -> bool:
        """Whether the queue is a server of our own."""
        return "REDIS_PORT" in self.ports


def read(environment: Mapping[str, str]) -> DevSettings:
    """The settings that an environment gives; an empty variable counts as unset. Raises BadSettings."""
    given = {name: value for name, value in environment.items() if value}
    redis_url = given.get("REDIS_URL")
    names = [name for name in PORTS if name != "REDIS_PORT" or redis_url is None]
    ports = {name: _port(name, given.get(name, str(PORTS[name]))) for name in names}
    _refuse_doubles(ports)
    data_dir = Path(given.get("DATA_DIR", DATA_DIR)).absolute()
    return DevSettings(
        ports=ports,
        data_dir=data_dir,
        task_store_url=given.get("TASK_STORE_URL", f"sqlite:///{data_dir / 'tasks.db'}"),
        redis_url=redis_url or f"redis://127.0.0.1:{ports['REDIS_PORT']}/0",
    )


def _port(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 5 and 1 <= int(value) <= 65535):
        msg = f"{name} must be a port, a number from 1 to 65535; it is {value!r}"
        raise BadSettings(msg)
    return int(value)


def _refuse_doubles(ports: Mapping[str, int]) -> None:
    owners: dict[int, str] = {}
    for name, port in ports.items():
        if port in owners:
            msg = f"{owners[port]} and {name} are both {port}: give each a port of its own"
            raise BadSettings(msg)
        owners[port] = name
