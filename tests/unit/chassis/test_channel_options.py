from importlib import import_module
from pathlib import Path

import pytest

from chassis.grpc_api.channel_options import CLIENT_OPTIONS, SERVER_OPTIONS

LIBRARY = Path(str(import_module("grpc._cython.cygrpc").__file__)).read_bytes()


@pytest.mark.parametrize("name", sorted({name for name, _ in (*SERVER_OPTIONS, *CLIENT_OPTIONS)}))
def test_grpc_knows_the_option(name: str) -> None:
    assert name.encode() + b"\0" in LIBRARY
