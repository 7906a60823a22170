"""The settings of `make dev`: environment variables and their defaults."""

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
    "GATEWAY_PORT": "The HTTP port of the gateway, the only one that browsers and clients need. `make up` uses it too.",
    "DATA_DIR": "The folder for the data. Two systems must not share it.",
    "WEB_PORT": "The port of Vite, the development server of the page.",
    "REDIS_PORT": "The port of Valkey. Not used if REDIS_URL is set, because `make dev` then starts no Valkey.",
}
"""The descriptions of the variables that no service reads."""


class BadSettings(ValueError):
    """A variable has an invalid value; the message is for the user."""


@dataclass(frozen=True)
class DevSettings:
    """The ports, the data folder, and the addresses of the stores."""

    ports: Mapping[str, int]
    """The ports by variable; without REDIS_PORT if REDIS_URL is set."""
    data_dir: Path
    """DATA_DIR as an absolute path."""
    task_store_url: str
    """TASK_STORE_URL; by default a SQLite file in data_dir."""
    redis_url: str
    """REDIS_URL; by default that of the Valkey that `make dev` starts."""

    @property
    def starts_valkey(self) -> bool:
        """Whether `make dev` starts Valkey."""
        return "REDIS_PORT" in self.ports


def read(environment: Mapping[str, str]) -> DevSettings:
    """Read the settings. An empty variable counts as unset. Raise BadSettings."""
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
        msg = f"{name} must be a port from 1 to 65535, not {value!r}"
        raise BadSettings(msg)
    return int(value)


def _refuse_doubles(ports: Mapping[str, int]) -> None:
    owners: dict[int, str] = {}
    for name, port in ports.items():
        if port in owners:
            msg = f"{owners[port]} and {name} are both {port}: set them to different ports"
            raise BadSettings(msg)
        owners[port] = name
