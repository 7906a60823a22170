"""Check the health of one process: `python -m chassis.probe ADDRESS`, for the health checks of containers.

    grpc://127.0.0.1:50051                        liveness of the process
    grpc://127.0.0.1:50051/task.v1.TaskService    readiness of that service
    http://127.0.0.1:8080/healthz                 whether the response is 200

The exit status is 0 if the process is healthy, 1 with the reason on stderr if it is not, and 2 for a usage error.
"""

import http.client
import sys
from urllib.parse import SplitResult, urlsplit

SECONDS = 2.0


class Unhealthy(Exception):
    """The process is unavailable or reports that it is unhealthy; the message has the reason."""


def main(arguments: list[str]) -> int:
    """Check the one address in `arguments`; return the exit status."""
    address = _address(arguments)
    if address is None:
        sys.stderr.write("usage: python -m chassis.probe grpc://HOST:PORT[/SERVICE] | http://HOST:PORT/PATH\n")
        return 2
    try:
        check(address)
    except Unhealthy as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def check(address: SplitResult) -> None:
    """Check one address within `SECONDS`. Raise Unhealthy."""
    _check_grpc(address) if address.scheme == "grpc" else _check_http(address)


def _address(arguments: list[str]) -> SplitResult | None:
    try:
        (address,) = (urlsplit(each) for each in arguments)
        is_whole = bool(address.scheme in ("grpc", "http") and address.hostname and address.port)
    except ValueError:  # not exactly one argument, or an invalid port
        return None
    return address if is_whole else None


def _check_http(address: SplitResult) -> None:
    connection = http.client.HTTPConnection(address.netloc, timeout=SECONDS)
    try:
        connection.request("GET", address.path or "/")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        msg = f"{address.geturl()}: {error or type(error).__name__}"
        raise Unhealthy(msg) from error
    finally:
        connection.close()
    if status != http.client.OK:
        msg = f"{address.geturl()}: the status is {status}, not 200"
        raise Unhealthy(msg)


def _check_grpc(address: SplitResult) -> None:
    # Imported here because it takes ten times as long as all other imports together.
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    service = address.path.removeprefix("/")
    with grpc.insecure_channel(address.netloc, options=[("grpc.enable_http_proxy", 0)]) as channel:
        try:
            request = health_pb2.HealthCheckRequest(service=service)
            status = health_pb2_grpc.HealthStub(channel).Check(request, timeout=SECONDS).status  # type: ignore[attr-defined]
        except grpc.RpcError as error:
            msg = f"{address.geturl()}: {error.code().name}: {error.details()}"
            raise Unhealthy(msg) from error
    if status != health_pb2.HealthCheckResponse.SERVING:
        msg = f"{address.geturl()}: the status is {health_pb2.HealthCheckResponse.ServingStatus.Name(status)}"
        raise Unhealthy(msg)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
