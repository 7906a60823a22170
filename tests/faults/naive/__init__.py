"""What is lost without the pattern: a task service that stores, then pushes, and has no outbox."""
