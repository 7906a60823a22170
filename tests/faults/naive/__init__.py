"""The losses of a task service without an outbox: it stores a task, then publishes the event."""
