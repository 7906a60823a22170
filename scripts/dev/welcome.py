"""The message after the start: addresses, and two commands to try."""

from scripts.dev.services import GRPC_SERVICES, METRICS_PORTS
from scripts.dev.settings import DevSettings


def welcome(settings: DevSettings, seconds: float) -> str:
    """The text of the message. `seconds` is the duration of the start."""
    ports = settings.ports
    gateway = f"http://127.0.0.1:{ports['GATEWAY_PORT']}"
    page = f"http://localhost:{ports['GATEWAY_PORT']}"
    services = "\n".join(f"  {each.name:<12} 127.0.0.1:{ports[each.grpc_port]} (gRPC)" for each in GRPC_SERVICES)
    metrics = "\n".join(f"  {name:<12} http://127.0.0.1:{ports[port]}/metrics" for name, port in METRICS_PORTS.items())
    return f"""
Taskmesh is up after {seconds:.1f} s. Ctrl-C stops it.

  open         {page} and sign in as demo with demo-password, or as guest with guest-password
  REST         {gateway}/api/v1/tasks (-H 'x-api-key: demo-key')
  its docs     {page}/api/docs, after a sign-in
  events       {gateway}/api/v1/events (curl -N)
{services}

Metrics
{metrics}

Create a task over REST, or over gRPC
  curl -i {gateway}/api/v1/tasks -H 'x-api-key: demo-key' -H 'content-type: application/json' \
-d '{{"title": "Buy milk"}}'
  .venv/bin/buf curl --protocol grpc --http2-prior-knowledge -H 'x-consumer-username: demo' \
-d '{{"task": {{"title": "Buy milk"}}}}' http://127.0.0.1:{ports["TASK_GRPC_PORT"]}/task.v1.TaskService/CreateTask
"""
