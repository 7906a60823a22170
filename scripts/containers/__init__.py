"""Checks docker-compose.yml against the settings of the services and the rules of isolation."""
