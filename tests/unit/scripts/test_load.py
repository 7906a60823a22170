"""`make load` finds the edge on this machine or in its container."""

import ast
import sys
from pathlib import Path

from tests import ROOT
from tests.support.ports import free_port
from tests.support.stack.stand_in_docker import StandIn


def test_if_no_edge_listens_here_the_load_runs_in_the_edges_container(tmp_path: Path) -> None:
    docker = StandIn(tmp_path, '  "compose ps --quiet edge-api") echo 0123456789ab ;;')
    ran = docker.run("load", "--rate", "5", EDGE_PORT=str(free_port()))
    assert ran.stdout.startswith("docker compose exec --no-TTY edge-api sh -c")
    assert ran.stdout.endswith(" --rate 5\n")


def test_without_an_edge_it_names_the_commands_that_start_one(tmp_path: Path) -> None:
    port = free_port()
    ran = StandIn(tmp_path).run("load", EDGE_PORT=str(port))
    assert ran.returncode == 1
    assert f"127.0.0.1:{port}" in ran.stderr
    assert "make dev" in ran.stderr


def test_the_load_needs_no_package_because_the_image_of_the_edge_may_not_have_it() -> None:
    parsed = ast.walk(ast.parse((ROOT / "scripts/load.py").read_text()))
    names = {
        node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in parsed
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert {str(name).partition(".")[0] for name in names} <= sys.stdlib_module_names
