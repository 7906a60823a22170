"""`make load` finds the edge, wherever that is."""

from pathlib import Path

from tests.support.ports import free_port
from tests.support.stand_in_docker import StandIn


def test_where_no_edge_listens_here_the_load_is_handed_to_the_edges_container(tmp_path: Path) -> None:
    ran = StandIn(tmp_path).run("load", "--rate", "5", EDGE_PORT=str(free_port()))
    assert ran.stdout == "docker compose exec --no-TTY edge-api python - --rate 5\n"
