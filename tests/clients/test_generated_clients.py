"""Clients generated from the OpenAPI document call the operations of a running system through its gateway."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests import ROOT
from tests.support.stack.dev_runner import running

pytestmark = pytest.mark.slow

_NODE_MODULES = ROOT / "web/node_modules"
_TSC = (
    *(_NODE_MODULES / ".bin/tsc", "--noEmit", "--strict", "--skipLibCheck", "--target", "esnext"),
    *("--module", "nodenext", "--allowImportingTsExtensions"),
    *("--typeRoots", _NODE_MODULES / "@types", "--types", "node"),
)


class ClientProject:
    """A folder with the OpenAPI document and the programs of this package, for generating a client."""

    def __init__(self, folder: Path, gateway: str) -> None:
        self._folder = folder
        document = httpx.get(f"{gateway}/api/openapi.json", headers={"x-api-key": "demo-key"}, trust_env=False)
        (folder / "openapi.json").write_text(document.raise_for_status().text)
        for program in (*Path(__file__).parent.glob("example.*"), *Path(__file__).parent.glob("journey.*")):
            shutil.copy(program, folder)

    def run(self, *command: str | Path) -> str:
        """Run a command that must succeed, and return its output."""
        path = f"{ROOT / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"
        ran = subprocess.run(
            command,
            cwd=self._folder,
            env={**os.environ, "PATH": path, "NO_PROXY": "127.0.0.1", "NO_COLOR": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=180,
        )
        assert ran.returncode == 0, ran.stdout
        return ran.stdout


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("system")) as dev:
        dev.wait_for("Taskmesh is up")
        yield dev.gateway


def test_python_client(gateway: str, tmp_path: Path) -> None:
    project = ClientProject(tmp_path, gateway)
    options = ("--path", "openapi.json", "--meta", "none", "--output-path", "taskmesh_client", "--fail-on-warning")
    project.run("openapi-python-client", "generate", *options)
    project.run("mypy", "--strict", "--follow-imports", "silent", "journey.py", "example.py")
    project.run(sys.executable, "journey.py", gateway, "demo", "demo-key")
    assert "Buy milk" in project.run(sys.executable, "example.py", gateway)


def test_typescript_client(gateway: str, tmp_path: Path) -> None:
    project = ClientProject(tmp_path, gateway)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    written = project.run(_NODE_MODULES / ".bin/openapi-ts", "--file", Path(__file__).parent / "openapi-ts.config.ts")
    assert "warn" not in written.lower()
    project.run(*_TSC, "journey.ts", "example.ts")
    project.run("node", "journey.ts", gateway, "guest", "guest-key")
    assert "Buy milk" in project.run("node", "example.ts", gateway)
