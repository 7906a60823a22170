"""The processes that `make dev` starts, and their environments."""

from pathlib import Path

from scripts.dev.parts import plan, service_environment
from scripts.dev.services import GRPC_SERVICES
from scripts.dev.settings import read


def test_processes_stop_before_their_dependencies(tmp_path: Path) -> None:
    names = [part.name for part in plan(read({"DATA_DIR": str(tmp_path)}), {}, "json")]
    services = [each.name for each in reversed(GRPC_SERVICES)]
    assert names == ["gateway", "web", "edge_api", *services, "valkey"]
    assert services[-2:] == ["notify_svc", "task_svc"]


def test_one_process_replaces_the_edge_and_the_services_and_has_the_same_environment(tmp_path: Path) -> None:
    settings = read({"DATA_DIR": str(tmp_path)})
    mesh, mono = plan(settings, {}, "json"), plan(settings, {}, "json", is_mono=True)
    assert [part.name for part in mono] == ["gateway", "web", "mono", "valkey"]
    assert (mono[2].environment, mono[2].ready) == (mesh[2].environment, mesh[2].ready)


def test_the_edge_and_the_gateway_share_secrets_that_are_created_once(tmp_path: Path) -> None:
    parts = {part.name: part for part in plan(read({"DATA_DIR": str(tmp_path)}), {"MESH_TOKEN_FILE": "/x"}, "json")}
    token = Path(parts["edge_api"].environment["MESH_TOKEN_FILE"])
    made = token.read_text()
    assert parts["gateway"].environment["SECRETS_DIR"] == str(token.parent)
    assert "MESH_TOKEN_FILE" not in parts["task_svc"].environment
    plan(read({"DATA_DIR": str(tmp_path)}), {}, "json")
    assert token.read_text() == made


def test_the_origin_of_the_gateway_is_allowed(tmp_path: Path) -> None:
    parts = plan(read({"DATA_DIR": str(tmp_path), "GATEWAY_PORT": "8123"}), {}, "json")
    assert parts[2].environment["PUBLIC_ORIGINS"] == "http://127.0.0.1:8123,http://localhost:8123"


def test_vite_gets_its_port_and_a_separate_cache(tmp_path: Path) -> None:
    _, web, *_ = plan(read({"DATA_DIR": str(tmp_path), "WEB_PORT": "8123"}), {}, "json")
    assert web.environment["WEB_PORT"] == "8123"
    assert web.environment["VITE_CACHE"] == str(tmp_path / "vite")


def test_services_get_the_addresses_of_the_others() -> None:
    settings = read({"TASK_GRPC_PORT": "1111", "NOTIFY_GRPC_PORT": "2222", "REDIS_PORT": "3333"})
    environment = service_environment(settings, {}, "json")
    assert environment["TASK_GRPC_TARGET"] == "127.0.0.1:1111"
    assert environment["NOTIFY_GRPC_TARGET"] == "127.0.0.1:2222"
    assert environment["REDIS_URL"] == "redis://127.0.0.1:3333/0"


def test_the_log_format_of_the_user_is_kept() -> None:
    assert service_environment(read({}), {}, "pretty")["LOG_FORMAT"] == "pretty"
    assert service_environment(read({}), {"LOG_FORMAT": "json"}, "pretty")["LOG_FORMAT"] == "json"


def test_all_servers_listen_on_loopback() -> None:
    environment = service_environment(read({}), {"EDGE_HOST": "0.0.0.0", "ENVIRONMENT": "production"}, "json")
    assert {value for name, value in environment.items() if name.endswith("_HOST")} == {"127.0.0.1"}
    assert environment["ENVIRONMENT"] == "development"


def test_local_calls_bypass_a_proxy() -> None:
    environment = service_environment(read({}), {"http_proxy": "proxy:1", "no_proxy": "inner"}, "json")
    assert environment["no_proxy"] == "inner,127.0.0.1,localhost"
