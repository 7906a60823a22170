"""The settings of `make dev`."""

from pathlib import Path

import pytest

from scripts.dev.settings import PORTS, BadSettings, read


def test_the_defaults() -> None:
    settings = read({})
    assert settings.ports == PORTS
    assert settings.data_dir == Path.cwd() / ".data"
    assert settings.task_store_url == f"sqlite:///{Path.cwd() / '.data/tasks.db'}"
    assert settings.redis_url == "redis://127.0.0.1:6379/0"


def test_an_empty_variable_counts_as_unset() -> None:
    assert read(dict.fromkeys([*PORTS, "DATA_DIR", "REDIS_URL", "TASK_STORE_URL"], "")) == read({})


def test_the_tasks_are_stored_in_the_data_folder(tmp_path: Path) -> None:
    assert read({"DATA_DIR": str(tmp_path)}).task_store_url == f"sqlite:///{tmp_path}/tasks.db"


def test_redis_url_replaces_valkey() -> None:
    settings = read({"REDIS_URL": "redis://elsewhere:6379/1", "REDIS_PORT": "8080"})
    assert settings.redis_url == "redis://elsewhere:6379/1"
    assert not settings.starts_valkey


@pytest.mark.parametrize("value", ["0", "65536", "-1", "80.5", "eighty", " 80", "٨٠", "9" * 5000])
def test_an_invalid_port_is_refused(value: str) -> None:
    with pytest.raises(BadSettings, match="EDGE_PORT must be a port"):
        read({"EDGE_PORT": value})


def test_a_port_that_is_used_twice_is_refused() -> None:
    with pytest.raises(BadSettings, match="EDGE_PORT and TASK_GRPC_PORT are both 9000"):
        read({"EDGE_PORT": "9000", "TASK_GRPC_PORT": "9000"})
