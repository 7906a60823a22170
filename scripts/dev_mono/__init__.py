"""The task service, the notification service and the edge in one process, for `make dev-mono`."""
