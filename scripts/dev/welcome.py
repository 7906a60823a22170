"""What is said when everything is up: where to look, and two commands to try."""

from scripts.dev.settings import DevSettings


def welcome(settings: DevSettings, seconds: float) -> str:
    """The block of text; its commands work as they stand. `seconds` is how long the start took."""
    ports = settings.ports
    gateway = f"http://127.0.0.1:{ports['GATEWAY_PORT']}"
    page = f"http://localhost:{ports['GATEWAY_PORT']}"
    metrics = "\n".join(
        f"  {name:<12} http://127.0.0.1:{ports[variable]}/metrics"
        for name, variable in (
            ("edge_api", "EDGE_METRICS_PORT"),
            ("task_svc", "TASK_METRICS_PORT"),
            ("notify_svc", "NOTIFY_METRICS_PORT"),
        )
    )
    return f"""
Taskmesh is up after {seconds:.1f} s. Ctrl-C stops it.

  open         {page} and sign in as demo with demo-password, or as guest with guest-password
  REST         {gateway}/api/v1/tasks (-H 'x-api-key: demo-key')
  its docs     {page}/api/docs, for whoever is signed in
  events       {gateway}/api/v1/events (curl -N)
  task_svc     127.0.0.1:{ports["TASK_GRPC_PORT"]} (gRPC)
  notify_svc   127.0.0.1:{ports["NOTIFY_GRPC_PORT"]} (gRPC)

Metrics
{metrics}

Create a task over REST, or over gRPC
  curl -i {gateway}/api/v1/tasks -H 'x-api-key: demo-key' -H 'content-type: application/json' \
-d '{{"title": "Buy milk"}}'
  grpcurl -plaintext -H 'x-consumer-username: demo' -d '{{"task": {{"title": "Buy milk"}}}}' \
127.0.0.1:{ports["TASK_GRPC_PORT"]} task.v1.TaskService/CreateTask
"""
