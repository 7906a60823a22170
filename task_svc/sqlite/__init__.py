"""The SQLite adapter of the task repository."""
