"""Where the services of kong.yml lead: by name in Compose, and by port to the same process of `make dev`."""

LOCAL_PORT = {
    "edge-api:8080": "EDGE_PORT",
    "web:8080": "WEB_PORT",
    "task-svc:50051": "TASK_GRPC_PORT",
    "notify-svc:50052": "NOTIFY_GRPC_PORT",
}
"""Every target, and the variable that holds the port on 127.0.0.1 where it is in development."""
