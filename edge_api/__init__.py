"""The HTTP edge: translates between REST with JSON and gRPC. The rules for tasks are in the task service."""
