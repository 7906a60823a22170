"""Checks what cannot be started without Docker: `docker-compose.yml`, `Dockerfile`, `.dockerignore`, `compose/`."""
