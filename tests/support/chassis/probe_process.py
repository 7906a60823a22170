"""Start `tests.support.chassis.probe_service` as a separate process, and read its output."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from tests import ROOT
from tests.support.ports import free_port

TOKEN = "a-token-that-is-long-enough"


@dataclass
class ProbeProcess:
    """A running process; `finished` returns its exit code and output."""

    process: asyncio.subprocess.Process
    port: int
    metrics_port: int

    @property
    def target(self) -> str:
        """The address of its gRPC server."""
        return f"127.0.0.1:{self.port}"

    def stop_reading(self) -> None:
        """Close the pipe from which its log is read."""
        assert self.process.stdout is not None
        self.process.stdout._transport.close()  # type: ignore[attr-defined]

    async def finished(self, within: float = 10) -> tuple[int, list[dict[str, Any]], str]:
        """Wait for its end; return the exit code, the JSON lines on stdout, and stderr."""
        out, err = await asyncio.wait_for(self.process.communicate(), within)
        assert self.process.returncode is not None
        return self.process.returncode, [json.loads(line) for line in out.decode().splitlines()], err.decode()


@asynccontextmanager
async def probe_process(directory: Path, **environment: str) -> AsyncIterator[ProbeProcess]:
    """Start a process with its own token file; kill it after the block if it is still running."""
    token_file = directory / "mesh-token"
    token_file.write_text(f"{TOKEN}\n")
    port, metrics_port = int(environment.get("PROBE_GRPC_PORT", free_port())), free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.chassis.probe_service"),
        cwd=ROOT,
        env={
            "PROBE_GRPC_PORT": str(port),
            "PROBE_METRICS_PORT": str(metrics_port),
            "MESH_TOKEN_FILE": str(token_file),
            "LOG_FORMAT": "json",
            "DRAIN_NOTICE_SECONDS": "0.1",
            **environment,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield ProbeProcess(process, port, int(environment.get("PROBE_METRICS_PORT", metrics_port)))
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


@asynccontextmanager
async def answering(probe: ProbeProcess) -> AsyncIterator[grpc.aio.Channel]:
    """Yield a channel to the process as soon as it is connected."""
    async with grpc.aio.insecure_channel(probe.target) as channel:
        await asyncio.wait_for(channel.channel_ready(), 10)
        yield channel
