"""The task service: keeps tasks, and tells the queue what happened to them."""
