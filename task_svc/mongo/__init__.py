"""The MongoDB adapter of the task repository, through Motor."""
