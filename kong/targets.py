"""The addresses of the services in kong.yml: names in Compose, and ports on 127.0.0.1 in `make dev`."""

LOCAL_PORT = {
    "edge-api:8080": "EDGE_PORT",
    "web:8080": "WEB_PORT",
    "task-svc:50051": "TASK_GRPC_PORT",
    "notify-svc:50052": "NOTIFY_GRPC_PORT",
}
"""Maps each address in Compose to the setting with its port in development."""
