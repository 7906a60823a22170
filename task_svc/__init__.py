"""The task service: stores tasks, and publishes an event to the queue for each change."""
