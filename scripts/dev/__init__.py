"""`make dev`: starts the whole system on this machine without Docker, and stops it without leaving a process behind."""
