"""Shared infrastructure of all Python services; independent of the task domain."""
