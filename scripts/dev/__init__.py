"""`make dev`: runs the whole system on this machine without Docker."""
