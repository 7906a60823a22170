"""The check that the locks are what pyproject.toml asks for."""

import pytest

from scripts.locks import problems, read_pins, unmet
from tests import ROOT

_LOCK = """\
grpc-io==1.2.0 ; python_version >= '3.11' \\
    --hash=sha256:aa \\
    --hash=sha256:bb
uv==0.13.9 \\
    --hash=sha256:cc
"""


def test_the_locks_of_this_project_are_in_order() -> None:
    assert problems(ROOT) == []


def test_names_are_compared_as_pip_does_and_versions_by_their_range() -> None:
    pins = read_pins(_LOCK)
    assert pins == {"grpc-io": "1.2.0", "uv": "0.13.9"}
    assert unmet(["Grpc_IO>=1.2,<2", "uv>=1", "missing"], pins) == ["uv>=1", "missing"]


def test_a_pin_without_a_hash_is_refused() -> None:
    with pytest.raises(ValueError, match="uv is pinned without a hash"):
        read_pins("uv==0.13.9\n")
