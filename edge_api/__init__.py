"""The HTTP edge: REST and JSON on one side, gRPC on the other; the rules about tasks are the task service's."""
